import Booking
import Configuration
public import Wire

/// What processes report about themselves: the JSON of a stats frame, the operator's port, and `usher stats --json`.
///
/// What must add up at any moment without a request in flight:
///
///     joined = waiting + admitted + gone          held + sold + free = all seats          charged = balances + used
///     over all shards: debited - credited = takings
public struct ProcessStats: Codable, Equatable, Sendable {
    public var pid: Int32 = 0
    public var uptimeSeconds = 0.0
    public var cpuUserSeconds = 0.0
    public var cpuSystemSeconds = 0.0
    public var residentBytes: UInt64 = 0
    /// Lines of the log dropped because writing them would have blocked. Nil from a program that blocks.
    public var logLinesDropped: UInt64?
    public init() {}
}

/// Requests of one kind, and the latency of their answers. Percentiles are since the start of the process.
public struct RequestStats: Codable, Equatable, Sendable {
    /// Stable, for programs: `join`, `poll`, `reserve`, ...
    public var kind: String
    public var count: UInt64 = 0
    /// The part of `count` that was refused.
    public var refused: UInt64 = 0
    public var p50Microseconds: UInt64 = 0
    public var p90Microseconds: UInt64 = 0
    public var p99Microseconds: UInt64 = 0
    public var maxMicroseconds: UInt64 = 0
    public init(kind: String) { self.kind = kind }
}

public struct ShardStats: Codable, Equatable, Sendable {
    public struct Slots: Codable, Equatable, Sendable {
        /// Both ends included.
        public var first: UInt16
        public var last: UInt16
        public init(first: UInt16, last: UInt16) {
            self.first = first
            self.last = last
        }
    }

    public struct Gone: Codable, Equatable, Sendable {
        public var left: UInt64 = 0
        public var lapsed: UInt64 = 0
        public var usedUp: UInt64 = 0
        public init() {}
        public var total: UInt64 { self.left + self.lapsed + self.usedUp }
    }

    public struct Concert: Codable, Equatable, Sendable {
        public var concertId: UInt64
        public var joined: UInt64 = 0
        public var waiting: UInt64 = 0
        public var admitted: UInt64 = 0
        public var gone = Gone()
        public var held: UInt64 = 0
        public var sold: UInt64 = 0
        public var free: UInt64 = 0
        /// What the seats sold cost, in won.
        public var takings: Int64 = 0
        public init(concertId: UInt64) { self.concertId = concertId }
    }

    public struct Others: Codable, Equatable, Sendable {
        public var count: UInt64
        /// Its id is 0.
        public var sum = Concert(concertId: 0)

        /// So many concerts.
        public init(count: UInt64) { self.count = count }
    }

    public struct Points: Codable, Equatable, Sendable {
        public var accounts: UInt64 = 0
        /// Won.
        public var charged: Int64 = 0
        public var used: Int64 = 0
        public var balances: Int64 = 0
        /// For payments, as part of `used`, and refunded for cancellations, as part of `charged`.
        public var debited: Int64 = 0
        public var credited: Int64 = 0
        public init() {}
    }

    public struct Payments: Codable, Equatable, Sendable {
        public var open: UInt64 = 0
        public var done: UInt64 = 0
        public var refused: UInt64 = 0
        public init() {}
    }

    public struct Cancellations: Codable, Equatable, Sendable {
        public var open: UInt64 = 0
        public var done: UInt64 = 0
        public init() {}
    }

    /// Answers kept for repeated requests.
    public struct Answers: Codable, Equatable, Sendable {
        /// To requests with an `Idempotency-Key`.
        public var keys: UInt64 = 0
        /// To changes that a gateway may resend.
        public var resends: UInt64 = 0
        /// The bound of both together: `shard.keptAnswersMax`.
        public var max: UInt64 = 0
        /// The bound of the keys: at it new ones are refused.
        public var keysMax: UInt64?
        /// Whether the keys are at nine tenths of that bound.
        public var keysAreNearlyFull: Bool?
        /// Memory of the kept answers.
        public var bytes: UInt64 = 0
        public init() {}
    }

    public struct Journal: Codable, Equatable, Sendable {
        public var kind = "memory"
        /// The last fact's sequence number.
        public var sequence: UInt64 = 0
        public var batches: UInt64 = 0
        /// Latency of commits, from the hand-over of a batch to the journal's confirmation, since the start of the
        /// process.
        public var commitP50Microseconds: UInt64 = 0
        public var commitP99Microseconds: UInt64 = 0
        public var commitMaxMicroseconds: UInt64 = 0
        /// Facts per commit: group commit gathers them while the disk is busy.
        public var factsPerCommitP50: UInt64 = 0
        public var factsPerCommitP99: UInt64 = 0
        public var factsPerCommitMax: UInt64 = 0
        /// Size of the newest snapshot, written by the last compaction, and its time, in seconds since 1970. Nil
        /// before.
        public var snapshotBytes: UInt64?
        public var compactedAt: Int64?
        /// Times that the journal could not write for a while, including the present one.
        public var troubles: UInt64 = 0
        /// The time since which the journal can't write, in seconds since 1970, and why; nil while it can.
        public var troubleSince: Int64?
        public var troubleReason: String?
        public init() {}
    }

    public var shard: Int
    /// The shard's time, in seconds since 1970: ahead of the wall clock after that was set back.
    public var time: Int64?
    /// Since when the wall clock has been absurdly ahead, by the shard's time in seconds since 1970, and by how many
    /// seconds: changes are refused. Nil while time follows the wall clock.
    public var clockSuspendedSince: Int64?
    public var clockAheadSeconds: Int64?
    public var process = ProcessStats()
    public var slots: Slots
    /// In the order of their ids; beyond `concertsMax`, only those with the most people.
    public var concerts: [Concert] = []
    /// The rest; nil while there is none.
    public var otherConcerts: Others?
    public var points = Points()
    public var payments = Payments()
    public var cancellations = Cancellations()
    public var answers = Answers()
    public var requests: [RequestStats] = []
    public var journal = Journal()
    /// This many fit a frame with room to spare, a quarter of a KiB each.
    public static let concertsMax = 2_000

    public var concertCount: Int { self.concerts.count + Int(self.otherConcerts?.count ?? 0) }
    /// Includes every concert, by itself or in the sum.
    public var concertsAndOthers: [Concert] { self.concerts + (self.otherConcerts.map { [$0.sum] } ?? []) }

    public init(shard: Int, slots: Slots) {
        self.shard = shard
        self.slots = slots
    }
}

public struct GatewayStats: Codable, Equatable, Sendable {
    public struct Connections: Codable, Equatable, Sendable {
        public var open: UInt64 = 0
        public var accepted: UInt64 = 0
        /// Closed at once, as too many were open.
        public var refused: UInt64 = 0
        /// Closed, as they were too slow to send or to read.
        public var timedOut: UInt64 = 0
        /// Requests that were not HTTP, or beyond a limit.
        public var malformed: UInt64 = 0
        /// Times that the system had no descriptor for a new connection.
        public var acceptErrors: UInt64 = 0
        /// Memory of answers that clients have not received yet.
        public var unsentBytes: UInt64 = 0
        /// Buffers for unfinished requests. Nil from gateways of earlier versions.
        public var unfinishedBytes: UInt64?
        public init() {}
    }

    /// Answers by the first digit of their status.
    public struct Answers: Codable, Equatable, Sendable {
        public var success: UInt64 = 0
        public var redirect: UInt64 = 0
        public var clientError: UInt64 = 0
        public var serverError: UInt64 = 0
        public init() {}

        public var total: UInt64 { self.success + self.redirect + self.clientError + self.serverError }
    }

    /// Refusals for a limit, by limit.
    public struct Refusals: Codable, Equatable, Sendable {
        /// 408: a head or a body that took too long.
        public var slowRequests: UInt64 = 0
        /// 413, 414, 431.
        public var largeBodies: UInt64 = 0
        public var longTargets: UInt64 = 0
        public var largeHeaders: UInt64 = 0
        /// 429: connections, and requests, of one client's address, and requests of one user.
        public var connectionsByAddress: UInt64 = 0
        public var requestsByAddress: UInt64 = 0
        public var requestsByUser: UInt64 = 0
        /// 503: too many in flight or held at a shard, or too many keys.
        public var overloaded: UInt64 = 0
        /// Connections closed while too much was unsent: those that had not read for longest.
        public var slowReaders: UInt64 = 0
        /// 503: the largest unfinished requests, closed while all of them exceeded their bound. Nil from gateways of
        /// earlier versions.
        public var unfinishedRequests: UInt64?
        /// 503: large answers while too much was unsent.
        public var largeAnswers: UInt64 = 0
        /// 503, shed at once, by priority: `gateway.overloadDelayMilliseconds`.
        public var shedJoins: UInt64 = 0
        public var shedQuestions: UInt64 = 0
        public var shedBookings: UInt64 = 0
        /// Connections closed for a PROXY header that was missing, malformed or late.
        public var proxyHeaders: UInt64 = 0
        /// 400: a trusted proxy's `Forwarded` that can't be read.
        public var forwardedHeaders: UInt64 = 0
        /// Clients whose rate limits started afresh, as there was no room to remember them.
        public var clientsForgotten: UInt64 = 0
        public init() {}

        /// Counts an answer to a request that could not be read.
        public mutating func note(_ status: HTTPStatus) {
            switch status {
            case .requestTimeout: self.slowRequests += 1
            case .contentTooLarge: self.largeBodies += 1
            case .uriTooLong: self.longTargets += 1
            case .headerFieldsTooLarge: self.largeHeaders += 1
            default: break
            }
        }
    }

    public struct Cache: Codable, Equatable, Sendable {
        public var hits: UInt64 = 0
        public var misses: UInt64 = 0
        public init() {}
    }

    /// Counts of requests whose user had to be known.
    public struct Identity: Codable, Equatable, Sendable {
        /// Signatures that were checked and valid.
        public var verified: UInt64 = 0
        /// Requests whose token had been verified before.
        public var fromCache: UInt64 = 0
        /// Invalid tokens, and requests without any.
        public var refused: UInt64 = 0
        public init() {}
    }

    public struct AccessLog: Codable, Equatable, Sendable {
        public var lines: UInt64 = 0
        /// Lines dropped for lack of room, or not written to the file.
        public var dropped: UInt64 = 0
        public init() {}
    }

    public var gateway: Int
    public var process = ProcessStats()
    public var port = 0
    public var connections = Connections()
    public var answers = Answers()
    public var refusals = Refusals()
    /// Requests in flight at shards now.
    public var inFlight: UInt64 = 0
    /// Overloaded shards, for which some requests are shed now.
    public var pressedShards: UInt64 = 0
    /// Shards that are connected but do not answer. Nil from a gateway that does not report them.
    public var silentShards: [Int]?
    /// Seconds by which the wall clock is absurdly ahead; nil while it is trusted.
    public var clockAheadSeconds: Int64?
    /// Replies of shards whose request was already complete.
    public var strayReplies: UInt64 = 0
    public var scheduleCache = Cache()
    /// Nil while they are off.
    public var identity: Identity?
    public var accessLog: AccessLog?
    public var requests: [RequestStats] = []
    public init(gateway: Int) { self.gateway = gateway }
}

/// The processes that answered, and the names of those that did not.
public struct ClusterStats: Codable, Equatable, Sendable {
    /// Nil where there is none, or an older one that does not report.
    public var supervisor: ProcessStats?
    public var shards: [ShardStats] = []
    public var gateways: [GatewayStats] = []
    /// `shard 3: no answer within 2 s`.
    public var missing: [String] = []
    public init() {}

    /// Present troubles that the numbers do not show, as sentences.
    public var troubles: [String] {
        let shards = self.shards.flatMap {
            [Self.journalTrouble($0), Self.clockTrouble($0), Self.keyTrouble($0)].compactMap(\.self)
        }
        return shards
            + self.gateways.flatMap { gateway in
                (gateway.silentShards ?? []).map { "shard \($0) does not answer gateway \(gateway.gateway)" }
            } + self.lostLines
    }

    private var lostLines: [String] {
        let processes =
            [("the supervisor", self.supervisor)] + self.shards.map { ("shard \($0.shard)", $0.process) }
            + self.gateways.map { ("gateway \($0.gateway)", $0.process) }
        return processes.compactMap { name, process in
            guard let count = process?.logLinesDropped, count > 0 else { return nil }
            return "\(count) lines of the log were dropped by \(name), as their reader was slow"
        }
    }

    private static func keyTrouble(_ shard: ShardStats) -> String? {
        guard shard.answers.keysAreNearlyFull == true, let most = shard.answers.keysMax else { return nil }
        return "shard \(shard.shard) keeps \(shard.answers.keys) idempotency keys; new keys are refused at \(most)"
    }

    private static func clockTrouble(_ shard: ShardStats) -> String? {
        guard let since = shard.clockSuspendedSince, let ahead = shard.clockAheadSeconds else { return nil }
        return "shard \(shard.shard) refuses changes since \(Timestamp(seconds: since).words): the wall clock is "
            + "\(MachineClock.days(.seconds(ahead))) ahead; set it, or run usher cluster trust-clock if it is right"
    }

    private static func journalTrouble(_ shard: ShardStats) -> String? {
        guard let reason = shard.journal.troubleReason, let since = shard.journal.troubleSince else { return nil }
        return "shard \(shard.shard) can't write since \(Timestamp(seconds: since).words): \(reason)"
    }

    /// What does not add up, as sentences; empty when the books are right. May differ for a moment while requests are
    /// in flight between shards.
    public var discrepancies: [String] {
        var found: [String] = []
        for shard in self.shards {
            for concert in shard.concertsAndOthers {
                let people = concert.waiting + concert.admitted + concert.gone.total
                guard people != concert.joined else { continue }
                let name =
                    concert.concertId == 0 ? "other concerts of shard \(shard.shard)" : "concert \(concert.concertId)"
                found.append(
                    "\(name): \(concert.joined) joined, but \(people) are waiting, inside or gone"
                )
            }
            let points = shard.points
            guard points.charged != points.balances + points.used else { continue }
            found.append(
                "shard \(shard.shard): \(points.charged) points charged, "
                    + "but \(points.balances) left and \(points.used) used"
            )
        }
        return found + self.moneyDiscrepancies
    }

    /// Points taken by payments, less those refunded by cancellations, equal the prices of the sold seats. One sum over
    /// all shards, since points live with the user and seats with the concert.
    private var moneyDiscrepancies: [String] {
        let isSettled = self.shards.allSatisfy { $0.payments.open == 0 && $0.cancellations.open == 0 }
        guard self.missing.isEmpty, isSettled else { return [] }
        let debited = self.shards.reduce(0) { $0 + $1.points.debited }
        let credited = self.shards.reduce(0) { $0 + $1.points.credited }
        let takings = self.shards.reduce(0) { $0 + $1.concertsAndOthers.reduce(0) { $0 + $1.takings } }
        guard debited - credited != takings else { return [] }
        return [
            "payments took \(debited) points and cancellations gave \(credited) back, but the seats sold cost \(takings)"
        ]
    }
}

extension [RequestStats] {
    /// All kinds as one. Percentiles cannot be added up: the largest of any kind stands for all, so the total never
    /// looks better than it is.
    public var total: RequestStats {
        var total = RequestStats(kind: "all")
        for kind in self {
            total.count += kind.count
            total.refused += kind.refused
            total.p50Microseconds = Swift.max(total.p50Microseconds, kind.p50Microseconds)
            total.p90Microseconds = Swift.max(total.p90Microseconds, kind.p90Microseconds)
            total.p99Microseconds = Swift.max(total.p99Microseconds, kind.p99Microseconds)
            total.maxMicroseconds = Swift.max(total.maxMicroseconds, kind.maxMicroseconds)
        }
        return total
    }
}
