public import Booking

/// How long to wait before asking for a place again: the answer's `Retry-After`.
///
///     time left:     2 s ····· 10 s ····· 300 s ─────▶      few people a second: a tenth of it, at most 30 s
///     people ahead:  10,000 ····· 1,000,000 ─────▶          many: in proportion to them, so that the line's polls stay few
///                    each 1 s     each 100 s
///
/// With the second rule a line of n people asks at most p · (1 + ln(n / p)) times a second, where p is `frontPerSecond`:
/// 56,000 for a million and the default. A tenth of the time alone makes that 200,000 at 5,000 admissions a second.
public struct PollPause: Equatable, Sendable {
    /// The longest pause where few stand: so that the picture on the page still moves.
    private static let secondsMaxOfFew: UInt64 = 30

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
        let many = min(standing.order / self.frontPerSecond, self.secondsMax)
        return UInt32(max(min(max(few, many), standing.seconds / 2), 1))
    }
}
