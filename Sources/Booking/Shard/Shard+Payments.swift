/// The verbs of paying. How the points move is in `Shard+Transfers.swift`; the way back in `Shard+Cancelling.swift`.
extension Shard {
    /// Pays for all the reservations or for none. A repeat of a finished payment gets its receipt again, even when the
    /// payment has used up the place in line; a repeat of one under way waits for it.
    mutating func pay(_ state: ConcertState, _ pass: Pass, _ ids: [ReservationID], _ origin: Origin) -> Reply? {
        let reservations: [Reservation]
        switch Self.own(ids, of: pass.user, state) {
        case .failure(let refusal): return .refused(self.refusal(pass, state) ?? refusal)
        case .success(let own): reservations = own
        }
        if let payment = reservations[0].payment.flatMap({ state.payments[$0] }),
            Set(payment.order.reservations) == Set(ids)
        {
            if case .done = payment.state {
                return self.receipt(payment.order.id, of: state) ?? .refused(.noSuchReservation)
            }
            return self.wait(for: TransferID(payment.order.id), origin)
        }
        if let refusal = self.refusal(pass, state) { return .refused(refusal) }
        for reservation in reservations {
            switch reservation.status {
            case .cancelled: return .refused(reservation.payment == nil ? .holdExpired : .alreadyCancelled)
            case .paid: return .refused(.alreadyPaid)
            case .held where reservation.isPinned: return .refused(.paymentInProgress)
            case .held: break
            }
        }
        let order = PaymentOrder(
            id: PaymentID(self.nextID(in: state.concert.slot)),
            concert: state.concert.id,
            user: pass.user,
            place: pass.place,
            reservations: ids,
            amount: reservations.reduce(.zero) { $0 + $1.price },
            at: self.now
        )
        self.record(.paymentStarted(order))
        return self.begin(Transfer(order), origin)
    }

    /// The same receipt while it exists: seats that were cancelled since are shown as paid. Nil when some of them are
    /// forgotten.
    func receipt(_ id: PaymentID, of state: ConcertState) -> Reply? {
        guard let payment = state.payments[id], case .done(let balance) = payment.state else {
            preconditionFailure("payment \(id) has no receipt")
        }
        let order = payment.order
        let reservations = order.reservations.compactMap { id in
            var reservation = state.seats[id]
            reservation?.status = .paid
            return reservation
        }
        guard reservations.count == order.reservations.count else { return nil }
        return .paid(Receipt(user: order.user, amount: order.amount, balance: balance, reservations: reservations))
    }
}
