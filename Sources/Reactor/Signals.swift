import Glibc

/// What a process does about signals before anything else.
public enum Signals {
    /// SIGHUP, SIGINT and SIGTERM: a server has handlers for them, and would die of each before it has.
    private static var handled: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGHUP, SIGINT, SIGTERM] { sigaddset(&set, signal) }
        return set
    }

    /// Holds back the signals that servers handle until `release()`: those that come meanwhile stay pending. Lets all others
    /// through: a mask is inherited, and whoever starts us from a thread that blocks signals, as thread pools do, would make
    /// a process without them.
    public static func hold() {
        var handled = Self.handled
        pthread_sigmask(SIG_SETMASK, &handled, nil)
    }

    /// Lets them through, and first those that are pending: the handlers are there, or none will be.
    public static func release() {
        var handled = Self.handled
        pthread_sigmask(SIG_UNBLOCK, &handled, nil)
    }
}
