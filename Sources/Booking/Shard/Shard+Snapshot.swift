/// The state as a list of items, and its restoration.
extension Shard {
    /// Everything that must be kept, in a fixed order. O(state), with a sort of the reservations, payments, accounts
    /// and the slots of transfers; only their keys are copied.
    public func forEachItem(_ body: (SnapshotItem) -> Void) {
        body(.time(self.lastFactAt))
        for (slot, counter) in self.counters.enumerated() where counter > 0 {
            body(.counter(Slot(checking: UInt16(slot))!, counter))
        }
        for state in self.concertsInOrder where state.line.totals.joined > 0 {
            let refused = UInt64(state.payments.refusedCount)
            let due = state.line.admissionDue
            body(.concert(state.concert.id, state.line.totals, admissionDue: due, paymentsRefused: refused))
            state.line.forEachPresent { body(.person($0)) }
            state.seats.forEachReservation { body(.reservation($0)) }
            state.payments.forEach { body(.payment($0.order, balance: $0.balance)) }
            state.cancellations.forEach { body(.cancellation($0.order, balance: $0.balance)) }
            state.seats.forEachFreed { body(.freedSeat($0, $1, $2, until: $3, at: $4)) }
            let (payments, cancellations) = (state.payments.forgottenCount, state.cancellations.forgottenCount)
            if payments > 0 || cancellations > 0 {
                body(.forgotten(payments: UInt64(payments), cancellations: UInt64(cancellations)))
            }
        }
        if self.points.debited > .zero || self.points.credited > .zero {
            body(.pointTotals(debited: self.points.debited, credited: self.points.credited))
        }
        self.points.forEachLine(
            forgotten: { body(.historyForgotten($0, charged: $1, used: $2)) },
            { body(.historyLine($0, $1)) }
        )
        for (slot, marks) in self.points.transfers.marks { body(.transferMarks(slot, marks)) }
        self.points.transfers.forEach { body(.transfer($0, $1)) }
        for decision in self.transfers.decisions {
            body(.transfersDecided(decision.slot, shard: UInt16(decision.shard), counter: decision.counter))
        }
        self.answers.forEach { body(.answer($0)) }
    }

    /// Why a fact can't be applied here; nil when it can, as far as catalogue and slots go. O(1).
    public func misfit(of fact: Fact) -> SnapshotError? {
        switch fact {
        case .joined(let concert, _, _, _), .admitted(let concert, _, _), .left(let concert, _, _),
            .lapsed(let concert, _, _), .released(let concert, _, _, _), .paymentDone(let concert, _, _, _),
            .paymentRefused(let concert, _, _), .cancelDone(let concert, _, _, _),
            .cancelRefused(let concert, _, _):
            self.misfit(of: concert)
        case .paymentStarted(let order): self.misfit(of: order.concert)
        case .cancelStarted(let order): self.misfit(of: order.concert)
        case .held(let concert, let reservation): self.misfit(of: concert) ?? self.misfit(of: reservation, in: concert)
        case .charged(let user, _, _, _, _), .used(let user, _, _, _), .debited(let user, _, _, _, _),
            .debitRefused(let user, _, _), .credited(let user, _, _, _, _):
            self.misfit(of: user)
        case .transferred(let order, _, _), .transferRefused(let order, _): self.misfit(of: order.user)
        case .idsSkipped: nil
        // Comes with facts that are checked; alone, it is a refusal.
        case .answered: nil
        }
    }

    func misfit(of concert: ConcertID) -> SnapshotError? {
        guard self.concerts[concert] == nil else { return nil }
        guard self.catalogue.contains(concert) else {
            return SnapshotError("concert \(concert) has a history here, but is not in the catalogue: put it back")
        }
        return SnapshotError(
            "concert \(concert) has a history here, but belongs to another of \(self.slots.shardCount) shards"
        )
    }

    func misfit(of reservation: Reservation, in concert: ConcertID) -> SnapshotError? {
        self.misfit(of: reservation.seat, on: reservation.schedule, in: concert)
    }

    func misfit(of seat: SeatID, on id: ScheduleID, in concert: ConcertID) -> SnapshotError? {
        guard let schedule = self.concerts[concert]?.seats.schedule(id) else {
            return SnapshotError(
                "schedule \(id) of concert \(concert) has reservations, but is not in the catalogue: "
                    + "put it back"
            )
        }
        guard schedule.hall.section(of: seat) == nil else { return nil }
        return SnapshotError(
            "seat \(seat) on schedule \(id) has a reservation, but is not in the hall: "
                + "put it back"
        )
    }

    func misfit(of user: UserID) -> SnapshotError? {
        guard self.slots.shard(of: Slot(of: user)) != self.index else { return nil }
        return SnapshotError(
            "user \(user) has a history here, but belongs to another of \(self.slots.shardCount) shards"
        )
    }
}

/// Builds a shard from the items of a snapshot, in their order. Traps on items that no shard wrote; a snapshot's bytes
/// are checked by its reader before.
///
///     restoration ──take, once an item──▶ ... ──finish──▶ shard, ready for the facts after the snapshot
public final class ShardRestoration {
    private var shard: Shard
    private let fresh: () -> Shard
    private var concert: ConcertState?
    private var concertHead: (totals: Line.Totals, admissionDue: Timestamp)?

    /// `fresh` makes an empty shard.
    public init(_ fresh: @escaping () -> Shard) {
        self.fresh = fresh
        self.shard = fresh()
        precondition(self.shard.lastFactAt == .distantPast, "a shard that has a history is not restored")
    }

    /// Refuses items that today's catalogue or slots have no room for.
    public func restore(_ item: SnapshotItem) throws(SnapshotError) {
        switch item {
        case .time(let time): self.shard.restore(time: time)
        case .counter(let slot, let counter): self.shard.restore(counter, of: slot)
        case .concert(let id, let totals, let due, let refused):
            if let misfit = self.shard.misfit(of: id) { throw misfit }
            self.endConcert()
            let state = self.shard.concerts[id]!
            state.payments.restore(refusedCount: Int(refused))
            self.concert = state
            self.concertHead = (totals, due)
        case .person(let entry): self.current.line.restore(entry)
        case .reservation(let reservation):
            let state = self.current
            if let misfit = self.shard.misfit(of: reservation, in: state.concert.id) { throw misfit }
            state.seats.restore(reservation)
        case .payment(let order, let balance):
            self.current.payments.restore(order, balance: balance)
            if balance == nil { self.shard.transfers.restore(Transfer(order)) }
        case .cancellation(let order, let balance):
            let state = self.current
            state.cancellations.restore(order, balance: balance) { state.seats[$0] != nil }
            if balance == nil { self.shard.transfers.restore(Transfer(order)) }
        case .freedSeat(let schedule, let seat, let user, let until, let at):
            let state = self.current
            if let misfit = self.shard.misfit(of: seat, on: schedule, in: state.concert.id) { throw misfit }
            state.seats.restoreFreed(schedule, seat, user, until: until, at: at)
        case .forgotten(let payments, let cancellations):
            self.current.payments.restore(forgottenCount: Int(payments))
            self.current.cancellations.restore(forgottenCount: Int(cancellations))
        case .historyForgotten(let user, let charged, let used):
            if let misfit = self.shard.misfit(of: user) { throw misfit }
            self.shard.points.restore(user, forgottenCharged: charged, used: used)
        case .pointTotals(let debited, let credited): self.shard.points.restore(debited: debited, credited: credited)
        case .historyLine(let user, let entry):
            if let misfit = self.shard.misfit(of: user) { throw misfit }
            self.shard.points.restore(user, entry)
        case .debit(let payment, .done(let balance)):
            self.restore(TransferID(payment), .debit, .moved(balance: balance))
        case .debit(let payment, .refused): self.restore(TransferID(payment), .debit, .refused)
        case .credit(let cancellation, let balance):
            self.restore(TransferID(cancellation), .credit, .moved(balance: balance))
        case .transferMarks(let slot, let marks): self.shard.points.restore(marks, of: slot)
        case .transfer(let id, let entry): self.shard.points.restore(id, entry)
        case .transfersDecided(let slot, let shard, let counter):
            self.shard.transfers.restore(decided: counter, slot: slot, by: Int(shard))
        case .answer(let answer): self.shard.answers.restore(answer)
        }
    }

    /// All items are in. The restoration begins anew.
    public func finish() -> Shard {
        self.endConcert()
        let slots = self.shard.slots
        self.shard.transfers.endRestoring { slots.shard(of: Slot(of: $0)) }
        var shard = self.fresh()
        swap(&shard, &self.shard)
        return shard
    }

    /// In the format of earlier versions.
    private func restore(_ id: TransferID, _ direction: Transfer.Direction, _ outcome: TransferLedger.Outcome) {
        self.shard.points.restore(id, TransferLedger.Entry(direction: direction, outcome: outcome))
    }

    private var current: ConcertState {
        guard let concert = self.concert else {
            preconditionFailure("a snapshot's concerts come before what is theirs")
        }
        return concert
    }

    private func endConcert() {
        guard let concert = self.concert, let head = self.concertHead else { return }
        concert.line.endRestoring(totals: head.totals, admissionDue: head.admissionDue)
        concert.retireAllPurchases()
        self.concert = nil
    }
}
