import Booking
import Testing

@Suite struct SlotTests {
    /// The reference vector of CRC16 (XMODEM), and keys that Redis Cluster's CLUSTER KEYSLOT documents.
    @Test func `keys hash as in Redis Cluster`() {
        #expect(Slot(key: "123456789").rawValue == 0x31C3)
        #expect(Slot(key: "somekey").rawValue == 11_058)
        #expect(Slot(key: "foo").rawValue == 12_182)
        #expect(Slot(key: "bar").rawValue == 5_061)
    }

    @Test(arguments: [1, 9, 10, 42, 99, 100, 8_675_309, (1 << 53) - 1] as [UInt64])
    func `an id hashes as its written key`(id: UInt64) {
        #expect(Slot(of: ConcertID(id)) == Slot(key: "concert:\(id)"))
        #expect(Slot(of: UserID(id)) == Slot(key: "user:\(id)"))
    }

    @Test func `ids of every length hash as their written keys`() {
        var power: UInt64 = 1
        for _ in 0..<16 {
            for id in [power - 1, power, power + 1, power &* 7 + 3, power &* 9 + 9] where id >= 1 {
                #expect(Slot(of: UserID(id)) == Slot(key: "user:\(id)"))
            }
            power *= 10
        }
        #expect(Slot(of: UserID(.max)) == Slot(key: "user:\(UInt64.max)"))
    }

    @Test(arguments: [1, 2, 3, 4, 7, 16, 100, 16_384])
    func `the shards' ranges follow one another and cover all slots`(shardCount: Int) {
        let map = SlotMap(shardCount: shardCount)
        var next: UInt16 = 0
        for shard in 0..<shardCount {
            let slots = map.slots(of: shard)
            #expect(slots.lowerBound == next)
            for slot in slots { #expect(map.shard(of: Slot(checking: slot)!) == shard) }
            next = slots.upperBound
        }
        #expect(Int(next) == Slot.count)
    }

    @Test func `an id gives its slot and counter back, and stays below 2^53`() {
        let slot = Slot(checking: 16_383)!
        let id = SlotIDs.make(slot, counter: SlotIDs.counterMax)
        #expect(SlotIDs.slot(of: id) == slot)
        #expect(SlotIDs.counter(of: id) == SlotIDs.counterMax)
        #expect(id <= IdentifierLimits.max)
        #expect(SlotIDs.slot(of: 1 << 52) == nil)
        #expect(SlotIDs.slot(of: .max) == nil)
    }
}
