public import Booking

/// Addresses and networks as text, parsed strictly: each text has one meaning everywhere, or is refused.
extension IPAddress {
    /// Reads `192.0.2.1` (without leading zeros, which some parsers read as octal) or any form of RFC 4291, section
    /// 2.2, without a zone. Nil for anything else. No allocation.
    public init?(_ text: ByteView) {
        if let ipv4 = Self.ipv4(text) {
            self.init(ipv4: ipv4)
        } else if let bits = Self.ipv6(text) {
            self.init(bits: bits)
        } else {
            return nil
        }
    }

    static func ipv4(_ text: ByteView) -> UInt32? {
        guard (7...15).contains(text.count) else { return nil }
        var address: UInt32 = 0
        var at = 0
        for octet in 0..<4 {
            guard let end = text.firstIndex(of: UInt8(ascii: "."), from: at) ?? (octet == 3 ? text.count : nil),
                let number = Self.decimal(text.part(at, end), max: 255)
            else { return nil }
            address = address << 8 | number
            at = end + 1
        }
        return at == text.count + 1 ? address : nil
    }

    /// Digits without leading zeros, up to `max`, which has at most eight.
    static func decimal(_ text: ByteView, max: UInt32) -> UInt32? {
        guard (1...8).contains(text.count), text.count == 1 || text.byte(0) != UInt8(ascii: "0") else { return nil }
        var number: UInt32 = 0
        for at in 0..<text.count {
            let digit = text.byte(at) &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + UInt32(digit)
        }
        return number <= max ? number : nil
    }

    static func ipv6(_ text: ByteView) -> UInt128? {
        guard (2...45).contains(text.count) else { return nil }
        let colon = UInt8(ascii: ":")
        // The groups before and behind `::`.
        var bits: UInt128 = 0
        var count = 0
        var gap: Int?
        var at = 0
        if text.byte(0) == colon {
            guard text.byte(1) == colon else { return nil }
            gap = 0
            at = 2
        }
        while at < text.count {
            let start = at
            var group: UInt128 = 0
            while at < text.count, at - start < 4, let digit = ByteClass.hexValue(text.byte(at)) {
                group = group << 4 | UInt128(digit)
                at += 1
            }
            if at < text.count, text.byte(at) == UInt8(ascii: ".") {
                guard count <= 6, let tail = Self.ipv4(text.part(start, text.count)) else { return nil }
                bits = bits << 32 | UInt128(tail)
                count += 2
                break
            }
            guard at > start, count < 8 else { return nil }
            bits = bits << 16 | group
            count += 1
            guard at < text.count else { break }
            guard text.byte(at) == colon, at + 1 < text.count else { return nil }
            at += 1
            guard text.byte(at) == colon else { continue }
            guard gap == nil else { return nil }
            gap = count
            at += 1
        }
        guard let gap else { return count == 8 ? bits : nil }
        guard count < 8 else { return nil }
        // Groups behind the gap stay low, groups before it move up.
        let behind = UInt128(16 * (count - gap))
        let low = behind == 0 ? 0 : bits & (UInt128.max >> (128 - behind))
        return gap == 0 ? low : (bits >> behind) << UInt128(128 - 16 * gap) | low
    }
}

extension Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or a single address. Nil for anything else, and where bits behind the
    /// prefix are set, which is a mistake of its author.
    public init?(_ text: ByteView) {
        let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.count
        guard let base = IPAddress(text.part(0, slash)) else { return nil }
        // A mapped address in IPv6's form has its prefix in IPv6's bits.
        let before = IPAddress.ipv4(text.part(0, slash)) == nil ? 0 : 96
        guard slash < text.count else {
            self.init(base, prefixBits: 128)
            return
        }
        guard let prefix = IPAddress.decimal(text.part(slash + 1, text.count), max: 128) else { return nil }
        self.init(base, prefixBits: before + Int(prefix))
    }
}

extension NetworkList {
    /// Why a list is refused: the part that is not a network.
    public struct Mistake: Error, Equatable, Sendable { public let part: String }

    /// Reads networks separated by commas or spaces; an empty text is an empty list.
    public init(_ text: String) throws(Mistake) {
        var networks: [Network] = []
        for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let network = Array(part.utf8).withUnsafeBytes({ Network(ByteView($0)) }) else {
                throw Mistake(part: String(part))
            }
            networks.append(network)
        }
        self.init(networks)
    }
}
