public import Booking

/// How long to wait before asking for a place again: the answer's `Retry-After`.
///
///     time left:     2 s ····· 10 s ····· 300 s ─────▶      few people a second: a tenth of it, at most 30 s
///     people ahead:  10,000 ····· 1,000,000 ─────▶          many: in proportion to them, so that the line's polls stay few
///                    each 1 s     each 100 s
///
/// The time left counts the opening and the room inside, so a line that can't move is not asked about each second, and near the
/// opening the pauses get shorter with it. Everyone counts from their own last poll: people who came at different moments stay
/// spread, to the opening and beyond.
///
/// With the second rule a line of n people asks at most p · (1 + ln(n / p)) times a second, where p is `frontPerSecond`:
/// 56,000 for a million and the default. A tenth of the time alone makes that 200,000 at 5,000 admissions a second.
public struct PollPause: Equatable, Sendable {
    /// The longest pause where few stand, however much time is left: so that the picture on the page still moves.
    public static let secondsMaxOfFew: UInt64 = 30

    /// How many people at the front of a line ask each second; whoever stands n times as far back asks each n seconds.
    public let frontPerSecond: UInt64
    /// Nothing makes anybody sleep longer; `ConcertRules.pollPauseSecondsMax` may be shorter.
    public let secondsMax: UInt64

    /// Both are at least 1.
    public init(frontPerSecond: UInt64 = 10_000, secondsMax: UInt64 = 300) {
        precondition(frontPerSecond >= 1 && secondsMax >= 1, "a pause of nothing")
        self.frontPerSecond = frontPerSecond
        self.secondsMax = secondsMax
    }

    /// At least a second, and never more than half of the time that is left: nobody sleeps through their own admission. Nil
    /// once admitted.
    public func seconds(for standing: Standing) -> UInt32? {
        guard standing.order > 0 else { return nil }
        let few = min(standing.seconds / 10, Self.secondsMaxOfFew)
        let many = standing.order / self.frontPerSecond
        return UInt32(max(min(max(few, many), self.secondsMax, standing.seconds / 2), 1))
    }
}
