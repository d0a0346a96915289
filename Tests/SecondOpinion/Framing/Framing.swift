import Glibc
import Wire

/// How the gateway's parser frames what a connection brings: a second opinion compares it with its own.
///
///     in:    │ count u32 │ piece u32 │ count bytes │ ...         pieces of so many bytes, 0 for one piece; little-endian
///     out:   a line of JSON for each: {"requests":[...],"end":"more"}
///
/// `end` is `idle` where nothing is left over, `more` within a request, `closed` after the last request of a connection,
/// and otherwise the code of a refusal. Bytes are in hexadecimal.
@main enum Framing {
    static func main() {
        var output = OutputBytes()
        while let count = Self.number(), let piece = Self.number(), let bytes = Self.bytes(count) {
            bytes.withUnsafeBytes { Self.frame($0, piece: piece == 0 ? max(1, count) : piece, to: &output) }
            output.append("\n")
            guard output.count > 1 << 16 else { continue }
            Self.write(&output)
        }
        Self.write(&output)
    }

    private static func frame(_ bytes: UnsafeRawBufferPointer, piece: Int, to output: inout OutputBytes) {
        var parser = HTTPRequestParser()
        var refusal: HTTPRefusal?
        output.openObject()
        output.member("requests")
        output.openArray()
        for start in stride(from: 0, to: bytes.count, by: piece) {
            parser.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)]))
            reading: while true {
                switch parser.next() {
                case .request(let request): Self.write(request, to: &output)
                case .continueExpected: break
                case .refused(let found): refusal = found
                case .needsMore: break reading
                }
            }
        }
        output.closeArray()
        output.member("end", refusal.map { "\($0.code)" } ?? Self.word(parser.phase))
        output.closeObject()
    }

    private static func word(_ phase: HTTPRequestParser.Phase) -> String {
        switch phase {
        case .idle: "idle"
        case .head, .body: "more"
        case .finished: "closed"
        }
    }

    private static func write(_ request: HTTPRequest, to output: inout OutputBytes) {
        output.element()
        output.openObject()
        output.member("method", "\(request.method)".uppercased())
        output.member("form", "\(request.form)")
        output.member("host", Self.hexadecimal(request.host))
        output.member("path", Self.hexadecimal(request.path))
        output.member("query", Self.hexadecimal(request.query))
        output.member("headers")
        output.openArray()
        for (name, value) in request.headers {
            output.element()
            output.append(jsonString: Self.hexadecimal(name))
            output.element()
            output.append(jsonString: Self.hexadecimal(value))
        }
        output.closeArray()
        output.member("body", Self.hexadecimal(request.body))
        output.closeObject()
    }

    private static func hexadecimal(_ view: ByteView) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: view.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    // MARK: Standard input and output

    private static func number() -> Int? {
        guard let bytes = Self.bytes(4) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Nil at the end of the input.
    private static func bytes(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress! + done, count - done) }
            guard got > 0 else { return nil }
            done += got
        }
        return bytes
    }

    private static func write(_ output: inout OutputBytes) {
        var rest = output.view.bytes
        while !rest.isEmpty {
            let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            guard count > 0 else { exit(1) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        output.removeAll()
    }
}
