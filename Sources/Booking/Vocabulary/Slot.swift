/// One of 16,384 parts into which all concerts and users are hashed; shards own contiguous ranges of them.
///
/// Redis Cluster's rule, so that its tools and intuition carry over: CRC16 (XMODEM) of the key, modulo 16,384.
/// Source: Redis cluster specification, "Key distribution model".
public struct Slot: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let count = 16_384

    public let rawValue: UInt16

    /// Nil unless `rawValue` is below `count`.
    public init?(checking rawValue: UInt16) {
        guard rawValue < Self.count else { return nil }
        self.rawValue = rawValue
    }

    private init(crc: UInt16) { self.rawValue = crc % UInt16(Self.count) }

    /// The slot of `concert:<id>`.
    public init(of concert: ConcertID) { self.init(crc: NumberedKey.concert.checksum(concert.rawValue)) }
    /// The slot of `user:<id>`.
    public init(of user: UserID) { self.init(crc: NumberedKey.user.checksum(user.rawValue)) }

    public static func < (left: Slot, right: Slot) -> Bool { left.rawValue < right.rawValue }
    public var description: String { String(self.rawValue) }
}

/// CRC16, XMODEM variant: polynomial 0x1021, start 0, no reflection. `123456789` gives 0x31C3.
enum CRC16 {
    static func checksum(of bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes { self.update(byte, into: &crc) }
        return crc
    }

    /// Eight steps of the division at once, as this polynomial has only four terms: no table lookup.
    @inline(__always)
    private static func update(_ byte: UInt8, into crc: inout UInt16) {
        var folded = UInt16(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)
        folded ^= folded >> 4
        crc = crc << 8 ^ folded << 12 ^ folded << 5 ^ folded
    }
}

/// Checksums of one text followed by a number in decimal, without building the string: this runs several times a request.
///
/// The checksum is linear: that of `user:1234` is that of `user:` and four zero bytes, combined with those of `12` and
/// two zero bytes, and of `34`. So each two digits cost one table lookup, independent of the others.
private struct NumberedKey {
    static let concert = NumberedKey("concert:")
    static let user = NumberedKey("user:")

    /// With 0 to 20 zero bytes behind the text.
    private let starts: [UInt16]
    /// The checksums of 00 to 99 with 0, 2, ... 18 characters behind them; then, for each of those positions, that of
    /// the 0 in 00 to 09: a number does not begin with 0.
    private let digits: [UInt16]
    private static let zeros = 1_000

    private init(_ text: StaticString) {
        func checksum(_ bytes: [UInt8], zeroBytes: Int) -> UInt16 {
            CRC16.checksum(of: bytes + Array(repeating: 0, count: zeroBytes))
        }
        let prefix = text.withUTF8Buffer { Array($0) }
        self.starts = (0...20).map { checksum(prefix, zeroBytes: $0) }
        var digits: [UInt16] = []
        for place in 0..<10 {
            for pair: UInt8 in 0..<100 {
                digits.append(checksum([48 + pair / 10, 48 + pair % 10], zeroBytes: place * 2))
            }
        }
        for place in 0..<10 { digits.append(checksum([48], zeroBytes: place * 2 + 1)) }
        self.digits = digits
    }

    func checksum(_ number: UInt64) -> UInt16 {
        self.digits.withUnsafeBufferPointer { digits in
            var rest = number
            var crc: UInt16 = 0
            var place = 0
            while rest >= 100 {
                let above = rest / 100
                crc ^= digits[place * 100 + Int(rest - above * 100)]
                place += 1
                rest = above
            }
            crc ^= digits[place * 100 + Int(rest)]
            guard rest < 10 else { return crc ^ self.starts[place * 2 + 2] }
            return crc ^ digits[Self.zeros + place] ^ self.starts[place * 2 + 1]
        }
    }
}

/// The owner of each slot: `shardCount` contiguous ranges that differ in length by at most one.
public struct SlotMap: Equatable, Sendable {
    public let shardCount: Int
    /// Differs between different assignments; both ends of a link must agree on it.
    public let version: UInt32

    public init(shardCount: Int, version: UInt32 = 1) {
        precondition((1...Slot.count).contains(shardCount), "a slot map needs 1 to 16,384 shards")
        self.shardCount = shardCount
        self.version = version
    }

    public func shard(of slot: Slot) -> Int { Int(slot.rawValue) * self.shardCount / Slot.count }

    /// The slots of one shard, in order.
    public func slots(of shard: Int) -> Range<UInt16> {
        let first = (shard * Slot.count + self.shardCount - 1) / self.shardCount
        let end = ((shard + 1) * Slot.count + self.shardCount - 1) / self.shardCount
        return UInt16(first)..<UInt16(end)
    }
}

/// Numbers for new reservations, payments and history lines: the slot in the high 14 bits, a counter of that slot in
/// the low 38. They stay unique when a slot moves to another shard, and fit a JSON number.
public enum SlotIDs {
    public static let counterBits: UInt64 = 38
    public static let counterMax: UInt64 = (1 << counterBits) - 1

    /// `counter` is from 1 to `counterMax`, so that slot 0 never gives the id 0.
    public static func make(_ slot: Slot, counter: UInt64) -> UInt64 {
        precondition((1...self.counterMax).contains(counter), "slot \(slot) has no ids left")
        return UInt64(slot.rawValue) << self.counterBits | counter
    }

    /// Nil when the high bits name no slot: Usher never gave such a number.
    public static func slot(of id: UInt64) -> Slot? {
        guard id >> (self.counterBits + 14) == 0 else { return nil }
        return Slot(checking: UInt16(id >> self.counterBits))
    }

    public static func counter(of id: UInt64) -> UInt64 { id & self.counterMax }
}
