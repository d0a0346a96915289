import Testing

@testable import Booking

/// The answers of a user's shard to repeated transfers, and how long it gives them.
@Suite struct TransferLedgerTests {
    private static let slot = Slot(of: ConcertID(1))

    private static func order(
        _ counter: UInt64,
        _ direction: Transfer.Direction = .debit,
        concert: UInt64 = 1,
        user: UInt64 = 2,
        amount: Int64 = 100,
        settled: UInt64 = 0
    ) -> TransferOrder {
        TransferOrder(
            id: TransferID(SlotIDs.make(Self.slot, counter: counter)),
            direction: direction,
            concert: ConcertID(concert),
            user: UserID(user),
            amount: Won(amount),
            settled: settled
        )
    }

    private static func move(_ ledger: inout TransferLedger, _ order: TransferOrder, balance: Int64 = 5) {
        ledger.record(KnownTransfer(order), .moved(balance: Won(balance)))
        ledger.checkInvariants()
    }

    private static func refuse(_ ledger: inout TransferLedger, _ order: TransferOrder) {
        ledger.record(KnownTransfer(order), .refused)
        ledger.checkInvariants()
    }

    @Test func `the same order gets the same answer, and any other under its id is a conflict`() {
        var ledger = TransferLedger()
        #expect(ledger.verdict(on: Self.order(3)) == .new)
        Self.move(&ledger, Self.order(3))
        #expect(ledger.verdict(on: Self.order(3)) == .decided(.moved(balance: Won(5))))
        #expect(ledger.verdict(on: Self.order(3, settled: 2)) == .decided(.moved(balance: Won(5))))
        let others = [
            Self.order(3, .credit), Self.order(3, concert: 9), Self.order(3, user: 9), Self.order(3, amount: 99),
        ]
        for other in others { #expect(ledger.verdict(on: other) == .conflict, "\(other)") }
    }

    @Test func `what an earlier version did not write is not compared`() {
        var ledger = TransferLedger()
        let order = Self.order(3)
        ledger.restore(order.id, TransferLedger.Entry(direction: .debit, outcome: .refused))
        #expect(ledger.verdict(on: order) == .decided(.refused))
        #expect(ledger.verdict(on: Self.order(3, .credit)) == .conflict)
    }

    @Test func `refused debits leave nothing once they are settled, and stay refused`() {
        var ledger = TransferLedger()
        for counter: UInt64 in 1...1_000 { Self.refuse(&ledger, Self.order(counter, settled: counter - 1)) }
        #expect(ledger.count == 1)
        for counter: UInt64 in [1, 500, 999, 1_000] {
            #expect(ledger.verdict(on: Self.order(counter)) == .decided(.refused))
        }
        #expect(ledger.verdict(on: Self.order(1_001)) == .new)
        // A credit is never refused: below the mark it is another transfer under that id.
        #expect(ledger.verdict(on: Self.order(500, .credit)) == .conflict)
    }

    @Test func `a refused debit is kept as long as it is open`() {
        var ledger = TransferLedger()
        Self.refuse(&ledger, Self.order(5))
        Self.move(&ledger, Self.order(6, settled: 4))
        #expect(ledger.count == 2)
        Self.move(&ledger, Self.order(7, settled: 5))
        #expect(ledger.count == 2)
        #expect(ledger.verdict(on: Self.order(5)) == .decided(.refused))
    }

    @Test func `what moved points is kept until so many are newer, then it is forgotten and not done again`() {
        var ledger = TransferLedger(movedMax: 10)
        for counter: UInt64 in 1...100 { Self.move(&ledger, Self.order(counter, settled: counter - 1)) }
        #expect(ledger.count == 10)
        #expect(ledger.verdict(on: Self.order(91)) == .decided(.moved(balance: Won(5))))
        #expect(ledger.verdict(on: Self.order(90)) == .forgotten)
        #expect(ledger.verdict(on: Self.order(1, .credit)) == .forgotten)
    }

    @Test func `what is not settled is kept beyond the bound, until it is`() {
        var ledger = TransferLedger(movedMax: 2)
        for counter: UInt64 in 1...50 { Self.move(&ledger, Self.order(counter)) }
        #expect(ledger.count == 50)
        for counter: UInt64 in 51...100 { Self.move(&ledger, Self.order(counter, settled: counter - 1)) }
        #expect(ledger.count < 10)
        #expect(ledger.verdict(on: Self.order(100)) == .decided(.moved(balance: Won(5))))
    }

    @Test func `a restored ledger goes on as the one that it came from`() {
        var ledger = TransferLedger(movedMax: 4)
        for counter: UInt64 in 1...9 { Self.move(&ledger, Self.order(counter, settled: counter - 1)) }
        for counter: UInt64 in 10...13 { Self.refuse(&ledger, Self.order(counter, settled: 10)) }
        var restored = TransferLedger(movedMax: 4)
        for (slot, marks) in ledger.marks { restored.restore(marks, of: slot) }
        ledger.forEach { restored.restore($0, $1) }
        for counter: UInt64 in 14...20 {
            for kind in 0..<2 {
                let order = Self.order(counter * 2 + UInt64(kind), settled: counter * 2 - 2)
                if kind == 0 { Self.move(&ledger, order) } else { Self.refuse(&ledger, order) }
                if kind == 0 { Self.move(&restored, order) } else { Self.refuse(&restored, order) }
            }
        }
        func all(_ ledger: TransferLedger) -> [TransferID] {
            var ids: [TransferID] = []
            ledger.forEach { id, _ in ids.append(id) }
            return ids
        }
        #expect(all(restored) == all(ledger))
        #expect(restored.marks.map(\.marks) == ledger.marks.map(\.marks))
    }
}
