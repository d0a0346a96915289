// timespec is part of both modules here, and release builds require each import.
import CSQLite
import Glibc
import Journal

/// A value behind a lock, and a way to wait for its changes: `pthread_mutex_t` and `pthread_cond_t`, which the thread
/// sanitizer understands.
final class Monitor<Value: ~Copyable>: @unchecked Sendable {
    // `value` is used only while `mutex` is held; both pthread objects may be used from any thread.
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ value: consuming sending Value) {
        self.value = value
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let codes = [pthread_mutex_init(self.mutex, nil), pthread_cond_init(self.changed, &attributes)]
        pthread_condattr_destroy(&attributes)
        precondition(codes == [0, 0], "a lock needs no memory of its own")
    }

    deinit {
        pthread_cond_destroy(self.changed)
        pthread_mutex_destroy(self.mutex)
        self.changed.deallocate()
        self.mutex.deallocate()
    }

    /// Changes the value and wakes the waiting threads.
    func change<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(self.mutex)
        defer {
            pthread_cond_broadcast(self.changed)
            pthread_mutex_unlock(self.mutex)
        }
        return body(&self.value)
    }

    /// Reads the value, or takes a part of it.
    func look<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return body(&self.value)
    }

    /// Waits until `body` returns a result: it is called now and after each change. Nil when `deadline` (nanoseconds of
    /// `CLOCK_MONOTONIC`) comes first.
    func wait<Result>(until deadline: UInt64? = nil, _ body: (inout Value) -> Result?) -> Result? {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        while true {
            if let result = body(&self.value) { return result }
            guard let deadline else {
                pthread_cond_wait(self.changed, self.mutex)
                continue
            }
            var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
            if pthread_cond_timedwait(self.changed, self.mutex, &time) == ETIMEDOUT { return body(&self.value) }
        }
    }
}

/// A thread of its own for blocking work. Other threads handle signals. Throws where the system allows no more threads.
struct NativeThread {
    private let handle: pthread_t

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    init(_ body: @escaping @Sendable () -> Void) throws(JournalError) {
        var handle = pthread_t()
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        let work = Unmanaged.passRetained(Work(body))
        let code = pthread_create(
            &handle,
            nil,
            { context in
                Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
                return nil
            },
            work.toOpaque()
        )
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            work.release()
            throw .noThread(reason: String(cString: strerror(code)))
        }
        self.handle = handle
    }

    /// Waits for the thread's end.
    func join() { pthread_join(self.handle, nil) }

    /// Sleeps nine times as long as the last step took: nine tenths of the time, and of the disk, are left to others.
    static func rest(after nanoseconds: UInt64) { usleep(UInt32(clamping: nanoseconds / 1_000 * 9)) }

    static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
