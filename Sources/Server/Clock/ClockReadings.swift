import Booking
import Reactor

/// The machine's clocks, as a process reads them; tests have hands of their own to turn.
struct ClockReadings {
    /// What time it is, as the machine believes; may be set either way.
    var wall: () -> Timestamp = { Timestamp.now }
    /// Since the machine was started, sleep included: the same for all its processes.
    var sinceBoot: () -> Nanoseconds = { Nanoseconds(Int64(Clock.bootNanoseconds())) }
}
