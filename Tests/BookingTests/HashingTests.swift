import Testing

@testable import Booking

/// Identifiers and operations hash by a multiplication, through `_rawHashValue(seed:)`: a requirement of `Hashable` that the
/// standard library calls and does not document. If a compiler stopped calling it, every table lookup would cost
/// SipHash again, and no other test would notice.
@Suite struct HashingTests {
    /// Counts hashes on the path of types without an override.
    private struct Probe: Identifier {
        nonisolated(unsafe) static var hashings = 0
        let rawValue: UInt64
        init(_ rawValue: UInt64) { self.rawValue = rawValue }

        func hash(into hasher: inout Hasher) {
            Self.hashings += 1
            hasher.combine(self.rawValue)
        }
    }

    @Test func `dictionaries, sets and tables hash an identifier by its override alone`() {
        var dictionary: [Probe: Int] = [:]
        var set: Set<Probe> = []
        var table = SteadyTable<Probe, Int>()
        for number: UInt64 in 1...10_000 {
            dictionary[Probe(number), default: 0] += 1
            set.insert(Probe(number))
            table[Probe(number), default: 0] += 1
        }
        for number: UInt64 in 1...10_000 where number % 2 == 0 {
            dictionary[Probe(number)] = nil
            set.remove(Probe(number))
        }
        #expect(dictionary.count == 5_000 && set.count == 5_000 && table.count == 10_000)
        #expect(Probe.hashings == 0)
        var hasher = Hasher()
        hasher.combine(Probe(1))
        #expect(Probe.hashings == 1)
    }

    /// The way of generic code in the standard library.
    private func rawHash(_ key: some Hashable, seed: Int) -> Int { key._rawHashValue(seed: seed) }

    @Test func `every identifier, and an operation's number, is hashed by its override also in generic code`() {
        func check<ID: Identifier>(_ type: ID.Type) {
            for (number, seed) in [(1, 0), (77, -5), (1 << 52, .max)] as [(UInt64, Int)] {
                let expected = IdentifierHash.secret.hash(of: number, seed: seed)
                #expect(self.rawHash(ID(number), seed: seed) == Int(truncatingIfNeeded: expected))
            }
        }
        check(ConcertID.self)
        check(UserID.self)
        check(ReservationID.self)
        check(PaymentID.self)
        let operation = OperationID(high: 3, low: 4)
        let expected = IdentifierHash.secret.hash(of: 3, 4, seed: 9)
        #expect(self.rawHash(operation, seed: 9) == Int(truncatingIfNeeded: expected))
        #expect(self.rawHash(UInt64(3), seed: 9) != self.rawHash(UserID(3), seed: 9))
    }
}
