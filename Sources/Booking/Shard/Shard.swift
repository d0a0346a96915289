/// One shard: the concerts and users of its slots. Pure: time comes in as an argument, and output leaves through
/// `facts`, `transfersToSend`, `lateReplies`, `peersToAsk` and `alerts`.
///
///     request ──decide──▶ facts recorded (and applied) ──▶ reply, once the facts are durable
///
/// A command is decided against the state and records its changes as facts; the state changes only by applying a fact.
/// So a restart that applies the journal's facts, and then resumes, ends in the same state, whatever the version would
/// decide today.
///
/// The shell's duty, in this order: make `facts` durable; send the replies that `decide` returned in the same batch,
/// then `lateReplies`; send `transfersToSend` to the shards of their users. Each may be sent any number of times.
public struct Shard: ~Copyable {
    public let index: Int
    public let slots: SlotMap
    public let catalogue: Catalogue

    private(set) var concerts: [ConcertID: ConcertState] = [:]
    /// In the order of ids, so that the facts of a tick do not depend on a dictionary's layout.
    let concertsInOrder: [ConcertState]
    var points: Points
    var answers: IdempotencyStore
    /// Only while the journal can't write: see `doubt`.
    var indeterminateResults: IdempotencyStore?
    /// The last id given in each slot.
    private(set) var counters: [UInt64]
    /// The counters of the copy from which this shard started, before it skipped any.
    private(set) var countersOfCopy: [UInt64]?
    /// Set for a copy that has not skipped ids yet: see `declareCopy`.
    private var copyChance: UInt64?
    /// The time without facts before the state was restored.
    private(set) var restedFor = Nanoseconds.zero
    /// The state's own time: never goes back.
    private(set) var now = Timestamp.distantPast
    /// The time of the last fact: the part of `now` that a replay restores.
    public private(set) var lastFactAt = Timestamp.distantPast

    /// Facts recorded since the shell last took them, in order.
    public private(set) var facts: [Fact] = []
    /// Orders for other shards.
    public internal(set) var transfersToSend: [TransferOrder] = []
    /// Answers to requests for which `decide` returned none.
    public internal(set) var lateReplies: [LateReply] = []

    /// Payments and cancellations whose points are on the way.
    var transfers = Transfers()

    /// The shards that have said, since this one's start, which of its ids they have seen: see `Shard+Peers`.
    var isHeard: [Bool]
    var unheardCount: Int
    /// Requests that wait for a shard to be heard.
    var deferred: [Int: [Deferred]] = [:]
    var peersToAsk: [Int] = []
    var alerts: [Alert] = []
    /// Cancellations with an alert.
    var creditsForgotten: Set<TransferID> = []

    /// The origin of a request: the shell's number for the link, and the request's id on it.
    public struct Origin: Hashable, Sendable {
        public let link: UInt32
        public let request: UInt64
        public init(link: UInt32, request: UInt64) {
            self.link = link
            self.request = request
        }
    }

    public struct LateReply: Equatable, Sendable {
        public let origin: Origin
        /// The request's kind.
        public let kind: Request.Kind
        public let reply: Reply
    }

    /// Places that lapse in one step, at most, so that a mass expiry never blocks the loop: at 100 ticks a second this
    /// clears 25,000 people a second.
    static let lapsesPerStepMax = 256
    /// Reservations of a user in one answer, the newest: it must fit a frame, which has room for 3,900 whose grades
    /// have long names.
    public static let reservationsShownMax = 1_000

    /// `hashSeed` is random and secret, so that clients can't choose user ids that collide; no answer depends on it.
    public init(
        index: Int,
        slots: SlotMap,
        catalogue: Catalogue,
        answerLimits: AnswerLimits = AnswerLimits(),
        recordLimits: RecordLimits = RecordLimits(),
        transfersKeptMax: Int = TransferLedger.movedMax,
        hashSeed: UInt64
    ) {
        precondition((0..<slots.shardCount).contains(index), "shard \(index) of \(slots.shardCount)")
        self.index = index
        self.slots = slots
        self.catalogue = catalogue
        self.answers = IdempotencyStore(answerLimits)
        self.points = Points(
            historyLinesPerUserMax: recordLimits.historyLinesPerUserMax,
            transfersKeptMax: transfersKeptMax
        )
        self.counters = Array(repeating: 0, count: Slot.count)
        self.isHeard = (0..<slots.shardCount).map { $0 == index }
        self.unheardCount = slots.shardCount - 1
        self.concertsInOrder = catalogue.concerts
            .filter { slots.shard(of: $0.slot) == index }
            .map { ConcertState($0, limits: recordLimits, hashSeed: hashSeed) }
        for state in self.concertsInOrder { self.concerts[state.concert.id] = state }
    }

    // MARK: Deciding

    /// Answers a request; nil when the answer comes later, through `lateReplies`. A repeated change with the same
    /// `operation` is carried out once and gets the same answer.
    public mutating func decide(
        _ request: Request,
        from origin: Origin,
        as operation: Operation? = nil,
        at time: Timestamp
    ) -> Reply? {
        self.now = max(self.now, time)
        if self.unheardCount > 0, let shard = self.unheardPeer(of: request) {
            return self.wait(request, origin, operation, for: shard)
        }
        guard let operation, request.isKept(for: operation.owner) else { return self.answer(request, origin) }
        return self.decideOnce(request, operation, origin)
    }

    mutating func answer(_ request: Request, _ origin: Origin) -> Reply? {
        switch request {
        case .join(let concert, let user): self.withConcert(concert) { $0.join($1, user) }
        case .poll(let pass): self.withConcertForRead(pass.concert) { $0.poll($1, pass) }
        case .leave(let pass): self.withConcert(pass.concert) { $0.leave($1, pass) }
        case .schedules(let concert): self.withConcertForRead(concert) { .schedules($1.seats.remaining) }
        case .seats(let concert, let schedule): self.withConcertForRead(concert) { $0.statuses($1, schedule) }
        case .reserve(let pass, let schedule, let seats):
            self.withConcert(pass.concert) { $0.reserve($1, pass, schedule, seats) }
        case .release(let pass, let ids): self.withConcert(pass.concert) { $0.release($1, pass, ids) }
        case .reservations(let concert, let user):
            self.withConcertForRead(concert) {
                .reservations($1.seats.reservations(of: user, max: Self.reservationsShownMax))
            }
        case .pay(let pass, let ids): self.withConcert(pass.concert) { $0.pay($1, pass, ids, origin) }
        case .cancel(let concert, let user, let ids):
            self.withConcert(concert) { $0.cancel($1, user, ids, origin) }
        case .charge(let user, let amount, let type): self.withUser(user) { $0.charge(user, amount, type) }
        case .use(let user, let amount): self.withUser(user) { $0.use(user, amount) }
        case .balance(let user): self.withUser(user) { .balance($0.points.balance(of: user)) }
        case .history(let user, let query): self.withUser(user) { .history($0.points.history(of: user, query)) }
        case .transfer(let order): self.withUser(order.user) { $0.carryOut(order) }
        case .transfersSeen(let shard): self.transfersSeen(by: shard)
        // Its only effect is that its operation is kept.
        case .claim(let user, _): self.withUser(user) { _ in .claimed }
        }
    }

    /// The shell's clock tick: admits people, lets places and holds lapse, and retries transfers without an answer.
    public mutating func tick(at time: Timestamp) {
        self.now = max(self.now, time)
        for state in self.concertsInOrder { self.settle(state) }
        while let transfer = self.transfers.popUnanswered(at: self.now) { self.ask(for: transfer) }
    }

    /// The journal is a restored copy, and its original may have gone on: ids that are not in it may be in use, so the
    /// next `resume` skips them. `chance` is random, for a copy that is restored twice at the same clock reading.
    public mutating func declareCopy(chance: UInt64) { self.copyChance = chance }

    /// A restart has applied all facts, the journal can write again, or the clock is trusted again: everyone waiting
    /// counts as seen now, since no poll could be counted meanwhile.
    public mutating func resume(at time: Timestamp) {
        self.indeterminateResults = nil
        self.now = max(self.now, time)
        if self.lastFactAt != .distantPast { self.restedFor = max(self.restedFor, time - self.lastFactAt) }
        for shard in self.isHeard.indices where !self.isHeard[shard] { self.peersToAsk.append(shard) }
        for state in self.concertsInOrder { state.line.resume(at: self.now) }
        guard let chance = self.copyChance.take(), self.lastFactAt != .distantPast else { return }
        self.countersOfCopy = self.countersOfCopy ?? self.counters
        self.skipIDs(beyond: chance % Self.idsSkippedByChanceMax)
    }

    /// Moves all output to the caller; storage is kept for the next batch.
    public mutating func drain(
        facts: (Fact) -> Void,
        transfers: (TransferOrder) -> Void,
        lateReplies: (LateReply) -> Void
    ) {
        for fact in self.facts { facts(fact) }
        for transfer in self.transfersToSend { transfers(transfer) }
        for reply in self.lateReplies { lateReplies(reply) }
        self.forgetOutput()
    }

    /// Forgets `facts`, `transfersToSend` and `lateReplies`, which the caller has; storage is kept for the next batch.
    public mutating func forgetOutput() {
        self.facts.removeAll(keepingCapacity: true)
        self.transfersToSend.removeAll(keepingCapacity: true)
        self.lateReplies.removeAll(keepingCapacity: true)
    }

    // MARK: Shared by the verbs

    /// For changes. Expired places and holds go first, then people are admitted as the rate allows: no change depends
    /// on when the last tick was.
    private mutating func withConcert(_ id: ConcertID, _ answer: (inout Shard, ConcertState) -> Reply?) -> Reply? {
        self.withConcertForRead(id) { shard, state in
            shard.admit(state)
            return answer(&shard, state)
        }
    }

    /// For reads. Expired places and holds go, but admission is left to changes and ticks: otherwise the first poll
    /// after an admission falls due would bring a fact, and a commit for which all answers wait. With eight lines at 50
    /// admissions a second that is 400 commits a second, where the ticks have 100.
    private mutating func withConcertForRead(_ id: ConcertID, _ answer: (inout Shard, ConcertState) -> Reply?) -> Reply?
    {
        guard let state = self.concerts[id] else { return .refused(self.refusal(of: id)) }
        self.lapse(state)
        return answer(&self, state)
    }

    /// Why a concert is not on this shard.
    func refusal(of concert: ConcertID) -> Refusal { self.catalogue.contains(concert) ? .wrongShard : .unknownConcert }

    private mutating func withUser(_ id: UserID, _ answer: (inout Shard) -> Reply?) -> Reply? {
        guard self.shard(of: id) == self.index else { return .refused(.wrongShard) }
        return answer(&self)
    }

    /// Time never goes back.
    mutating func advance(to time: Timestamp) { self.now = max(self.now, time) }

    mutating func record(_ fact: consuming Fact) {
        self.apply(fact)
        self.facts.append(fact)
    }

    /// The next id of a slot. It counts as given once a fact with it is applied.
    func nextID(in slot: Slot) -> UInt64 { SlotIDs.make(slot, counter: self.counters[Int(slot.rawValue)] + 1) }

    /// Ids of a slot only increase, so none is ever given twice, also after a replay.
    private mutating func noteGiven(_ id: UInt64, in slot: Slot) {
        precondition(SlotIDs.slot(of: id) == slot, "id \(id) is not one of slot \(slot)")
        let counter = SlotIDs.counter(of: id)
        precondition(counter > self.counters[Int(slot.rawValue)], "id \(id) was given before")
        self.counters[Int(slot.rawValue)] = counter
    }

    func shard(of user: UserID) -> Int { self.slots.shard(of: Slot(of: user)) }

    /// Ends expired places and holds, then admits people as the rate allows: both make room for the next.
    mutating func settle(_ state: ConcertState) {
        self.lapse(state)
        self.admit(state)
    }

    private mutating func lapse(_ state: ConcertState) {
        while let hold = state.seats.firstLapsed(at: self.now) { self.release(hold, .lapsed, state) }
        guard state.line.quietUntil <= self.now else { return }
        for _ in 0..<Self.lapsesPerStepMax {
            guard let entry = state.line.firstExpired(at: self.now) else { return state.line.noteQuiet() }
            if case .admitted = entry.state, let last = state.seats.lastDeadline(of: entry.user) {
                state.line.linger(entry.place, until: last, at: self.now)
            } else {
                self.record(.lapsed(state.concert.id, entry.place, at: self.now))
            }
        }
    }

    mutating func admit(_ state: ConcertState) {
        while let place = state.line.nextAdmission(at: self.now) {
            self.record(.admitted(state.concert.id, place, at: self.now))
        }
    }

    // MARK: Taking in facts

    /// The only place where the state changes. Traps on an impossible fact: the journal would be wrong.
    public mutating func apply(_ fact: Fact) {
        self.now = max(self.now, fact.at)
        self.lastFactAt = max(self.lastFactAt, fact.at)
        self.answers.passTime(to: self.lastFactAt)
        switch fact {
        case .joined(let concert, let user, let place, let at):
            self.state(concert).line.applyJoined(user, place: place, at: at)
        case .admitted(let concert, let place, let at): self.state(concert).line.applyAdmitted(place, at: at)
        case .left(let concert, let place, let at): self.state(concert).line.applyLeft(place, at: at)
        case .lapsed(let concert, let place, let at): self.state(concert).line.applyExpired(place, at: at)
        case .held(let concert, let reservation):
            let state = self.state(concert)
            state.seats.applyHeld(reservation)
            state.forget(at: reservation.heldAt)
            self.noteGiven(reservation.id.rawValue, in: state.concert.slot)
        case .released(let concert, let id, _, let at):
            let state = self.state(concert)
            state.seats.applyReleased(id, at: at)
            state.forget(at: at)
        case .paymentStarted(let order): self.applyStarted(order)
        case .paymentDone(let concert, let payment, let balance, let at):
            let state = self.state(concert)
            let order = state.payments.applyDone(payment, balance: balance)
            for id in order.reservations { state.seats.applySold(id, by: payment) }
            // The place may have lapsed, or been left, while the user's shard was asked.
            if state.line.entry(at: order.place) != nil { state.line.applyUsedUp(order.place, at: at) }
            self.end(TransferID(payment), of: order.user)
        case .paymentRefused(let concert, let payment, _):
            let state = self.state(concert)
            let order = state.payments.applyRefused(payment)
            for id in order.reservations { state.seats.applyUnpinned(id, by: payment) }
            self.end(TransferID(payment), of: order.user)
        case .cancelStarted(let order):
            let state = self.state(order.concert)
            state.cancellations.applyStarted(order)
            self.noteGiven(order.id.rawValue, in: state.concert.slot)
            self.begin(Transfer(order))
        case .cancelDone(let concert, let cancellation, let balance, let at):
            let state = self.state(concert)
            let order = state.cancellations.applyDone(cancellation, balance: balance)
            for id in order.reservations { state.seats.applyCancelled(id, at: at) }
            state.retirePurchases(of: order)
            state.forget(at: at)
            self.end(TransferID(cancellation), of: order.user)
        case .cancelRefused(let concert, let cancellation, _):
            let order = self.state(concert).cancellations.applyRefused(cancellation)
            self.end(TransferID(cancellation), of: order.user)
        case .charged(let user, let id, let amount, let type, let at):
            self.noteGiven(id.rawValue, in: self.ownSlot(of: user))
            self.points.applyCharged(
                user,
                HistoryEntry(id: id, amount: amount, type: .charge, paymentType: type, at: at)
            )
        case .used(let user, let id, let amount, let at):
            self.noteGiven(id.rawValue, in: self.ownSlot(of: user))
            self.points.applyUsed(user, HistoryEntry(id: id, amount: amount, type: .use, paymentType: .free, at: at))
        case .transferred(let order, let line, let at): self.applyMoved(KnownTransfer(order), order.amount, line, at)
        case .transferRefused(let order, _): self.points.applyRefused(KnownTransfer(order))
        case .debited(let user, let line, let payment, let amount, let at):
            self.applyMoved(KnownTransfer(TransferID(payment), .debit, of: user, amount: amount), amount, line, at)
        case .debitRefused(let user, let payment, _):
            self.points.applyRefused(KnownTransfer(TransferID(payment), .debit, of: user))
        case .credited(let user, let line, let cancellation, let amount, let at):
            self.applyMoved(
                KnownTransfer(TransferID(cancellation), .credit, of: user, amount: amount),
                amount,
                line,
                at
            )
        case .idsSkipped(let count, _):
            for slot in self.slots.slots(of: self.index) {
                self.counters[Int(slot)] = min(self.counters[Int(slot)] + count, SlotIDs.counterMax)
            }
        case .answered(let answer): self.answers.insert(answer)
        }
    }

    private mutating func applyStarted(_ order: PaymentOrder) {
        let state = self.state(order.concert)
        state.payments.applyStarted(order)
        for id in order.reservations { state.seats.applyPinned(id, by: order.id) }
        self.noteGiven(order.id.rawValue, in: state.concert.slot)
        self.begin(Transfer(order))
    }

    private mutating func begin(_ transfer: Transfer) {
        self.transfers.begin(transfer, to: self.shard(of: transfer.user))
    }

    private mutating func end(_ id: TransferID, of user: UserID) {
        let shard = self.shard(of: user)
        self.transfers.end(id, decidedBy: shard == self.index ? nil : shard)
    }

    private mutating func applyMoved(
        _ transfer: KnownTransfer,
        _ amount: Won,
        _ line: PointHistoryID,
        _ at: Timestamp
    ) {
        self.noteGiven(line.rawValue, in: self.ownSlot(of: transfer.user))
        // The contract has two types, by which clients add and subtract: a credit is a CHARGE. FREE, since no payment
        // provider was involved.
        let type: TransactionType = transfer.direction == .debit ? .use : .charge
        self.points.applyMoved(
            transfer,
            HistoryEntry(id: line, amount: amount, type: type, paymentType: .free, at: at)
        )
    }

    // MARK: Restoring

    mutating func restore(time: Timestamp) {
        self.now = time
        self.lastFactAt = time
    }

    mutating func restore(_ counter: UInt64, of slot: Slot) { self.counters[Int(slot.rawValue)] = counter }

    // MARK: Helpers

    private func ownSlot(of user: UserID) -> Slot {
        let slot = Slot(of: user)
        precondition(self.slots.shard(of: slot) == self.index, "user \(user) lives on another shard")
        return slot
    }

    func state(_ concert: ConcertID) -> ConcertState {
        guard let state = self.concerts[concert] else {
            preconditionFailure(
                "concert \(concert) has a history on this shard, but is not in the catalogue: put it back"
            )
        }
        return state
    }

    /// Every invariant of a shard's machines. O(state): for tests and the simulator, which may leave out the lines now
    /// and then: each looks at a thousand slots even when it is empty.
    public func checkInvariants(linesToo: Bool = true) {
        for state in self.concertsInOrder { state.checkInvariants(lineToo: linesToo) }
        self.points.checkInvariants()
        self.answers.checkInvariants()
        self.transfers.checkInvariants(
            self.concertsInOrder.flatMap { state in
                state.payments.open.map { Transfer($0) } + state.cancellations.open.map { Transfer($0) }
            }
        )
    }
}
