import CLibuv

/// What every handle of a loop has in common: its memory, and how it ends.
///
///     init ──▶ open ──close()──▶ closing ──the loop's next turn──▶ gone: onClose, memory freed
///
/// libuv holds a reference from `init` until its close callback, so neither the object nor the C structure can go away
/// under a callback, whoever drops it. An open handle is never freed: close what you open. `close()` may be called from
/// any callback and more than once.
public class LoopHandle {
    /// The loop whose thread may touch this handle.
    public let loop: EventLoop
    /// True from the first `close()` on; no callback but `onClose` comes after it.
    public private(set) final var isClosed = false
    /// Called once, in a later turn than `close()`, when the descriptor is closed and libuv has let go.
    public final var onClose: (() -> Void)?

    final let raw: UnsafeMutablePointer<uv_handle_t>

    /// Takes memory for a handle of `type`; `adopt` makes it one.
    init(_ type: uv_handle_type, on loop: EventLoop) {
        self.loop = loop
        // All that malloc gives is aligned so; asked for more, Swift would go the slow way of posix_memalign.
        let alignment = MemoryLayout<UnsafeRawPointer>.alignment
        let memory = UnsafeMutableRawPointer.allocate(byteCount: uv_handle_size(type), alignment: alignment)
        self.raw = memory.assumingMemoryBound(to: uv_handle_t.self)
    }

    /// Takes the answer of libuv's init function for this handle. From success on, libuv holds a reference.
    final func adopt(_ code: Int32, _ call: String) throws(UVError) {
        try UVError.check(code, call)
        self.raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    deinit { UnsafeMutableRawPointer(self.raw).deallocate() }

    /// Ends this handle. Nothing is told to its callbacks afterwards, but `onClose`. Does nothing the second time.
    public func close() {
        guard self.beginClose() else { return }
        uv_close(self.raw, Self.closed)
    }

    /// Whether `run()` waits for this handle; true by default. A timer for housekeeping should not hold up the end.
    public final var keepsLoopAlive: Bool {
        get { uv_has_ref(self.raw) != 0 }
        set { newValue ? uv_ref(self.raw) : uv_unref(self.raw) }
    }

    /// Drops what would keep others alive: subclasses let go of their closures here.
    func willClose() {}

    /// libuv has let go: subclasses give memory back here.
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

    /// The descriptor, for options that have no call here; nil when there is none yet or any more.
    final var descriptor: Int32? {
        var descriptor: uv_os_fd_t = -1
        return !self.isClosed && uv_fileno(self.raw, &descriptor) == 0 ? descriptor : nil
    }

    /// The same memory as the structure that libuv's function for this kind of handle wants.
    final func raw<Raw>(as type: Raw.Type) -> UnsafeMutablePointer<Raw> {
        UnsafeMutableRawPointer(self.raw).assumingMemoryBound(to: type)
    }
}

@available(*, unavailable, message: "a handle stays on its loop's thread")
extension LoopHandle: Sendable {}
