import Booking
import Seeded
import Testing

@Suite struct SteadyTableTests {
    /// Identifiers hash by a multiplication, operations by two, numbers by SipHash.
    @Test(arguments: [1] as [UInt64])
    func `it holds what a dictionary holds`(seed: UInt64) {
        self.compare(seed: seed) { UserID($0) }
        self.compare(seed: seed) { OperationID(high: $0 % 5, low: $0) }
        self.compare(seed: seed) { $0 }
    }

    private func compare<Key: Hashable>(seed: UInt64, _ key: (UInt64) -> Key) {
        var random = SeededRandom(seed: seed)
        var table = SteadyTable<Key, Int>()
        var dictionary: [Key: Int] = [:]
        var most = 0
        #expect(table.isEmpty)
        for step in 0..<60_000 {
            // More and more, until it is in parts, then fewer.
            let key = key(UInt64(random.below(30_000)))
            switch random.below(step < 45_000 ? 5 : 9) {
            case 0: #expect(table.updateValue(step, forKey: key) == dictionary.updateValue(step, forKey: key))
            case 1:
                table[key, default: 7] += step
                dictionary[key, default: 7] += step
            case 2:
                let changed = table.change(key) { value in
                    value += 1
                    return value
                }
                if let before = dictionary[key] { dictionary[key] = before + 1 }
                #expect(changed == dictionary[key])
            case 3: #expect(table[key] == dictionary[key] && table[key, default: -1] == dictionary[key, default: -1])
            default: #expect(table.removeValue(forKey: key) == dictionary.removeValue(forKey: key))
            }
            #expect(table.count == dictionary.count)
            most = max(most, table.count)
        }
        #expect(most > 10_000, "it was never in parts")
        #expect(Dictionary(uniqueKeysWithValues: table.map { ($0, $1) }) == dictionary)
        #expect(Set(table.keys) == Set(dictionary.keys))
        #expect(table.values.reduce(0, +) == dictionary.values.reduce(0, +))
        #expect(table.isEmpty == dictionary.isEmpty)
    }

    @Test(arguments: [1, 1 << 14] as [UInt64])
    func `it never grows by much at once, whatever the stride of its keys`(stride: UInt64) {
        var table = SteadyTable<UserID, UInt64>()
        var capacity = 0
        for number in 1...200_000 as ClosedRange<UInt64> {
            table.updateValue(number, forKey: UserID(number * stride))
            let grown = table.capacity - capacity
            capacity += grown
            // One part, or two that happen to be full at once; a single dictionary doubles all its entries.
            #expect(number < 40_000 || grown < capacity / 32, "\(grown) places at once, for \(number)")
            #expect(capacity >= table.count)
        }
    }
}
