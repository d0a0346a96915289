/// Well-formed UTF-8 by Unicode's table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Check {
    /// The length of the sequence whose first byte is `bytes[at]`, 1 to 4; nil when it is malformed or cut off.
    static func length(_ bytes: ByteView, at: Int) -> Int? {
        let first = bytes.byte(at)
        let length: Int
        var low: UInt8 = 0x80
        var high: UInt8 = 0xBF
        switch first {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { low = 0xA0 }
            if first == 0xED { high = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { low = 0x90 }
            if first == 0xF4 { high = 0x8F }
        default: return nil
        }
        guard at + length <= bytes.count, (low...high).contains(bytes.byte(at + 1)) else { return nil }
        for more in 2..<max(length, 2) where !(0x80...0xBF).contains(bytes.byte(at + more)) { return nil }
        return length
    }

    static func isValid(_ bytes: ByteView) -> Bool {
        var at = 0
        while at < bytes.count {
            guard let length = self.length(bytes, at: at) else { return false }
            at += length
        }
        return true
    }
}
