/// A shard's time, made from two clocks: the wall clock, which says what time it is and may be set either way, and a
/// monotonic one, which only says how much has passed. Never goes back, across restarts too, and never stands still. Pure:
/// both readings come in as arguments.
///
///     wall clock ahead         follow it at once; more than `jumpMax` is told, since places and holds run out by it
///     a day ahead, or more     suspended: go on by the monotonic clock, until the wall clock is sane again, or is trusted
///     wall clock behind        go on by the monotonic clock, a tenth slower, until the wall clock has caught up
///
/// Why slower: time that is ahead must come back to what people's watches say. Why only a tenth: all lifetimes and the rate
/// of admission are stretched by as much meanwhile. A second ahead is made up for in 10 s, an hour in 10 hours.
///
/// Why suspended: time never goes back, so a wall clock that is ten years ahead for a moment would end every hold, place and
/// sale for good. Which of the two clocks is right can't be told from here, so nothing is decided meanwhile. The monotonic
/// clock has to go on while the machine sleeps: a laptop that slept for two days has no clock that jumped.
public struct ShardClock: Equatable, Sendable {
    /// Worth a line in the log.
    public enum Note: Equatable, Sendable {
        /// The wall clock was set forward by this much: it counts as having passed.
        case jumpedForward(Nanoseconds)
        /// The wall clock is behind the shard's time by this much: it was set back, or was ahead before a restart.
        case fellBehind(Nanoseconds)
        /// The wall clock has caught up.
        case caughtUp
        /// The wall clock is ahead by so much that time does not follow it: nothing may be decided.
        case suspended(Nanoseconds)
        /// The wall clock is within a day of this time again.
        case resumed
    }

    /// A jump forward by this, and more, is absurd: longer than clocks are off when a machine starts late or wakes, and than a
    /// wrong time zone makes them.
    public static let absurdJump = Nanoseconds.days(1)

    /// Of so many nanoseconds that pass while the wall clock is behind, one is left out.
    static let slowness: Int64 = 10

    /// What the wall clock may be off without a note.
    public let jumpMax: Nanoseconds
    /// The last time that was given.
    public private(set) var time: Timestamp
    /// The monotonic clock then.
    private var readAt: Nanoseconds
    /// The wall clock was noted to be behind.
    public private(set) var isBehind = false
    /// Since when the wall clock is not followed, by this time; nil while it is.
    public private(set) var suspendedSince: Timestamp?

    /// `last` is the time of the journal's last fact; `distantPast` when there is none. What has passed since then, while
    /// nobody looked, is no jump. `expected` is what time it should be by another's account that knows the monotonic clock,
    /// if there is one: a wall clock that is absurdly ahead of that is not believed at the start either, and one that is behind
    /// is caught up with as ever, so that it may be set right.
    public init(
        after last: Timestamp,
        expected: Timestamp? = nil,
        wall: Timestamp,
        monotonic: Nanoseconds,
        jumpMax: Nanoseconds
    ) {
        self.readAt = monotonic
        self.jumpMax = jumpMax
        let least = max(last, expected ?? .distantPast)
        if expected != nil, wall - least >= Self.absurdJump {
            self.time = least
            self.suspendedSince = least
        } else {
            self.time = max(least, wall)
        }
    }

    /// The wall clock is absurdly ahead: nothing may be decided.
    public var isSuspended: Bool { self.suspendedSince != nil }

    /// What time it is, and what is worth telling about it. The monotonic reading is taken to be no earlier than the last.
    public mutating func read(wall: Timestamp, monotonic: Nanoseconds) -> (time: Timestamp, note: Note?) {
        let elapsed = Nanoseconds(max(0, monotonic.rawValue - self.readAt.rawValue))
        self.readAt = max(self.readAt, monotonic)
        let own = self.time + elapsed
        guard wall - own < Self.absurdJump else { return (own, self.suspend(at: own, wall - own)) }
        if self.suspendedSince != nil {
            self.suspendedSince = nil
            _ = self.follow(wall, from: own, elapsed)
            return (self.time, .resumed)
        }
        return self.follow(wall, from: own, elapsed)
    }

    /// Somebody who knows says that the wall clock is right. False when it is followed anyway.
    public mutating func trust(wall: Timestamp, monotonic: Nanoseconds) -> Bool {
        guard self.read(wall: wall, monotonic: monotonic).time < wall, self.isSuspended else { return false }
        self.suspendedSince = nil
        self.time = wall
        return true
    }

    private mutating func suspend(at own: Timestamp, _ ahead: Nanoseconds) -> Note? {
        self.time = own
        self.isBehind = false
        guard self.suspendedSince == nil else { return nil }
        self.suspendedSince = own
        return .suspended(ahead)
    }

    private mutating func follow(_ wall: Timestamp, from own: Timestamp, _ elapsed: Nanoseconds) -> (Timestamp, Note?) {
        guard wall < own else {
            self.time = wall
            return (wall, self.noteAhead(wall - own))
        }
        let slow = self.time + Nanoseconds(elapsed.rawValue - elapsed.rawValue / Self.slowness)
        self.time = max(wall, slow)
        return (self.time, self.noteBehind(self.time - wall))
    }

    private mutating func noteAhead(_ span: Nanoseconds) -> Note? {
        if span > self.jumpMax {
            self.isBehind = false
            return .jumpedForward(span)
        }
        guard self.isBehind else { return nil }
        self.isBehind = false
        return .caughtUp
    }

    private mutating func noteBehind(_ span: Nanoseconds) -> Note? {
        if self.isBehind, span == .zero {
            self.isBehind = false
            return .caughtUp
        }
        guard !self.isBehind, span > self.jumpMax else { return nil }
        self.isBehind = true
        return .fellBehind(span)
    }
}
