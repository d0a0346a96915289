import Glibc
import Synchronization

/// What is said beside the output: notes, why a command failed, and the log of servers.
///
/// A command writes at once, for as long as it takes. A server calls `beginLog()` first, and never waits from then on: where
/// standard error is a socket, as a supervisor's children have, the socket takes a line or does not; else a thread writes
/// (`BoundedOutput`). Lines that are not taken are dropped, counted, and told as soon as a line is taken again.
public enum StandardError {
    /// What may wait for a slow reader, bytes: some 8,000 lines.
    public static let waitingBytesMax = 1 << 20

    private struct Log {
        var thread: BoundedOutput?
        var socket: SocketOutput?
    }

    private static let log = Mutex(Log())

    /// From now on nothing written here waits. False where that needs a thread and the system allows no more. SIGPIPE is
    /// ignored from now on: a reader that is gone is as good as one that hangs.
    public static func beginLog() -> Bool {
        signal(SIGPIPE, SIG_IGN)
        let isSocket = Self.isSocket(STDERR_FILENO)
        return Self.log.withLock { log in
            guard log.thread == nil, log.socket == nil else { return true }
            if isSocket {
                log.socket = SocketOutput(descriptor: STDERR_FILENO)
                return true
            }
            log.thread = BoundedOutput(to: STDERR_FILENO, bytesMax: Self.waitingBytesMax, notice: Self.plainNotice)
            return log.thread != nil
        }
    }

    /// The line that tells of dropped ones, with its end.
    public static func use(notice: @escaping @Sendable (UInt64) -> String) {
        Self.log.withLock { log in
            log.thread?.use(notice: notice)
            log.socket?.notice = notice
        }
    }

    /// Writes whole lines.
    public static func write(_ text: String) { Self.write(text.utf8) }

    /// Writes whole lines. The sequence is of UTF-8.
    public static func write(_ lines: some Sequence<UInt8>) {
        let bytes = Array(lines)
        let isTaken = Self.log.withLock { log in
            if let thread = log.thread {
                thread.add(bytes, count: bytes.count)
            } else if log.socket != nil {
                log.socket?.add(bytes)
            } else {
                return false
            }
            return true
        }
        // There is no one to tell when a command's can't be written.
        if !isTaken { _ = bytes.withUnsafeBytes { StandardDescriptors.write($0, to: STDERR_FILENO) } }
    }

    /// Lines of the log that were dropped until now.
    public static var droppedLines: UInt64 {
        Self.log.withLock { $0.thread?.droppedLines ?? $0.socket?.droppedLines ?? 0 }
    }

    /// At the end of a process: gives what waits a while to leave.
    public static func flush(milliseconds: Int = 1_000) {
        // Not under the lock: others may go on writing.
        let thread = Self.log.withLock { $0.thread }
        thread?.flush(milliseconds: milliseconds)
    }

    static let plainNotice: @Sendable (UInt64) -> String = { "\($0) lines were dropped here\n" }

    static func isSocket(_ descriptor: Int32) -> Bool {
        var type: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0
    }
}

/// Lines for a socket, which takes each whole and at once or, when its buffer is full, not at all. No flag of the descriptor
/// is changed, as others have it too.
struct SocketOutput {
    let descriptor: Int32
    var notice = StandardError.plainNotice
    private(set) var droppedLines: UInt64 = 0
    private var untold: UInt64 = 0
    /// The rest of a line longer than the socket takes in one piece.
    private var rest: ArraySlice<UInt8> = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func add(_ lines: [UInt8]) {
        guard self.sendRest() else { return self.drop(lines) }
        if self.untold > 0 {
            self.rest = Array(self.notice(self.untold).utf8)[...]
            guard self.sendRest() else {
                // One that is sent in part is told; its rest goes first next time.
                if self.rest.startIndex > 0 { self.untold = 0 } else { self.rest = [] }
                return self.drop(lines)
            }
            self.untold = 0
        }
        self.rest = lines[...]
        guard !self.sendRest(), self.rest.startIndex == 0 else { return }
        self.rest = []
        self.drop(lines)
    }

    private mutating func drop(_ lines: [UInt8]) {
        let count = lines.reduce(UInt64(0)) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        self.droppedLines += count
        self.untold += count
    }

    /// Whether nothing is left.
    private mutating func sendRest() -> Bool {
        while !self.rest.isEmpty {
            let count = self.rest.withUnsafeBytes {
                send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            self.rest = self.rest.dropFirst(count)
        }
        self.rest = []
        return true
    }
}
