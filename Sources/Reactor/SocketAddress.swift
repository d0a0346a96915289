import CLibuv
import Glibc

/// An IPv4 or IPv6 address with a port. Names are not looked up.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Family: Hashable, Sendable { case ipv4, ipv6 }

    public let family: Family
    /// The address as a number, most significant byte first: 127.0.0.1 is 0x7F00_0001, ::1 is 1.
    public let bits: UInt128
    /// For listening, 0 lets the kernel choose.
    public let port: UInt16

    public init(family: Family, bits: UInt128, port: UInt16) {
        self.family = family
        self.bits = bits
        self.port = port
    }

    /// Reads `127.0.0.1` or `::1`; nil for names and anything else.
    public init?(_ text: String, port: UInt16) {
        var address4 = in_addr()
        var address6 = in6_addr()
        if uv_inet_pton(AF_INET, text, &address4) == 0 {
            self.init(family: .ipv4, bits: UInt128(UInt32(bigEndian: address4.s_addr)), port: port)
        } else if uv_inet_pton(AF_INET6, text, &address6) == 0 {
            self.init(family: .ipv6, bits: Self.number(address6), port: port)
        } else {
            return nil
        }
    }

    /// This machine only; port 0 lets the kernel choose.
    public static func loopback(port: UInt16 = 0) -> Self { Self(family: .ipv4, bits: 0x7F00_0001, port: port) }

    /// Whether the address is of this machine only: 127.0.0.0/8, also as ::ffff:127.x.x.x, and ::1 (RFC 1122, section
    /// 3.2.1.3; RFC 4291, section 2.5.3).
    public var isLoopback: Bool {
        switch self.family {
        case .ipv4: self.bits >> 24 == 127
        case .ipv6: self.bits == 1 || self.bits >> 24 == 0xFFFF_7F
        }
    }

    /// `127.0.0.1:80` or `[::1]:80`.
    public var description: String {
        self.family == .ipv4 ? "\(self.host):\(self.port)" : "[\(self.host)]:\(self.port)"
    }

    /// The address without its port: `127.0.0.1` or `::1`.
    public var host: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            var code: Int32
            switch self.family {
            case .ipv4:
                var address = in_addr(s_addr: UInt32(self.bits).bigEndian)
                code = uv_inet_ntop(AF_INET, &address, text.baseAddress, text.count)
            case .ipv6:
                var address = self.bits.bigEndian
                code = uv_inet_ntop(AF_INET6, &address, text.baseAddress, text.count)
            }
            precondition(code == 0, "the text of an address always fits")
            return String(cString: text.baseAddress!)
        }
    }

    /// Reads an address from the kernel; nil for families other than IPv4 and IPv6.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            let raw = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            let bits = UInt128(UInt32(bigEndian: raw.sin_addr.s_addr))
            self.init(family: .ipv4, bits: bits, port: UInt16(bigEndian: raw.sin_port))
        case AF_INET6:
            let raw = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
            self.init(family: .ipv6, bits: Self.number(raw.sin6_addr), port: UInt16(bigEndian: raw.sin6_port))
        default:
            return nil
        }
    }

    /// The `AF_` number of the family.
    var rawFamily: Int32 { self.family == .ipv4 ? AF_INET : AF_INET6 }

    /// Passes the address in the kernel's form to the closure.
    func withRaw<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
        switch self.family {
        case .ipv4:
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = self.port.bigEndian
            raw.sin_addr.s_addr = UInt32(self.bits).bigEndian
            return withUnsafeBytes(of: &raw) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self)) }
        case .ipv6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = self.port.bigEndian
            withUnsafeMutableBytes(of: &raw.sin6_addr) { $0.storeBytes(of: self.bits.bigEndian, as: UInt128.self) }
            return withUnsafeBytes(of: &raw) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self)) }
        }
    }

    private static func number(_ address: in6_addr) -> UInt128 {
        withUnsafeBytes(of: address) { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
    }
}
