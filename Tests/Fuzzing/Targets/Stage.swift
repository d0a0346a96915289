import Booking
import Wire

/// The common part of the targets: a catalogue, keys, and a check of answers.
enum Stage {
    static let catalogue = Catalogue.original()
    static let slots = SlotMap(shardCount: 2)
    static let date = HTTPDate(epochSeconds: 1_767_193_200)
    static let writer = AnswerWriter(catalogue: Self.catalogue, zone: ZoneTable(offset: 32_400))

    /// Two keys, so that a token's time determines its key.
    static let ring = Self.ring(firstByte: 0)
    /// The same ids and times with other secrets: a forger's.
    static let otherRing = Self.ring(firstByte: 128)
    static let secondKeyFrom = Timestamp(seconds: 1_767_193_200)

    private static func ring(firstByte: UInt8) -> TokenRing {
        do {
            return try TokenRing([
                TokenKey(id: 1, secret: (0..<32).map { firstByte + $0 }, activeFrom: Timestamp(seconds: 0)),
                TokenKey(id: 2, secret: (0..<32).map { firstByte + 64 + $0 }, activeFrom: Self.secondKeyFrom),
            ])
        } catch { preconditionFailure("keys that are right by themselves: \(error)") }
    }

    /// The output to a client is one whole answer: its lines have no control character, its length is its body's, and
    /// its body is JSON.
    static func check(_ output: borrowing OutputBytes, _ method: HTTPMethod, _ status: HTTPStatus)
        throws(BrokenProperty)
    {
        let answer = output.view.bytes
        guard let end = self.endOfHead(answer) else {
            throw BrokenProperty("an answer has no end of its head: \(output.view.text)")
        }
        let lines = answer[..<end]
        let body = UnsafeRawBufferPointer(rebasing: answer[(end + 4)...])
        try require(
            lines.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x0D || $0 == 0x0A },
            "the head of an answer holds what no line may: \(output.view.text)"
        )
        let head = String(decoding: lines, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        try require(head[0].hasPrefix("HTTP/1.1 \(status.rawValue) "), "an answer begins with \(head[0])")
        for line in head.dropFirst() {
            let name = line.prefix { $0 != ":" }
            try require(self.names.contains(String(name)), "an answer has a line that nobody writes: \(line)")
        }
        let length = head.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) }
        try require(
            method == .head || (length ?? 0) == body.count,
            "an answer says \(length ?? 0) bytes and has \(body.count)"
        )
        try require(method != .head || body.isEmpty, "an answer to HEAD has a body")
        guard !body.isEmpty else { return }
        var failure: InputError?
        do throws(InputError) { _ = try JSONObject(ByteView(body)) } catch { failure = error }
        // Lists are JSON as well, and valid if their only fault is not being an object.
        try require(failure == nil || failure?.code == .jsonNotObject, "an answer's body is no JSON: \(failure!)")
    }

    /// Every field of any answer: another name would be a line that broke out of a value.
    private static let names: Set<String> = [
        "Date", "Content-Type", "Content-Length", "Connection", "Retry-After", "Cache-Control", "ETag", "Allow", "Vary",
        "WWW-Authenticate",
    ]

    private static func endOfHead(_ answer: UnsafeRawBufferPointer) -> Int? {
        var at = 0
        while at + 4 <= answer.count {
            if answer.loadUnaligned(fromByteOffset: at, as: UInt32.self) == 0x0A0D_0A0D { return at }
            at += 1
        }
        return nil
    }
}
