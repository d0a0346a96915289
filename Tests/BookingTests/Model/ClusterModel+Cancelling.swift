@testable import Booking

/// The model's cancelling of purchases.
extension ClusterModel {
    mutating func cancel(
        _ concertID: ConcertID,
        _ user: UserID,
        _ ids: [ReservationID],
        _ origin: Shard.Origin,
        _ now: Timestamp
    ) -> Reply? {
        guard let index = self.index(concertID) else { return .refused(.unknownConcert) }
        self.concerts[index].settle(now)
        let concert = self.concerts[index]
        if let refusal = concert.refusal(of: ids, for: user) { return .refused(refusal) }
        let same = self.cancellations.firstIndex { $0.concert == concertID && Set($0.reservations) == Set(ids) }
        if let same {
            if let balance = self.cancellations[same].balance { return self.receipt(self.cancellations[same], balance) }
            self.cancellations[same].waiters.append(origin)
            return nil
        }
        let reservations = ids.map { id in concert.reservations.first { $0.id == id }! }
        for reservation in reservations {
            if let refusal = self.refusalToCancel(reservation, concert, now) { return .refused(refusal) }
        }
        let cancellation = Cancellation(
            id: CancellationID(self.nextID(concert.concert.slot)),
            concert: concertID,
            user: user,
            reservations: ids,
            amount: Won(reservations.map(\.price.rawValue).reduce(0, +)),
            at: now,
            askedAt: now,
            waiters: [origin]
        )
        self.cancellations.append(cancellation)
        guard self.livesWith(concertID, user) else { return nil }
        let credited = self.credit(cancellation.id, user, cancellation.amount, now)
        return self.finish(TransferID(cancellation.id), credited, at: now)[0].reply
    }

    private func refusalToCancel(_ reservation: Reservation, _ concert: ConcertModel, _ now: Timestamp) -> Refusal? {
        if reservation.status == .held { return reservation.payment == nil ? .notPaid : .paymentInProgress }
        guard let paid = self.payments.first(where: { $0.id == reservation.payment }) else { return .notPaid }
        if reservation.status == .cancelled { return .alreadyCancelled }
        if self.cancellations.contains(where: { $0.reservations.contains(reservation.id) }) { return .cancelInProgress }
        let play = concert.concert.schedules.first { $0.id == reservation.schedule }!.playsAt
        let isInTime = now - paid.at < concert.rules.cancelTime && play - now > concert.rules.cancelNotice
        return isInTime ? nil : .cancelTooLate
    }

    /// There is one answer, and it never changes.
    mutating func credit(_ id: CancellationID, _ user: UserID, _ amount: Won, _ now: Timestamp) -> Reply {
        if let earlier = self.credits.first(where: { $0.cancellation == id }) { return earlier.reply }
        let line = PointHistoryID(self.nextID(Slot(of: user)))
        if amount > .zero {
            let entry = HistoryEntry(id: line, amount: amount, type: .charge, paymentType: .free, at: now)
            self.histories.append((user, entry))
        }
        self.credits.append((id, .credited(self.balance(user))))
        return .credited(self.balance(user))
    }

    mutating func finishCancelling(_ id: TransferID, _ reply: Reply, _ now: Timestamp) -> [Shard.LateReply] {
        let position = self.cancellations.firstIndex { $0.id.rawValue == id.rawValue }!
        let cancellation = self.cancellations[position]
        guard cancellation.balance == nil, case .credited(let balance) = reply else { return [] }
        self.cancellations[position].balance = balance
        let index = self.index(cancellation.concert)!
        self.concerts[index].change(cancellation.reservations) { $0.status = .cancelled }
        self.retire(cancellation, index)
        self.concerts[index].release(cancellation.reservations, now)
        let answer = self.receipt(cancellation, balance)
        return cancellation.waiters.map { Shard.LateReply(origin: $0, kind: .cancel, reply: answer) }
    }

    /// Payments without any seat left are over, each seat from its cancellation on.
    private mutating func retire(_ cancellation: Cancellation, _ index: Int) {
        for payment in self.payments.filter({ $0.concert == cancellation.concert && $0.fate != .refused }) {
            let all = self.concerts[index].reservations.filter { payment.reservations.contains($0.id) }
            guard all.allSatisfy({ $0.status == .cancelled }) else { continue }
            for id in payment.reservations {
                let cancelled = self.cancellations.first { $0.reservations.contains(id) }!
                self.concerts[index].refundedUntil[id] = cancelled.at + SmallWorld.recordLimits.refundedLifetime
            }
        }
    }

    private func receipt(_ cancellation: Cancellation, _ balance: Won) -> Reply {
        let concert = self.concerts[self.index(cancellation.concert)!]
        let reservations = cancellation.reservations.map { id in concert.reservations.first { $0.id == id }! }
        return .cancelled(
            Receipt(user: cancellation.user, amount: cancellation.amount, balance: balance, reservations: reservations)
        )
    }
}
