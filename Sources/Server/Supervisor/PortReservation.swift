import Glibc
import Reactor

/// Keeps a TCP port for the gateways of one cluster, and the sockets that they listen on: one for each of them, all on the
/// one port (SO_REUSEPORT), so that the kernel spreads connections over them.
///
/// It makes sure that nobody listens on the port: two clusters of one user could share it without an error, and clients
/// would reach either. It turns port 0 into a real one. It never listens: a gateway does when it is ready, on its copy of
/// its socket.
///
/// **Why the sockets are the supervisor's.** Connections that the kernel has accepted wait in the socket's backlog. They
/// are lost when its last copy is closed, and a process that ends can't empty it first: others come between its last look
/// and its close. With a copy here the backlog outlives any gateway; its successor finds it. Measured with 64 clients of a
/// connection a request and a restart every 0.25 s: 4 resets in 110,000 when a dying listener just closes, 1 when it takes
/// first what waits, 0 of 118,000 with a copy kept. (net.ipv4.tcp_migrate_req=1 has 0 too, but is off in most systems.)
final class PortReservation {
    /// The port: as asked for, or the kernel's choice for 0.
    let port: Int
    /// Bound, not listening; by the gateway's index.
    let descriptors: [Int32]

    /// `setting` names the setting that to change is the remedy: `gateway.port`. `count` is of gateways.
    init(host: String, port: Int, setting: String, count: Int) throws(StartError) {
        guard let asked = SocketAddress(host, port: UInt16(port)) else {
            throw StartError(
                "\(host) is not an address",
                remedy: "set \(setting.replacing("port", with: "host")) to one"
            )
        }
        if port != 0 { close(try Self.bind(asked, sharesPort: false, setting)) }
        var descriptors = [try Self.bind(asked, sharesPort: true, setting)]
        self.port = Self.port(of: descriptors[0])
        do throws(StartError) {
            guard let bound = SocketAddress(host, port: UInt16(self.port)) else {
                preconditionFailure("it was one before")
            }
            while descriptors.count < count { descriptors.append(try Self.bind(bound, sharesPort: true, setting)) }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        self.descriptors = descriptors
    }

    /// Takes the socket of a gateway that will be away for a while out of the port, until that one listens again. What waits
    /// in its backlog is lost. With one gateway nothing happens: who comes can go nowhere else.
    func leave(_ index: Int) {
        guard self.descriptors.count > 1 else { return }
        // On a listening socket that ends the listening (Linux); on others it is refused, and does no harm.
        shutdown(self.descriptors[index], Int32(SHUT_RD))
    }

    deinit { for descriptor in self.descriptors { close(descriptor) } }

    private static func bind(_ address: SocketAddress, sharesPort: Bool, _ setting: String) throws(StartError) -> Int32
    {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw Self.error(address, setting) }
        var (zero, one): (Int32, Int32) = (0, 1)
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Connections of an earlier run that are still being forgotten (TIME_WAIT) do not hold the port.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if sharesPort { setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, size) }
        // As libuv has it for sockets of its own: `::` takes IPv4 connections too, and nobody waits for Nagle. Linux gives
        // the latter to the connections that are accepted.
        if family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &zero, size) }
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
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
