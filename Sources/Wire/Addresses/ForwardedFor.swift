public import Booking

/// The client address of a request, from the header in which proxies pass it on.
///
///     client ──▶ proxy A ──▶ proxy B ──▶ here            X-Forwarded-For: <client>, <A>
///                                                         Forwarded: for=<client>, for=<A>
///
/// Each proxy appends the address of its peer, so only the end of the list can be trusted: the client is the rightmost
/// address that a trusted proxy wrote and that is not itself a trusted proxy's. Everything left of it may be forged.
/// Where a trusted proxy wrote no address (`unknown`, `_hidden`, something else), that proxy counts as the client.
///
/// Lines are read in order, as one list (RFC 9110, section 5.3). Sources: RFC 7239, sections 4 to 6. `X-Forwarded-For`
/// has no standard: addresses separated by commas, with a port or without, IPv6 in brackets or without.
public struct ForwardedFor {
    /// Pairs of a `Forwarded` that are read; real paths have far fewer proxies. The header has to be read from its
    /// beginning, which may come from the client, as its quotes can't be found from the end.
    static let pairsMax = 128

    private let trusted: NetworkList
    /// The client, as far as the list has been read.
    private var client: IPAddress?
    private var pairCount = 0

    init(trusted: NetworkList) { self.trusted = trusted }

    /// The client by `X-Forwarded-For`, for a request from `peer`, which is trusted.
    public static func client(byForwardedFor headers: HTTPHeaders, from peer: IPAddress, _ trusted: NetworkList)
        -> IPAddress
    {
        guard headers[.forwardedFor] != nil else { return peer }
        var farthest = peer
        // From the end, so that the part before the client's address, which the client may have sent, costs nothing.
        for at in (0..<headers.count).reversed() {
            let (name, value) = headers.line(at)
            guard HTTPHeaders.Known(name) == .forwardedFor else { continue }
            if self.isFound(inForwardedFor: value, &farthest, trusted) { break }
        }
        return farthest
    }

    /// Whether the client is in this line: an address that is not trusted, or a node without an address.
    private static func isFound(inForwardedFor line: ByteView, _ farthest: inout IPAddress, _ trusted: NetworkList)
        -> Bool
    {
        var end = line.count
        while true {
            let comma = line.lastIndex(of: UInt8(ascii: ","), before: end)
            let node = line.part(comma.map { $0 + 1 } ?? 0, end).trimmed()
            if !node.isEmpty {
                guard let address = self.address(of: node) else { return true }
                farthest = address
                guard trusted.contains(address) else { return true }
            }
            guard let comma else { return false }
            end = comma
        }
    }

    /// The client by `Forwarded`. Nil for a malformed one, or with more than `pairsMax` pairs: with an unclosed quote,
    /// a client could hide what proxies append behind it.
    public static func client(byForwarded headers: HTTPHeaders, from peer: IPAddress, _ trusted: NetworkList)
        -> IPAddress?
    {
        guard headers[.forwarded] != nil else { return peer }
        var list = ForwardedFor(trusted: trusted)
        for (name, value) in headers where HTTPHeaders.Known(name) == .forwarded {
            guard list.read(forwarded: value) else { return nil }
        }
        return list.client ?? peer
    }

    // MARK: Lines

    /// `forwarded-element *( "," forwarded-element )`, each `[ pair ] *( ";" [ pair ] )`. False where it is malformed.
    mutating func read(forwarded line: ByteView) -> Bool {
        var at = 0
        var node: ByteView?
        var hasPair = false
        while true {
            at = Self.skipSpace(line, at)
            guard at < line.count else { break }
            switch line.byte(at) {
            case UInt8(ascii: ","):
                self.endElement(&node, &hasPair)
                at += 1
            case UInt8(ascii: ";"): at += 1
            default:
                self.pairCount += 1
                guard self.pairCount <= Self.pairsMax, let (name, value, end) = Self.pair(line, at) else {
                    return false
                }
                if name.isEqualIgnoringCase("for") {
                    guard node == nil else { return false }
                    node = value
                }
                hasPair = true
                at = Self.skipSpace(line, end)
                // Only the end of the pair may follow it.
                guard at == line.count || line.byte(at) == UInt8(ascii: ",") || line.byte(at) == UInt8(ascii: ";")
                else {
                    return false
                }
            }
        }
        self.endElement(&node, &hasPair)
        return true
    }

    /// An element without `for` is from a proxy that does not name its peer.
    private mutating func endElement(_ node: inout ByteView?, _ hasPair: inout Bool) {
        if hasPair { self.read(node: node ?? .empty) }
        node = nil
        hasPair = false
    }

    private static func skipSpace(_ line: ByteView, _ start: Int) -> Int {
        var at = start
        while at < line.count, line.byte(at) == 0x20 || line.byte(at) == 0x09 { at += 1 }
        return at
    }

    /// `token "=" value` from `start` on, and the offset behind it. An unquoted value may have the characters of IPv6,
    /// which need quotes and are often sent without.
    private static func pair(_ line: ByteView, _ start: Int) -> (name: ByteView, value: ByteView, end: Int)? {
        let table = ByteClass.table
        let nameEnd = line.skip(.token, from: start, to: line.count, table)
        guard nameEnd > start, nameEnd + 1 < line.count, line.byte(nameEnd) == UInt8(ascii: "=") else { return nil }
        let name = line.part(start, nameEnd)
        var end = nameEnd + 1
        guard line.byte(end) == UInt8(ascii: "\"") else {
            while end < line.count,
                table[Int(line.byte(end))] & (ByteClass.token.rawValue | ByteClass.target.rawValue) != 0,
                line.byte(end) != UInt8(ascii: ","), line.byte(end) != UInt8(ascii: ";")
            {
                end += 1
            }
            return end > nameEnd + 1 ? (name, line.part(nameEnd + 1, end), end) : nil
        }
        end += 1
        while end < line.count, line.byte(end) != UInt8(ascii: "\"") {
            // Addresses contain no backslash, so the escaped character does not matter.
            end += line.byte(end) == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < line.count else { return nil }
        return (name, line.part(nameEnd + 2, end), end + 1)
    }

    // MARK: Nodes

    private mutating func read(node: ByteView) {
        guard let address = Self.address(of: node) else { return self.client = nil }
        // Of consecutive trusted proxies the leftmost is the farthest one known.
        if self.client == nil || !self.trusted.contains(address) { self.client = address }
    }

    /// `192.0.2.1`, `192.0.2.1:47011`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:47011`; a port may be `_hidden`.
    static func address(of node: ByteView) -> IPAddress? {
        guard !node.isEmpty else { return nil }
        if node.byte(0) == UInt8(ascii: "[") {
            guard let close = node.firstIndex(of: UInt8(ascii: "]")), self.isPort(node.part(close + 1, node.count))
            else {
                return nil
            }
            return IPAddress.ipv6(node.part(1, close)).map { IPAddress(bits: $0) }
        }
        if let address = IPAddress(node) { return address }
        guard let colon = node.firstIndex(of: UInt8(ascii: ":")), self.isPort(node.part(colon, node.count)) else {
            return nil
        }
        return IPAddress.ipv4(node.part(0, colon)).map { IPAddress(ipv4: $0) }
    }

    /// Nothing, or a colon and a port.
    private static func isPort(_ text: ByteView) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.byte(0) == UInt8(ascii: ":"), text.count > 1 else { return false }
        let port = text.part(1, text.count)
        if port.byte(0) == UInt8(ascii: "_") {
            return port.count > 1 && port.skip(.host, from: 1, to: port.count, ByteClass.table) == port.count
        }
        return port.count <= 5 && port.skip(.digit, from: 0, to: port.count, ByteClass.table) == port.count
    }
}
