import Testing

@testable import Booking

@Suite struct CancellationsTests {
    private static func order(_ id: UInt64, _ reservations: [UInt64]) -> CancellationOrder {
        CancellationOrder(
            id: CancellationID(id),
            concert: ConcertID(1),
            user: UserID(1),
            reservations: reservations.map { ReservationID($0) },
            amount: Won(100),
            at: Stage.start
        )
    }

    @Test func `a cancellation begins and is done, and its reservations lead to it`() {
        var cancellations = Cancellations()
        let order = Self.order(1, [7, 8])
        cancellations.applyStarted(order)
        #expect(cancellations.cancellation(of: ReservationID(8))?.order == order)
        #expect(cancellations.cancellation(of: ReservationID(9)) == nil)
        #expect((cancellations.openCount, cancellations.doneCount) == (1, 0))
        #expect(cancellations.applyDone(order.id, balance: Won(5)) == order)
        #expect(cancellations[order.id]?.balance == Won(5))
        #expect((cancellations.openCount, cancellations.doneCount) == (0, 1))
    }

    @Test func `those under way are listed in the order of their ids`() {
        var cancellations = Cancellations()
        for id: UInt64 in [5, 3, 9, 1, 7] { cancellations.applyStarted(Self.order(id, [id])) }
        _ = cancellations.applyDone(CancellationID(3), balance: .zero)
        #expect(cancellations.open.map(\.id.rawValue) == [1, 5, 7, 9])
    }

    @Test func `a reservation is cancelled once`() async {
        await #expect(processExitsWith: .failure) {
            var cancellations = Cancellations()
            cancellations.applyStarted(CancellationsTests.order(1, [7]))
            cancellations.applyStarted(CancellationsTests.order(2, [8, 7]))
        }
    }

    @Test func `a cancellation is not done twice`() async {
        await #expect(processExitsWith: .failure) {
            var cancellations = Cancellations()
            cancellations.applyStarted(CancellationsTests.order(1, [7]))
            _ = cancellations.applyDone(CancellationID(1), balance: .zero)
            _ = cancellations.applyDone(CancellationID(1), balance: .zero)
        }
    }
}
