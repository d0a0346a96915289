public import Booking
public import Reactor

/// The machine's clocks, as a process reads them; tests substitute their own.
public struct ClockReadings {
    /// The wall clock, which may be set in either direction.
    public var wall: () -> Timestamp
    /// The time since the machine booted, sleep included: the same for all its processes.
    public var sinceBoot: () -> Nanoseconds

    /// The machine's clocks, except those that are given.
    public init(
        wall: @escaping () -> Timestamp = { Timestamp.now },
        sinceBoot: @escaping () -> Nanoseconds = { Nanoseconds(Int64(Clock.bootNanoseconds())) }
    ) {
        self.wall = wall
        self.sinceBoot = sinceBoot
    }
}
