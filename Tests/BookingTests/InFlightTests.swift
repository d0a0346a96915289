import Seeded
import Testing

@testable import Booking

@Suite struct InFlightTests {
    private static func pending(_ connection: UInt64, sentAt: Timestamp = Stage.start) -> Gateway.Pending {
        Gateway.Pending(
            client: Gateway.Client(connection: connection, sequence: 0),
            request: .balance(UserID(1)),
            token: TokenText(),
            sentAt: sentAt
        )
    }

    @Test func `what was put in comes out once, by its id`() {
        var table = InFlight(countMax: 10)
        let first = table.insert(Self.pending(1))!
        let second = table.insert(Self.pending(2))!
        #expect(first != second)
        #expect(table.count == 2)
        #expect(table.remove(second)?.client?.connection == 2)
        #expect(table.remove(second) == nil)
        #expect(table.remove(first)?.client?.connection == 1)
        #expect(table.count == 0)
        table.checkInvariants()
    }

    @Test func `a late answer does not meet the request that has its row by now`() {
        var table = InFlight(countMax: 1)
        let first = table.insert(Self.pending(1))!
        _ = table.remove(first)
        let second = table.insert(Self.pending(2))!
        #expect(table.remove(first) == nil)
        #expect(table.remove(second)?.client?.connection == 2)
    }

    @Test func `an id that was never given finds nothing`() {
        var table = InFlight(countMax: 10)
        _ = table.insert(Self.pending(1))
        for id: UInt64 in [1, 9, 10, 1 << 32, .max, UInt64(UInt32.max)] { #expect(table.remove(id) == nil) }
        #expect(table.count == 1)
    }

    @Test func `the bound holds, and a free row makes room again`() {
        var table = InFlight(countMax: 2)
        let first = table.insert(Self.pending(1))!
        _ = table.insert(Self.pending(2))
        #expect(table.insert(Self.pending(3)) == nil)
        _ = table.remove(first)
        #expect(table.insert(Self.pending(3)) != nil)
        #expect(table.insert(Self.pending(4)) == nil)
        table.checkInvariants()
    }

    @Test func `random use agrees with a dictionary`() {
        for seed: UInt64 in 1...20 {
            var random = SeededRandom(seed: seed)
            var table = InFlight(countMax: 8)
            var model: [UInt64: UInt64] = [:]
            var old: [UInt64] = []
            for step: UInt64 in 1...500 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<5:
                    let id = table.insert(Self.pending(step))
                    #expect((id == nil) == (model.count == 8), "seed \(seed), step \(step)")
                    if let id {
                        #expect(!old.contains(id), "seed \(seed), step \(step)")
                        old.append(id)
                        model[id] = step
                    }
                case 5..<9:
                    guard let id = old.randomElement(using: &random) else { continue }
                    let removed = table.remove(id)?.client?.connection
                    #expect(removed == model.removeValue(forKey: id), "seed \(seed), step \(step)")
                default:
                    let removed = table.removeAll { $0.client!.connection % 2 == 0 }.map { $0.client!.connection }
                    #expect(
                        removed.sorted() == model.values.filter { $0 % 2 == 0 }.sorted(),
                        "seed \(seed), step \(step)"
                    )
                    model = model.filter { $0.value % 2 == 1 }
                }
                #expect(table.count == model.count, "seed \(seed), step \(step)")
                table.checkInvariants()
            }
        }
    }
}
