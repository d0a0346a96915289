public import Booking
public import Logging

/// The wall clock, as far as it can be believed: what a gateway and the supervisor go by. A shard goes by the same
/// rule (`ShardClock`).
///
/// While the wall clock is sane, the time follows it, also when it is set back. While it is absurdly ahead, the time
/// goes on from before the jump: logins do not expire by the million, and concerts do not open.
public final class MachineClock {
    private var clock: ShardClock
    private let readings: ClockReadings
    private let log: Logger
    /// The level of messages about jumps: one process of the cluster logs them loudly.
    private let level: Logger.Level

    /// `expected` is the time that it should be, and `last` its lower bound: see `ClockReference`.
    public init(
        expected: Timestamp?,
        after last: Timestamp = .distantPast,
        readings: ClockReadings = ClockReadings(),
        tellingAs level: Logger.Level,
        log: Logger
    ) {
        self.readings = readings
        self.level = level
        self.log = log
        let wall = readings.wall()
        self.clock = ShardClock(
            after: last,
            expected: expected,
            wall: wall,
            monotonic: readings.sinceBoot(),
            jumpMax: ShardClock.absurdJump
        )
        if self.clock.isSuspended { self.tell(.suspended(wall - self.clock.time)) }
    }

    /// Starts from the present reference in the cluster's folder.
    public convenience init(of state: StateDirectory, tellingAs level: Logger.Level, log: Logger) {
        let reference = ClockReference.read(state)
        self.init(
            expected: reference?.expected(),
            after: reference?.lastKnown ?? .distantPast,
            tellingAs: level,
            log: log
        )
    }

    /// Reads two clocks: about 50 ns.
    public var now: Timestamp {
        let wall = self.readings.wall()
        let (time, note) = self.clock.read(wall: wall, monotonic: self.readings.sinceBoot())
        if let note { self.tell(note) }
        return self.clock.isSuspended ? time : wall
    }

    /// The wall clock was absurdly ahead at the last reading.
    public var isSuspended: Bool { self.clock.isSuspended }

    /// How far the wall clock is ahead now; nil while time follows it.
    public var ahead: Nanoseconds? {
        let time = self.now
        return self.isSuspended ? self.readings.wall() - time : nil
    }

    /// For other processes, and for the next start.
    public var reference: ClockReference {
        _ = self.now
        return ClockReference(
            boot: ClockReference.currentBoot,
            offset: (self.clock.time - Timestamp(nanoseconds: self.readings.sinceBoot().rawValue)).rawValue,
            isSuspended: self.isSuspended,
            time: self.clock.time.seconds
        )
    }

    /// An operator confirms that the wall clock is right.
    public func trust() {
        guard self.clock.trust(wall: self.readings.wall(), monotonic: self.readings.sinceBoot()) else { return }
        self.log.log(level: self.level, "an operator trusts the wall clock: time follows it")
    }

    private func tell(_ note: ShardClock.Note) {
        switch note {
        case .suspended(let span):
            self.log.log(level: self.level, Self.suspended, metadata: Self.metadata(ahead: span))
        case .resumed: self.log.log(level: self.level, Self.resumed)
        // Time follows the clock, and the shards report the jump.
        case .jumpedForward, .fellBehind, .caughtUp: break
        }
    }

    // MARK: Words

    /// The log's message when the wall clock is no longer believed.
    public static let suspended: Logger.Message =
        "the wall clock jumped absurdly: changes are refused until it is right again, reading works"
    /// And when it is believed again.
    public static let resumed: Logger.Message = "the wall clock is trusted again: changes are accepted"

    /// By how much the wall clock is ahead, and the remedy.
    public static func metadata(ahead: Nanoseconds) -> Logger.Metadata {
        [
            "ahead_s": "\(ahead.rawValue / 1_000_000_000)",
            "remedy": "set the clock; or, if it is right now and was wrong before, usher cluster trust-clock",
        ]
    }

    /// For operators: `1 day`, `3650 days`.
    public static func days(_ span: Nanoseconds) -> String {
        let days = span.rawValue / Nanoseconds.days(1).rawValue
        return days == 1 ? "1 day" : "\(days) days"
    }
}
