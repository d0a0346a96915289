import Booking
import Configuration
import Logging
import Wire

/// Reads the clocks for a shard, and says in the log when the wall clock was set.
final class ShardTime {
    private var clock: ShardClock
    private let readings: ClockReadings
    private let log: Logger

    /// A shard's last fact may lie so far back without a word, where nothing tells whether the wall clock is right.
    private static let restMax = Nanoseconds.days(30)

    /// The wall clock may be set so far without a line in the log: well above what keeping clocks in step moves them by, well
    /// below any lifetime. Places and holds lapse by it either way.
    private static let jumpMax = Nanoseconds.seconds(2)

    /// `last` is the time of the journal's last fact, `expected` what time it should be: see `ClockReference`.
    init(
        after last: Timestamp,
        expected: Timestamp? = nil,
        readings: ClockReadings = ClockReadings(),
        log: Logger
    ) {
        self.readings = readings
        self.log = log
        let wall = readings.wall()
        self.clock = ShardClock(
            after: last,
            expected: expected,
            wall: wall,
            monotonic: readings.sinceBoot(),
            jumpMax: Self.jumpMax
        )
        if self.clock.isSuspended {
            self.tell(.suspended(wall - self.clock.time), wall: wall, time: self.clock.time)
        } else if expected == nil, last != .distantPast, wall - last > Self.restMax {
            self.log.warning(
                "this shard's last fact is long ago, and the wall clock is believed: if it is wrong, stop now and set it",
                metadata: ["last_fact": "\(last.words)", "wall": "\(wall.words)"]
            )
        }
    }

    /// Two clocks are read: about 50 ns.
    var now: Timestamp {
        let wall = self.readings.wall()
        let (time, note) = self.clock.read(wall: wall, monotonic: self.readings.sinceBoot())
        if let note { self.tell(note, wall: wall, time: time) }
        return time
    }

    /// The wall clock is absurdly ahead, as of the last reading: nothing may be decided.
    var isSuspended: Bool { self.clock.isSuspended }

    /// Since when, and by how much; nil while all is well.
    var suspension: (since: Timestamp, ahead: Nanoseconds)? {
        self.clock.suspendedSince.map { ($0, self.readings.wall() - self.clock.time) }
    }

    /// An operator says that the wall clock is right.
    func trust() {
        guard self.clock.trust(wall: self.readings.wall(), monotonic: self.readings.sinceBoot()) else { return }
        self.log.warning(
            "the wall clock is trusted, by an operator: places and holds whose time is over by it run out now",
            metadata: ["time": "\(self.clock.time.words)"]
        )
    }

    private func tell(_ note: ShardClock.Note, wall: Timestamp, time: Timestamp) {
        switch note {
        case .jumpedForward(let span):
            self.log.warning(
                "the wall clock was set forward: places and holds whose time is over by it run out now",
                metadata: ["jumped_ms": "\(span.milliseconds)", "limit_ms": "\(Self.jumpMax.milliseconds)"]
            )
        case .fellBehind(let span):
            self.log.warning(
                "the wall clock is behind this shard's time: the shard goes on from its own, a tenth slower, until it is not",
                metadata: ["behind_ms": "\(span.milliseconds)", "wall": "\(wall.words)", "shard_time": "\(time.words)"]
            )
        case .caughtUp: self.log.info("the wall clock has caught up with this shard's time")
        case .suspended(let span):
            var metadata = MachineClock.metadata(ahead: span)
            metadata["wall"] = "\(wall.words)"
            metadata["shard_time"] = "\(time.words)"
            self.log.error(MachineClock.suspended, metadata: metadata)
        case .resumed: self.log.warning(MachineClock.resumed)
        }
    }
}

extension Nanoseconds {
    fileprivate var milliseconds: Int64 { self.rawValue / 1_000_000 }
}
