/// A day and a time of day in the proleptic Gregorian calendar, in any one zone.
///
/// The arithmetic is Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms", days_from_civil and
/// civil_from_days): its years start in March, so that the leap day is the last.
public struct CivilTime: Equatable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    /// Days since Sunday, 0 to 6.
    var weekday: Int

    /// The first and last second of the years 0 to 9999, the range of four digits.
    static let secondsMin: Int64 = -62_167_219_200
    static let secondsMax: Int64 = 253_402_300_799

    /// From seconds since 1970-01-01T00:00:00, clamped to the years 0 to 9999.
    init(seconds: Int64) {
        let seconds = Int(min(max(seconds, Self.secondsMin), Self.secondsMax))
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        self.hour = rest / 3_600
        self.minute = rest / 60 % 60
        self.second = rest % 60
        self.weekday = ((days + 4) % 7 + 7) % 7

        let shifted = days + 719_468  // days since 0000-03-01
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        self.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    /// Seconds since 1970-01-01T00:00:00; nil unless the date is in the calendar, and the time below 24:00:00.
    static func seconds(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) -> Int64? {
        guard (0...9_999).contains(year), (1...12).contains(month), (0...23).contains(hour), (0...59).contains(minute),
            (0...59).contains(second), day >= 1, day <= self.dayCount(year: year, month: month)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Int64(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// Of exactly `yyyy-MM-dd HH:mm:ss`, as above; nil for any other text.
    public static func seconds(of text: ByteView) -> Int64? {
        guard text.count == DateTimeText.count, text.byte(4) == UInt8(ascii: "-"), text.byte(7) == UInt8(ascii: "-"),
            text.byte(10) == UInt8(ascii: " "), text.byte(13) == UInt8(ascii: ":"), text.byte(16) == UInt8(ascii: ":"),
            let year = self.number(text, 0, 4), let month = self.number(text, 5, 7), let day = self.number(text, 8, 10),
            let hour = self.number(text, 11, 13), let minute = self.number(text, 14, 16),
            let second = self.number(text, 17, 19)
        else { return nil }
        return self.seconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
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

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
