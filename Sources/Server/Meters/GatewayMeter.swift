import Booking
import Statistics

/// What a gateway counts.
struct GatewayMeter {
    private var latencies = KindTable(LatencyMeter())
    /// Answers by the first digit of their status.
    private(set) var answersByClass = [UInt64](repeating: 0, count: 6)
    /// Schedules answered from the cache, and those that had to wait for a shard.
    var scheduleHits: UInt64 = 0
    var scheduleMisses: UInt64 = 0
    /// Requests that were refused, by kind.
    private var refusals = KindTable<UInt64>(0)

    mutating func record(_ kind: Request.Kind, from start: Timestamp, to end: Timestamp) {
        self.latencies[kind].record(nanoseconds: UInt64(max(0, (end - start).rawValue)))
    }

    mutating func answered(_ status: UInt16) { self.answersByClass[Int(status / 100)] += 1 }

    mutating func refused(_ kind: Request.Kind) { self.refusals[kind] += 1 }

    func fill(_ stats: inout GatewayStats) {
        stats.answers.success = self.answersByClass[2]
        stats.answers.redirect = self.answersByClass[3]
        stats.answers.clientError = self.answersByClass[4]
        stats.answers.serverError = self.answersByClass[5]
        stats.scheduleCache.hits = self.scheduleHits
        stats.scheduleCache.misses = self.scheduleMisses
        stats.requests = RequestStats.table(self.latencies, self.refusals)
    }
}
