import Booking
import Reactor
import Statistics

extension ShardStats.Concert {
    init(_ census: Shard.ConcertCensus) {
        self.init(concertId: census.concert.rawValue)
        self.joined = census.line.joined
        self.waiting = census.line.waiting
        self.admitted = census.line.admitted
        self.gone.left = census.line.left
        self.gone.lapsed = census.line.expired
        self.gone.usedUp = census.line.usedUp
        self.held = UInt64(census.seatsHeld)
        self.sold = UInt64(census.seatsSold)
        self.free = UInt64(census.seatsFree)
        self.takings = census.takings.rawValue
    }
}

extension ShardStats.Journal {
    /// One system call.
    mutating func fill(snapshot path: String) {
        guard let status = FileStatus(path) else { return }
        self.snapshotBytes = status.size
        self.compactedAt = status.seconds
    }
}

extension ShardStats {
    mutating func fill(
        _ machine: borrowing Shard,
        _ meter: ShardMeter,
        _ commit: GroupCommit,
        _ trouble: StorageTrouble
    ) {
        let concerts = machine.concertCensus
        self.fill(concerts.map(Concert.init))
        self.payments.open = UInt64(concerts.reduce(0) { $0 + $1.paymentsOpen })
        self.payments.done = UInt64(concerts.reduce(0) { $0 + $1.paymentsDone })
        self.payments.refused = UInt64(concerts.reduce(0) { $0 + $1.paymentsRefused })
        self.cancellations.open = UInt64(concerts.reduce(0) { $0 + $1.cancellationsOpen })
        self.cancellations.done = UInt64(concerts.reduce(0) { $0 + $1.cancellationsDone })
        let points = machine.pointsCensus
        self.points.accounts = UInt64(points.accounts)
        self.points.charged = points.charged.rawValue
        self.points.used = points.used.rawValue
        self.points.balances = points.balances.rawValue
        self.points.debited = points.debited.rawValue
        self.points.credited = points.credited.rawValue
        let answers = machine.answerCensus
        self.answers.keys = UInt64(answers.keys)
        self.answers.resends = UInt64(answers.resends)
        self.answers.max = UInt64(answers.countMax)
        self.answers.keysMax = UInt64(answers.keyCountMax)
        self.answers.keysAreNearlyFull = answers.isNearlyFull
        self.answers.bytes = UInt64(answers.bytes)
        self.requests = RequestStats.table(meter.latencies, meter.refusals)
        self.journal.kind = commit.journalKind
        self.journal.sequence = commit.durableSequence
        self.journal.batches = commit.batchCount
        self.journal.commitP50Microseconds = commit.latency.microseconds(atPercentile: 50)
        self.journal.commitP99Microseconds = commit.latency.microseconds(atPercentile: 99)
        self.journal.commitMaxMicroseconds = commit.latency.microsecondsMax
        self.journal.factsPerCommitP50 = commit.sizes.value(atPercentile: 50)
        self.journal.factsPerCommitP99 = commit.sizes.value(atPercentile: 99)
        self.journal.factsPerCommitMax = commit.sizes.max
        self.journal.troubles = trouble.count
        self.journal.troubleSince = trouble.since?.seconds
        self.journal.troubleReason = trouble.reason
    }
}
