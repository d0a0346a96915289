public import Booking
public import Reactor

/// The machine's clocks, as a process reads them; tests have hands of their own to turn.
public struct ClockReadings {
    /// What time it is, as the machine believes; may be set either way.
    public var wall: () -> Timestamp
    /// Since the machine was started, sleep included: the same for all its processes.
    public var sinceBoot: () -> Nanoseconds

    /// The machine's own, but for those that are given.
    public init(
        wall: @escaping () -> Timestamp = { Timestamp.now },
        sinceBoot: @escaping () -> Nanoseconds = { Nanoseconds(Int64(Clock.bootNanoseconds())) }
    ) {
        self.wall = wall
        self.sinceBoot = sinceBoot
    }
}
