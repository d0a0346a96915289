/// How long a shard keeps ended records, and how many: for its users to look up, and for repeated requests. The facts
/// stay in the journal. The same limits give the same state from decisions, facts or a snapshot.
public struct RecordLimits: Equatable, Sendable {
    /// Ended seats (lapsed, released, or bought and cancelled) of one user and concert, the newest. More than any list
    /// in a request; no ordinary fan lets so many go, and abuse affects only the user itself.
    public var overPerUserMax = 128
    /// The same for all users of a concert, the last ones to end: some 150 to 400 MB, whatever a crowd does.
    public var overPerConcertMax = 1_000_000
    /// How long an unpaid seat is remembered after the deadline of its hold: a day, the lifetime of idempotency keys.
    public var unpaidLifetime = Nanoseconds.days(1)
    /// How long a seat is remembered after its purchase was cancelled: the default time for cancelling. Longer while
    /// other seats of the same payment are not cancelled.
    public var refundedLifetime = Nanoseconds.days(7)
    /// Lines of one user's point history, the newest: ten of the longest pages. The balance counts all.
    public var historyLinesPerUserMax = 1_000
    public init() {}
}
