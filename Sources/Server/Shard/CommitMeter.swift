import Reactor
import Statistics

/// What a shard counts of its commits: how long each took, from the hand-over to the journal's word, and what was in it.
struct CommitMeter {
    /// Bytes of facts committed.
    private(set) var writtenBytes: UInt64 = 0
    private(set) var latency = LatencyMeter()
    /// How many facts the batches held.
    private(set) var sizes = Meter(most: 1 << 32)
    private var handedOverAt: UInt64 = 0

    mutating func began() { self.handedOverAt = Clock.monotonicNanoseconds() }

    mutating func ended(bytes: Int, facts: UInt32) {
        self.writtenBytes += UInt64(bytes)
        self.latency.record(nanoseconds: Clock.monotonicNanoseconds() - self.handedOverAt)
        self.sizes.record(UInt64(facts))
    }
}
