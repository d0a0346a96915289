/// A shard's time, made from two clocks: the wall clock, which says what time it is and may be set either way, and a
/// monotonic one, which only says how much has passed. Never goes back, across restarts too, and never stands still. Pure:
/// both readings come in as arguments.
///
///     wall clock ahead     follow it at once; more than `jumpMax` is told, since places and holds run out by it
///     wall clock behind    go on by the monotonic clock, a tenth slower, until the wall clock has caught up
///
/// Why slower: time that is ahead must come back to what people's watches say. Why only a tenth: all lifetimes and the rate
/// of admission are stretched by as much meanwhile. A second ahead is made up for in 10 s, an hour in 10 hours.
public struct ShardClock: Equatable, Sendable {
    /// Worth a line in the log.
    public enum Note: Equatable, Sendable {
        /// The wall clock was set forward by this much: it counts as having passed.
        case jumpedForward(Nanoseconds)
        /// The wall clock is behind the shard's time by this much: it was set back, or was ahead before a restart.
        case fellBehind(Nanoseconds)
        /// The wall clock has caught up.
        case caughtUp
    }

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

    /// `last` is the time of the journal's last fact; `distantPast` when there is none. What has passed since then, while
    /// nobody looked, is no jump.
    public init(after last: Timestamp, wall: Timestamp, monotonic: Nanoseconds, jumpMax: Nanoseconds) {
        self.time = max(last, wall)
        self.readAt = monotonic
        self.jumpMax = jumpMax
    }

    /// What time it is, and what is worth telling about it. The monotonic reading is taken to be no earlier than the last.
    public mutating func read(wall: Timestamp, monotonic: Nanoseconds) -> (time: Timestamp, note: Note?) {
        let elapsed = Nanoseconds(max(0, monotonic.rawValue - self.readAt.rawValue))
        self.readAt = max(self.readAt, monotonic)
        let own = self.time + elapsed
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
