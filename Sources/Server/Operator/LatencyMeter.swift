import Histogram

/// How long things took, in microseconds from 1 to 60 seconds, two digits exact: an HdrHistogram, whose recording costs
/// a few nanoseconds and never allocates.
struct LatencyMeter {
    private static let microsecondsMax: UInt64 = 60_000_000
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1,
        highestTrackableValue: Self.microsecondsMax,
        numberOfSignificantValueDigits: .two
    )

    private(set) var count: UInt64 = 0

    mutating func record(nanoseconds: UInt64, count: UInt64 = 1) {
        self.count += count
        self.histogram.record(min(max(nanoseconds / 1_000, 1), Self.microsecondsMax), count: count)
    }

    /// 0 while nothing was recorded.
    func microseconds(atPercentile percentile: Double) -> UInt64 {
        self.count == 0 ? 0 : self.histogram.valueAtPercentile(percentile)
    }

    var microsecondsMax: UInt64 { self.count == 0 ? 0 : self.histogram.max }
}
