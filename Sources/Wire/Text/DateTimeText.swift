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
        output.append(CivilTime(seconds: moment.seconds + self.offsetSeconds), separator: UInt8(ascii: " "))
    }

    /// The moment; nil for any other form, a day that does not exist, a leap second, or a time that a `Timestamp` can't
    /// hold (before 1677-09-21 or after 2262-04-11).
    public func parse(_ text: ByteView) -> Timestamp? {
        guard text.count == Self.count, text.byte(4) == UInt8(ascii: "-"), text.byte(7) == UInt8(ascii: "-"),
            text.byte(10) == UInt8(ascii: " "), text.byte(13) == UInt8(ascii: ":"), text.byte(16) == UInt8(ascii: ":"),
            let year = Self.number(text, 0, 4), let month = Self.number(text, 5, 7), let day = Self.number(text, 8, 10),
            let hour = Self.number(text, 11, 13), let minute = Self.number(text, 14, 16),
            let second = Self.number(text, 17, 19),
            let local = CivilTime.seconds(
                year: year,
                month: month,
                day: day,
                hour: hour,
                minute: minute,
                second: second
            )
        else { return nil }
        let (nanoseconds, overflow) = (local - self.offsetSeconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
    }

    private static func number(_ text: ByteView, _ start: Int, _ end: Int) -> Int? {
        var number = 0
        for at in start..<end {
            let digit = text.byte(at) &- 0x30
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}

extension OutputBytes {
    /// `2026-11-24T07:18:29`, in UTC (RFC 3339, without its zone), 19 bytes.
    public mutating func append(isoDateTime epochSeconds: Int64) {
        self.append(CivilTime(seconds: epochSeconds), separator: UInt8(ascii: "T"))
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
