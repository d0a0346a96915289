/// How long a shard keeps what is over, and how much of it: for its user to look up, and for requests that come again. The facts
/// stay in the journal. The same limits give the same state, whether it comes from decisions, from facts or from a snapshot.
public struct RecordLimits: Equatable, Sendable {
    /// Seats that are over (lapsed, given back, or bought and cancelled) of one user and concert, the newest. More than any list
    /// in a request names; no fan lets so many go, and whoever does it on purpose pays for it alone.
    public var overPerUserMax = 128
    /// The same of all users of a concert, the last to be forgotten: some 150 to 400 MB, whatever a crowd does.
    public var overPerConcertMax = 1_000_000
    /// How long a seat that was never paid is remembered after the deadline of its hold: a day, for which answers to keys are
    /// promised.
    public var unpaidLifetime = Nanoseconds.days(1)
    /// How long a seat is remembered after its purchase was cancelled: for as long as one can be cancelled by default. Longer
    /// while other seats of the same payment stand.
    public var refundedLifetime = Nanoseconds.days(7)
    /// Lines of one user's point history, the newest: ten of the longest pages. The balance counts all.
    public var historyLinesPerUserMax = 1_000
    public init() {}
}
