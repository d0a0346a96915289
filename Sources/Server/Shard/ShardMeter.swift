import Booking
import Reactor

/// What a shard counts: requests and refusals by kind, and how long their answers took from the turn that read the
/// request to the moment the reply left, commit included.
///
/// The clock is read once per batch, not per request: all requests of a batch count as begun when its first did.
struct ShardMeter {
    private struct Batch {
        var begunAt: UInt64 = 0
        var counts = [UInt32](repeating: 0, count: Self.kindMax + 1)
        var isEmpty = true
        static let kindMax = Int(Request.Kind.allCases.map(\.rawValue).max()!)
    }

    private(set) var latencies: [Request.Kind: LatencyMeter] = [:]
    private(set) var refusals: [Request.Kind: UInt64] = [:]
    private var gathering = Batch()
    private var committing = Batch()

    init() { for kind in Request.Kind.allCases { self.latencies[kind] = LatencyMeter() } }

    mutating func began(_ kind: Request.Kind) {
        if self.gathering.isEmpty {
            self.gathering.isEmpty = false
            self.gathering.begunAt = Clock.monotonicNanoseconds()
        }
        self.gathering.counts[Int(kind.rawValue)] += 1
    }

    mutating func refused(_ kind: Request.Kind) { self.refusals[kind, default: 0] += 1 }

    /// The replies of the turns so far wait for a commit now.
    mutating func setAside() {
        guard self.committing.isEmpty else { return }
        swap(&self.gathering, &self.committing)
    }

    /// The replies that were set aside have left.
    mutating func sent() {
        guard !self.committing.isEmpty else { return }
        let nanoseconds = Clock.monotonicNanoseconds() - self.committing.begunAt
        for kind in Request.Kind.allCases {
            let count = self.committing.counts[Int(kind.rawValue)]
            guard count > 0 else { continue }
            self.latencies[kind]!.record(nanoseconds: nanoseconds, count: UInt64(count))
            self.committing.counts[Int(kind.rawValue)] = 0
        }
        self.committing.isEmpty = true
    }
}
