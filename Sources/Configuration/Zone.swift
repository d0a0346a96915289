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
        var text = text
        guard let seconds = text.withUTF8({ CivilTime.seconds(of: ByteView(UnsafeRawBufferPointer($0))) }),
            seconds >= Self.firstSecond
        else { return nil }
        self.secondsAsIfGreenwich = seconds
    }

    /// The year 0 is in no calendar that people use.
    private static let firstSecond: Int64 = -62_135_596_800

    public var description: String {
        var text = OutputBytes()
        text.append(dateTime: self.secondsAsIfGreenwich)
        return text.view.text
    }
}
