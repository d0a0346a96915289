/// Points that move between this shard's concerts and the users' shards: the same for payments and cancellations.
extension Shard {
    /// The user's shard has answered. An answer to a decided transfer is a duplicate, and ignored.
    public mutating func completeTransfer(_ reply: Reply, for id: TransferID, at time: Timestamp) {
        self.advance(to: time)
        guard let transfer = self.transfers[id], let answer = self.finish(transfer, reply) else { return }
        for origin in self.transfers.removeWaiters(for: id) {
            self.lateReplies.append(LateReply(origin: origin, kind: transfer.askedFor, reply: answer))
        }
    }

    /// The link to another shard is up, maybe again: requests on the old one may be lost. O(transfers under way).
    public mutating func linkIsUp(to shard: Int) {
        self.peersToAsk.append(shard)
        for transfer in self.transfers.all(where: { self.shard(of: $0.user) == shard }) { self.ask(for: transfer) }
    }

    /// A payment or a cancellation has begun. Moves the points here if the user lives here, else asks the user's shard:
    /// nil means that the answer comes later.
    mutating func begin(_ transfer: Transfer, _ origin: Origin) -> Reply? {
        guard self.shard(of: transfer.user) == self.index else {
            self.ask(for: transfer)
            return self.wait(for: transfer.id, origin)
        }
        guard let answer = self.finish(transfer, self.move(transfer)) else {
            preconditionFailure("points of this shard have neither moved nor been refused")
        }
        return answer
    }

    /// Nil when the answer comes with that of the first request. Beyond the bound, the outcome is unknown.
    mutating func wait(for id: TransferID, _ origin: Origin) -> Reply? {
        self.transfers.wait(for: id, origin) ? nil : .unanswered
    }

    /// A transfer of this shard's own points is requested only after a restart that found an interrupted payment or
    /// cancellation.
    mutating func ask(for transfer: Transfer) {
        guard self.shard(of: transfer.user) == self.index else {
            return self.transfersToSend.append(self.order(for: transfer))
        }
        self.completeTransfer(self.move(transfer), for: transfer.id, at: self.now)
    }

    /// Includes the settled counter. It leaves with the batch of now, so it is durable by then.
    private mutating func order(for transfer: Transfer) -> TransferOrder {
        transfer.order(settled: self.transfers.settled(for: transfer.id, to: self.shard(of: transfer.user)))
    }

    private mutating func move(_ transfer: Transfer) -> Reply { self.carryOut(self.order(for: transfer)) }

    /// Moves the points of an order once, however often it is asked, and gives the same answer each time. The amount
    /// may be 0: free seats are paid for and cancelled, too.
    ///
    /// A credit may take the balance past `Points.balanceMax`. That bound is on charges; these points were the user's
    /// and bought the seats that are given up. To refuse them would take both.
    mutating func carryOut(_ order: TransferOrder) -> Reply {
        guard order.amount >= .zero, order.settled < SlotIDs.counter(of: order.id.rawValue) else {
            return .refused(order.direction == .debit ? .useNotPositive : .chargeNotPositive)
        }
        if case .new = self.points.transfers.verdict(on: order) {
            let isEnough = order.direction == .credit || self.points.balance(of: order.user).balance >= order.amount
            self.record(
                isEnough
                    ? .transferred(order, self.nextHistoryID(order.user), at: self.now)
                    : .transferRefused(order, at: self.now)
            )
        }
        switch self.points.transfers.verdict(on: order) {
        case .decided(.moved(let balance)): return order.direction == .debit ? .debited(balance) : .credited(balance)
        case .decided(.refused): return .refused(.insufficientPoints)
        case .conflict: return .refused(.transferConflict)
        case .forgotten: return .refused(.transferForgotten)
        case .new: preconditionFailure("transfer \(order.id) was decided, and is not known")
        }
    }

    /// The answer for the waiting requests; nil for a reply that says nothing about the points: a tick retries.
    private mutating func finish(_ transfer: Transfer, _ reply: Reply) -> Reply? {
        let state = self.state(transfer.concert)
        switch (transfer.direction, reply) {
        case (.debit, .debited(let balance)):
            let payment = PaymentID(transfer.id.rawValue)
            // Unpaid holds go with the place that the payment uses up, if that place still exists.
            if let place = state.payments[payment]?.order.place, state.line.entry(at: place) != nil {
                self.releaseHolds(of: transfer.user, state)
            }
            self.record(.paymentDone(transfer.concert, payment, balance: balance, at: self.now))
            // The owner may have left meanwhile, and joined again.
            self.endStay(of: transfer.user, state)
            self.settle(state)
            return self.receipt(payment, of: state)
        case (.debit, .refused(.insufficientPoints)):
            self.refuse(transfer, state)
            self.settle(state)
            return .refused(.insufficientPoints)
        case (.credit, .credited(let balance)):
            let cancellation = CancellationID(transfer.id.rawValue)
            guard let order = state.cancellations[cancellation]?.order else {
                preconditionFailure("points came back for cancellation \(cancellation), which was not begun")
            }
            // Of users with many cancellations, some may be forgotten with the fact.
            let reservations = order.reservations.compactMap { state.seats[$0]?.cancelled }
            self.record(.cancelDone(transfer.concert, cancellation, balance: balance, at: self.now))
            return .cancelled(
                Receipt(user: order.user, amount: order.amount, balance: balance, reservations: reservations)
            )
        case (.debit, .refused(.transferConflict)), (.debit, .refused(.transferForgotten)):
            self.refuse(transfer, state)
            self.noteConflict(transfer)
            self.settle(state)
            return .refused(.transferConflict)
        case (.credit, .refused(.transferConflict)):
            self.record(.cancelRefused(transfer.concert, CancellationID(transfer.id.rawValue), at: self.now))
            self.noteConflict(transfer)
            return .refused(.transferConflict)
        case (.credit, .refused(.transferForgotten)):
            // The points came back, or another transfer's did: nothing is changed, which is the only safe answer.
            self.noteForgotten(transfer)
            return nil
        default: return nil
        }
    }

    /// The holds continue; those of an owner who has gone meanwhile are released.
    private mutating func refuse(_ payment: Transfer, _ state: ConcertState) {
        self.record(.paymentRefused(payment.concert, PaymentID(payment.id.rawValue), at: self.now))
        if !self.isInside(payment.user, state) { self.releaseHolds(of: payment.user, state) }
    }
}
