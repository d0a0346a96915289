import CLibuv
import Glibc

/// Accepts TCP connections, without Nagle's delay.
public final class TCPListener: Listener {
    /// The listening port; if 0 was requested, the kernel's choice.
    public private(set) var port: UInt16 = 0

    /// Listens on `address`. The IPv6 address `::` takes IPv4 connections too.
    ///
    /// - Parameters:
    ///   - sharesPort: lets other listeners of this user, in any process, listen on the same port (SO_REUSEPORT); the
    ///     kernel spreads connections over them.
    ///   - backlog: how many connections may wait in the kernel; it cuts this to `net.core.somaxconn`.
    public init(
        on loop: EventLoop,
        address: SocketAddress,
        sharesPort: Bool = false,
        backlog: Int32 = 4_096,
        onConnection: ((Connection) -> Void)? = nil
    ) throws(UVError) {
        super.init(.tcp, UV_TCP, on: loop)
        self.onConnection = onConnection
        let tcp = self.raw(as: uv_tcp_t.self)
        // With a family given, libuv makes the socket now, in time for the option that must come before bind.
        try self.adopt(uv_tcp_init_ex(loop.raw, tcp, UInt32(address.rawFamily)), "uv_tcp_init_ex")
        var descriptor: uv_os_fd_t = -1
        var code = uv_fileno(self.raw, &descriptor)
        var one: Int32 = 1
        if code == 0, sharesPort,
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, socklen_t(MemoryLayout<Int32>.size)) != 0
        {
            code = -errno
        }
        // On Linux, accepted sockets inherit the listening socket's option: this saves a system call for each.
        if code == 0 { code = uv_tcp_nodelay(tcp, 1) }
        if code == 0 { code = address.withRaw { uv_tcp_bind(tcp, $0, 0) } }
        if code == 0 { code = self.listen(backlog: backlog) }
        guard code == 0 else { try self.giveUp(code, "listen on \(address)") }
        try self.learnPort()
    }

    /// Listens on a bound socket that another process owns, such as the supervisor: its backlog outlives this listener,
    /// which closes only its own copy.
    ///
    /// The owner has set all options but SO_REUSEADDR, which a socket needs once it listens: connections inherit it, so
    /// that those in TIME_WAIT do not keep the port from its next owner. Listening again on a listening socket sets its
    /// backlog, and changes nothing else.
    public init(
        on loop: EventLoop,
        descriptor: Int32,
        backlog: Int32 = 4_096,
        onConnection: ((Connection) -> Void)? = nil
    ) throws(UVError) {
        super.init(.tcp, UV_TCP, on: loop)
        self.onConnection = onConnection
        let tcp = self.raw(as: uv_tcp_t.self)
        try self.adopt(uv_tcp_init(loop.raw, tcp), "uv_tcp_init")
        var code = uv_tcp_open(tcp, descriptor)
        if code == 0 {
            let flags = fcntl(descriptor, F_GETFD)
            _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC)  // can't fail: uv_tcp_open found it open
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            code = self.listen(backlog: backlog)
        }
        guard code == 0 else { try self.giveUp(code, "listen on descriptor \(descriptor)") }
        try self.learnPort()
    }

    /// From now on a connection is delivered once its client has sent something, or after a second (TCP_DEFER_ACCEPT,
    /// tcp(7)): for protocols in which the client speaks first. The loop then wakes up once for it, not twice, and its
    /// first read finds the request. Meanwhile the kernel keeps it like one whose handshake is incomplete.
    public func waitForBytes() {
        guard let descriptor else { return }
        var seconds: Int32 = 1
        // If it fails, connections are delivered at once.
        setsockopt(
            descriptor,
            Int32(IPPROTO_TCP),
            TCP_DEFER_ACCEPT,
            &seconds,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }

    private func learnPort() throws(UVError) {
        var storage = sockaddr_storage()
        var size = Int32(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutableBytes(of: &storage) {
            uv_tcp_getsockname(
                self.raw(as: uv_tcp_t.self),
                $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                &size
            )
        }
        guard code == 0, let bound = SocketAddress(storage) else { try self.giveUp(code, "uv_tcp_getsockname") }
        self.port = bound.port
    }
}
