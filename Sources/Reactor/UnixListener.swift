import CLibuv
import Glibc

/// Accepts connections on a Unix socket that only this user may open (mode 0600). `close()` removes the file.
///
/// **Another user's connection** (not root's) is closed before a byte is read, and reported to `onAcceptError`
/// (EACCES): the file's mode should prevent it, but modes can be changed, and some systems ignore them (unix(7)).
///
/// **Happy path.** bind, mode, listen. **An existing file:** if a process serves it, this listener is refused
/// (EADDRINUSE); if none does, a killed process left it, and it is replaced. A file that is not a socket is never
/// touched. Two processes that start at the same instant may both find a stale file: callers that can't exclude this
/// hold a lock while starting.
public final class UnixListener: Listener {
    public let path: String

    /// The longest path of a socket, bytes: the kernel's 108 with an end mark.
    public static let pathSizeMax = 107

    public init(
        on loop: EventLoop,
        path: String,
        backlog: Int32 = 1_024,
        onConnection: ((Connection) -> Void)? = nil
    ) throws(UVError) {
        try Self.checkLength(of: path)
        self.path = path
        super.init(.unix, UV_NAMED_PIPE, on: loop)
        self.onConnection = onConnection
        let pipe = self.raw(as: uv_pipe_t.self)
        try self.adopt(uv_pipe_init(loop.raw, pipe, 0), "uv_pipe_init")
        var code = uv_pipe_bind(pipe, path)
        if code == UV_EADDRINUSE.rawValue {
            guard Self.isStale(path) else { try self.giveUp(code, "\(path) is served by another process") }
            code = unlink(path) == 0 ? uv_pipe_bind(pipe, path) : -errno
        }
        // Before listen, so that others never have time to connect.
        if code == 0 && chmod(path, 0o600) != 0 { code = -errno }
        if code == 0 { code = self.listen(backlog: backlog) }
        guard code == 0 else { try self.giveUp(code, "listen on \(path)") }
    }

    override func trouble(with connection: Connection) -> UVError? {
        guard let peer = connection.peerProcess else {
            return UVError(code: -errno, call: "SO_PEERCRED on \(self.path)")
        }
        guard !peer.isOurs else { return nil }
        let call = "process \(peer.processID) of user \(peer.user) at \(self.path)"
        return UVError(code: UV_EACCES.rawValue, call: call)
    }

    /// libuv would truncate a longer path and use another file.
    static func checkLength(of path: String) throws(UVError) {
        guard path.utf8.count <= Self.pathSizeMax else {
            throw UVError(code: UV_ENAMETOOLONG.rawValue, call: "socket path \(path)")
        }
    }

    /// Whether the file is a socket without a listener: only then is connecting refused.
    private static func isStale(_ path: String) -> Bool {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { Glibc.close(probe) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafeBytes(of: &address) {
            connect(
                probe,
                $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_un>.size)
            )
        }
        guard code != 0, errno == ECONNREFUSED else { return false }
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }
}
