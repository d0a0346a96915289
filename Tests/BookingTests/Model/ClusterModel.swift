@testable import Booking

/// The specification of a whole cluster, as simple as possible: lists, scanned from end to end, no stored counts. Of
/// shards it knows only which users live with which concert, since that decides when a payment is decided.
struct ClusterModel {
    struct Person {
        let user: UserID
        let place: Place
        let joinedAt: Timestamp
        /// When they were last seen, in steps of a second.
        var seenAt: Timestamp
        var admittedAt: Timestamp?
        var isGone = false
        var isWaiting: Bool { !self.isGone && self.admittedAt == nil }
    }

    struct ConcertModel {
        let concert: Concert
        /// Everyone who ever joined: the person at place 1 first.
        var people: [Person] = []
        var reservations: [Reservation] = []
        /// Reservations that are over and forgotten.
        var forgotten: Set<ReservationID> = []
        /// Until when cancelled purchases are remembered, once all of a payment are cancelled.
        var refundedUntil: [ReservationID: Timestamp] = [:]
        /// Reservations whose seat became free, in that order.
        var freed: [(reservation: Reservation, at: Timestamp)] = []
        /// When the next admission is due.
        var due: Timestamp
        var resumedAt = Timestamp.distantPast
        var rules: ConcertRules { self.concert.rules }
    }

    struct Payment {
        enum Fate: Equatable { case underWay, done(balance: Won), refused }
        let id: PaymentID
        let concert: ConcertID
        let user: UserID
        let place: Place
        let reservations: [ReservationID]
        let amount: Won
        let at: Timestamp
        var askedAt: Timestamp
        var fate = Fate.underWay
        var waiters: [Shard.Origin] = []
    }

    struct Cancellation {
        let id: CancellationID
        let concert: ConcertID
        let user: UserID
        let reservations: [ReservationID]
        let amount: Won
        let at: Timestamp
        var askedAt: Timestamp
        /// Nil while it is under way.
        var balance: Won?
        var waiters: [Shard.Origin] = []
    }

    let livesWith: (ConcertID, UserID) -> Bool
    var concerts: [ConcertModel]
    var payments: [Payment] = []
    var cancellations: [Cancellation] = []
    private(set) var debits: [(payment: PaymentID, amount: Won, reply: Reply)] = []
    var credits: [(cancellation: CancellationID, reply: Reply)] = []
    var histories: [(user: UserID, entry: HistoryEntry)] = []
    private var idsGiven: [Slot: UInt64] = [:]

    init(_ catalogue: Catalogue, livesWith: @escaping (ConcertID, UserID) -> Bool) {
        self.concerts = catalogue.concerts.map { ConcertModel(concert: $0, due: .distantPast) }
        self.livesWith = livesWith
    }

    /// Nil when the answer comes with the payment's.
    mutating func answer(_ request: Request, from origin: Shard.Origin, at now: Timestamp) -> Reply? {
        switch request {
        case .join(let concert, let user): self.on(concert, now) { .joined($0.join(user, now)) }
        case .poll(let pass): self.withConcertForRead(pass.concert, now) { $0.poll(pass, now) }
        case .leave(let pass): self.on(pass.concert, now) { $0.leave(pass, now) }
        case .schedules(let concert): self.withConcertForRead(concert, now) { .schedules($0.remaining) }
        case .seats(let concert, let schedule):
            self.withConcertForRead(concert, now) {
                $0.statuses(schedule).map { .seats($0) } ?? .refused(.noSuchSchedule)
            }
        case .reserve(let pass, let schedule, let seats): self.reserve(pass, schedule, seats, now)
        case .release(let pass, let ids): self.on(pass.concert, now) { $0.release(pass, ids, now) }
        case .reservations(let concert, let user):
            self.withConcertForRead(concert, now) { concert in
                .reservations(concert.reservations.filter { $0.user == user && !concert.forgotten.contains($0.id) })
            }
        case .pay(let pass, let ids): self.pay(pass, ids, origin, now)
        case .cancel(let concert, let user, let ids): self.cancel(concert, user, ids, origin, now)
        case .charge(let user, let amount, let type): self.charge(user, amount, type, now)
        case .use(let user, let amount): self.use(user, amount, now)
        case .balance(let user):
            .balance(Balance(balance: self.balance(user), updatedAt: self.history(user).last?.at))
        case .history(let user, let query):
            .history(
                Array(
                    self.history(user).suffix(SmallWorld.recordLimits.historyLinesPerUserMax).reversed()
                        .filter { query.only == nil || $0.type == query.only }
                        .dropFirst(Int(query.page * query.size))
                        .prefix(Int(query.size))
                )
            )
        case .transfer(let order) where order.direction == .debit:
            self.debit(PaymentID(order.id.rawValue), order.user, order.amount, now)
        case .transfer(let order): self.credit(CancellationID(order.id.rawValue), order.user, order.amount, now)
        case .transfersSeen: .transfersSeen([])
        case .claim: .claimed
        }
    }

    // MARK: Time

    /// A shard's tick; returns the payments and cancellations that it sends again, in the order of their ids.
    mutating func tick(_ concerts: [ConcertID], at now: Timestamp) -> [TransferID] {
        for index in self.concerts.indices where concerts.contains(self.concerts[index].concert.id) {
            self.concerts[index].settle(now)
        }
        var asked: [TransferID] = []
        for index in self.payments.indices where concerts.contains(self.payments[index].concert) {
            guard self.payments[index].fate == .underWay else { continue }
            guard now - self.payments[index].askedAt >= Transfers.patience else { continue }
            self.payments[index].askedAt = now
            asked.append(TransferID(self.payments[index].id))
        }
        for index in self.cancellations.indices where concerts.contains(self.cancellations[index].concert) {
            guard self.cancellations[index].balance == nil else { continue }
            guard now - self.cancellations[index].askedAt >= Transfers.patience else { continue }
            self.cancellations[index].askedAt = now
            asked.append(TransferID(self.cancellations[index].id))
        }
        return asked.sorted()
    }

    /// A shard restarts from its facts: waiting requests and last polls are lost.
    mutating func restart(_ concerts: [ConcertID], at now: Timestamp) {
        for index in self.concerts.indices where concerts.contains(self.concerts[index].concert.id) {
            self.concerts[index].resumedAt = now
            for person in self.concerts[index].people.indices {
                self.concerts[index].people[person].seenAt = self.concerts[index].people[person].joinedAt
            }
        }
        for index in self.payments.indices where concerts.contains(self.payments[index].concert) {
            self.payments[index].waiters = []
            self.payments[index].askedAt = self.payments[index].at
        }
        for index in self.cancellations.indices where concerts.contains(self.cancellations[index].concert) {
            self.cancellations[index].waiters = []
            self.cancellations[index].askedAt = self.cancellations[index].at
        }
    }

    /// The payments and cancellations whose points have not moved, in the order of their ids.
    func underWay(where isMeant: (ConcertID, UserID) -> Bool) -> [TransferID] {
        let payments = self.payments.filter { $0.fate == .underWay && isMeant($0.concert, $0.user) }
        let cancellations = self.cancellations.filter { $0.balance == nil && isMeant($0.concert, $0.user) }
        return (payments.map { TransferID($0.id) } + cancellations.map { TransferID($0.id) }).sorted()
    }

    var underWay: [TransferID] { self.underWay { _, _ in true } }

    // MARK: Seats

    private mutating func reserve(_ pass: Pass, _ schedule: ScheduleID, _ seats: [SeatID], _ now: Timestamp) -> Reply {
        guard let index = self.index(pass.concert) else { return .refused(.unknownConcert) }
        self.concerts[index].settle(now)
        if let refusal = self.concerts[index].refusal(of: seats, on: schedule, for: pass, now) {
            return .refused(refusal)
        }
        let holds = seats.map { seat in
            Reservation(
                id: ReservationID(self.nextID(self.concerts[index].concert.slot)),
                user: pass.user,
                schedule: schedule,
                seat: seat,
                price: SmallWorld.hall.section(of: seat)!.price,
                grade: SmallWorld.hall.section(of: seat)!.grade,
                heldAt: now,
                until: min(
                    now + self.concerts[index].rules.holdTime,
                    self.concerts[index].deadlineKept(seat, schedule, pass.user, now) ?? .distantFuture
                )
            )
        }
        self.concerts[index].reservations += holds
        self.concerts[index].forget(now)
        return .reservations(holds)
    }

    // MARK: Payments

    private mutating func pay(
        _ pass: Pass,
        _ ids: [ReservationID],
        _ origin: Shard.Origin,
        _ now: Timestamp
    ) -> Reply? {
        guard let index = self.index(pass.concert) else { return .refused(.unknownConcert) }
        self.concerts[index].settle(now)
        let concert = self.concerts[index]
        let noEntry = concert.refusal(pass)
        if let refusal = concert.refusal(of: ids, for: pass.user) { return .refused(noEntry ?? refusal) }
        let same = self.payments.firstIndex { payment in
            payment.fate != .refused && Set(payment.reservations) == Set(ids) && payment.concert == pass.concert
        }
        if let same {
            if case .done(let balance) = self.payments[same].fate { return self.receipt(self.payments[same], balance) }
            self.payments[same].waiters.append(origin)
            return nil
        }
        if let noEntry { return .refused(noEntry) }
        let reservations = ids.map { id in concert.reservations.first { $0.id == id }! }
        for reservation in reservations {
            if reservation.status == .cancelled {
                return .refused(reservation.payment == nil ? .holdExpired : .alreadyCancelled)
            }
            if reservation.status == .paid { return .refused(.alreadyPaid) }
            if reservation.payment != nil { return .refused(.paymentInProgress) }
        }
        let payment = Payment(
            id: PaymentID(self.nextID(concert.concert.slot)),
            concert: pass.concert,
            user: pass.user,
            place: pass.place,
            reservations: ids,
            amount: Won(reservations.map(\.price.rawValue).reduce(0, +)),
            at: now,
            askedAt: now,
            waiters: [origin]
        )
        self.payments.append(payment)
        self.concerts[index].change(ids) { $0.payment = payment.id }
        guard self.livesWith(pass.concert, pass.user) else { return nil }
        let debited = self.debit(payment.id, pass.user, payment.amount, now)
        return self.finish(TransferID(payment.id), debited, at: now)[0].reply
    }

    /// The first answer of the user's shard counts; it never changes.
    private mutating func debit(_ payment: PaymentID, _ user: UserID, _ amount: Won, _ now: Timestamp) -> Reply {
        if let earlier = self.debits.first(where: { $0.payment == payment }) { return earlier.reply }
        var reply = Reply.refused(.insufficientPoints)
        if self.balance(user) >= amount {
            let id = PointHistoryID(self.nextID(Slot(of: user)))
            if amount > .zero {
                let entry = HistoryEntry(id: id, amount: amount, type: .use, paymentType: .free, at: now)
                self.histories.append((user, entry))
            }
            reply = .debited(self.balance(user))
        }
        self.debits.append((payment, amount, reply))
        return reply
    }

    /// The answer of the user's shard has arrived; returns the late replies and their receivers.
    mutating func finish(_ id: TransferID, _ reply: Reply, at now: Timestamp) -> [Shard.LateReply] {
        guard let position = self.payments.firstIndex(where: { $0.id.rawValue == id.rawValue }) else {
            return self.finishCancelling(id, reply, now)
        }
        let payment = self.payments[position]
        guard payment.fate == .underWay, let index = self.index(payment.concert) else { return [] }
        let answer: Reply
        if case .debited(let balance) = reply {
            self.payments[position].fate = .done(balance: balance)
            self.concerts[index].change(payment.reservations) { $0.status = .paid }
            let place = Int(payment.place.rawValue) - 1
            if !self.concerts[index].people[place].isGone { self.concerts[index].releaseHolds(of: payment.user, now) }
            self.concerts[index].people[place].isGone = true
            answer = self.receipt(payment, balance)
        } else {
            self.payments[position].fate = .refused
            self.concerts[index].change(payment.reservations) { $0.payment = nil }
            if !self.concerts[index].isInside(payment.user) { self.concerts[index].releaseHolds(of: payment.user, now) }
            answer = .refused(.insufficientPoints)
        }
        self.concerts[index].settle(now)
        return payment.waiters.map { Shard.LateReply(origin: $0, kind: .pay, reply: answer) }
    }

    private func receipt(_ payment: Payment, _ balance: Won) -> Reply {
        let concert = self.concerts[self.index(payment.concert)!]
        // As they were at that time.
        let reservations = payment.reservations.map { id in
            var reservation = concert.reservations.first { $0.id == id }!
            reservation.status = .paid
            return reservation
        }
        return .paid(
            Receipt(user: payment.user, amount: payment.amount, balance: balance, reservations: reservations)
        )
    }

    // MARK: Points

    func history(_ user: UserID) -> [HistoryEntry] { self.histories.filter { $0.user == user }.map(\.entry) }

    func balance(_ user: UserID) -> Won {
        Won(self.history(user).map { $0.type == .charge ? $0.amount.rawValue : -$0.amount.rawValue }.reduce(0, +))
    }

    private mutating func charge(_ user: UserID, _ amount: Won, _ type: PaymentType, _ now: Timestamp) -> Reply {
        if amount.rawValue <= 0 { return .refused(.chargeNotPositive) }
        if amount.rawValue > 2_000_000 { return .refused(.chargeTooLarge) }
        if (self.balance(user) + amount).rawValue > 100_000_000 { return .refused(.balanceTooLarge) }
        return self.move(user, amount, .charge, type, now)
    }

    private mutating func use(_ user: UserID, _ amount: Won, _ now: Timestamp) -> Reply {
        if amount.rawValue <= 0 { return .refused(.useNotPositive) }
        if amount > self.balance(user) { return .refused(.insufficientPoints) }
        return self.move(user, amount, .use, .free, now)
    }

    private mutating func move(
        _ user: UserID,
        _ amount: Won,
        _ type: TransactionType,
        _ paymentType: PaymentType,
        _ now: Timestamp
    ) -> Reply {
        let id = PointHistoryID(self.nextID(Slot(of: user)))
        let entry = HistoryEntry(id: id, amount: amount, type: type, paymentType: paymentType, at: now)
        self.histories.append((user, entry))
        let balance = self.balance(user)
        return .points(PointsChange(amount: amount, balance: balance, type: type, paymentType: paymentType, at: now))
    }

    // MARK: Helpers

    func index(_ concert: ConcertID) -> Int? { self.concerts.firstIndex { $0.concert.id == concert } }

    private mutating func on(_ concert: ConcertID, _ now: Timestamp, _ answer: (inout ConcertModel) -> Reply) -> Reply {
        self.withConcertForRead(concert, now) { concert in
            concert.admit(now)
            return answer(&concert)
        }
    }

    private mutating func withConcertForRead(
        _ concert: ConcertID,
        _ now: Timestamp,
        _ answer: (inout ConcertModel) -> Reply
    ) -> Reply {
        guard let index = self.index(concert) else { return .refused(.unknownConcert) }
        self.concerts[index].lapse(now)
        return answer(&self.concerts[index])
    }

    /// The slot in the high bits, and a number of that slot that only goes up in the low 38.
    mutating func nextID(_ slot: Slot) -> UInt64 {
        self.idsGiven[slot, default: 0] += 1
        return UInt64(slot.rawValue) * 274_877_906_944 + self.idsGiven[slot]!
    }
}
