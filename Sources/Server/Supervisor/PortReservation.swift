import Glibc
import Reactor

/// Keeps a TCP port for the gateways of one cluster, who share it.
///
/// It makes sure that nobody listens on the port: two clusters of one user could share it without an error, because
/// gateways share theirs (SO_REUSEPORT), and clients would reach either. It turns port 0 into a real one, the same for
/// all gateways and after each restart. It never listens, so it takes no connection away.
final class PortReservation {
    /// The port: as asked for, or the kernel's choice for 0.
    let port: Int
    private let descriptor: Int32

    /// `setting` names the setting that to change is the remedy: `gateway.port`.
    init(host: String, port: Int, setting: String) throws(StartError) {
        guard let address = SocketAddress(host, port: UInt16(port)) else {
            throw StartError(
                "\(host) is not an address",
                remedy: "set \(setting.replacing("port", with: "host")) to one"
            )
        }
        if port != 0 { close(try Self.bind(address, sharesPort: false, setting)) }
        self.descriptor = try Self.bind(address, sharesPort: true, setting)
        self.port = Self.port(of: self.descriptor)
    }

    deinit { close(self.descriptor) }

    private static func bind(_ address: SocketAddress, sharesPort: Bool, _ setting: String) throws(StartError) -> Int32
    {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.error(address, setting) }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Connections of an earlier run that are still being forgotten (TIME_WAIT) do not hold the port.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if sharesPort { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, size) }
        guard Self.bind(descriptor, address) == 0 else {
            defer { close(descriptor) }
            throw Self.error(address, setting)
        }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, _ address: SocketAddress) -> Int32 {
        switch address.family {
        case .ipv4:
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = address.port.bigEndian
            inet_pton(AF_INET, address.host, &raw.sin_addr)
            return Self.bind(descriptor, &raw, MemoryLayout<sockaddr_in>.size)
        case .ipv6:
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = address.port.bigEndian
            inet_pton(AF_INET6, address.host, &raw.sin6_addr)
            return Self.bind(descriptor, &raw, MemoryLayout<sockaddr_in6>.size)
        }
    }

    private static func bind(_ descriptor: Int32, _ raw: UnsafeRawPointer, _ size: Int) -> Int32 {
        Glibc.bind(descriptor, raw.assumingMemoryBound(to: sockaddr.self), socklen_t(size))
    }

    /// The port stands at the same place in both families' addresses.
    private static func port(of descriptor: Int32) -> Int {
        var raw = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutableBytes(of: &raw) {
            getsockname(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
        }
        precondition(code == 0, "a bound socket has a name")
        return Int(UInt16(bigEndian: raw.sin6_port))
    }

    private static func error(_ address: SocketAddress, _ setting: String) -> StartError {
        switch errno {
        case EADDRINUSE:
            StartError(
                "port \(address.port) of \(address.host) is in use by another program",
                remedy: "stop that program, or set \(setting) to another port"
            )
        case EACCES:
            StartError(
                "port \(address.port) may not be used by this user",
                remedy: "set \(setting) to a port from 1024 on, or allow this one (CAP_NET_BIND_SERVICE)"
            )
        case EADDRNOTAVAIL:
            StartError(
                "\(address.host) is not an address of this machine",
                remedy: "set \(setting.replacing("port", with: "host")) to one that is"
            )
        case let code:
            StartError(
                "cannot listen on \(address): \(String(cString: strerror(code)))",
                remedy: "set \(setting) to another port"
            )
        }
    }
}
