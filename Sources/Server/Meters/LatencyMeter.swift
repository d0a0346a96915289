import Histogram

/// How long things took, in microseconds from 1 to 60 seconds.
struct LatencyMeter {
    private var meter = Meter(most: 60_000_000)

    var count: UInt64 { self.meter.count }

    mutating func record(nanoseconds: UInt64, count: UInt64 = 1) {
        self.meter.record(nanoseconds / 1_000, count: count)
    }

    /// 0 while nothing was recorded.
    func microseconds(atPercentile percentile: Double) -> UInt64 { self.meter.value(atPercentile: percentile) }

    var microsecondsMax: UInt64 { self.meter.max }
}

/// How large things were, from 1 to a bound, two digits exact: an HdrHistogram, whose recording costs a few nanoseconds and
/// never allocates. What lies outside is taken for 1 or the bound.
struct Meter {
    private let most: UInt64
    private var histogram: Histogram<UInt64>
    private(set) var count: UInt64 = 0

    init(most: UInt64) {
        self.most = most
        self.histogram = Histogram(
            lowestDiscernibleValue: 1,
            highestTrackableValue: most,
            numberOfSignificantValueDigits: .two
        )
    }

    mutating func record(_ value: UInt64, count: UInt64 = 1) {
        self.count += count
        self.histogram.record(min(Swift.max(value, 1), self.most), count: count)
    }

    /// 0 while nothing was recorded, here and below.
    func value(atPercentile percentile: Double) -> UInt64 {
        self.count == 0 ? 0 : self.histogram.valueAtPercentile(percentile)
    }

    var max: UInt64 { self.count == 0 ? 0 : self.histogram.max }
}
