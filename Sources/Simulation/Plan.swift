import Booking
import Seeded

/// What a seed makes of the world: how large it is, how slow, and what goes wrong in it. Every seed leaves some troubles
/// out, so that none hides another for good.
struct Plan {
    /// What can go wrong, in the order of `weights`.
    enum Trouble: Int, CaseIterable {
        case shardCrash, gatewayCrash, linkCut, partition, clockJump, diskFull, bitFlip, slowDisk, freeze,
            everythingCrashes, clockAbsurd, diskPutBack, slowShard, rollingRestart, shardStop
    }

    let shardCount: Int
    let gatewayCount: Int
    /// Browser windows; some people have two.
    let fanCount: Int
    let userCount: Int
    let tick: Nanoseconds
    /// Microseconds that bytes are on their way.
    let wireDelay: ClosedRange<Int>
    /// Microseconds that a commit takes.
    let diskDelay: ClosedRange<Int>
    /// The least time from one commit to the next.
    let commitPace: Nanoseconds
    /// How long a shard whose disk is full waits before it looks again.
    let diskPatience: Nanoseconds
    /// Milliseconds between two troubles.
    let troubleGap: ClosedRange<Int>
    /// Milliseconds from a process's death to its next start.
    let restartPause: ClosedRange<Int>
    /// Milliseconds between two compactions of one shard's journal.
    let compactionGap: ClosedRange<Int>
    /// Per trouble; all 0 for a quiet run.
    let weights: [Int]
    /// Milliseconds between a fan's acts.
    let pause: ClosedRange<Int>
    let limits: Gateway.Limits
    /// How long a shard may answer no ping.
    let silenceMax: Nanoseconds
    let answerLimits: AnswerLimits
    let recordLimits: RecordLimits
    let transfersKeptMax: Int
    /// Costly checks are made once in so many steps, at random.
    let checkGap: Int

    /// Within which what a turn leaves is durable while the disk is not slow: a commit under way, a pause, and its own commit.
    var commitTime: Nanoseconds {
        let commit = Int64(self.diskDelay.upperBound) * 1_000 + self.commitPace.rawValue
        return Nanoseconds(2 * commit + 1_000_000)
    }

    init(_ random: inout SeededRandom) {
        self.shardCount = random.within(1...4)
        self.gatewayCount = random.within(1...3)
        self.fanCount = random.once(in: 6) ? random.within(15...40) : random.within(3...14)
        self.userCount = self.fanCount - random.below(self.fanCount / 2 + 1)
        self.tick = .milliseconds(Int64(random.within(20...150)))
        self.wireDelay = random.pick([20...80, 20...80, 50...2_000, 50...30_000])
        self.diskDelay = random.pick([200...400, 200...400, 300...5_000, 1_000...60_000])
        self.commitPace = .milliseconds(Int64(random.pick([0, 0, 1, 20])))
        self.diskPatience = .milliseconds(Int64(random.within(20...1_000)))
        self.troubleGap = random.pick([20...200, 50...1_000, 200...2_500, 1_000...10_000])
        self.restartPause = random.pick([10...60, 20...1_500])
        self.compactionGap = random.pick([50...2_000, 1_000...10_000, 100_000...200_000])
        let isQuiet = random.once(in: 12)
        var weights = [8, 4, 12, 5, 2, 5, 1, 2, 2, 1, 3, 6, 3, 4, 3]
        for index in weights.indices where isQuiet || random.once(in: 3) { weights[index] = 0 }
        // From the first copy that is put back, less is known: so most runs have none.
        if !random.once(in: 6) { weights[Trouble.diskPutBack.rawValue] = 0 }
        self.weights = weights
        self.pause = random.pick([0...20, 5...100, 20...400])
        var limits = Gateway.Limits()
        limits.inFlightPerShardMax = random.once(in: 6) ? 2 : 1_000
        limits.heldPerShardMax = random.once(in: 6) ? 1 : 1_000
        limits.replyTimeout = .milliseconds(Int64(random.within(300...5_000)))
        if random.once(in: 3) {
            limits.window.target = .milliseconds(Int64(random.within(2...20)))
            limits.window.patience = .milliseconds(Int64(random.pick([0, 20, 100])))
            limits.window.countMin = random.within(1...4)
        }
        self.limits = limits
        self.silenceMax = .milliseconds(Int64(random.within(200...2_000)))
        var answerLimits = AnswerLimits()
        // Where few are kept whatever the time, no jump of a clock may end a lifetime: they are a minute at a time.
        let keepsFew = random.once(in: 4)
        answerLimits.resendLifetime = keepsFew ? .minutes(30) : .milliseconds(1)
        answerLimits.countMax = keepsFew ? 100 : 100_000
        if random.once(in: 4) { answerLimits.keysPerUserMax = random.within(1...12) }
        self.answerLimits = answerLimits
        var recordLimits = RecordLimits()
        if random.once(in: 3) {
            // No less than one payment is for: a cancellation that is forgotten as it is done leaves no answer for good.
            recordLimits.overPerUserMax = random.within(4...8)
            recordLimits.overPerConcertMax = random.pick([8, 1_000_000])
            recordLimits.unpaidLifetime = .seconds(Int64(random.pick([1, 20, 86_400])))
            recordLimits.refundedLifetime = .seconds(Int64(random.pick([1, 20, 86_400])))
            recordLimits.historyLinesPerUserMax = random.within(1...20)
        }
        self.recordLimits = recordLimits
        // What is forgotten can't be answered to a shard that was put back.
        let forgets = weights[Trouble.diskPutBack.rawValue] == 0 && random.once(in: 2)
        self.transfersKeptMax = forgets ? random.within(0...8) : TransferLedger.movedMax
        self.checkGap = 16
    }
}
