import Glibc

/// Reads the machine's clocks. About 25 ns a call: no system call is made.
public enum Clock {
    /// Nanoseconds of a clock that never goes back or jumps, from any zero: for durations.
    public static func monotonicNanoseconds() -> UInt64 { self.read(CLOCK_MONOTONIC) }

    /// Nanoseconds since boot, sleep included; never goes back or jumps. The same for all processes: the reference for
    /// the wall clock.
    public static func bootNanoseconds() -> UInt64 { self.read(CLOCK_BOOTTIME) }

    /// Nanoseconds since the Unix epoch by the machine's wall clock; jumps either way when it is set.
    public static func wallNanoseconds() -> UInt64 { self.read(CLOCK_REALTIME) }

    private static func read(_ id: clockid_t) -> UInt64 {
        var time = timespec()
        let code = clock_gettime(id, &time)
        precondition(code == 0, "clock_gettime refuses unknown clocks only")
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
