/// The cancellations of one concert, and which reservation is part of which.
///
/// There is no other way back than a conflict: once it has begun, the points come back and the seats become free, however long
/// that takes. Until then the seats are sold, and its reservations can't be cancelled another time.
public struct Cancellations {
    public typealias Cancellation = SeatOrders<CancellationID>.Entry

    private var orders = SeatOrders<CancellationID>()
    private var idsByReservation = SteadyTable<ReservationID, CancellationID>()

    public init() {}

    public var openCount: Int { self.orders.openCount }
    public var doneCount: Int { self.orders.doneCount }
    var forgottenCount: Int { self.orders.forgottenCount }
    /// Those under way, in the order of their ids. O(cancellations): for checks.
    public var open: [CancellationOrder] { self.orders.open }

    public subscript(cancellation: CancellationID) -> Cancellation? { self.orders[cancellation] }

    /// The cancellation of a reservation: there is at most one.
    public func cancellation(of reservation: ReservationID) -> Cancellation? {
        self.idsByReservation[reservation].flatMap { self.orders[$0] }
    }

    public mutating func applyStarted(_ order: CancellationOrder) {
        self.orders.applyStarted(order)
        for id in order.reservations {
            precondition(
                self.idsByReservation.updateValue(order.id, forKey: id) == nil,
                "reservation \(id) is cancelled twice"
            )
        }
    }

    public mutating func applyDone(_ id: CancellationID, balance: Won) -> CancellationOrder {
        self.orders.applyDone(id, balance: balance)
    }

    public mutating func applyRefused(_ id: CancellationID) -> CancellationOrder {
        let order = self.orders.applyRefused(id)
        for reservation in order.reservations { self.idsByReservation.removeValue(forKey: reservation) }
        return order
    }

    /// One of a cancellation's reservations is forgotten. The answer goes with the last of them.
    mutating func forget(_ reservation: ReservationID) {
        guard let id = self.idsByReservation.removeValue(forKey: reservation) else { return }
        self.orders.forget(id) { self.idsByReservation[$0] != nil }
    }

    // MARK: Snapshots

    /// In the order of ids. O(n log n).
    func forEach(_ body: (Cancellation) -> Void) { self.orders.forEach(body) }

    mutating func restore(forgottenCount: Int) { self.orders.restore(forgottenCount: forgottenCount) }

    /// Restores a cancellation; `isKnown` says which of its reservations are not forgotten.
    mutating func restore(_ order: CancellationOrder, balance: Won?, _ isKnown: (ReservationID) -> Bool) {
        self.orders.restore(order, balance: balance)
        for id in order.reservations where isKnown(id) { self.idsByReservation.updateValue(order.id, forKey: id) }
    }

    /// Every cancellation's reservations say the same as the cancellation. O(cancellations).
    public func checkInvariants(against seats: borrowing Seats) {
        var reservationCount = 0
        for (id, cancellation) in self.orders.entries {
            var price = Won.zero
            let known = cancellation.order.reservations.filter { seats[$0] != nil }
            precondition(!known.isEmpty, "cancellation \(id) is kept, and all its seats are forgotten")
            for reservation in known {
                precondition(
                    self.idsByReservation[reservation] == id,
                    "reservation \(reservation) belongs to another cancellation than \(id)"
                )
                guard let reservation = seats[reservation], reservation.payment != nil else {
                    preconditionFailure("cancellation \(id) is of a reservation that nobody paid for")
                }
                precondition(
                    reservation.user == cancellation.order.user,
                    "cancellation \(id) gives back what someone else paid"
                )
                precondition(
                    reservation.status == (cancellation.balance == nil ? .paid : .cancelled),
                    "cancellation \(id) has the balance \(cancellation.balance as Won?), its reservation is "
                        + "\(reservation.status)"
                )
                price += reservation.price
            }
            precondition(
                price == cancellation.order.amount || known.count < cancellation.order.reservations.count,
                "cancellation \(id) gives back \(cancellation.order.amount) for seats of \(price)"
            )
            reservationCount += known.count
        }
        precondition(
            reservationCount == self.idsByReservation.count,
            "a reservation is known as cancelled, and by no cancellation"
        )
        self.orders.checkCounts()
    }
}
