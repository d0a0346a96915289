import Booking

@testable import Wire

/// The lists of addresses that proxies put into requests: `X-Forwarded-For` and `Forwarded`.
///
///     line LF line ...      the values of the header's lines, as in a request; each header is tried with all of them
///
/// Proxies have 10.0.0.0/8 and 2001:db8::/32, and the request came from one of them.
enum ForwardedTarget {
    /// A request may have 100 headers.
    private static let linesMax = 50

    private static let peer = IPAddress(ipv4: 0x0A00_0009)
    private static let client = IPAddress(ipv4: 0xC000_0201)
    private static let trusted = NetworkList(
        ["10.0.0.0/8", "2001:db8::/32"].compactMap { (text: StaticString) in Network(ByteView(text)) }
    )

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        var lines = input.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
        if lines.count > self.linesMax { lines.removeLast(lines.count - self.linesMax) }
        try self.checkForwardedFor(lines)
        try self.checkForwarded(lines)
    }

    /// It is read from its end; reading from its beginning gives the same, in one line or in several. The part that a
    /// trusted proxy appends counts, whatever precedes it.
    private static func checkForwardedFor(_ lines: [[UInt8]]) throws(BrokenProperty) {
        guard let found = self.forwardedFor(lines) else { return }
        let expected = self.fromTheBeginning(lines)
        try require(found == expected, "from the end it is \(found), and from the beginning \(expected)")
        let line = Array(lines.joined(separator: [UInt8(ascii: ",")]))
        try require(self.forwardedFor([line]) == found, "one line says something else than several")
        let appended = self.forwardedFor([line + Array(", 192.0.2.1".utf8)])
        try require(appended == self.client, "what a proxy appends is \(String(describing: appended))")
        let own = self.forwardedFor(lines + [Array("192.0.2.1, 10.0.0.1".utf8)])
        try require(own == self.client, "what proxies append in a line of their own is \(String(describing: own))")
    }

    /// The part that a trusted proxy appends counts, or the request is refused; and a malformed list stays malformed.
    private static func checkForwarded(_ lines: [[UInt8]]) throws(BrokenProperty) {
        guard let found = self.forwarded(lines), let own = self.forwarded(lines + [Array("for=192.0.2.1".utf8)]) else {
            return
        }
        try require(own == self.client || own == nil, "what a proxy appends is \(String(describing: own))")
        try require(found != nil || own == nil, "a malformed list is none with a line behind it")
    }

    // MARK: Reference

    /// From the client on: each proxy replaces the client before it, unless that one is all that is known.
    private static func fromTheBeginning(_ lines: [[UInt8]]) -> IPAddress {
        var client: IPAddress?
        for node in lines.joined(separator: [UInt8(ascii: ",")]).split(separator: UInt8(ascii: ",")) {
            let node = self.trimmed(node)
            guard !node.isEmpty else { continue }
            guard let address = node.withUnsafeBytes({ ForwardedFor.address(of: ByteView($0)) }) else {
                client = nil
                continue
            }
            if client == nil || !self.trusted.contains(address) { client = address }
        }
        return client ?? self.peer
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let end = bytes.lastIndex(where: { !isSpace($0) }) else { return [] }
        return bytes[...end].drop(while: isSpace)
    }

    // MARK: Requests

    /// Nil for lines that no request can have.
    private static func forwardedFor(_ lines: [[UInt8]]) -> IPAddress? {
        self.read("X-Forwarded-For: ", lines) {
            ForwardedFor.client(byForwardedFor: $0, from: self.peer, self.trusted)
        }
    }

    private static func forwarded(_ lines: [[UInt8]]) -> IPAddress?? {
        self.read("Forwarded: ", lines) { ForwardedFor.client(byForwarded: $0, from: self.peer, self.trusted) }
    }

    private static func read<Client>(
        _ name: String,
        _ lines: [[UInt8]],
        _ client: (borrowing HTTPHeaders) -> Client
    ) -> Client? {
        var text = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8)
        for line in lines { text += Array(name.utf8) + line + Array("\r\n".utf8) }
        text += Array("\r\n".utf8)
        return text.withUnsafeBytes { bytes in
            var parser = HTTPRequestParser(limits: HTTPLimits())
            parser.feed(bytes)
            guard case .request(let request) = parser.next() else { return nil }
            return client(request.headers)
        }
    }
}
