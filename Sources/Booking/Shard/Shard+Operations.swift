/// Carries out repeated requests once.
///
///     first request ──▶ decided, and the answer recorded with the change
///     repeat ──▶ the same answer; with another request under the same number: refused
extension Shard {
    /// Decides a change that has a number. The answer is a fact beside the change's: a crash keeps both or neither.
    mutating func decideOnce(_ request: Request, _ operation: Operation, _ origin: Origin) -> Reply? {
        switch self.again(operation, request) {
        case .reply(let reply): return reply
        case .wait(let transfer): return self.wait(for: transfer, origin)
        case nil: break
        }
        if operation.owner == .client, let refusal = self.answers.refusal(ofNewKey: operation, at: self.now) {
            return refusal
        }
        let reply = self.answer(request, origin)
        guard let outcome = self.outcome(of: request, reply, for: operation.owner) else { return reply }
        self.record(
            .answered(
                StoredAnswer(operation: operation, fingerprint: request.fingerprint, outcome: outcome, at: self.now)
            )
        )
        return reply
    }

    /// The answer to a repeat.
    enum Again {
        case reply(Reply)
        /// The answer is still to come, with this transfer.
        case wait(TransferID)
    }

    /// Nil for an operation without an answer yet.
    func again(_ operation: Operation, _ request: Request) -> Again? {
        guard let kept = self.answers.answer(operation.id, at: self.now) else { return nil }
        guard kept.fingerprint == request.fingerprint else { return .reply(.refused(.keyReused)) }
        return self.again(kept, request)
    }

    /// The part of an answer to keep; nil if the request changed nothing and nothing is promised.
    private func outcome(of request: Request, _ reply: Reply?, for owner: Operation.Owner) -> StoredAnswer.Outcome? {
        switch (request, reply) {
        case (_, .refused(let refusal)): return owner == .client && refusal.isFinal ? .refused(refusal) : nil
        case (.join, .joined(let joined)): return .joined(joined)
        case (.leave, .left): return .left
        case (.reserve, .reservations(let holds)): return .held(holds[0].id)
        case (.release, .reservations): return .released
        case (.pay(let pass, let ids), .paid), (.pay(let pass, let ids), nil):
            // Under way or done: its reservations tell.
            return self.concerts[pass.concert]?.seats[ids[0]]?.payment.map { .paying($0) }
        case (.cancel(let concert, _, let ids), .cancelled), (.cancel(let concert, _, let ids), nil):
            return self.concerts[concert]?.cancellations.cancellation(of: ids[0]).map { .cancelling($0.order.id) }
        case (.charge, .points(let change)), (.use, .points(let change)): return .points(balance: change.balance)
        case (.claim, .claimed): return .claimed
        default: preconditionFailure("\(request) was answered \(String(describing: reply))")
        }
    }

    /// Checks the request like any other: its own user could forge a fingerprint.
    private func again(_ kept: StoredAnswer, _ request: Request) -> Again {
        switch (kept.outcome, request) {
        case (.joined(let joined), _): return .reply(.joined(joined))
        case (.left, _): return .reply(.left)
        case (.claimed, .claim): return .reply(.claimed)
        case (.refused(let refusal), _): return .reply(.refused(refusal))
        case (.held(let first), .reserve(let pass, _, let seats)):
            let ids = seats.indices.map { ReservationID(first.rawValue + UInt64($0)) }
            let reply = self.reservations(ids, pass) {
                $0.status = .held
                $0.payment = nil
            }
            return .reply(reply)
        case (.released, .release(let pass, let ids)): return .reply(self.reservations(ids, pass) { _ in })
        case (.paying(let payment), .pay(let pass, let ids)):
            guard let state = self.concerts[pass.concert] else { return .reply(.refused(.wrongShard)) }
            switch state.payments[payment]?.state {
            case .started: return .wait(TransferID(payment))
            case .done: return .reply(self.receipt(payment, of: state) ?? Self.forgotten)
            // Refused payments are forgotten, and the only reason for a refusal is too few points; finished ones are
            // forgotten with their seats.
            case nil:
                let isKnown = ids.contains { state.seats[$0] != nil }
                return .reply(isKnown ? .refused(.insufficientPoints) : Self.forgotten)
            }
        case (.cancelling(let cancellation), .cancel(let concert, _, let ids)):
            guard let state = self.concerts[concert] else { return .reply(.refused(.wrongShard)) }
            switch state.cancellations[cancellation] {
            case let known? where known.balance != nil:
                return .reply(self.receipt(cancellation, of: state) ?? Self.forgotten)
            case _?: return .wait(TransferID(cancellation))
            // Given up, as its id belongs to another transfer, and its seats are sold as before; or forgotten with
            // them.
            case nil:
                let isSold = ids.contains { state.seats[$0]?.status == .paid }
                return .reply(isSold ? .refused(.transferConflict) : Self.forgotten)
            }
        case (.points(let balance), .charge(_, let amount, let type)):
            return .reply(
                .points(PointsChange(amount: amount, balance: balance, type: .charge, paymentType: type, at: kept.at))
            )
        case (.points(let balance), .use(_, let amount)):
            return .reply(
                .points(PointsChange(amount: amount, balance: balance, type: .use, paymentType: .free, at: kept.at))
            )
        default: return .reply(.refused(.keyReused))
        }
    }

    /// The answer for a purchase that was cancelled and is forgotten.
    private static let forgotten = Reply.refused(.noSuchReservation)

    /// The user's own reservations, as they were. Forgotten ones are over: the user has ended more seats since than are
    /// remembered.
    private func reservations(_ ids: [ReservationID], _ pass: Pass, _ restore: (inout Reservation) -> Void) -> Reply {
        guard let state = self.concerts[pass.concert] else { return .refused(.keyReused) }
        var reservations: [Reservation] = []
        for id in ids {
            guard var reservation = state.seats[id] else { return .refused(.holdExpired) }
            guard reservation.user == pass.user else { return .refused(.keyReused) }
            restore(&reservation)
            reservations.append(reservation)
        }
        return .reservations(reservations)
    }
}
