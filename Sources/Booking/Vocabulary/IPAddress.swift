/// An Internet address. IPv4 is kept in its mapped form (`::ffff:a.b.c.d`; RFC 4291, section 2.5.5.2), so that a client
/// has one value in either form.
public struct IPAddress: Hashable, Sendable {
    /// The 128 bits of the IPv6 form, most significant first: `::1` is 1.
    public let bits: UInt128

    private static let mapped: UInt128 = 0xFFFF_0000_0000
    /// No address: of a peer that was gone before its address was read.
    public static let none = IPAddress(bits: 0)

    public init(bits: UInt128) { self.bits = bits }
    /// 127.0.0.1 is 0x7F00_0001.
    public init(ipv4: UInt32) { self.bits = Self.mapped | UInt128(ipv4) }

    public var isIPv4: Bool { self.bits >> 32 == Self.mapped >> 32 }

    /// The unit that limits count: an IPv4 address itself, and for IPv6 the first `prefixBits` (1...128), as one client
    /// has any number of addresses there.
    public func client(prefixBits: Int) -> IPAddress {
        guard !self.isIPv4 else { return self }
        return IPAddress(bits: self.bits & Self.mask(prefixBits))
    }

    /// The first `count` of 128 bits set; 0...128.
    static func mask(_ count: Int) -> UInt128 { count == 0 ? 0 : UInt128.max << (128 - count) }
}

/// Addresses with a common prefix: `10.0.0.0/8`, `2001:db8::/32`.
public struct Network: Hashable, Sendable {
    public let base: IPAddress
    private let mask: UInt128

    /// The addresses that share the first `prefixBits` of 128 with `base`: 96 more than the prefix of an IPv4 network.
    /// Nil where the range is not 0...128, or `base` has other bits set as well.
    public init?(_ base: IPAddress, prefixBits: Int) {
        guard (0...128).contains(prefixBits) else { return nil }
        self.mask = IPAddress.mask(prefixBits)
        guard base.bits & ~self.mask == 0 else { return nil }
        self.base = base
    }

    public func contains(_ address: IPAddress) -> Bool { (address.bits ^ self.base.bits) & self.mask == 0 }
}

/// A few networks, compared one by one: trusted proxies, and clients without limits.
public struct NetworkList: Hashable, Sendable {
    public let networks: [Network]
    public init(_ networks: [Network] = []) { self.networks = networks }

    /// O(networks), some nanoseconds each.
    public func contains(_ address: IPAddress) -> Bool {
        var at = 0
        while at < self.networks.count {
            if self.networks[at].contains(address) { return true }
            at += 1
        }
        return false
    }
}
