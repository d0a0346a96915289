/// Finds duplicates among an object's names without comparing all pairs, which for long names that differ in their last
/// byte would cost a thousand times the reading. Under a secret that is drawn once, so that clients can't make names
/// collide; names with equal hashes are compared.
struct JSONNameHash {
    private let start: UInt64
    private let factor: UInt64

    static let secret = JSONNameHash(start: Self.drawn(1), factor: Self.drawn(2) | 1)

    private static func drawn(_ number: Int) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(number)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// The hash of the decoded `name`, the text between a checked string's quotes: independent of its escapes. Eight
    /// bytes a step without escapes.
    func hash(of name: ByteView) -> UInt32 {
        guard name.firstIndex(of: UInt8(ascii: "\\")) == nil else { return self.hash(ofEscaped: name) }
        var hash = self.start
        var at = 0
        while at + 8 <= name.count {
            hash = self.mixed(hash, name.word(at))
            at += 8
        }
        var rest: UInt64 = 0
        for place in at..<name.count { rest |= UInt64(name.byte(place)) << UInt64(8 * (place - at)) }
        return self.ended(hash, rest, name.count)
    }

    private func hash(ofEscaped name: ByteView) -> UInt32 {
        var hash = self.start
        var rest: UInt64 = 0
        var count = 0
        var bytes = JSONStringBytes(name)
        while let byte = bytes.next() {
            rest |= UInt64(byte) << UInt64(8 * (count % 8))
            count += 1
            guard count.isMultiple(of: 8) else { continue }
            hash = self.mixed(hash, rest)
            rest = 0
        }
        return self.ended(hash, rest, count)
    }

    @inline(__always)
    private func ended(_ hash: UInt64, _ rest: UInt64, _ count: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: self.mixed(hash, rest ^ UInt64(count) << 56))
    }

    @inline(__always)
    private func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* self.factor
        return product ^ product >> 32
    }
}
