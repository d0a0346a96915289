import CLibuv
import Glibc
import Synchronization

/// Wakes this loop from other threads: each `send()` of its `sender` makes `onWake` run soon, on the loop.
///
/// Wake-ups sent before the loop runs are merged into one, so keep the messages in a place of your own (a `Mutex`
/// around a queue) and take all of them in `onWake`.
public final class Wakeup: LoopHandle {
    /// The end that other threads hold.
    public let sender: Sender
    private var onWake: (() -> Void)?

    public init(on loop: EventLoop, onWake: @escaping () -> Void) throws(UVError) {
        self.onWake = onWake
        self.sender = Sender()
        super.init(UV_ASYNC, on: loop)
        let code = uv_async_init(loop.raw, self.raw(as: uv_async_t.self)) { raw in
            Unmanaged<Wakeup>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { $0.onWake?() }
        }
        try self.adopt(code, "uv_async_init")
        self.sender.open(self.raw(as: uv_async_t.self))
    }

    override func willClose() {
        self.sender.close()
        self.onWake = nil
    }

    /// Wakes the loop from any thread; does nothing after the wake-up was closed.
    ///
    /// libuv allows sends from any thread, but none to a closed handle. So senders are counted while they are inside,
    /// and closing waits for them: at most the time of a system call. Not a `Mutex`: one sender would wait for
    /// another's system call, and the thread sanitizer can't see through its slow path (Swift 6.3).
    public final class Sender: Sendable {
        private static let isClosed: UInt = 1 << 63

        /// The number of senders inside, and whether it is closed.
        private let state = Atomic<UInt>(isClosed)
        /// The address of the `uv_async_t`, written once.
        private let address = Atomic<UInt>(0)

        fileprivate init() {}

        /// Costs two atomic additions, and a system call unless a wake-up is pending already.
        public func send() {
            let before = self.state.add(1, ordering: .acquiring).oldValue
            defer { self.state.subtract(1, ordering: .releasing) }
            guard before & Self.isClosed == 0 else { return }
            let code = uv_async_send(UnsafeMutablePointer(bitPattern: self.address.load(ordering: .relaxed)))
            precondition(code == 0, "uv_async_send refuses foreign handles only")
        }

        fileprivate func open(_ raw: UnsafeMutablePointer<uv_async_t>) {
            self.address.store(UInt(bitPattern: raw), ordering: .relaxed)
            self.state.subtract(Self.isClosed, ordering: .releasing)
        }

        fileprivate func close() {
            self.state.bitwiseOr(Self.isClosed, ordering: .relaxed)
            while self.state.load(ordering: .acquiring) != Self.isClosed { sched_yield() }
        }
    }
}
