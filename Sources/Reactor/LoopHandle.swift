import CLibuv

/// The common part of every handle of a loop: its memory, and its end.
///
///     init ──▶ open ──close()──▶ closing ──the loop's next turn──▶ gone: onClose, memory freed
///
/// libuv holds a reference from `init` until its close callback, so neither the object nor the C structure can be freed
/// under a callback. An open handle is never freed: close every handle you open. `close()` may be called from any
/// callback and more than once.
public class LoopHandle {
    /// The loop whose thread may touch this handle.
    public let loop: EventLoop
    /// True from the first `close()` on; no callback but `onClose` comes after it.
    public private(set) final var isClosed = false
    /// Called once, in a later turn than `close()`, when the descriptor is closed and libuv has released the handle.
    public final var onClose: (() -> Void)?

    final let raw: UnsafeMutablePointer<uv_handle_t>

    /// Allocates memory for a handle of `type`; `adopt` initialises it.
    init(_ type: uv_handle_type, on loop: EventLoop) {
        self.loop = loop
        // malloc aligns all memory to this; a larger alignment would make Swift use the slow posix_memalign.
        let alignment = MemoryLayout<UnsafeRawPointer>.alignment
        let memory = UnsafeMutableRawPointer.allocate(byteCount: uv_handle_size(type), alignment: alignment)
        self.raw = memory.assumingMemoryBound(to: uv_handle_t.self)
    }

    /// Checks the result of libuv's init function for this handle. From success on, libuv holds a reference.
    final func adopt(_ code: Int32, _ call: String) throws(UVError) {
        try UVError.check(code, call)
        self.raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    deinit { UnsafeMutableRawPointer(self.raw).deallocate() }

    /// Ends this handle. Afterwards only `onClose` is called. Does nothing the second time.
    public func close() {
        guard self.beginClose() else { return }
        uv_close(self.raw, Self.closed)
    }

    /// Whether `run()` waits for this handle; true by default. A timer for housekeeping should not delay the end.
    public final var keepsLoopAlive: Bool {
        get { uv_has_ref(self.raw) != 0 }
        set { newValue ? uv_ref(self.raw) : uv_unref(self.raw) }
    }

    /// Breaks reference cycles: subclasses drop their closures here.
    func willClose() {}

    /// libuv has released the handle: subclasses free memory here.
    func didClose() {}

    /// Marks the handle as closed; false if it was already.
    final func beginClose() -> Bool {
        guard !self.isClosed else { return false }
        self.isClosed = true
        self.willClose()
        return true
    }

    static var closed: uv_close_cb {
        { raw in
            let handle = Unmanaged<LoopHandle>.fromOpaque(raw!.pointee.data).takeRetainedValue()
            handle.didClose()
            handle.onClose.take()?()
        }
    }

    /// The descriptor, for options without a call here; nil before it exists and after it is closed.
    final var descriptor: Int32? {
        var descriptor: uv_os_fd_t = -1
        return !self.isClosed && uv_fileno(self.raw, &descriptor) == 0 ? descriptor : nil
    }

    /// The same memory as the structure for libuv's functions of this kind of handle.
    final func raw<Raw>(as type: Raw.Type) -> UnsafeMutablePointer<Raw> {
        UnsafeMutableRawPointer(self.raw).assumingMemoryBound(to: type)
    }
}

@available(*, unavailable, message: "a handle stays on its loop's thread")
extension LoopHandle: Sendable {}
