public import Booking

/// The times of the contract: `yyyy-MM-dd HH:mm:ss` in a zone with a fixed offset from UTC.
public struct DateTimeText: Equatable, Sendable {
    /// Bytes of the text.
    public static let count = 19
    /// Seconds east of UTC; Seoul's is 32,400.
    public let offsetSeconds: Int64

    /// Traps outside -18...18 hours, more than any zone has ever had.
    public init(offsetSeconds: Int64) {
        precondition((-64_800...64_800).contains(offsetSeconds), "a zone more than 18 hours from UTC")
        self.offsetSeconds = offsetSeconds
    }

    /// Appends 19 bytes. Times are clamped to the years 0 to 9999.
    public func append(_ moment: Timestamp, to output: inout OutputBytes) {
        // A timestamp ends in the year 2262, so the sum can't overflow.
        output.reserve(Self.count)
        output.append(dateTime: moment.seconds + self.offsetSeconds)
    }

    /// The moment; nil for any other form, a day that does not exist, a leap second, or a time that a `Timestamp` can't
    /// hold (before 1677-09-21 or after 2262-04-11).
    public func parse(_ text: ByteView) -> Timestamp? {
        guard let local = CivilTime.seconds(of: text) else { return nil }
        let (nanoseconds, overflow) = (local - self.offsetSeconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
    }
}

extension OutputBytes {
    /// `2026-11-24T07:18:29`, in UTC (RFC 3339, without its zone), 19 bytes.
    public mutating func append(isoDateTime epochSeconds: Int64) {
        self.append(CivilTime(seconds: epochSeconds), separator: UInt8(ascii: "T"))
    }

    /// `2026-11-24 07:18:29`, in whatever zone its maker counted in, 19 bytes.
    public mutating func append(dateTime epochSeconds: Int64) {
        self.append(CivilTime(seconds: epochSeconds), separator: UInt8(ascii: " "))
    }

    /// `separator` is between date and time of day.
    fileprivate mutating func append(_ time: CivilTime, separator: UInt8) {
        self.append(decimal: time.year, width: 4)
        self.append(UInt8(ascii: "-"))
        self.append(decimal: time.month, width: 2)
        self.append(UInt8(ascii: "-"))
        self.append(decimal: time.day, width: 2)
        self.append(separator)
        self.append(decimal: time.hour, width: 2)
        self.append(UInt8(ascii: ":"))
        self.append(decimal: time.minute, width: 2)
        self.append(UInt8(ascii: ":"))
        self.append(decimal: time.second, width: 2)
    }
}
