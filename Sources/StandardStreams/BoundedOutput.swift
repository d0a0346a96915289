import Glibc

/// Lines for a descriptor that may be slow or blocked forever: a thread of its own writes them, so that adding one
/// never blocks. Waiting lines are bounded; lines beyond that are dropped and counted, and a notice takes their place.
///
///     add ──▶ waiting ──▶ thread: write(2), whole lines, PIPE_BUF bytes at a time
///      └─ no room: dropped, counted ──▶ notice, with the next line that has room or when all is written
///
/// The descriptor is shared with others (a terminal, a pipe with many writers), so it is never made non-blocking.
final class BoundedOutput: @unchecked Sendable {
    // Mutable state is used only while `mutex` is held; both pthread objects may be used from any thread.
    private let descriptor: Int32
    private let bytesMax: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Whole lines.
    private var waiting: [UInt8] = []
    private var isWriting = false
    private var dropped: UInt64 = 0
    private var untold: UInt64 = 0
    /// The last write failed: the next attempt comes with the next line.
    private var isFailing = false
    private var notice: @Sendable (UInt64) -> String

    /// Nil where the system allows no more threads. `notice` makes the line that reports the number of dropped lines.
    init?(to descriptor: Int32, bytesMax: Int, notice: @escaping @Sendable (UInt64) -> String) {
        self.descriptor = descriptor
        self.bytesMax = bytesMax
        self.notice = notice
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_mutex_init(self.mutex, nil)
        pthread_cond_init(self.changed, &attributes)
        pthread_condattr_destroy(&attributes)
        guard self.startThread() else { return nil }
    }

    deinit {
        pthread_cond_destroy(self.changed)
        pthread_mutex_destroy(self.mutex)
        self.changed.deallocate()
        self.mutex.deallocate()
    }

    /// Adds whole lines, or drops them. Copies them, and never blocks.
    func add(_ lines: some Sequence<UInt8>, count: Int) {
        self.locked {
            if self.untold > 0 {
                let notice = Array(self.notice(self.untold).utf8)
                if self.waiting.count + notice.count + count <= self.bytesMax {
                    self.waiting += notice
                    self.untold = 0
                }
            }
            guard self.untold == 0, self.waiting.count + count <= self.bytesMax else { return self.drop(lines) }
            self.waiting.append(contentsOf: lines)
            pthread_cond_broadcast(self.changed)
        }
    }

    /// Lines dropped so far.
    var droppedLines: UInt64 { self.locked { self.dropped } }

    func use(notice: @escaping @Sendable (UInt64) -> String) { self.locked { self.notice = notice } }

    /// Waits until everything is written, at most this long.
    func flush(milliseconds: Int) {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + milliseconds % 1_000 * 1_000_000
        deadline.tv_sec += milliseconds / 1_000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        self.locked {
            while self.isWriting || !self.isIdle {
                guard pthread_cond_timedwait(self.changed, self.mutex, &deadline) == 0 else { return }
            }
        }
    }

    /// Nothing to write now.
    private var isIdle: Bool { self.waiting.isEmpty && (self.untold == 0 || self.isFailing) }

    private func drop(_ lines: some Sequence<UInt8>) {
        let count = Self.lineCount(lines)
        self.dropped += count
        self.untold += count
    }

    private static func lineCount(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body()
    }

    // MARK: The thread

    private func startThread() -> Bool {
        // Other threads handle signals.
        var (all, before) = (sigset_t(), sigset_t())
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { context in
                Unmanaged<BoundedOutput>.fromOpaque(context!).takeRetainedValue().writeForever()
            },
            context.toOpaque()
        )
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func writeForever() -> Never {
        var isLineOpen = false
        while true {
            let bytes = self.locked {
                self.isWriting = false
                pthread_cond_broadcast(self.changed)
                while self.isIdle { pthread_cond_wait(self.changed, self.mutex) }
                if self.waiting.isEmpty {
                    self.waiting = Array(self.notice(self.untold).utf8)
                    self.untold = 0
                }
                self.isWriting = true
                defer { self.waiting = [] }
                return self.waiting
            }
            let written = bytes.withUnsafeBytes { self.write($0, &isLineOpen) }
            self.locked {
                self.isFailing = written < bytes.count
                self.drop(bytes[written...])
            }
        }
    }

    /// Returns the number of bytes written. May block for any time.
    private func write(_ bytes: UnsafeRawBufferPointer, _ isLineOpen: inout Bool) -> Int {
        let newline = UInt8(ascii: "\n")
        // Ends the half-written line, so that the next one is whole.
        if isLineOpen {
            guard withUnsafeBytes(of: newline, { StandardDescriptors.write($0, to: self.descriptor).code }) == 0 else {
                return 0
            }
            isLineOpen = false
        }
        var written = 0
        while written < bytes.count {
            // A pipe accepts this much in one piece, whatever its other writers do; a longer line goes alone.
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let fitting = rest.prefix(Int(PIPE_BUF))
            let end = fitting.lastIndex(of: newline) ?? rest.firstIndex(of: newline) ?? rest.count - 1
            let piece = UnsafeRawBufferPointer(rebasing: rest[...end])
            let result = StandardDescriptors.write(piece, to: self.descriptor)
            written += result.written
            guard result.code == 0 else {
                isLineOpen = result.written > 0 && piece[result.written - 1] != newline
                return written
            }
        }
        return written
    }
}
