import CLibuv

/// A timer of one loop, one-shot or periodic. May be restarted at any time; `close()` it in the end.
///
/// Fires in the first turn after its time, never before. Starting and stopping allocate nothing when the closure is
/// kept: set `onFire` once and start as often as needed.
public final class LoopTimer: LoopHandle {
    /// Called each time. Kept until `close()`.
    public var onFire: (() -> Void)?

    public init(on loop: EventLoop, onFire: (() -> Void)? = nil) {
        self.onFire = onFire
        super.init(UV_TIMER, on: loop)
        uv_timer_init(loop.raw, self.raw(as: uv_timer_t.self))  // always returns 0, by libuv's manual
        self.raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
    }

    /// Calls `onFire` `delay` milliseconds from the loop's `now`, then every `period` milliseconds; 0 means once.
    /// Replaces an earlier start.
    public func start(afterMilliseconds delay: UInt64, everyMilliseconds period: UInt64 = 0) {
        precondition(!self.isClosed, "a closed timer can't be started")
        let code = uv_timer_start(
            self.raw(as: uv_timer_t.self),
            { raw in
                Unmanaged<LoopTimer>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { $0.onFire?() }
            },
            delay,
            period
        )
        precondition(code == 0, "uv_timer_start refuses closed timers only")
    }

    /// As above, with a closure that replaces `onFire`.
    public func start(
        afterMilliseconds delay: UInt64,
        everyMilliseconds period: UInt64 = 0,
        _ onFire: @escaping () -> Void
    ) {
        self.onFire = onFire
        self.start(afterMilliseconds: delay, everyMilliseconds: period)
    }

    /// Cancels the timer; does nothing if it is not started.
    public func stop() {
        guard !self.isClosed else { return }
        uv_timer_stop(self.raw(as: uv_timer_t.self))  // always returns 0, by libuv's manual
    }

    /// Whether another call of `onFire` is scheduled.
    public var isActive: Bool { uv_is_active(self.raw) != 0 }

    override func willClose() { self.onFire = nil }
}
