/// The text of a `Date` header, `Tue, 15 Nov 1994 08:12:31 GMT` (IMF-fixdate, RFC 9110, section 5.6.7), cached for its
/// second: every answer needs it, and it changes once a second.
public struct HTTPDate: Sendable {
    static let count = 29
    private static let weekdays: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    /// Since the epoch.
    public private(set) var seconds: Int64
    private var text = InlineArray<29, UInt8>(repeating: 0)

    /// Seconds since the epoch, clamped to the years 0 to 9999.
    public init(epochSeconds: Int64) {
        self.seconds = epochSeconds
        self.format()
    }

    /// Costs a comparison unless the second has changed.
    public mutating func update(epochSeconds: Int64) {
        guard epochSeconds != self.seconds else { return }
        self.seconds = epochSeconds
        self.format()
    }

    public func append(to output: inout OutputBytes) {
        self.text.span.withUnsafeBytes { output.append(ByteView($0)) }
    }

    private mutating func format() {
        let time = CivilTime(seconds: self.seconds)
        var output = OutputBytes(capacity: Self.count)
        output.append(ByteView(Self.weekdays).part(time.weekday * 3, time.weekday * 3 + 3))
        output.append(", ")
        output.append(decimal: time.day, width: 2)
        output.append(" ")
        output.append(ByteView(Self.months).part(time.month * 3 - 3, time.month * 3))
        output.append(" ")
        output.append(decimal: time.year, width: 4)
        output.append(" ")
        output.append(decimal: time.hour, width: 2)
        output.append(":")
        output.append(decimal: time.minute, width: 2)
        output.append(":")
        output.append(decimal: time.second, width: 2)
        output.append(" GMT")
        for at in 0..<Self.count { self.text[at] = output.view.byte(at) }
    }
}
