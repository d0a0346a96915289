/// The decoded UTF-8 of a checked string's text between its quotes, byte by byte.
struct JSONStringBytes: IteratorProtocol {
    private let text: ByteView
    private var at = 0
    /// Bytes of the last escape that are still to come, the next one lowest.
    private var pending: UInt32 = 0

    init(_ text: ByteView) { self.text = text }

    mutating func next() -> UInt8? {
        if self.pending != 0 {
            defer { self.pending >>= 8 }
            return UInt8(truncatingIfNeeded: self.pending)
        }
        guard self.at < self.text.count else { return nil }
        let byte = self.text.byte(self.at)
        guard byte == UInt8(ascii: "\\"), self.at + 1 < self.text.count else {
            self.at += 1
            return byte
        }
        let kind = self.text.byte(self.at + 1)
        guard kind == UInt8(ascii: "u") else {
            self.at += 2
            return Self.simple(kind)
        }
        return self.consumeUnits()
    }

    /// Whether both decode to the same; without escapes, whether they are equal.
    static func isEqual(_ left: ByteView, _ right: ByteView) -> Bool {
        if left.isEqual(to: right) { return true }
        guard left.firstIndex(of: UInt8(ascii: "\\")) != nil || right.firstIndex(of: UInt8(ascii: "\\")) != nil else {
            return false
        }
        var first = JSONStringBytes(left)
        var second = JSONStringBytes(right)
        while true {
            let byte = first.next()
            guard byte == second.next() else { return false }
            if byte == nil { return true }
        }
    }

    /// The code unit of the `\uXXXX` that starts at `at`; nil when there is none.
    static func unit(_ text: ByteView, at: Int) -> UInt32? {
        guard at + 6 <= text.count, text.byte(at) == UInt8(ascii: "\\"), text.byte(at + 1) == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt32 = 0
        for place in 2..<6 {
            guard let digit = ByteClass.hexValue(text.byte(at + place)) else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    private mutating func consumeUnits() -> UInt8? {
        var code = Self.unit(self.text, at: self.at) ?? 0xFFFD
        self.at += 6
        if code & 0xFC00 == 0xD800, let second = Self.unit(self.text, at: self.at) {
            code = 0x10000 + ((code & 0x3FF) << 10 | second & 0x3FF)
            self.at += 6
        }
        switch code {
        case 0..<0x80: return UInt8(truncatingIfNeeded: code)
        case 0x80..<0x800:
            self.pending = 0x80 | code & 0x3F
            return UInt8(truncatingIfNeeded: 0xC0 | code >> 6)
        case 0x800..<0x10000:
            self.pending = (0x80 | code >> 6 & 0x3F) | (0x80 | code & 0x3F) << 8
            return UInt8(truncatingIfNeeded: 0xE0 | code >> 12)
        default:
            self.pending = (0x80 | code >> 12 & 0x3F) | (0x80 | code >> 6 & 0x3F) << 8 | (0x80 | code & 0x3F) << 16
            return UInt8(truncatingIfNeeded: 0xF0 | code >> 18)
        }
    }

    private static func simple(_ kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: kind
        }
    }
}
