/// The verbs of cancelling purchases.
///
///     concert's shard                                              user's shard
///     cancelStarted: the reservations are pinned
///     ──────────────────── credit(cancellation) ─────────────────▶ credited
///     cancelDone: the seats are free   ◀───────── reply ───────────
///
/// A payment in reverse, with one difference: it can't be refused. The seats become free only once the points are
/// durably back; a crash at any moment leaves either the sale as it was, or a cancellation that goes on. It is given up
/// only if its id belongs to another transfer on the user's shard (see `TransferOrder`): the sale is as it was.
extension Shard {
    /// Cancels all the reservations or none. A repeat of a finished cancellation gets its answer again, whatever the
    /// time; a repeat of one under way waits for it.
    mutating func cancel(
        _ state: ConcertState,
        _ user: UserID,
        _ ids: [ReservationID],
        _ origin: Origin
    ) -> Reply? {
        let reservations: [Reservation]
        switch Self.own(ids, of: user, state) {
        case .failure(let refusal): return .refused(refusal)
        case .success(let own): reservations = own
        }
        if let cancellation = state.cancellations.cancellation(of: ids[0]),
            Set(cancellation.order.reservations) == Set(ids)
        {
            guard cancellation.balance == nil else {
                return self.receipt(cancellation.order.id, of: state) ?? .refused(.noSuchReservation)
            }
            return self.wait(for: TransferID(cancellation.order.id), origin)
        }
        for reservation in reservations {
            if let refusal = self.refusalToCancel(reservation, state) { return .refused(refusal) }
        }
        let order = CancellationOrder(
            id: CancellationID(self.nextID(in: state.concert.slot)),
            concert: state.concert.id,
            user: user,
            reservations: ids,
            amount: reservations.reduce(.zero) { $0 + $1.price },
            at: self.now
        )
        self.record(.cancelStarted(order))
        return self.begin(Transfer(order), origin)
    }

    private func refusalToCancel(_ reservation: Reservation, _ state: ConcertState) -> Refusal? {
        switch reservation.status {
        case .held: return reservation.isPinned ? .paymentInProgress : .notPaid
        case .cancelled: return reservation.payment == nil ? .notPaid : .alreadyCancelled
        case .paid:
            guard state.cancellations.cancellation(of: reservation.id) == nil else { return .cancelInProgress }
            guard let payment = reservation.payment.flatMap({ state.payments[$0] }),
                let schedule = state.seats.schedule(reservation.schedule)
            else { preconditionFailure("reservation \(reservation.id) has no payment or no schedule") }
            // The time of payment is that of its request: a later completion, because a shard was away, shows nowhere.
            let deadline = state.concert.rules.cancelDeadline(paidAt: payment.order.at, playsAt: schedule.playsAt)
            return self.now < deadline ? nil : .cancelTooLate
        }
    }

    /// Nil when some of its seats are forgotten.
    func receipt(_ id: CancellationID, of state: ConcertState) -> Reply? {
        guard let cancellation = state.cancellations[id], let balance = cancellation.balance else {
            preconditionFailure("cancellation \(id) has no receipt")
        }
        let order = cancellation.order
        let reservations = order.reservations.compactMap { state.seats[$0] }
        guard reservations.count == order.reservations.count else { return nil }
        return .cancelled(
            Receipt(user: order.user, amount: order.amount, balance: balance, reservations: reservations)
        )
    }
}
