/// A range of bytes that another object owns: a pointer and a count, without ownership or copies.
///
/// Valid only as long as its source says (a read buffer until the callback returns, a request until the parser is
/// called again). Every public access is checked. The scanning verbs below are for this module: they take offsets that
/// the caller has compared with `count`, and assert it. All unsafe reads of outside bytes in this module go through
/// here.
public struct ByteView {
    let base: UnsafeRawPointer
    public let count: Int

    /// Views `bytes`; an empty buffer may have no address.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.base = bytes.baseAddress ?? Self.nowhere
        self.count = bytes.count
    }

    /// Views a literal, which lives as long as the process.
    public init(_ text: StaticString) {
        self.base = UnsafeRawPointer(text.utf8Start)
        self.count = text.utf8CodeUnitCount
    }

    init(base: UnsafeRawPointer, count: Int) {
        assert(count >= 0, "a view cannot be shorter than empty")
        self.base = base
        self.count = count
    }

    public static var empty: ByteView { ByteView(base: self.nowhere, count: 0) }
    /// The address of empty views; never read.
    private static var nowhere: UnsafeRawPointer { UnsafeRawPointer(("" as StaticString).utf8Start) }

    public var isEmpty: Bool { self.count == 0 }
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.count) }

    public subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < self.count, "read outside a view")
        return self.base.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// A part of the view; traps when the range does not fit.
    public subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= self.count, "a part outside its view")
        return ByteView(base: self.base + range.lowerBound, count: range.count)
    }

    public static func == (left: ByteView, right: StaticString) -> Bool { left.isEqual(to: ByteView(right)) }
    public static func != (left: ByteView, right: StaticString) -> Bool { !(left == right) }

    /// Byte by byte.
    public func isEqual(to other: ByteView) -> Bool {
        guard self.count == other.count else { return false }
        var at = 0
        while at + 8 <= self.count {
            guard self.word(at) == other.word(at) else { return false }
            at += 8
        }
        while at < self.count {
            guard self.byte(at) == other.byte(at) else { return false }
            at += 1
        }
        return true
    }

    /// Whether this is `text`, letters of ASCII in either case. `text` must be lower-case.
    public func isEqualIgnoringCase(_ text: StaticString) -> Bool {
        let other = ByteView(text)
        guard self.count == other.count else { return false }
        for at in 0..<self.count {
            var byte = self.byte(at)
            if byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") { byte |= 0x20 }
            guard byte == other.byte(at) else { return false }
        }
        return true
    }

    /// The bytes as text; invalid UTF-8 becomes U+FFFD. Allocates: for logs and rare paths.
    public var text: String { String(decoding: self.bytes, as: UTF8.self) }
}

// MARK: - Scanning, inside this room only

extension ByteView {
    @inline(__always)
    func byte(_ offset: Int) -> UInt8 {
        assert(offset >= 0 && offset < self.count, "a scan left its view")
        return self.base.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// The eight bytes from `offset`, the first in the lowest place.
    @inline(__always)
    func word(_ offset: Int) -> UInt64 {
        assert(offset >= 0 && offset + 8 <= self.count, "a scan left its view")
        return UInt64(littleEndian: self.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    func half(_ offset: Int) -> UInt32 {
        assert(offset >= 0 && offset + 4 <= self.count, "a scan left its view")
        return UInt32(littleEndian: self.base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// `self[start..<end]`, for offsets that are known to be in range.
    @inline(__always)
    func part(_ start: Int, _ end: Int) -> ByteView {
        assert(start >= 0 && start <= end && end <= self.count, "a part outside its view")
        return ByteView(base: self.base + start, count: end - start)
    }

    /// The first offset from `start` on, below `end`, whose byte is not of `kind`; `end` if all are.
    @inline(__always)
    func skip(_ kind: ByteClass, from start: Int, to end: Int, _ table: UnsafePointer<UInt8>) -> Int {
        assert(end <= self.count, "a scan left its view")
        var at = start
        // Four at a time: the loop itself costs more than a table lookup.
        while at + 4 <= end {
            let first = table[Int(self.byte(at))] & table[Int(self.byte(at + 1))]
            let last = table[Int(self.byte(at + 2))] & table[Int(self.byte(at + 3))]
            guard first & last & kind.rawValue != 0 else { break }
            at += 4
        }
        while at < end, table[Int(self.byte(at))] & kind.rawValue != 0 { at += 1 }
        return at
    }

    /// The first offset from `start` on, below `end`, whose byte is a control character other than a tab (0x00...0x08,
    /// 0x0A...0x1F, 0x7F); `end` if none is. Eight bytes a step.
    @inline(__always)
    func skipToControl(from start: Int, to end: Int) -> Int {
        var at = start
        while at + 16 <= end, Self.isPlain(self.word(at), self.word(at + 8)) { at += 16 }
        while at + 8 <= end {
            let controls = Self.controls(in: self.word(at))
            guard controls == 0 else { return at + controls.trailingZeroBitCount / 8 }
            at += 8
        }
        while at < end {
            let byte = self.byte(at)
            guard byte >= 0x20 && byte != 0x7F || byte == 0x09 else { return at }
            at += 1
        }
        return end
    }

    /// Whether all sixteen bytes are 0x20...0x7E, as nearly all are: faster than finding one that is not.
    @inline(__always)
    private static func isPlain(_ first: UInt64, _ second: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // The high bit of each byte that is 0x20 or more, is not 0x7F, and is ASCII. Only bytes beyond ASCII carry.
        func plain(_ word: UInt64) -> UInt64 { (word &+ ones &* 0x60) & ~(word &+ ones) & ~word }
        return plain(first) & plain(second) & (ones &* 0x80) == ones &* 0x80
    }

    /// The high bit of each byte of `word` that is below 0x20 and not a tab, or is 0x7F.
    @inline(__always)
    private static func controls(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        return (self.zeros(in: word & (ones &* 0xE0)) & ~self.zeros(in: word ^ (ones &* 0x09)))
            | self.zeros(in: word ^ (ones &* 0x7F))
    }

    /// The high bit of each byte of `word` that is 0, exactly: no carry crosses a byte. (Bit Twiddling Hacks,
    /// "haszero".)
    @inline(__always)
    private static func zeros(in word: UInt64) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        return ~(((word & low) &+ low) | word | low)
    }

    // MARK: Spaces and tabs

    /// The first offset from `start` on, below `end`, whose byte is neither a space nor a tab; `end` if all are.
    @inline(__always)
    func skipBlanks(from start: Int, to end: Int) -> Int {
        var at = start
        while at < end, Self.isBlank(self.byte(at)) {
            // Honest clients never send as many; an attacker might send thousands.
            guard at - start < 8 else { return self.skipManyBlanks(from: at, to: end) }
            at += 1
        }
        return at
    }

    /// The offset behind the last byte below `end`, from `start` on, that is neither a space nor a tab; `start` if all are.
    @inline(__always)
    func skipBlanks(backFrom end: Int, to start: Int) -> Int {
        var at = end
        while at > start, Self.isBlank(self.byte(at - 1)) {
            guard end - at < 8 else { return self.skipManyBlanks(backFrom: at, to: start) }
            at -= 1
        }
        return at
    }

    private func skipManyBlanks(from start: Int, to end: Int) -> Int {
        var at = start
        while at + 8 <= end, Self.areBlanks(self.word(at)) { at += 8 }
        while at < end, Self.isBlank(self.byte(at)) { at += 1 }
        return at
    }

    private func skipManyBlanks(backFrom end: Int, to start: Int) -> Int {
        var at = end
        while at - 8 >= start, Self.areBlanks(self.word(at - 8)) { at -= 8 }
        while at > start, Self.isBlank(self.byte(at - 1)) { at -= 1 }
        return at
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    @inline(__always)
    private static func areBlanks(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        return self.zeros(in: word ^ (ones &* 0x20)) | self.zeros(in: word ^ (ones &* 0x09)) == ones &* 0x80
    }

    /// The first `byte` in `start..<end`, or nil. Eight bytes a step, as above.
    func firstIndex(of byte: UInt8, from start: Int = 0, to end: Int? = nil) -> Int? {
        let end = end ?? self.count
        let ones: UInt64 = 0x0101_0101_0101_0101
        var at = start
        while at + 8 <= end {
            let zero = self.word(at) ^ (ones &* UInt64(byte))
            let found = (zero &- ones) & ~zero & (ones &* 0x80)
            guard found == 0 else { return at + found.trailingZeroBitCount / 8 }
            at += 8
        }
        while at < end {
            if self.byte(at) == byte { return at }
            at += 1
        }
        return nil
    }

    /// The last `byte` in `0..<end`, or nil.
    func lastIndex(of byte: UInt8, before end: Int) -> Int? {
        var at = end
        while at > 0 {
            at -= 1
            if self.byte(at) == byte { return at }
        }
        return nil
    }

    /// Whether `text` is at `start`, ignoring case. `text` has lower-case letters, hyphens and a colon, which match
    /// exactly. At least four bytes, and as many are available.
    @inline(__always)
    func has(_ text: StaticString, at start: Int) -> Bool {
        let other = ByteView(text)
        let count = other.count
        guard count >= 8 else {
            return Self.isSame(UInt64(self.half(start)), UInt64(other.half(0)))
                && Self.isSame(UInt64(self.half(start + count - 4)), UInt64(other.half(count - 4)))
        }
        var at = 0
        while at + 8 <= count {
            guard Self.isSame(self.word(start + at), other.word(at)) else { return false }
            at += 8
        }
        return Self.isSame(self.word(start + count - 8), other.word(count - 8))
    }

    /// Letters have bit 6, hyphens and colons do not: only where `lower` has a letter may `word` lack bit 5.
    @inline(__always)
    private static func isSame(_ word: UInt64, _ lower: UInt64) -> Bool {
        word | (lower & 0x4040_4040_4040_4040) >> 1 == lower
    }

    /// Without spaces and tabs at both ends.
    @inline(__always)
    func trimmed() -> ByteView {
        let start = self.skipBlanks(from: 0, to: self.count)
        return self.part(start, self.skipBlanks(backFrom: self.count, to: start))
    }
}
