public import Booking

/// How long to wait before asking for a place again: the answer's `Retry-After`.
public enum PollPause {
    /// Nobody sleeps longer: against a waiting lifetime of 30 minutes, and so that the picture on the page still moves.
    public static let secondsMax: UInt64 = 30

    /// A tenth of the time that is left, from 1 to 30 seconds: people near the front ask each second, people at the back
    /// of a long line rarely. Nil once admitted.
    public static func seconds(for standing: Standing) -> UInt32? {
        guard standing.order > 0 else { return nil }
        return UInt32(min(max(standing.seconds / 10, 1), self.secondsMax))
    }
}
