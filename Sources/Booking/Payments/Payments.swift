/// The payments of one concert: those under way, and the receipts of those done. Takes in facts; the shard decides.
///
///     started ──debited──▶ done         (kept as long as one of its seats: repeating a payment gives its receipt again)
///        └─────refused──▶ forgotten     (its reservations are as before; a new payment may begin)
public struct Payments {
    public enum State: Equatable, Sendable {
        case started
        /// The user's balance right after.
        case done(balance: Won)
    }

    public struct Payment: Equatable, Sendable {
        public let order: PaymentOrder
        public fileprivate(set) var state: State
    }

    private var payments = SteadyTable<PaymentID, Payment>()

    public private(set) var openCount = 0
    public private(set) var doneCount = 0
    public private(set) var refusedCount = 0
    /// Payments that are done and whose seats are all cancelled and forgotten.
    private(set) var forgottenCount = 0

    public init() {}

    public subscript(payment: PaymentID) -> Payment? { self.payments[payment] }

    /// The payments under way, in the order of their ids. O(payments): for checks.
    public var open: [PaymentOrder] {
        self.payments.values.filter { $0.state == .started }.map(\.order).sorted { $0.id < $1.id }
    }

    public mutating func takeStarted(_ order: PaymentOrder) {
        let payment = Payment(order: order, state: .started)
        precondition(self.payments.updateValue(payment, forKey: order.id) == nil, "payment \(order.id) began twice")
        self.openCount += 1
    }

    public mutating func takeDone(_ id: PaymentID, balance: Won) -> PaymentOrder {
        let order = self.payments.change(id) { payment in
            precondition(payment.state == .started, "payment \(id) is done already")
            payment.state = .done(balance: balance)
            return payment.order
        }
        guard let order else { preconditionFailure("there is no payment \(id)") }
        self.openCount -= 1
        self.doneCount += 1
        return order
    }

    public mutating func takeRefused(_ id: PaymentID) -> PaymentOrder {
        guard let payment = self.payments.removeValue(forKey: id), payment.state == .started else {
            preconditionFailure("payment \(id) is not under way")
        }
        self.openCount -= 1
        self.refusedCount += 1
        return payment.order
    }

    /// One of a payment's reservations is forgotten; `isKnown` says which are not. The receipt goes with the last of them.
    mutating func forget(_ id: PaymentID, unless isKnown: (ReservationID) -> Bool) {
        guard let payment = self.payments[id], !payment.order.reservations.contains(where: isKnown) else { return }
        precondition(payment.state != .started, "payment \(id) is under way, and its seats are forgotten")
        self.payments.removeValue(forKey: id)
        self.forgottenCount += 1
    }

    // MARK: Snapshots

    /// In the order of ids, with the user's balance right after: nil while under way. O(n log n).
    func forEach(_ body: (PaymentOrder, Won?) -> Void) {
        for id in self.payments.keys.sorted() {
            let payment = self.payments[id]!
            switch payment.state {
            case .started: body(payment.order, nil)
            case .done(let balance): body(payment.order, balance)
            }
        }
    }

    /// Restores a payment.
    mutating func restore(_ order: PaymentOrder, balance: Won?) {
        self.takeStarted(order)
        if let balance { _ = self.takeDone(order.id, balance: balance) }
    }

    mutating func restore(refusedCount: Int) { self.refusedCount = refusedCount }

    mutating func restore(forgottenCount: Int) {
        self.forgottenCount = forgottenCount
        self.doneCount += forgottenCount
    }

    /// Every payment's reservations say the same as the payment. O(payments).
    public func checkInvariants(against seats: borrowing Seats) {
        var open = 0
        for (id, payment) in self.payments {
            var price = Won.zero
            let known = payment.order.reservations.compactMap { seats[$0] }
            let isWhole = known.count == payment.order.reservations.count
            precondition(
                isWhole || !known.isEmpty && known.allSatisfy { $0.status == .cancelled },
                "payment \(id) is for a reservation that is not there"
            )
            for reservation in known {
                precondition(reservation.payment == id, "payment \(id) and its reservation disagree")
                precondition(
                    reservation.user == payment.order.user,
                    "payment \(id) pays for someone else's reservation"
                )
                // Paid seats may have been cancelled since.
                precondition(
                    (reservation.status == .held) == (payment.state == .started),
                    "payment \(id) is \(payment.state), its reservation \(reservation.status)"
                )
                price += reservation.price
            }
            precondition(
                price == payment.order.amount || !isWhole,
                "payment \(id) takes \(payment.order.amount) for seats of \(price)"
            )
            if payment.state == .started { open += 1 }
        }
        precondition(open == self.openCount, "\(open) payments are under way, \(self.openCount) are counted")
        precondition(
            self.payments.count - open + self.forgottenCount == self.doneCount,
            "done payments are not counted right"
        )
    }
}
