/// A shard's time, from two clocks: the wall clock, which may be set either way, and a monotonic one, which measures
/// elapsed time only. Never goes back, across restarts too, and never stands still. Pure: both readings come in as
/// arguments.
///
///     wall clock ahead         follow it at once; report more than `jumpMax`, since places and holds run out by it
///     a day ahead, or more     suspended: use the monotonic clock until the wall clock is sane again, or is trusted
///     wall clock behind        use the monotonic clock, a tenth slower, until the wall clock has caught up
///
/// Why slower: time that is ahead must return to the time of people's watches. Why only a tenth: all lifetimes and the
/// rate of admission are stretched by as much meanwhile. A second ahead is made up for in 10 s, an hour in 10 hours.
///
/// Why suspended: time never goes back, so a wall clock that is ten years ahead for a moment would end every hold,
/// place and sale for good. The shard can't tell which of the two clocks is right, so nothing is decided meanwhile. The
/// monotonic clock has to go on while the machine sleeps: waking after two days is not a jump.
public struct ShardClock: Equatable, Sendable {
    /// A change that deserves a line in the log.
    public enum Note: Equatable, Sendable {
        /// The wall clock was set forward by this much, which counts as elapsed.
        case jumpedForward(Nanoseconds)
        /// The wall clock is behind the shard's time by this much: it was set back, or was ahead before a restart.
        case fellBehind(Nanoseconds)
        /// The wall clock has caught up.
        case caughtUp
        /// The wall clock is too far ahead to be followed: nothing may be decided.
        case suspended(Nanoseconds)
        /// The wall clock is within a day of this time again.
        case resumed
    }

    /// The smallest absurd jump forward: more than a late start, a wake-up or a wrong time zone causes.
    public static let absurdJump = Nanoseconds.days(1)

    /// While the wall clock is behind, one nanosecond in this many is left out.
    static let slowness: Int64 = 10

    /// The deviation of the wall clock that is not reported.
    public let jumpMax: Nanoseconds
    /// The last time returned.
    public private(set) var time: Timestamp
    /// The monotonic reading at that time.
    private var readAt: Nanoseconds
    /// The wall clock was reported as behind.
    public private(set) var isBehind = false
    /// Since when the wall clock is not followed, in shard time; nil while it is.
    public private(set) var suspendedSince: Timestamp?

    /// `last` is the time of the journal's last fact; `distantPast` when there is none. The time since then is no jump.
    /// `expected` is the current time by a source that has read the monotonic clock, if there is one: a wall clock that
    /// is absurdly ahead of it is not trusted at the start either, and one that is behind is caught up with as usual,
    /// so that it may be corrected.
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

    /// The current time, and a note if there is one. The monotonic reading must not be before the last.
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

    /// An operator declares the wall clock right. False when it is followed anyway.
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
