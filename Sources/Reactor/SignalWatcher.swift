import CLibuv

/// Receives one signal of the process on the loop, where any action is safe.
///
/// Several watchers of one signal all receive it. Signals that arrive faster than the loop turns may be merged.
public final class SignalWatcher: LoopHandle {
    private var onSignal: (() -> Void)?

    /// Watches `signal` (SIGTERM, SIGINT, SIGHUP, ...) from now on. Refused for SIGKILL and SIGSTOP.
    public init(on loop: EventLoop, _ signal: Int32, _ onSignal: @escaping () -> Void) throws(UVError) {
        self.onSignal = onSignal
        super.init(UV_SIGNAL, on: loop)
        try self.adopt(uv_signal_init(loop.raw, self.raw(as: uv_signal_t.self)), "uv_signal_init")
        let code = uv_signal_start(
            self.raw(as: uv_signal_t.self),
            { raw, _ in
                Unmanaged<SignalWatcher>.fromOpaque(raw!.pointee.data)._withUnsafeGuaranteedRef { $0.onSignal?() }
            },
            signal
        )
        guard code == 0 else {
            self.close()
            throw UVError(code: code, call: "uv_signal_start \(signal)")
        }
    }

    override func willClose() { self.onSignal = nil }
}
