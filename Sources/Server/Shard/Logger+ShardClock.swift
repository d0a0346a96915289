import Booking
import Configuration
import Logging
import Node
import Wire

/// What a shard's clock did, in the log: most of it means that somebody has set the wall clock.
extension Logger {
    /// A shard's last fact may lie so far back without a word, where nothing tells whether the wall clock is right.
    private static let restMax = Nanoseconds.days(30)

    /// A shard starts with `clock`, whose journal's last fact is `last`.
    func tell(startOf clock: ShardClock, after last: Timestamp, expected: Timestamp?, wall: Timestamp) {
        if clock.isSuspended {
            self.tell(.suspended(wall - clock.time), wall: wall, time: clock.time)
        } else if expected == nil, last != .distantPast, wall - last > Self.restMax {
            self.warning(
                "this shard's last fact is long ago, and the wall clock is believed: if it is wrong, stop now and set it",
                metadata: ["last_fact": "\(last.words)", "wall": "\(wall.words)"]
            )
        }
    }

    func tell(_ note: ShardClock.Note, wall: Timestamp, time: Timestamp) {
        switch note {
        case .jumpedForward(let span):
            self.warning(
                "the wall clock was set forward: places and holds whose time is over by it run out now",
                metadata: ["jumped_ms": "\(span.milliseconds)", "limit_ms": "\(ShardNode.clockJumpMax.milliseconds)"]
            )
        case .fellBehind(let span):
            self.warning(
                "the wall clock is behind this shard's time: the shard goes on from its own, a tenth slower, until it is not",
                metadata: ["behind_ms": "\(span.milliseconds)", "wall": "\(wall.words)", "shard_time": "\(time.words)"]
            )
        case .caughtUp: self.info("the wall clock has caught up with this shard's time")
        case .suspended(let span):
            var metadata = MachineClock.metadata(ahead: span)
            metadata["wall"] = "\(wall.words)"
            metadata["shard_time"] = "\(time.words)"
            self.error(MachineClock.suspended, metadata: metadata)
        case .resumed: self.warning(MachineClock.resumed)
        }
    }

    func tellClockWasTrusted(time: Timestamp) {
        self.warning(
            "the wall clock is trusted, by an operator: places and holds whose time is over by it run out now",
            metadata: ["time": "\(time.words)"]
        )
    }
}

extension Nanoseconds {
    fileprivate var milliseconds: Int64 { self.rawValue / 1_000_000 }
}
