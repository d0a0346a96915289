import Glibc

/// The first treatment of signals in a process.
public enum Signals {
    /// SIGHUP, SIGINT and SIGTERM: a server has handlers for them, and each would kill it before they are installed.
    private static var handled: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGHUP, SIGINT, SIGTERM] { sigaddset(&set, signal) }
        return set
    }

    /// Blocks the signals that servers handle until `release()`: meanwhile they stay pending. Unblocks all others: the
    /// mask is inherited, and a parent thread that blocks signals, as thread pools do, would leave this process without
    /// them.
    public static func hold() {
        var handled = Self.handled
        pthread_sigmask(SIG_SETMASK, &handled, nil)
    }

    /// Unblocks them, which delivers pending ones first: the handlers are installed, or none will be.
    public static func release() {
        var handled = Self.handled
        pthread_sigmask(SIG_UNBLOCK, &handled, nil)
    }
}
