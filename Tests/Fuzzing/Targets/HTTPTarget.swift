import Wire

/// The HTTP parser. The same stream, whole and in pieces, gives the same events; accepted requests, rewritten in the
/// plainest form, are accepted as the same requests.
enum HTTPTarget {
    /// Bits of `Pieces.options`.
    private static let suspends: UInt8 = 2
    private static let isNarrow: UInt8 = 4

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        guard let pieces = Pieces(input) else { return }
        let limits = pieces.has(Self.isNarrow) ? self.narrow : HTTPLimits()

        var whole = Reading(limits)
        try pieces.whole { (bytes) throws(BrokenProperty) in try whole.feed(bytes, suspending: false) }
        var cut = Reading(limits)
        try pieces.forEach { (bytes) throws(BrokenProperty) in
            try cut.feed(bytes, suspending: pieces.has(Self.suspends))
        }
        try require(whole.events == cut.events, "whole and in pieces differ: \(whole.text) / \(cut.text)")

        guard !pieces.has(Self.isNarrow) else { return }
        for request in whole.requests { try self.checkAgain(request) }
    }

    /// So narrow that short inputs reach every limit.
    private static var narrow: HTTPLimits {
        var limits = HTTPLimits()
        limits.targetBytesMax = 24
        limits.headerBytesMax = 96
        limits.headerCountMax = 4
        limits.bodyBytesMax = 24
        limits.chunkExtensionBytesMax = 6
        limits.emptyLinesMax = 1
        limits.retainedBytesMax = 16
        return limits
    }

    /// An accepted request in its plainest form.
    private static func checkAgain(_ request: Seen) throws(BrokenProperty) {
        guard request.form == .origin || request.form == .asterisk else { return }
        var bytes = Array("\(request.method) ".uppercased().utf8) + request.path
        if !request.query.isEmpty { bytes += Array("?".utf8) + request.query }
        bytes += Array(" HTTP/1.1\r\n".utf8)
        for (name, value) in request.fields { bytes += name + Array(": ".utf8) + value + Array("\r\n".utf8) }
        if !request.hasHost { bytes += Array("Host: a\r\n".utf8) }
        bytes += Array("Content-Length: \(request.body.count)\r\n\r\n".utf8) + request.body
        let length = bytes.count
        bytes += Array("GET /next HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

        // A head near a limit may be longer in its plain form.
        var limits = HTTPLimits()
        limits.headerBytesMax *= 2
        var again = Reading(limits)
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(BrokenProperty) in
            try again.feed(bytes, suspending: false)
        }
        guard let first = again.requests.first, first.isSame(as: request) else {
            throw BrokenProperty("written plainly in \(length) bytes it is another request: \(request) / \(again.text)")
        }
        let count = first.connection == .close ? 1 : 2
        try require(again.requests.count == count, "what follows a request is not read as the next: \(again.text)")
    }
}

/// One request, copied out of the parser's views.
private struct Seen: Equatable {
    var method: HTTPMethod
    var form: HTTPRequest.TargetForm
    var path: [UInt8]
    var query: [UInt8]
    var host: [UInt8]
    var body: [UInt8]
    var connection: HTTPConnectionFate
    var names: [[UInt8]]
    var values: [[UInt8]]
    var hasHost: Bool

    init(_ request: HTTPRequest) {
        self.method = request.method
        self.form = request.form
        self.path = Array(request.path.bytes)
        self.query = Array(request.query.bytes)
        self.host = Array(request.host.bytes)
        self.body = Array(request.body.bytes)
        self.connection = request.connection
        self.names = request.headers.map { Array($0.name.bytes) }
        self.values = request.headers.map { Array($0.value.bytes) }
        self.hasHost = request[.host] != nil
    }

    /// Without the fields about the body's transfer: they are the parser's, and never more than one.
    var fields: [([UInt8], [UInt8])] {
        Array(zip(self.names, self.values)).filter { name, _ in
            let text = String(decoding: name, as: UTF8.self).lowercased()
            return text != "content-length" && text != "transfer-encoding" && text != "expect"
        }
    }

    func isSame(as other: Seen) -> Bool {
        self.method == other.method && self.form == other.form && self.path == other.path && self.query == other.query
            && self.body == other.body && (self.host == other.host || !other.hasHost)
    }
}

/// A parser, and all its events.
private struct Reading: ~Copyable {
    enum Event: Equatable {
        case request(Seen)
        case continueExpected
        case refused(HTTPRefusal)
    }

    private(set) var events: [Event] = []
    private var parser: HTTPRequestParser
    private let limits: HTTPLimits
    private var isOver = false

    init(_ limits: HTTPLimits) {
        self.limits = limits
        self.parser = HTTPRequestParser(limits: limits)
    }

    var requests: [Seen] { self.events.compactMap { if case .request(let seen) = $0 { seen } else { nil } } }
    var text: String { "\(self.events)" }

    mutating func feed(_ bytes: UnsafeRawBufferPointer, suspending: Bool) throws(BrokenProperty) {
        self.parser.feed(bytes)
        while true {
            switch self.parser.next() {
            case .request(let request):
                try require(!self.isOver, "something was read after the end")
                let seen = Seen(request)
                try self.checkLimits(seen)
                self.isOver = seen.connection == .close
                self.events.append(.request(seen))
            case .continueExpected:
                try require(!self.isOver, "something was read after the end")
                self.events.append(.continueExpected)
            case .refused(let refusal):
                try require(!self.isOver, "something was read after the end")
                self.isOver = true
                self.events.append(.refused(refusal))
            case .needsMore:
                try require(!self.isOver || self.parser.phase == .finished, "a connection that is over goes on")
                return
            }
            if suspending { self.parser.suspend() }
        }
    }

    /// Delivered values never contain anything that could break out of a line, nor exceed the limits.
    private func checkLimits(_ seen: Seen) throws(BrokenProperty) {
        try require(seen.body.count <= self.limits.bodyBytesMax, "a body is larger than the limit")
        try require(seen.names.count <= self.limits.headerCountMax, "there are more fields than the limit")
        try require(
            seen.path.count + seen.query.count + seen.host.count <= self.limits.targetBytesMax
                + self.limits.headerBytesMax,
            "a target is longer than the limit"
        )
        try require(seen.form == .authority || seen.path.first == 0x2F || seen.form == .asterisk, "a path has no slash")
        for text in [seen.path, seen.query, seen.host] {
            try require(
                text.allSatisfy { $0 > 0x20 && $0 < 0x7F },
                "a target or host holds a space or control character"
            )
        }
        for name in seen.names {
            try require(!name.isEmpty && name.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }, "a name is no token")
        }
        for value in seen.values {
            try require(
                value.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) },
                "a value holds a control character"
            )
            try require(value.first != 0x20 && value.last != 0x20, "a value has spaces around it")
        }
    }
}
