import Booking
import FoundationEssentials
import Glibc
import Node
import Reactor

extension Encodable {
    /// As text, for a stats frame or the operator's port.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
            preconditionFailure("statistics are no JSON: \(error)")
        }
    }
}

extension RequestStats {
    static func table(_ latencies: KindTable<LatencyMeter>, _ refusals: KindTable<UInt64>) -> [RequestStats] {
        KindTable<UInt64>.kinds.compactMap { RequestStats($0, latencies[$0], refused: refusals[$0]) }
    }

    /// Nil for a kind that was never asked: a table of zeros hides what matters.
    private init?(_ kind: Request.Kind, _ latency: LatencyMeter, refused: UInt64) {
        guard latency.count > 0 else { return nil }
        self.init(kind: "\(kind)")
        self.count = latency.count
        self.refused = refused
        self.p50Microseconds = latency.microseconds(atPercentile: 50)
        self.p90Microseconds = latency.microseconds(atPercentile: 90)
        self.p99Microseconds = latency.microseconds(atPercentile: 99)
        self.maxMicroseconds = latency.microsecondsMax
    }
}

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

    /// Who has to do with it now.
    fileprivate var people: UInt64 { self.waiting + self.admitted + self.held + self.sold }

    fileprivate mutating func add(_ other: Self) {
        self.joined += other.joined
        self.waiting += other.waiting
        self.admitted += other.admitted
        self.gone.left += other.gone.left
        self.gone.lapsed += other.gone.lapsed
        self.gone.usedUp += other.gone.usedUp
        self.held += other.held
        self.sold += other.sold
        self.free += other.free
        self.takings += other.takings
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
    /// `concerts` is in the order of ids, and stays so.
    mutating func fill(_ concerts: [Concert]) {
        guard concerts.count > Self.concertsMax else { return self.concerts = concerts }
        let byPeople = concerts.indices.sorted { concerts[$0].people > concerts[$1].people }
        var others = Others(count: UInt64(concerts.count - Self.concertsMax))
        for index in byPeople[Self.concertsMax...] { others.sum.add(concerts[index]) }
        self.concerts = byPeople[..<Self.concertsMax].sorted().map { concerts[$0] }
        self.otherConcerts = others
    }

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
