import Glibc
import Reactor
import StandardStreams

/// Relays a child's standard output and error: its log, and the runtime's report of a trap.
///
///     child: log line ──send, or dropped──▶ socket ──▶ supervisor ──▶ its own standard error, see `StandardError`
///            report of a trap ──write──▶
///
/// The child writes to one end of a socket of its own, never to the supervisor's pipe or terminal: the reader of that
/// may hang, and a trapping process would block for ever in the middle of its report. The supervisor reads the other
/// end as long as it lives; if it is frozen, each write times out after a moment (SO_SNDTIMEO).
final class ChildLog {
    /// The time-out of writes that cannot be dropped. A trap report is some 50 writes, which fit the socket's buffer.
    private static let patience = timeval(tv_sec: 0, tv_usec: 200_000)
    /// A longer line is passed on in pieces.
    private static let lineBytesMax = 65_536

    /// The child's end, for both descriptors. Open until `started()`.
    private(set) var childEnd: Int32
    private let connection: Connection
    /// Owned by the connection, and open as long as that is.
    private let ourEnd: Int32
    /// The line that has no end yet.
    private var line: [UInt8] = []

    init(on loop: EventLoop) throws(UVError) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw UVError(code: -errno, call: "socketpair")
        }
        (self.ourEnd, self.childEnd) = (ends[0], ends[1])
        var patience = Self.patience
        setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        do throws(UVError) { self.connection = try Connection(on: loop, descriptor: ends[0]) } catch {
            for end in ends { close(end) }
            throw error
        }
        self.connection.onRead = { [unowned self] in self.receive($0) }
        self.connection.onEnd = { [unowned self] _ in self.finish() }
        self.connection.startReading()
    }

    /// The child has its copies of the descriptors.
    func started() {
        guard self.childEnd >= 0 else { return }
        close(self.childEnd)
        self.childEnd = -1
    }

    /// Passes on what the socket still holds, and stops reading. May be called again.
    func finish() {
        self.started()
        if !self.connection.isClosed { self.drain() }
        if !self.line.isEmpty { self.receive(self.line + [UInt8(ascii: "\n")]) }
        self.connection.close()
    }

    /// The loop has not read this data yet, and it has to come before later lines of the log.
    private func drain() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(self.ourEnd, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return }
            self.receive(Array(chunk[..<count]))
        }
    }

    private func receive(_ bytes: some Collection<UInt8>) {
        self.line += bytes
        let newline = UInt8(ascii: "\n")
        let end = self.line.lastIndex(of: newline) ?? (self.line.count < Self.lineBytesMax ? nil : self.line.count - 1)
        guard let end else { return }
        let isWhole = self.line[end] == newline
        StandardError.write(isWhole ? self.line[...end] : self.line[...end] + [newline])
        self.line = Array(self.line[(end + 1)...])
    }
}
