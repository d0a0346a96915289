public import Booking
import Reactor

extension Timestamp {
    /// The wall clock. Only shells read it: the machines receive the time as an argument.
    public static var now: Timestamp { Timestamp(nanoseconds: Int64(Clock.wallNanoseconds())) }
}
