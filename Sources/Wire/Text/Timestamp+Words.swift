public import Booking

extension Timestamp {
    /// `yyyy-MM-ddTHH:mm:ss.nnnnnnnnnZ` (RFC 3339).
    public var words: String {
        var text = OutputBytes()
        DateTimeText(offsetSeconds: 0).append(self, to: &text)
        // The start of the very first second is before the first timestamp.
        let remainder = self.nanoseconds % 1_000_000_000
        text.append(UInt8(ascii: "."))
        text.append(decimal: Int(remainder < 0 ? remainder + 1_000_000_000 : remainder), width: 9)
        text.append(UInt8(ascii: "Z"))
        return text.view.text.replacing(" ", with: "T")
    }
}
