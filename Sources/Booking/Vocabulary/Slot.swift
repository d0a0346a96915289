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
    public init(of concert: ConcertID) { self.init(crc: CRC16.checksum("concert:", concert.rawValue)) }
    /// The slot of `user:<id>`.
    public init(of user: UserID) { self.init(crc: CRC16.checksum("user:", user.rawValue)) }
    /// The slot of any key, as Redis computes it for a key without a hash tag.
    public init(key: String) { self.init(crc: CRC16.checksum(of: key.utf8)) }

    public static func < (left: Slot, right: Slot) -> Bool { left.rawValue < right.rawValue }
    public var description: String { String(self.rawValue) }
}

/// CRC16, XMODEM variant: polynomial 0x1021, start 0, no reflection. `123456789` gives 0x31C3.
enum CRC16 {
    static func checksum(of bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes { self.take(byte, into: &crc) }
        return crc
    }

    /// The checksum of `prefix` followed by `number` in decimal, without building the string: this runs once a request.
    static func checksum(_ prefix: StaticString, _ number: UInt64) -> UInt16 {
        var crc: UInt16 = 0
        prefix.withUTF8Buffer { for byte in $0 { self.take(byte, into: &crc) } }
        // The digits come lowest first: they wait in a number of their own, four bits each, until the highest is known.
        var (low, high, count) = (0 as UInt64, 0 as UInt64, 0)
        var rest = number
        repeat {
            high = high << 4 | low >> 60
            low = low << 4 | rest % 10
            rest /= 10
            count += 1
        } while rest > 0
        for _ in 0..<count {
            self.take(UInt8(48 + (low & 15)), into: &crc)
            low = low >> 4 | high << 60
            high >>= 4
        }
        return crc
    }

    /// Eight steps of the division at once, as this polynomial has only four terms: no table to look up.
    @inline(__always)
    private static func take(_ byte: UInt8, into crc: inout UInt16) {
        var folded = UInt16(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)
        folded ^= folded >> 4
        crc = crc << 8 ^ folded << 12 ^ folded << 5 ^ folded
    }
}

/// Which shard owns which slots: `shardCount` contiguous ranges that differ in length by at most one.
public struct SlotMap: Equatable, Sendable {
    public let shardCount: Int
    /// Changes with every change of owners; both ends of a link must agree on it.
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
        precondition((1...self.counterMax).contains(counter), "slot \(slot) has given away all its ids")
        return UInt64(slot.rawValue) << self.counterBits | counter
    }

    /// Nil when the high bits name no slot: such a number was never given by Usher.
    public static func slot(of id: UInt64) -> Slot? {
        guard id >> (self.counterBits + 14) == 0 else { return nil }
        return Slot(checking: UInt16(id >> self.counterBits))
    }

    public static func counter(of id: UInt64) -> UInt64 { id & self.counterMax }
}
