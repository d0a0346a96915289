import Configuration
import Glibc
import Reactor

/// Keeps a TCP port for the gateways of one cluster, with one listening socket per gateway, all on that port
/// (SO_REUSEPORT): the kernel spreads connections over them.
///
/// Turns port 0 into a real one. Serves no client: each gateway, once ready, listens on its copy of its socket.
///
/// **A port belongs to one cluster.** Sockets of one user that all have SO_REUSEPORT share a port without an error, and
/// clients would reach either of two clusters. So a cluster first listens on a socket without that option, the *claim*:
/// the kernel allows one such socket at a time, for all users (also for `0.0.0.0` beside `127.0.0.1` beside `::`), and
/// refuses it while another program listens. Before the claim is closed, the gateways' sockets are bound, and then lose
/// SO_REUSEADDR: without it on both sides the kernel refuses the next cluster's claim as long as they are open, even
/// before any of them listens, and in a gateway whose supervisor was killed.
///
///     claim:     bind, listen ─────────────────────────────▶ closed        exclusive, for a moment
///     gateways':                 bind ─▶ no SO_REUSEADDR ────────────────▶ exclusive, as long as they are open
///
/// A lock file would not do: it is invisible to another container, and another user could hold it. A gateway sets
/// SO_REUSEADDR again as it listens (`TCPListener`), since a listening socket excludes others anyway: connections
/// inherit the option, and those in TIME_WAIT must not keep the port from the next start.
///
/// **Why the supervisor owns the sockets.** Accepted connections wait in the socket's backlog, and are lost when its
/// last copy is closed. A process that ends can't empty the backlog first: connections arrive between its last accept
/// and its close. With a copy here the backlog outlives any gateway, and its successor finds it. Measured with 64
/// clients of a connection a request and a restart every 0.25 s: 4 resets in 110,000 when a dying listener just closes,
/// 1 when it accepts the backlog first, 0 of 118,000 with a copy kept. (net.ipv4.tcp_migrate_req=1 has 0 too, but is
/// off in most systems.)
final class PortReservation {
    /// The port asked for, or the kernel's choice for 0.
    let port: Int
    /// Bound, not listening; indexed by gateway.
    let descriptors: [Int32]

    /// Why a port is not available.
    struct Refusal: Error {
        let reason: StartError
        /// The port is in use: it may be free in a moment, when the process that holds it is ending.
        let isInUse: Bool
    }

    /// `setting` is the name of the port's setting, for remedies: `gateway.port`. `count` is the number of gateways.
    init(host: String, port: Int, setting: String, count: Int) throws(Refusal) {
        guard let asked = SocketAddress(host, port: UInt16(port)) else {
            let remedy = "set \(setting.replacing("port", with: "host")) to one"
            throw Refusal(reason: StartError("\(host) is not an address", remedy: remedy), isInUse: false)
        }
        let claim = try Self.bind(asked, sharesPort: false, setting)
        defer { close(claim) }
        guard listen(claim, 1) == 0 else { throw Self.refusal(asked, setting) }
        self.port = Self.port(of: claim)
        guard let bound = SocketAddress(host, port: UInt16(self.port)) else { preconditionFailure("it was one before") }
        Self.set(SO_REUSEPORT, 1, on: claim)
        var descriptors: [Int32] = []
        do throws(Refusal) {
            while descriptors.count < count { descriptors.append(try Self.bind(bound, sharesPort: true, setting)) }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        for descriptor in descriptors { Self.set(SO_REUSEADDR, 0, on: descriptor) }
        self.descriptors = descriptors
    }

    /// Takes the socket of a gateway that will be away for a while out of the port, until that gateway listens again.
    /// The connections in its backlog are lost. A single gateway's socket stays: its clients have no other gateway.
    func leave(_ index: Int) {
        guard self.descriptors.count > 1 else { return }
        // A socket that does not listen then keeps the port as it did before its gateway started.
        Self.set(SO_REUSEADDR, 0, on: self.descriptors[index])
        // Ends the listening of a listening socket (Linux); on other sockets it fails without harm.
        shutdown(self.descriptors[index], Int32(SHUT_RD))
    }

    deinit { for descriptor in self.descriptors { close(descriptor) } }

    private static func bind(_ address: SocketAddress, sharesPort: Bool, _ setting: String) throws(Refusal) -> Int32 {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw Self.refusal(address, setting) }
        // Connections of an earlier run in TIME_WAIT do not hold the port.
        Self.set(SO_REUSEADDR, 1, on: descriptor)
        if sharesPort { Self.set(SO_REUSEPORT, 1, on: descriptor) }
        // The same options as libuv's sockets: `::` accepts IPv4 too, and Nagle's algorithm is off. On Linux accepted
        // connections inherit the latter.
        if family == AF_INET6 { Self.set(IPV6_V6ONLY, 0, on: descriptor, level: Int32(IPPROTO_IPV6)) }
        Self.set(TCP_NODELAY, 1, on: descriptor, level: Int32(IPPROTO_TCP))
        guard Self.bind(descriptor, address) == 0 else {
            defer { close(descriptor) }
            throw Self.refusal(address, setting)
        }
        return descriptor
    }

    /// Can't fail: every Linux knows these options.
    private static func set(_ option: Int32, _ value: Int32, on descriptor: Int32, level: Int32 = SOL_SOCKET) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
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

    /// The port is at the same offset in both families' addresses.
    private static func port(of descriptor: Int32) -> Int {
        var raw = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutableBytes(of: &raw) {
            getsockname(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
        }
        precondition(code == 0, "a bound socket has a name")
        return Int(UInt16(bigEndian: raw.sin6_port))
    }

    private static func refusal(_ address: SocketAddress, _ setting: String) -> Refusal {
        let code = errno
        return Refusal(reason: Self.reason(code, address, setting), isInUse: code == EADDRINUSE)
    }

    private static func reason(_ code: Int32, _ address: SocketAddress, _ setting: String) -> StartError {
        switch code {
        case EADDRINUSE:
            StartError(
                "port \(address.port) of \(address.host) is in use by another program or cluster",
                remedy: "stop that one, or set \(setting) to another port"
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
        default:
            StartError(
                "cannot listen on \(address): \(String(cString: strerror(code)))",
                remedy: "set \(setting) to another port"
            )
        }
    }
}
