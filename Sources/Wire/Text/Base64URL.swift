/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5), into the caller's memory.
public enum Base64URL {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    /// In the table: no letter of the alphabet.
    private static let none: UInt8 = 0xFF

    /// Value of each byte; made once, kept for the life of the process.
    nonisolated(unsafe) private static let values: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: Self.none, count: 256)
        for value in 0..<64 { table[Int(ByteView(Self.alphabet).byte(value))] = UInt8(value) }
        return UnsafePointer(table)
    }()

    /// Letters that `byteCount` bytes take.
    public static func encodedCount(_ byteCount: Int) -> Int { (byteCount * 4 + 2) / 3 }

    /// Appends the letters of `bytes`.
    public static func encode(_ bytes: ByteView, into output: inout OutputBytes) {
        let alphabet = ByteView(Self.alphabet)
        output.reserve(Self.encodedCount(bytes.count))
        var pending: UInt32 = 0
        var bits = 0
        for at in 0..<bytes.count {
            pending = pending << 8 | UInt32(bytes.byte(at))
            bits += 8
            while bits >= 6 {
                bits -= 6
                output.append(alphabet.byte(Int(pending >> UInt32(bits) & 63)))
            }
        }
        if bits > 0 { output.append(alphabet.byte(Int(pending << UInt32(6 - bits) & 63))) }
    }

    /// Writes what `text` stands for to the start of `target`; the number of bytes, or nil for a foreign letter, an
    /// impossible length, bits left over that are not zero (so that each value has one text only), or too little room.
    public static func decode(_ text: ByteView, into target: UnsafeMutableRawBufferPointer) -> Int? {
        let byteCount = text.count / 4 * 3 + [0, 0, 1, 2][text.count % 4]
        guard text.count % 4 != 1, byteCount <= target.count else { return nil }
        let values = Self.values
        var pending: UInt32 = 0
        var bits = 0
        var written = 0
        for at in 0..<text.count {
            let value = values[Int(text.byte(at))]
            guard value != Self.none else { return nil }
            pending = pending << 6 | UInt32(value)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            target[written] = UInt8(truncatingIfNeeded: pending >> UInt32(bits))
            written += 1
        }
        guard pending & ((1 << UInt32(bits)) - 1) == 0 else { return nil }
        return written
    }
}
