/// Points that move between this shard's concerts and the users' shards: the same for payments and cancellations.
extension Shard {
    /// The user's shard has answered. An answer to what is decided already is a duplicate, and ignored.
    public mutating func takeTransferReply(_ reply: Reply, for id: TransferID, at time: Timestamp) {
        self.advance(to: time)
        guard let transfer = self.transfers[id], let answer = self.finish(transfer, reply) else { return }
        for origin in self.transfers.takeWaiters(for: id) {
            self.lateReplies.append(LateReply(origin: origin, kind: transfer.askedFor, reply: answer))
        }
    }

    /// The link to another shard is up, maybe again: what was asked over the old one may be lost. O(transfers under
    /// way).
    public mutating func linkIsUp(to shard: Int) {
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

    /// Nil when the answer comes with that of the one who asked first. Beyond the bound nobody can say what will come of it.
    mutating func wait(for id: TransferID, _ origin: Origin) -> Reply? {
        self.transfers.wait(for: id, origin) ? nil : .unanswered
    }

    /// Points of this shard are asked for only after a restart that found a payment or a cancellation cut off from its
    /// end.
    mutating func ask(for transfer: Transfer) {
        guard self.shard(of: transfer.user) == self.index else { return self.transfersToSend.append(transfer) }
        self.takeTransferReply(self.move(transfer), for: transfer.id, at: self.now)
    }

    private mutating func move(_ transfer: Transfer) -> Reply {
        switch transfer.direction {
        case .debit: self.debit(PaymentID(transfer.id.rawValue), transfer.user, transfer.amount)
        case .credit: self.credit(CancellationID(transfer.id.rawValue), transfer.user, transfer.amount)
        }
    }

    /// What whoever waits is told; nil for an answer that says nothing about the points: a tick asks again.
    private mutating func finish(_ transfer: Transfer, _ reply: Reply) -> Reply? {
        let state = self.state(transfer.concert)
        switch (transfer.direction, reply) {
        case (.debit, .debited(let balance)):
            let payment = PaymentID(transfer.id.rawValue)
            self.record(.paymentDone(transfer.concert, payment, balance: balance, at: self.now))
            self.settle(state)
            return self.receipt(payment, of: state)
        case (.debit, .refused(.insufficientPoints)):
            self.record(.paymentRefused(transfer.concert, PaymentID(transfer.id.rawValue), at: self.now))
            self.settle(state)
            return .refused(.insufficientPoints)
        case (.credit, .credited(let balance)):
            let cancellation = CancellationID(transfer.id.rawValue)
            self.record(.cancelDone(transfer.concert, cancellation, balance: balance, at: self.now))
            return self.receipt(cancellation, of: state)
        default: return nil
        }
    }
}
