public import Booking

/// The pause before the next poll: the answer's `Retry-After`.
///
///     time left:     2 s ····· 10 s ····· 300 s ─────▶      short line: a tenth of it, at most 30 s
///     people ahead:  10,000 ····· 1,000,000 ─────▶          long line: in proportion to them, which bounds the polls
///                    each 1 s     each 100 s
///
/// The time left includes the opening and the room inside, so a line that can't move is not polled each second, and
/// near the opening the pauses get shorter. Pauses count from each user's own last poll: users who came at different
/// moments stay spread, to the opening and beyond.
///
/// By the second rule a line of n people makes at most p · (1 + ln(n / p)) polls a second, where p is `frontPerSecond`:
/// 56,000 for a million and the default. A tenth of the time alone makes that 200,000 at 5,000 admissions a second.
public struct PollPause: Equatable, Sendable {
    /// The longest pause in a short line, however much time is left, so that the page still shows progress.
    public static let secondsMaxOfFew: UInt64 = 30

    /// Users at the front of a line who poll each second; users n times further back poll every n seconds.
    public let frontPerSecond: UInt64
    /// The longest pause; `ConcertRules.pollPauseSecondsMax` may be shorter.
    public let secondsMax: UInt64

    /// Both are at least 1.
    public init(frontPerSecond: UInt64 = 10_000, secondsMax: UInt64 = 300) {
        precondition(frontPerSecond >= 1 && secondsMax >= 1, "polls a second and the longest pause are at least 1")
        self.frontPerSecond = frontPerSecond
        self.secondsMax = secondsMax
    }

    /// At least 1, and at most half of the time left, so that no user sleeps through their admission. Nil once
    /// admitted.
    public func seconds(for standing: Standing) -> UInt32? {
        guard standing.order > 0 else { return nil }
        let few = min(standing.seconds / 10, Self.secondsMaxOfFew)
        let many = standing.order / self.frontPerSecond
        return UInt32(max(min(max(few, many), self.secondsMax, standing.seconds / 2), 1))
    }
}
