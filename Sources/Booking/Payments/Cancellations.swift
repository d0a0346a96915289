/// The cancellations of one concert: those under way, and those done. Takes in facts; the shard decides.
///
///     started ──credited──▶ done         (kept as long as one of its seats: repeating a cancellation gives its answer again)
///
///     started ──conflict──▶ forgotten    (its number is another transfer's: the reservations are sold as before)
///
/// A cancellation that has begun always completes: the points come back and the seats become free, however long that
/// takes. Until then the seats are sold, and its reservations can't be cancelled another time.
public struct Cancellations {
    public struct Cancellation: Equatable, Sendable {
        public let order: CancellationOrder
        /// The user's balance right after; nil while it is under way.
        public fileprivate(set) var balance: Won?
    }

    private var cancellations = SteadyTable<CancellationID, Cancellation>()
    private var idsByReservation = SteadyTable<ReservationID, CancellationID>()

    public private(set) var openCount = 0
    public private(set) var doneCount = 0
    /// Cancellations that are done and whose seats are all forgotten.
    private(set) var forgottenCount = 0

    public init() {}

    public subscript(cancellation: CancellationID) -> Cancellation? { self.cancellations[cancellation] }

    /// The cancellation of a reservation: there is at most one.
    public func cancellation(of reservation: ReservationID) -> Cancellation? {
        self.idsByReservation[reservation].flatMap { self.cancellations[$0] }
    }

    /// Those under way, in the order of their ids. O(cancellations): for checks.
    public var open: [CancellationOrder] {
        self.cancellations.values.filter { $0.balance == nil }.map(\.order).sorted { $0.id < $1.id }
    }

    public mutating func takeStarted(_ order: CancellationOrder) {
        let cancellation = Cancellation(order: order, balance: nil)
        precondition(
            self.cancellations.updateValue(cancellation, forKey: order.id) == nil,
            "cancellation \(order.id) began twice"
        )
        for id in order.reservations {
            precondition(
                self.idsByReservation.updateValue(order.id, forKey: id) == nil,
                "reservation \(id) is cancelled twice"
            )
        }
        self.openCount += 1
    }

    public mutating func takeDone(_ id: CancellationID, balance: Won) -> CancellationOrder {
        let order = self.cancellations.change(id) { cancellation in
            precondition(cancellation.balance == nil, "cancellation \(id) is done already")
            cancellation.balance = balance
            return cancellation.order
        }
        guard let order else { preconditionFailure("there is no cancellation \(id)") }
        self.openCount -= 1
        self.doneCount += 1
        return order
    }

    /// One of a cancellation's reservations is forgotten. The answer goes with the last of them.
    mutating func forget(_ reservation: ReservationID) {
        guard let id = self.idsByReservation.removeValue(forKey: reservation), let cancellation = self.cancellations[id]
        else { return }
        precondition(cancellation.balance != nil, "cancellation \(id) is under way, and its seats are forgotten")
        guard cancellation.order.reservations.allSatisfy({ self.idsByReservation[$0] == nil }) else { return }
        self.cancellations.removeValue(forKey: id)
        self.forgottenCount += 1
    }

    public mutating func takeRefused(_ id: CancellationID) -> CancellationOrder {
        guard let cancellation = self.cancellations.removeValue(forKey: id), cancellation.balance == nil else {
            preconditionFailure("cancellation \(id) is not under way")
        }
        for reservation in cancellation.order.reservations { self.idsByReservation.removeValue(forKey: reservation) }
        self.openCount -= 1
        return cancellation.order
    }

    // MARK: Snapshots

    /// In the order of ids. O(n log n).
    func forEach(_ body: (Cancellation) -> Void) {
        for id in self.cancellations.keys.sorted() { body(self.cancellations[id]!) }
    }

    mutating func restore(forgottenCount: Int) {
        self.forgottenCount = forgottenCount
        self.doneCount += forgottenCount
    }

    /// Restores a cancellation; `isKnown` says which of its reservations are not forgotten.
    mutating func restore(_ order: CancellationOrder, balance: Won?, _ isKnown: (ReservationID) -> Bool) {
        self.takeStarted(order)
        for id in order.reservations where !isKnown(id) { self.idsByReservation.removeValue(forKey: id) }
        if let balance { _ = self.takeDone(order.id, balance: balance) }
    }

    /// Every cancellation's reservations say the same as the cancellation. O(cancellations).
    public func checkInvariants(against seats: borrowing Seats) {
        var reservationCount = 0
        for (id, cancellation) in self.cancellations {
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
        precondition(
            self.cancellations.values.count { $0.balance == nil } == self.openCount
                && self.cancellations.count + self.forgottenCount == self.openCount + self.doneCount,
            "cancellations are not counted right"
        )
    }
}
