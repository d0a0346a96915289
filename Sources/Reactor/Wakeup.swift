import CLibuv
import Synchronization

/// Lets other threads call this loop: each `send()` of its `sender` makes `onWake` run soon, on the loop.
///
/// Wake-ups sent before the loop gets to them are told as one, so carry the news in a place of your own (a `Mutex`
/// around a queue) and take all of it in `onWake`.
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

    /// Wakes the loop from any thread, also after the wake-up was closed: then it does nothing.
    public final class Sender: Sendable {
        /// The address of the `uv_async_t`, 0 when there is none. The lock holds `close` back while a send is under
        /// way: libuv allows sends from any thread, but none to a closed handle.
        private let address = Mutex<UInt>(0)

        fileprivate init() {}

        /// Costs an uncontended lock, and a system call when no wake-up is under way already.
        public func send() {
            self.address.withLock { address in
                guard let raw = UnsafeMutablePointer<uv_async_t>(bitPattern: address) else { return }
                let code = uv_async_send(raw)
                precondition(code == 0, "uv_async_send refuses foreign handles only")
            }
        }

        fileprivate func open(_ raw: UnsafeMutablePointer<uv_async_t>) {
            self.address.withLock { $0 = UInt(bitPattern: raw) }
        }

        fileprivate func close() { self.address.withLock { $0 = 0 } }
    }
}
