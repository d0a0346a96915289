import Testing

@testable import Booking

@Suite struct PaymentsTests {
    private static func order(_ id: UInt64) -> PaymentOrder {
        PaymentOrder(
            id: PaymentID(id),
            concert: ConcertID(1),
            user: UserID(1),
            place: Place(1),
            reservations: [ReservationID(id)],
            amount: Won(100),
            at: Stage.start
        )
    }

    @Test func `a payment begins and is done, and its receipt is kept`() {
        var payments = Payments()
        payments.applyStarted(Self.order(1))
        #expect(payments[PaymentID(1)]?.state == .started)
        #expect(payments.openCount == 1)
        #expect(payments.applyDone(PaymentID(1), balance: Won(5)) == Self.order(1))
        #expect(payments[PaymentID(1)]?.state == .done(balance: Won(5)))
        #expect((payments.openCount, payments.doneCount, payments.refusedCount) == (0, 1, 0))
    }

    @Test func `a payment that is refused is forgotten`() {
        var payments = Payments()
        payments.applyStarted(Self.order(1))
        #expect(payments.applyRefused(PaymentID(1)) == Self.order(1))
        #expect(payments[PaymentID(1)] == nil)
        #expect((payments.openCount, payments.doneCount, payments.refusedCount) == (0, 0, 1))
    }

    @Test func `those under way are listed in the order of their ids`() {
        var payments = Payments()
        for id: UInt64 in [5, 3, 9, 1, 7] { payments.applyStarted(Self.order(id)) }
        _ = payments.applyDone(PaymentID(3), balance: .zero)
        #expect(payments.open.map(\.id.rawValue) == [1, 5, 7, 9])
    }

    @Test func `a payment is not done twice`() async {
        await #expect(processExitsWith: .failure) {
            var payments = Payments()
            payments.applyStarted(PaymentsTests.order(1))
            _ = payments.applyDone(PaymentID(1), balance: .zero)
            _ = payments.applyDone(PaymentID(1), balance: .zero)
        }
    }
}
