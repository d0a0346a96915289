import Glibc
import Synchronization

/// Text besides the output: notes, errors of commands, and the log of servers.
///
/// A command writes at once, however long it takes. A server calls `beginLog()` first, and never blocks from then on:
/// if standard error is a socket, as for a supervisor's children, the socket accepts a line or does not; else a thread
/// writes (`BoundedOutput`). Lines that are not accepted are dropped, counted, and reported as soon as a line is
/// accepted again.
public enum StandardError {
    /// Bytes that may wait for a slow reader: some 8,000 lines.
    public static let waitingBytesMax = 1 << 20

    private struct Log {
        var thread: BoundedOutput?
        var socket: SocketOutput?
    }

    private static let log = Mutex(Log())

    /// From now on nothing written here blocks. False where that needs a thread and the system allows no more. SIGPIPE
    /// is ignored from now on: a reader that is gone is treated like one that hangs.
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

    /// Sets the line that reports dropped ones, with its line end.
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
        // A command has no other place to report this failure.
        if !isTaken { _ = bytes.withUnsafeBytes { StandardDescriptors.write($0, to: STDERR_FILENO) } }
    }

    /// Lines of the log dropped so far.
    public static var droppedLines: UInt64 {
        Self.log.withLock { $0.thread?.droppedLines ?? $0.socket?.droppedLines ?? 0 }
    }

    /// At the end of a process: gives waiting lines some time to leave.
    public static func flush(milliseconds: Int = 1_000) {
        // Not under the lock: other threads may still write.
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

/// Lines for a socket, which accepts each one whole and at once or, when its buffer is full, not at all. No flag of the
/// descriptor is changed, as others share it.
struct SocketOutput {
    let descriptor: Int32
    var notice = StandardError.plainNotice
    private(set) var droppedLines: UInt64 = 0
    private var untold: UInt64 = 0
    /// The rest of a line longer than the socket accepts in one piece.
    private var rest: ArraySlice<UInt8> = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    mutating func add(_ lines: [UInt8]) {
        guard self.sendRest() else { return self.drop(lines) }
        if self.untold > 0 {
            self.rest = Array(self.notice(self.untold).utf8)[...]
            guard self.sendRest() else {
                // A partly sent line counts as reported; its rest goes first next time.
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
