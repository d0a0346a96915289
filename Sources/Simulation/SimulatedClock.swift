import Booking
import Node

/// The clocks of one shard's machine, and what the supervisor's file says of them.
struct SimulatedClock {
    /// How far the wall clock is ahead of the world's.
    var skew = Nanoseconds.zero
    /// How far it is ahead on top of that, absurdly.
    var absurdity = Nanoseconds.zero
    /// How far the shard's time was ahead of the clock since the boot: what the file says. Nil before the first start.
    private var offset: Nanoseconds?
    private var wasSuspended = false
    private var checked: (life: Int, at: Timestamp, time: Timestamp)?

    private static func sinceBoot(_ now: Timestamp) -> Nanoseconds { now - SmallWorld.start }

    func reading(at now: Timestamp) -> ShardNode.ClockReading {
        ShardNode.ClockReading(wall: now + self.skew + self.absurdity, sinceBoot: Self.sinceBoot(now))
    }

    /// What time it should be, for a shard that starts.
    func expected(at now: Timestamp) -> Timestamp? {
        self.offset.map { Timestamp(nanoseconds: Self.sinceBoot(now).rawValue) + $0 }
    }

    /// A shard has read its clocks, and made `time` of them: the books hear of it.
    mutating func note(_ time: Timestamp, isSuspended: Bool, of shard: Int, _ life: Int, _ world: World) {
        let auditor = world.auditor
        let wall = self.reading(at: world.now).wall
        // After a jump that was to be trusted, another is less absurd, and followed.
        let latest = auditor.clocks[shard].latest
        let isAbsurd = latest != .distantPast && wall - latest >= ShardClock.absurdJump
        let ahead = isAbsurd ? self.skew : wall - world.now
        auditor.clocks[shard].aheadMax = max(auditor.clocks[shard].aheadMax, ahead)
        auditor.clocks[shard].latest = max(latest, time)
        self.offset = time - Timestamp(nanoseconds: Self.sinceBoot(world.now).rawValue)
        self.check(time, of: shard, life, world)
        guard isSuspended != self.wasSuspended else { return }
        self.wasSuspended = isSuspended
        guard isSuspended else { return auditor.ended(suspensionOf: shard, at: time) }
        world.tally.clockSuspensions += 1
        auditor.began(suspensionOf: shard, at: time)
    }

    /// Time goes on, at nine tenths of its pace at least, and never back.
    private mutating func check(_ time: Timestamp, of shard: Int, _ life: Int, _ world: World) {
        let before = self.checked
        self.checked = (life, world.now, time)
        guard let before, before.life == life else { return }
        let passed = (world.now - before.at).rawValue
        world.auditor.require(
            (time - before.time).rawValue >= passed - passed / 10 - 1_000,
            "shard \(shard)'s time went on from \(before.time) to \(time) while \(passed) ns passed"
        )
    }

    /// The wall clock is right again; or it is now, and was wrong before. True when the shard has to hear that it is trusted.
    mutating func becomesSane(isTrusted: Bool, of shard: Int, _ world: World) -> Bool {
        guard self.absurdity != .zero else { return false }
        if isTrusted { self.skew = Nanoseconds(self.skew.rawValue + self.absurdity.rawValue) }
        self.absurdity = .zero
        guard isTrusted else { return false }
        let auditor = world.auditor
        auditor.clocks[shard].aheadMax = max(auditor.clocks[shard].aheadMax, self.skew)
        // What the supervisor's file says; then what its word does.
        self.offset = self.reading(at: world.now).wall - Timestamp(nanoseconds: Self.sinceBoot(world.now).rawValue)
        return true
    }
}
