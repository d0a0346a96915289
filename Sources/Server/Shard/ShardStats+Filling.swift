import Booking
import Node
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

    mutating func fill(_ gate: CommitGate, _ commits: CommitMeter, _ trouble: StorageTrouble) {
        self.sequence = gate.durableSequence
        self.batches = gate.batchCount
        self.commitP50Microseconds = commits.latency.microseconds(atPercentile: 50)
        self.commitP99Microseconds = commits.latency.microseconds(atPercentile: 99)
        self.commitMaxMicroseconds = commits.latency.microsecondsMax
        self.factsPerCommitP50 = commits.sizes.value(atPercentile: 50)
        self.factsPerCommitP99 = commits.sizes.value(atPercentile: 99)
        self.factsPerCommitMax = commits.sizes.max
        self.troubles = trouble.count
        self.troubleSince = trouble.since?.seconds
        self.troubleReason = trouble.reason
    }
}

extension ShardStats {
    mutating func fill(_ machine: borrowing Shard, _ meter: ShardMeter) {
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
    }
}
