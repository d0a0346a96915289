/// The payments of one concert.
public typealias Payments = SeatOrders<PaymentID>

extension SeatOrders where ID == PaymentID {
    public typealias Payment = Entry

    /// Every payment's reservations say the same as the payment. O(payments).
    public func checkInvariants(against seats: borrowing Seats) {
        for (id, payment) in self.entries {
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
        }
        self.checkCounts()
    }
}
