public import Booking

/// The header by which a proxy names the client at the start of a connection: versions 1 and 2 of the PROXY protocol
/// (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2).
///
///     1:  PROXY TCP4 192.0.2.1 192.0.2.9 56324 443 CR LF      PROXY UNKNOWN ... CR LF        107 bytes at most
///     2:  12 bytes of signature | version 2, command | family, protocol | u16 length | addresses | extensions
///
/// Whether a header is required is the listener's setting, never a guess: else a client could send its own.
public enum ProxyHeader: Equatable, Sendable {
    /// The bytes so far may be the start of a header.
    case needsMore
    /// Not a header. The connection has to be dropped.
    case malformed
    /// The header is the first `length` bytes. `source` is nil where the proxy opened the connection for itself (a
    /// health check) or does not know the client: then the connection's address counts.
    case read(length: Int, source: IPAddress?)

    /// A longer header is refused; version 2 allows 65,551 bytes with extensions, and real ones have a few hundred.
    public static let bytesMax = 4_096
    private static let lineBytesMax = 107

    private static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
    private static let word: StaticString = "PROXY "

    /// Reads a connection's bytes from the first one on. No allocation. Cheap enough to restart when more bytes come.
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
        // The rest is to be ignored.
        if family == "UNKNOWN" { return .read(length: length, source: nil) }
        guard family == "TCP4" || family == "TCP6" else { return .malformed }
        let isIPv4 = family == "TCP4"
        guard let source = self.address(self.field(&rest), isIPv4: isIPv4),
            self.address(self.field(&rest), isIPv4: isIPv4) != nil,
            IPAddress.decimal(self.field(&rest), max: 65_535) != nil,
            // The last field: a space in it is refused.
            IPAddress.decimal(rest, max: 65_535) != nil
        else { return .malformed }
        return .read(length: length, source: source)
    }

    /// Removes and returns the text before the next space, and drops the space; everything where there is none.
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
        // For the proxy's own connections everything else is to be skipped, the family too.
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

    /// Compares as many bytes as both have.
    private static func begins(_ bytes: ByteView, with start: ByteView) -> Bool {
        let count = min(bytes.count, start.count)
        return bytes.part(0, count).isEqual(to: start.part(0, count))
    }
}
