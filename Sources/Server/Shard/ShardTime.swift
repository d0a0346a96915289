import Booking
import Logging
import Reactor

/// Reads the clocks for a shard, and says in the log when the wall clock was set.
final class ShardTime {
    private var clock: ShardClock
    private let log: Logger

    /// `last` is the time of the journal's last fact.
    init(after last: Timestamp, jumpMax: Nanoseconds, log: Logger) {
        self.clock = ShardClock(
            after: last,
            wall: Timestamp.now,
            monotonic: Nanoseconds(Int64(Clock.monotonicNanoseconds())),
            jumpMax: jumpMax
        )
        self.log = log
    }

    /// Two clocks are read: about 50 ns.
    var now: Timestamp {
        let wall = Timestamp.now
        let (time, note) = self.clock.read(
            wall: wall,
            monotonic: Nanoseconds(Int64(Clock.monotonicNanoseconds()))
        )
        if let note { self.tell(note, wall: wall, time: time) }
        return time
    }

    private func tell(_ note: ShardClock.Note, wall: Timestamp, time: Timestamp) {
        switch note {
        case .jumpedForward(let span):
            self.log.warning(
                "the wall clock was set forward: places and holds whose time is over by it run out now",
                metadata: ["jumped_ms": "\(span.milliseconds)", "limit": "shard.clockJumpMilliseconds"]
            )
        case .fellBehind(let span):
            self.log.warning(
                "the wall clock is behind this shard's time: the shard goes on from its own, a tenth slower, until it is not",
                metadata: ["behind_ms": "\(span.milliseconds)", "wall": "\(wall.words)", "shard_time": "\(time.words)"]
            )
        case .caughtUp: self.log.info("the wall clock has caught up with this shard's time")
        }
    }
}

extension Nanoseconds {
    fileprivate var milliseconds: Int64 { self.rawValue / 1_000_000 }
}
