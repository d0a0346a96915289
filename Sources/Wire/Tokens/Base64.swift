/// Base64 (RFC 4648), strict: only the alphabet's characters, exact padding, and zero in unused bits, so that each
/// value has one text.
struct Base64 {
    /// With `-` and `_` and no padding (section 5): tokens.
    static let url = Base64(last: "-_", padded: false)
    /// With `+` and `/` and padding (section 4): keys in files.
    static let standard = Base64(last: "+/", padded: true)

    private static let padding = UInt8(ascii: "=")
    /// The bit that no group of four characters of the alphabet has.
    private static let invalid: UInt32 = 1 << 31

    private let characters: [UInt8]
    /// Four tables of 256, one for each character of a group: its six bits at their position in the group's 24, or
    /// `invalid`. A whole group takes four lookups and three ORs: every poll decodes a token.
    private let values: [UInt32]
    private let padded: Bool

    private init(last: String, padded: Bool) {
        let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(last)".utf8)
        var values = [UInt32](repeating: Self.invalid, count: 4 * 256)
        for place in 0..<4 {
            for (value, character) in characters.enumerated() {
                values[place * 256 + Int(character)] = UInt32(value) << UInt32(18 - 6 * place)
            }
        }
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
            var read = 0
            while read + 3 <= bytes.count {
                let group = Int(bytes[read]) << 16 | Int(bytes[read + 1]) << 8 | Int(bytes[read + 2])
                text[written] = characters[group >> 18]
                text[written + 1] = characters[group >> 12 & 63]
                text[written + 2] = characters[group >> 6 & 63]
                text[written + 3] = characters[group & 63]
                read += 3
                written += 4
            }
            var bits: UInt32 = 0
            var bitCount: UInt32 = 0
            for byte in bytes[read...] {
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

    /// False unless `text` is the one encoding of some `bytes.count` bytes; `bytes` then holds them.
    func decode(_ text: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard text.count == self.textCount(ofBytes: bytes.count) else { return false }
        let digitCount = (bytes.count * 4 + 2) / 3
        for position in digitCount..<text.count where text[position] != Self.padding { return false }
        return self.values.withUnsafeBufferPointer { values in
            var written = 0
            var read = 0
            while read + 4 <= digitCount {
                let group = text.loadUnaligned(fromByteOffset: read, as: UInt32.self).littleEndian
                let bits =
                    values[Int(group & 0xFF)] | values[256 + Int(group >> 8 & 0xFF)]
                    | values[512 + Int(group >> 16 & 0xFF)] | values[768 + Int(group >> 24)]
                guard bits & Self.invalid == 0 else { return false }
                bytes.storeBytes(of: UInt16(bits >> 8).bigEndian, toByteOffset: written, as: UInt16.self)
                bytes[written + 2] = UInt8(truncatingIfNeeded: bits)
                read += 4
                written += 3
            }
            var bits: UInt32 = 0
            var bitCount: UInt32 = 0
            for position in read..<digitCount {
                let value = values[768 + Int(text[position])]
                guard value != Self.invalid else { return false }
                bits = bits << 6 | value
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
