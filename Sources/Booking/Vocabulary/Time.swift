/// A moment: nanoseconds since 1970-01-01T00:00:00Z. Comes in as an argument; Booking reads no clock.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    public init(seconds: Int64) { self.nanoseconds = seconds * 1_000_000_000 }

    /// Whole seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let (quotient, remainder) = self.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    public static let distantPast = Timestamp(nanoseconds: .min)
    public static let distantFuture = Timestamp(nanoseconds: .max)

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
    /// Saturates instead of overflowing, so that an absurdly long lifetime does not crash.
    public static func + (moment: Timestamp, span: Nanoseconds) -> Timestamp {
        let (sum, overflow) = moment.nanoseconds.addingReportingOverflow(span.rawValue)
        return Timestamp(nanoseconds: overflow ? (span.rawValue > 0 ? .max : .min) : sum)
    }
    public static func - (moment: Timestamp, span: Nanoseconds) -> Timestamp {
        let (difference, overflow) = moment.nanoseconds.subtractingReportingOverflow(span.rawValue)
        return Timestamp(nanoseconds: overflow ? (span.rawValue > 0 ? .min : .max) : difference)
    }
    /// The span from `right` to `left`; saturates.
    public static func - (left: Timestamp, right: Timestamp) -> Nanoseconds {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return Nanoseconds(overflow ? (left > right ? .max : .min) : difference)
    }
}

/// A span of time.
public struct Nanoseconds: Hashable, Comparable, Sendable {
    public let rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static let zero = Nanoseconds(0)
    public static func milliseconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000) }
    public static func seconds(_ count: Int64) -> Nanoseconds { Nanoseconds(count * 1_000_000_000) }
    public static func minutes(_ count: Int64) -> Nanoseconds { .seconds(count * 60) }
    public static func days(_ count: Int64) -> Nanoseconds { .seconds(count * 86_400) }
    public static func < (left: Nanoseconds, right: Nanoseconds) -> Bool { left.rawValue < right.rawValue }
}
