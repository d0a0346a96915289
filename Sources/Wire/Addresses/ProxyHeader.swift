public import Booking

/// The header that a proxy puts before everything else on a connection, to say on whose behalf it opened it: versions 1 and
/// 2 of the PROXY protocol (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2).
///
///     1:  PROXY TCP4 192.0.2.1 192.0.2.9 56324 443 CR LF      PROXY UNKNOWN ... CR LF        107 bytes at most
///     2:  12 bytes of signature | version 2, command | family, protocol | u16 length | addresses | what else it says
///
/// Whether one has to come is the listener's setting, never a guess: else a client could begin with one of its own.
public enum ProxyHeader: Equatable, Sendable {
    /// So far it can be one.
    case needsMore
    /// It is none. The connection has to be dropped.
    case malformed
    /// The header is the first `length` bytes. `source` is nil where the proxy speaks for itself (a health check), or can't
    /// tell: then the address of the connection counts.
    case read(length: Int, source: IPAddress?)

    /// A longer header is refused; version 2 could be 65,551 bytes with everything that proxies may say in it, and is a
    /// few hundred.
    public static let bytesMax = 4_096
    private static let lineBytesMax = 107

    private static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
    private static let word: StaticString = "PROXY "

    /// Reads what has come from a connection's first byte on. No allocation. Cheap enough to be called again from the start
    /// when more has come.
    public static func read(_ bytes: ByteView) -> ProxyHeader {
        guard !bytes.isEmpty else { return .needsMore }
        return bytes.byte(0) == UInt8(ascii: "P") ? self.readLine(bytes) : self.readBinary(bytes)
    }

    // MARK: Version 1

    private static func readLine(_ bytes: ByteView) -> ProxyHeader {
        guard self.begins(bytes, with: ByteView(self.word)) else { return .malformed }
        let stop = min(bytes.count, self.lineBytesMax)
        var end = 0
        while end < stop, bytes.byte(end) != 0x0D, bytes.byte(end) != 0x0A { end += 1 }
        guard end + 1 < stop else {
            let mayGoOn = bytes.count < self.lineBytesMax && (end == stop || bytes.byte(end) == 0x0D)
            return mayGoOn ? .needsMore : .malformed
        }
        guard bytes.byte(end) == 0x0D, bytes.byte(end + 1) == 0x0A else { return .malformed }
        return self.readFields(bytes.part(self.word.utf8CodeUnitCount, end), length: end + 2)
    }

    /// The fields behind `PROXY `, one space between each.
    private static func readFields(_ line: ByteView, length: Int) -> ProxyHeader {
        var rest = line
        let family = self.field(&rest)
        // Whatever follows is to be ignored.
        if family == "UNKNOWN" { return .read(length: length, source: nil) }
        guard family == "TCP4" || family == "TCP6" else { return .malformed }
        let isIPv4 = family == "TCP4"
        guard let source = self.address(self.field(&rest), isIPv4: isIPv4),
            self.address(self.field(&rest), isIPv4: isIPv4) != nil,
            IPAddress.decimal(self.field(&rest), max: 65_535) != nil,
            // The last one: a space in it is refused.
            IPAddress.decimal(rest, max: 65_535) != nil
        else { return .malformed }
        return .read(length: length, source: source)
    }

    /// Takes what stands before the next space, and the space; all where there is none.
    private static func field(_ rest: inout ByteView) -> ByteView {
        let end = rest.firstIndex(of: 0x20) ?? rest.count
        defer { rest = rest.part(min(end + 1, rest.count), rest.count) }
        return rest.part(0, end)
    }

    private static func address(_ text: ByteView, isIPv4: Bool) -> IPAddress? {
        isIPv4 ? IPAddress.ipv4(text).map { IPAddress(ipv4: $0) } : IPAddress.ipv6(text).map { IPAddress(bits: $0) }
    }

    // MARK: Version 2

    private static func readBinary(_ bytes: ByteView) -> ProxyHeader {
        guard self.begins(bytes, with: ByteView(self.signature)) else { return .malformed }
        guard bytes.count >= 13 else { return .needsMore }
        let command = bytes.byte(12)
        guard command == 0x20 || command == 0x21 else { return .malformed }
        guard bytes.count >= 16 else { return .needsMore }
        let length = 16 + Int(bytes.byte(14)) << 8 + Int(bytes.byte(15))
        guard length <= self.bytesMax else { return .malformed }
        // Of a connection that is the proxy's own everything else is to be skipped, the family too.
        let isOwn = command == 0x20
        let family = bytes.byte(13)
        guard isOwn || family >> 4 <= 3 && family & 0xF <= 2 else { return .malformed }
        let addressBytes = family == 0x11 ? 12 : family == 0x21 ? 36 : 0
        guard isOwn || length >= 16 + addressBytes else { return .malformed }
        guard bytes.count >= length else { return .needsMore }
        guard !isOwn, addressBytes > 0 else { return .read(length: length, source: nil) }
        var number: UInt128 = 0
        for at in 16..<(family == 0x11 ? 20 : 32) { number = number << 8 | UInt128(bytes.byte(at)) }
        let source = family == 0x11 ? IPAddress(ipv4: UInt32(number)) : IPAddress(bits: number)
        return .read(length: length, source: source)
    }

    /// As far as both go.
    private static func begins(_ bytes: ByteView, with start: ByteView) -> Bool {
        let count = min(bytes.count, start.count)
        return bytes.part(0, count).isEqual(to: start.part(0, count))
    }
}
