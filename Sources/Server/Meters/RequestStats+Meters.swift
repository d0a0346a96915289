import Booking
import Statistics

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
