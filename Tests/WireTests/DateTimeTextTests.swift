import Booking
import Testing
import Wire

@Suite struct DateTimeTextTests {
    private static let seoul = DateTimeText(offsetSeconds: 32_400)
    private static let utc = DateTimeText(offsetSeconds: 0)

    private func text(_ zone: DateTimeText, _ seconds: Int64) -> String {
        var output = OutputBytes()
        zone.append(Timestamp(seconds: seconds), to: &output)
        return output.view.text
    }

    private func parse(_ zone: DateTimeText, _ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBytes { zone.parse(ByteView($0))?.seconds }
    }

    @Test(
        arguments: [
            (0, "1970-01-01 09:00:00"), (-1, "1970-01-01 08:59:59"), (951_749_999, "2000-02-28 23:59:59"),
            (951_750_000, "2000-02-29 00:00:00"), (1_700_000_000, "2023-11-15 07:13:20"),
            (-9_000_000_000, "1684-10-19 17:00:00"),
        ] as [(Int64, String)]
    )
    func `a moment has its text in Seoul and comes back`(seconds: Int64, expected: String) {
        #expect(self.text(Self.seoul, seconds) == expected)
        #expect(self.parse(Self.seoul, expected) == seconds)
    }

    @Test func `every day of 290 years follows the one before and comes back`() {
        var previous = ""
        for day in 0..<(365 * 290) {
            let seconds = Int64(day) * 86_400 + 3_723
            let text = self.text(Self.utc, seconds)
            #expect(text > previous && text.hasSuffix(" 01:02:03"))
            guard self.parse(Self.utc, text) == seconds else {
                return #expect(Bool(false), "\(text) does not come back")
            }
            previous = text
        }
    }

    @Test func `no timestamp traps`() {
        var output = OutputBytes()
        for zone in [Self.seoul, Self.utc, DateTimeText(offsetSeconds: -64_800)] {
            zone.append(.distantPast, to: &output)
            zone.append(.distantFuture, to: &output)
        }
        #expect(output.count == 6 * DateTimeText.count)
    }

    @Test(arguments: [
        "", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00 ", " 2024-01-01 00:00:0", "2024-1-01 00:00:000",
        "2024-13-01 00:00:00", "2024-00-01 00:00:00", "2024-01-00 00:00:00", "2024-01-32 00:00:00",
        "2023-02-29 00:00:00",
        "2100-02-29 00:00:00", "2024-04-31 00:00:00", "2024-01-01 24:00:00", "2024-01-01 00:60:00",
        "2024-01-01 00:00:60",
        "2024-01-01 -1:00:00", "2024-01-01 00:00:0a", "20a4-01-01 00:00:00", "+024-01-01 00:00:00",
        "2024/01/01 00:00:00",
        "9999-12-31 23:59:59", "0000-01-01 00:00:00",
    ])
    func `anything else is refused`(text: String) { #expect(self.parse(Self.utc, text) == nil) }
}
