import Booking
import Reactor

/// What a shard counts: requests and refusals by kind, and how long their answers took from the turn that read the
/// request to the moment the reply left, commit included.
///
/// The clock is read once per batch, not per request: all requests of a batch count as begun when its first did.
struct ShardMeter {
    private struct Batch {
        var begunAt: UInt64 = 0
        var counts = KindTable<UInt32>(0)
        var isEmpty = true
    }

    private(set) var latencies = KindTable(LatencyMeter())
    private(set) var refusals = KindTable<UInt64>(0)
    private var gathering = Batch()
    private var committing = Batch()

    mutating func began(_ kind: Request.Kind) {
        if self.gathering.isEmpty {
            self.gathering.isEmpty = false
            self.gathering.begunAt = Clock.monotonicNanoseconds()
        }
        self.gathering.counts[kind] += 1
    }

    mutating func refused(_ kind: Request.Kind) { self.refusals[kind] += 1 }

    /// The replies of the turns so far wait for a commit now.
    mutating func setAside() {
        guard self.committing.isEmpty else { return }
        swap(&self.gathering, &self.committing)
    }

    /// The replies that were set aside have left.
    mutating func sent() {
        guard !self.committing.isEmpty else { return }
        let nanoseconds = Clock.monotonicNanoseconds() - self.committing.begunAt
        for kind in KindTable<UInt32>.kinds {
            let count = self.committing.counts[kind]
            guard count > 0 else { continue }
            self.latencies[kind].record(nanoseconds: nanoseconds, count: UInt64(count))
            self.committing.counts[kind] = 0
        }
        self.committing.isEmpty = true
    }
}
