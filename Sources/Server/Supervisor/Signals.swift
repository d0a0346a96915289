import Glibc

/// What a process does about signals before anything else.
public enum Signals {
    /// Lets all signals through. A mask is inherited: who starts us from a thread that blocks signals, as thread pools
    /// do, would make a process that no SIGTERM can stop.
    public static func unblock() {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_UNBLOCK, &all, nil)
    }
}
