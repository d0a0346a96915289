import Glibc
import Reactor
import StandardStreams

/// What a child writes to its standard output and error: its log, and what the runtime says of a trap.
///
///     child: log line ──send, or dropped──▶ socket ──▶ supervisor ──▶ its own standard error, see `StandardError`
///            report of a trap ──write──▶
///
/// The child has one end of a socket of its own there, and never the pipe or terminal that the supervisor was given: whoever
/// reads that may hang, and a process that traps would wait for them in the middle of its report, for ever. Here somebody
/// reads as long as the supervisor lives, and where it is frozen, each write is given up after a moment (SO_SNDTIMEO).
final class ChildLog {
    /// What is written by those who know of no dropping. A report is some 50 writes, which the socket takes at once.
    private static let patience = timeval(tv_sec: 0, tv_usec: 200_000)
    /// A line that does not end is passed on in pieces.
    private static let lineBytesMax = 65_536

    /// The child's end, for both of its descriptors. Open until `started()`.
    private(set) var childEnd: Int32
    private let connection: Connection
    /// The connection's; open as long as that is.
    private let ourEnd: Int32
    /// Without its end yet.
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
        self.connection.onRead = { [unowned self] in self.take($0) }
        self.connection.onEnd = { [unowned self] _ in self.finish() }
        self.connection.startReading()
    }

    /// The child has its copies.
    func started() {
        guard self.childEnd >= 0 else { return }
        close(self.childEnd)
        self.childEnd = -1
    }

    /// Passes on what is there, and hears no more. May be called again.
    func finish() {
        self.started()
        if !self.connection.isClosed { self.drain() }
        if !self.line.isEmpty { self.take(self.line + [UInt8(ascii: "\n")]) }
        self.connection.close()
    }

    /// The loop has not read it yet, and what follows in the log should come after it.
    private func drain() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(self.ourEnd, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return }
            self.take(Array(chunk[..<count]))
        }
    }

    private func take(_ bytes: some Collection<UInt8>) {
        self.line += bytes
        let newline = UInt8(ascii: "\n")
        let end = self.line.lastIndex(of: newline) ?? (self.line.count < Self.lineBytesMax ? nil : self.line.count - 1)
        guard let end else { return }
        let isWhole = self.line[end] == newline
        StandardError.write(isWhole ? self.line[...end] : self.line[...end] + [newline])
        self.line = Array(self.line[(end + 1)...])
    }
}
