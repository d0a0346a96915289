/// The whole state of one concert: its line, seats, payments and cancellations. Lives on one shard.
final class ConcertState {
    let concert: Concert
    var line: Line
    var seats: Seats
    var payments = Payments()
    var cancellations = Cancellations()

    init(_ concert: Concert, limits: RecordLimits, hashSeed: UInt64) {
        self.concert = concert
        self.line = Line(
            rules: concert.rules.line,
            opensAt: concert.opensAt,
            endsAt: concert.endsAt,
            hashSeed: hashSeed
        )
        self.seats = Seats(concert.schedules, limits: limits)
    }

    // MARK: What is over

    /// A payment is over when all its seats are cancelled; until then all of them are remembered with it.
    func retirePurchases(of order: CancellationOrder) {
        for payment in Set(order.reservations.compactMap { self.seats[$0]?.payment }).sorted() {
            if let payment = self.payments[payment] { self.retireIfOver(payment.order) }
        }
    }

    /// After a snapshot is restored.
    func retireAllPurchases() { self.payments.forEach { self.retireIfOver($0.order) } }

    private func retireIfOver(_ order: PaymentOrder) {
        let reservations = order.reservations.compactMap { self.seats[$0] }
        guard reservations.allSatisfy({ $0.status == .cancelled }) else { return }
        for reservation in reservations {
            guard let cancellation = self.cancellations.cancellation(of: reservation.id) else {
                preconditionFailure("reservation \(reservation.id) was paid and is over, but has no cancellation")
            }
            self.seats.applyRefunded(reservation.id, cancelledAt: cancellation.order.at)
        }
    }

    /// After a fact about the seats: forgets ended reservations that need not be remembered at its time.
    func forget(at now: Timestamp) {
        while let reservation = self.seats.popForgotten(at: now) {
            if let payment = reservation.payment {
                self.payments.forget(payment) { self.seats[$0] != nil }
                self.cancellations.forget(reservation.id)
            }
        }
    }

    func checkInvariants(lineToo: Bool) {
        if lineToo, let violation = self.line.checkInvariants() {
            preconditionFailure("concert \(self.concert.id): \(violation)")
        }
        for user in self.line.lingeringUsers {
            precondition(self.seats.heldCount(of: user) > 0, "user \(user) stays beyond their time without a hold")
        }
        self.seats.checkInvariants()
        self.payments.checkInvariants(against: self.seats)
        self.cancellations.checkInvariants(against: self.seats)
        self.seats.checkCancelled { self.cancellations.cancellation(of: $0)?.balance != nil }
    }
}
