/// Base64 (RFC 4648), strict: only the alphabet's characters, exact padding, and zero in the bits that no byte uses,
/// so that one text stands for one value.
struct Base64 {
    /// With `-` and `_` and no padding (section 5): tokens.
    static let url = Base64(last: "-_", padded: false)
    /// With `+` and `/` and padding (section 4): keys in files.
    static let standard = Base64(last: "+/", padded: true)

    private static let invalid: UInt8 = 0xFF
    private static let padding = UInt8(ascii: "=")

    private let characters: [UInt8]
    /// By character: its six bits, or `invalid`.
    private let values: [UInt8]
    private let padded: Bool

    private init(last: String, padded: Bool) {
        let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(last)".utf8)
        var values = [UInt8](repeating: Self.invalid, count: 256)
        for (value, character) in characters.enumerated() { values[Int(character)] = UInt8(value) }
        self.characters = characters
        self.values = values
        self.padded = padded
    }

    func textCount(ofBytes count: Int) -> Int {
        self.padded ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3
    }

    /// `text` has room for exactly `textCount(ofBytes:)`.
    func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutableRawBufferPointer) {
        precondition(
            text.count == self.textCount(ofBytes: bytes.count),
            "the text has another length than the bytes need"
        )
        self.characters.withUnsafeBufferPointer { characters in
            var written = 0
            var bits: UInt32 = 0
            var bitCount: UInt32 = 0
            for byte in bytes {
                bits = bits << 8 | UInt32(byte)
                bitCount += 8
                while bitCount >= 6 {
                    bitCount -= 6
                    text[written] = characters[Int(bits >> bitCount & 63)]
                    written += 1
                }
            }
            if bitCount > 0 {
                text[written] = characters[Int(bits << (6 - bitCount) & 63)]
                written += 1
            }
            while written < text.count {
                text[written] = Self.padding
                written += 1
            }
        }
    }

    /// False unless `text` is the one text of some `bytes.count` bytes; `bytes` then holds them.
    func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard text.count == self.textCount(ofBytes: bytes.count) else { return false }
        let digitCount = (bytes.count * 4 + 2) / 3
        for position in digitCount..<text.count where text[position] != Self.padding { return false }
        return self.values.withUnsafeBufferPointer { values in
            var written = 0
            var bits: UInt32 = 0
            var bitCount: UInt32 = 0
            for position in 0..<digitCount {
                let value = values[Int(text[position])]
                guard value != Self.invalid else { return false }
                bits = bits << 6 | UInt32(value)
                bitCount += 6
                if bitCount >= 8 {
                    bitCount -= 8
                    bytes[written] = UInt8(truncatingIfNeeded: bits >> bitCount)
                    written += 1
                }
            }
            return bits & (1 << bitCount - 1) == 0
        }
    }
}
