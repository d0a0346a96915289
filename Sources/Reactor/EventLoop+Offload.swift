import CLibuv
import Glibc

extension EventLoop {
    /// Threads in the pool (`UV_THREADPOOL_SIZE`, or four).
    public static var poolSize: Int {
        guard let text = getenv("UV_THREADPOOL_SIZE") else { return 4 }
        return max(1, min(Int(atoi(text)), 1_024))
    }

    /// Starts all threads of the pool at once. libuv does so with the first work, and aborts the process if the system
    /// refuses a thread; this throws instead.
    ///
    /// It first makes as many threads as a trial, which end at once. For some microseconds in between, other processes
    /// of the same user could take their places.
    public func startPool() throws(UVError) {
        try Self.tryThreads(Self.poolSize)
        self.offload({}, then: {})
    }

    /// Runs this many threads at the same time, and ends them.
    static func tryThreads(_ count: Int) throws(UVError) {
        let gate = UnsafeMutablePointer<uv_sem_t>.allocate(capacity: 1)
        var code = uv_sem_init(gate, 0)
        defer { gate.deallocate() }
        guard code == 0 else { throw UVError(code: code, call: "uv_sem_init") }
        defer { uv_sem_destroy(gate) }
        var threads: [uv_thread_t] = []
        while code == 0, threads.count < count {
            var thread = uv_thread_t()
            code = uv_thread_create(&thread, { uv_sem_wait($0!.assumingMemoryBound(to: uv_sem_t.self)) }, gate)
            if code == 0 { threads.append(thread) }
        }
        for _ in threads { uv_sem_post(gate) }
        for var thread in threads { uv_thread_join(&thread) }
        guard code == 0 else { throw UVError(code: code, call: "thread \(threads.count + 1) of \(count)") }
    }

    /// Runs `work` on a thread of libuv's pool (four by default, `UV_THREADPOOL_SIZE`) and passes its result to
    /// `deliver` on the loop. Jobs of one loop may overlap and finish in any order.
    ///
    /// There is only the happy path: queued, run, delivered in a later turn. Queueing can't fail, running work is never
    /// cancelled, and `run()` and `close()` wait for it. Work that can fail returns a `Result`.
    public func offload<Output: Sendable>(
        _ work: sending @escaping () -> Output,
        then deliver: @escaping (Output) -> Void
    ) {
        let job = TypedJob(work: work, deliver: deliver)
        job.request.pointee.data = Unmanaged.passRetained(job).toOpaque()
        let code = uv_queue_work(
            self.raw,
            job.request,
            { Unmanaged<Job>.fromOpaque($0!.pointee.data)._withUnsafeGuaranteedRef { $0.work() } },
            { request, status in
                precondition(status == 0, "offloaded work is never cancelled")
                Unmanaged<Job>.fromOpaque(request!.pointee.data).takeRetainedValue().deliver()
            }
        )
        precondition(code == 0, "uv_queue_work refuses missing work only")
    }
}

/// One job with its type erased for C. Used by one thread at a time: the loop's until it is queued, the pool's until it
/// is done, then the loop's again; libuv's own lock orders the two.
private class Job {
    let request = UnsafeMutablePointer<uv_work_t>.allocate(capacity: 1)
    deinit { self.request.deallocate() }
    func work() {}
    func deliver() {}
}

private final class TypedJob<Output>: Job {
    private var body: (() -> Output)?
    private var onDone: (Output) -> Void
    private var output: Output?

    init(work: @escaping () -> Output, deliver: @escaping (Output) -> Void) {
        self.body = work
        self.onDone = deliver
    }

    // The body is dropped on the thread that ran it, to which its captures were sent.
    override func work() { self.output = self.body.take()?() }

    override func deliver() {
        guard let output = self.output.take() else { preconditionFailure("a job was delivered before it ran") }
        self.onDone(output)
    }
}
