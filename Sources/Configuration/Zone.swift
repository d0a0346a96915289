import Foundation
public import Wire

/// A time zone by name, as a table of its offsets.
///
/// Built once at the start from the system's rules for 1970 to 2100. Before and after, the first and the last offset
/// apply.
public struct Zone: Sendable, Equatable {
    public let name: String
    public let table: ZoneTable

    private static let scannedYears: Range<Int64> = 0..<4_102_444_800  // 1970 up to 2100
    /// Shorter than any offset that a zone ever kept (Morocco leaves summer time for about 30 days of Ramadan).
    private static let scanStep: Int64 = 7 * 86_400

    /// Nil when the system knows no such zone. Costs about 7,000 look-ups in the system's zone: milliseconds.
    public init?(named name: String) {
        guard Self.exists(name), let zone = TimeZone(identifier: name) else { return nil }
        func offset(_ seconds: Int64) -> Int32 {
            Int32(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
        }
        var changes: [ZoneTable.Change] = []
        var past = Self.scannedYears.lowerBound
        while past < Self.scannedYears.upperBound {
            let next = past + Self.scanStep
            let before = offset(past)
            if offset(next) != before {
                var (low, high) = (past, next)  // the offset is `before` at `low`, and another at `high`
                while high - low > 1 {
                    let middle = (low + high) / 2
                    if offset(middle) == before { low = middle } else { high = middle }
                }
                changes.append(ZoneTable.Change(from: high, offset: offset(high)))
            }
            past = next
        }
        self.name = name
        self.table = ZoneTable(offset: offset(Self.scannedYears.lowerBound), changes: changes)
    }

    /// Whether the system knows a zone by exactly this name.
    static func exists(_ name: String) -> Bool { TimeZone(identifier: name) != nil }

    /// Seconds east of Greenwich at a moment.
    public func offsetSeconds(at seconds: Int64) -> Int64 {
        Int64(self.table.offset(at: seconds))
    }

    /// The moment at which this zone's clocks show a time. The earlier of two such moments; nil when clocks skip the
    /// time.
    public func seconds(of time: LocalTime) -> Int64? {
        let asIfGreenwich = time.secondsAsIfGreenwich
        var earliest: Int64?
        for probe in [asIfGreenwich - 86_400, asIfGreenwich, asIfGreenwich + 86_400] {
            let candidate = asIfGreenwich - self.offsetSeconds(at: probe)
            guard candidate + self.offsetSeconds(at: candidate) == asIfGreenwich else { continue }
            earliest = min(earliest ?? candidate, candidate)
        }
        return earliest
    }

    /// The local time of this zone at a moment.
    public func time(at seconds: Int64) -> LocalTime {
        LocalTime(secondsAsIfGreenwich: seconds + self.offsetSeconds(at: seconds))
    }
}

/// A date and a time of day without a zone, written `yyyy-MM-dd HH:mm:ss`, of the years 1 to 9999.
public struct LocalTime: Equatable, Sendable, CustomStringConvertible {
    /// The seconds since the epoch if this were the time in Greenwich.
    public let secondsAsIfGreenwich: Int64

    public init(secondsAsIfGreenwich: Int64) { self.secondsAsIfGreenwich = secondsAsIfGreenwich }

    /// Nil unless `text` is exactly `yyyy-MM-dd HH:mm:ss` and such a day exists. No leap seconds.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 19, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x20, bytes[13] == 0x3A,
            bytes[16] == 0x3A
        else { return nil }
        func number(_ range: Range<Int>, _ allowed: ClosedRange<Int64>) -> Int64? {
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return allowed.contains(value) ? value : nil
        }
        guard let year = number(0..<4, 1...9_999), let month = number(5..<7, 1...12), let day = number(8..<10, 1...31),
            let hour = number(11..<13, 0...23), let minute = number(14..<16, 0...59),
            let second = number(17..<19, 0...59)
        else { return nil }
        let days = Self.days(year, month, day)
        guard Self.date(days) == (year, month, day) else { return nil }
        self.secondsAsIfGreenwich = days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    public var description: String {
        let (days, rest) = Self.floorDivide(self.secondsAsIfGreenwich, 86_400)
        let (year, month, day) = Self.date(days)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
        let years = String(repeating: "0", count: max(0, 4 - String(year).count)) + String(year)
        return "\(years)-\(two(month))-\(two(day)) \(two(rest / 3_600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
    }

    /// Days since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = Self.floorDivide(shifted, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The other way round: civil_from_days of the same source.
    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = Self.floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ number: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
