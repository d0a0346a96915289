import Booking

/// The books of the whole cluster, kept from the durable facts alone and as simply as possible, beside the machines and
/// independent of them.
///
///     disks ──each fact, once it is durable──▶ books ◀──each answer that a fan hears── gateways
///
/// A fact must be possible after those before it. An answer must say what the books said at one moment between the
/// request and the answer: with the journal as the order of what happened, that is linearizability, per seat, place and
/// account. The first violation is kept, and ends the run.
final class Auditor {
    /// What one shard's disk holds. The position of a fact is its number in it, from 1.
    struct Journal {
        var count = 0
        /// When each fact happened.
        var times: [Timestamp] = []
        /// Whose holds the last facts have released because the owner goes: with the next fact, at the latest.
        var leaving: Holding?
        var lastAt = Timestamp.distantPast
        /// How many facts were durable from when on.
        var marks: [(count: Int, since: Timestamp)] = []
    }

    struct Person {
        let user: UserID
        let joinedAt: Timestamp
        var admitted: (position: Int, at: Timestamp)?
        var gonePosition: Int?
        /// The last polls that reached the shard: one that certainly found the place, and one that may have.
        var polledAt = Timestamp.distantPast
        var maybePolledAt = Timestamp.distantPast
    }

    struct LineBook {
        let concert: Concert
        /// Everyone who ever joined: the person at place 1 first.
        var people: [Person] = []
        var places: [UserID: Int] = [:]
        /// The index of the first who waits, or of nobody.
        var firstWaiting = 0
        var insideCount = 0
        /// When somebody went in or out last, and when the first did.
        var insideChangedPosition = 0
        var insideChangedAt = Timestamp.distantPast
        var firstAdmission: Int?
        /// Somebody went from inside before their stay was over.
        var hasEarlyDepartures = false
        var admissions: [Timestamp] = []
    }

    /// One value, and the positions from which on it was so.
    struct Versions<Value> {
        private(set) var all: [(position: Int, value: Value)]
        var last: Value { self.all[self.all.count - 1].value }

        init(_ first: Value) { self.all = [(0, first)] }

        mutating func append(_ value: Value, at position: Int) { self.all.append((position, value)) }

        /// Some value that was true after one of the facts `window` satisfies `body`.
        func contains(in window: ClosedRange<Int>, where body: (Value) -> Bool) -> Bool {
            var index = self.all.count - 1
            while index >= 0 {
                if self.all[index].position <= window.upperBound {
                    if body(self.all[index].value) { return true }
                    if self.all[index].position <= window.lowerBound { return false }
                }
                index -= 1
            }
            return false
        }
    }

    struct ReservationBook {
        let reservation: Reservation
        let concert: ConcertID
        let heldPosition: Int
        var releasedPosition: Int?
        var soldPosition: Int?
        /// The points of a cancellation are back from here on.
        var cancelledPosition: Int?
        /// The payment that pins it or has bought it.
        var payment: PaymentID?
        var cancellation: CancellationID?
        /// Free again, whatever the reason.
        var isOver: Bool { self.releasedPosition != nil || self.cancelledPosition != nil }
    }

    /// What one user has of one concert.
    struct Holding: Hashable {
        let concert: ConcertID
        let user: UserID
    }

    /// A seat that became free: whose it was, until when, and since when it is free.
    struct Freed {
        let user: UserID
        let until: Timestamp
        let at: Timestamp
    }

    struct SeatCount {
        var held = 0
        var paid = 0
    }

    struct PaymentBook {
        enum State: Equatable { case open, done(balance: Won), refused }
        let order: PaymentOrder
        var state = State.open
    }

    struct CancellationBook {
        let order: CancellationOrder
        /// What the user had right after, once the points were back.
        var credited: Won?
        var isDone = false
    }

    struct Line { let balance: Won, entry: HistoryEntry }

    struct Debit {
        let user: UserID
        let amount: Won
        /// Nil when it was refused.
        let balance: Won?
    }

    let slots: SlotMap
    /// Every fact that every shard has now: see `Auditor+Losses`.
    var facts: [[Fact]]
    var losses = Losses()
    private(set) var violation: String?
    var journals: [Journal]
    var lines: [ConcertID: LineBook] = [:]
    var seats: [ScheduleID: Versions<[SeatStatus]>] = [:]
    var free: [ConcertID: Versions<[UInt32]>] = [:]
    var reservations: [ReservationID: ReservationBook] = [:]
    var reservationsByUser: [UserID: [ReservationID]] = [:]
    /// Neither released nor sold.
    var held: Set<ReservationID> = []
    /// Nil where a seat never became free, or is held or sold.
    var freed: [ScheduleID: [Versions<Freed?>]] = [:]
    var seatCounts: [Holding: Versions<SeatCount>] = [:]
    /// In the order in which they began.
    var payments: [PaymentID] = []
    var paymentBooks: [PaymentID: PaymentBook] = [:]
    var debits: [PaymentID: Debit] = [:]
    /// In the order in which they began.
    var cancellations: [CancellationID] = []
    var cancellationBooks: [CancellationID: CancellationBook] = [:]
    /// The empty history first.
    var accounts: [UserID: Versions<Line?>] = [:]
    var tallies: [Deed: DeedTally] = [:]
    /// What fans asked under their keys, and heard.
    var operations: [OperationID: OperationBook] = [:]
    /// Operations that a shard's facts say to be answered, by key or by a gateway's number for that shard.
    var answered: [Set<OperationID>]
    /// How long gateways wait before they give up; 0 where shards may give up, too.
    var replyTimeout = Nanoseconds.zero
    /// By shard.
    var clocks: [ClockBook]
    /// By shard.
    var duties: [DutyBook]
    /// How many keys a shard keeps.
    var answerLimits = AnswerLimits()
    /// How many of the operations that a shard has answered came by keys, and from which address.
    var keyCounts: [KeyCounts]
    /// No run is so long that a key ends in it, but clocks that jumped by days, and were right, have ended some.
    var hasForgottenKeys = false
    /// What shards remember of what is over.
    var recordLimits = RecordLimits()
    /// Since when a fan was told that so many are to go in up to a place, by concert and place; only when it got less.
    var orders: [[Place: [(since: Timestamp, order: UInt64)]]]

    init(_ slots: SlotMap) {
        self.slots = slots
        self.answered = Array(repeating: [], count: slots.shardCount)
        self.clocks = Array(repeating: ClockBook(), count: slots.shardCount)
        self.duties = Array(repeating: DutyBook(), count: slots.shardCount)
        self.keyCounts = Array(repeating: KeyCounts(), count: slots.shardCount)
        self.facts = Array(repeating: [], count: slots.shardCount)
        self.journals = Array(repeating: Journal(), count: slots.shardCount)
        self.orders = SmallWorld.catalogue.concerts.map { _ in [:] }
        for concert in SmallWorld.catalogue.concerts {
            self.lines[concert.id] = LineBook(concert: concert)
            for schedule in concert.schedules {
                self.seats[schedule.id] = Versions(Array(repeating: .available, count: schedule.hall.seatCount))
                self.freed[schedule.id] = Array(repeating: Versions(nil), count: schedule.hall.seatCount)
            }
            self.free[concert.id] = Versions(concert.schedules.map { UInt32($0.hall.seatCount) })
        }
    }

    func fail(_ what: String) { self.violation = self.violation ?? what }

    func require(_ holds: Bool, _ what: @autoclosure () -> String) { if !holds { self.fail(what()) } }

    // MARK: Questions

    func shard(of request: Request) -> Int { self.slots.shard(of: request.slot) }

    func isDebited(_ payment: PaymentID) -> Bool { self.debits[payment]?.balance != nil }
    func isCredited(_ cancellation: CancellationID) -> Bool { self.cancellationBooks[cancellation]?.credited != nil }

    /// Payments whose concert is on this shard and that are not decided, in the order in which they began.
    func openPayments(on shard: Int) -> [PaymentOrder] {
        self.payments.compactMap { self.paymentBooks[$0] }
            .filter { $0.state == .open && self.slots.shard(of: Slot(of: $0.order.concert)) == shard }
            .map(\.order)
    }

    /// A cancellation of this person's that has begun and not ended, if there is one: the oldest.
    func openCancellation(of user: UserID) -> CancellationOrder? {
        self.cancellationBooks.values.filter { $0.order.user == user && !$0.isDone }
            .min { $0.order.id < $1.order.id }?.order
    }

    /// The pass with which this person pays at the moment, if they do.
    func payingPass(of user: UserID) -> Pass? {
        guard
            let order = self.payments.suffix(20).lazy.compactMap({ self.paymentBooks[$0] })
                .first(where: { $0.state == .open && $0.order.user == user })?.order,
            let person = self.person(order.concert, order.place), person.gonePosition == nil
        else { return nil }
        return Pass(concert: order.concert, user: user, place: order.place, issuedAt: person.joinedAt)
    }

    /// The first two schedules of a concert that are not sold out, or the last two.
    func schedulesOnSale(of concert: Concert) -> ArraySlice<Schedule> {
        let schedules = concert.schedules
        let first = schedules.firstIndex { self.seats[$0.id]!.last.contains { $0 != .sold } } ?? schedules.count
        return schedules[min(first, schedules.count - 2)...].prefix(2)
    }

    /// Whether a shard may have forgotten a reservation by now: it is over, and its time has passed or there are many newer ones.
    /// Whether it has is the shard's own business; what it may not forget it must know.
    func mayBeForgotten(_ id: ReservationID) -> Bool {
        guard let book = self.reservations[id], book.isOver else { return false }
        let lastAt = self.journals[self.slots.shard(of: Slot(of: book.concert))].lastAt
        let until =
            book.cancellation.map { self.cancellationBooks[$0]!.order.at + self.recordLimits.refundedLifetime }
            ?? book.reservation.until + self.recordLimits.unpaidLifetime
        if until <= lastAt { return true }
        let over = self.reservations.values.filter { $0.concert == book.concert && $0.isOver }
        if over.count >= self.recordLimits.overPerConcertMax { return true }
        let newer = over.count { $0.reservation.user == book.reservation.user && $0.reservation.id > id }
        return newer >= self.recordLimits.overPerUserMax
    }

    /// When the last of so many facts of a shard happened.
    func time(of shard: Int, at count: Int) -> Timestamp {
        count == 0 ? .distantPast : self.journals[shard].times[count - 1]
    }

    func balance(of user: UserID) -> Won { self.accounts[user]?.last?.balance ?? .zero }

    /// How many facts of a shard were durable at `time`.
    func durableCount(of shard: Int, at time: Timestamp) -> Int {
        self.journals[shard].marks.last { $0.since <= time }?.count ?? 0
    }

    /// All facts that a shard has by now are durable since `time`.
    func mark(_ shard: Int, at time: Timestamp) {
        self.journals[shard].marks.append((self.journals[shard].count, time))
    }

    // MARK: Requests

    func asked(_ attempt: Attempt) {
        guard self.isFirst(attempt) else { return }
        for deed in attempt.deeds { self.tallies[deed, default: DeedTally()].asked += 1 }
    }

    func ended(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        attempt.outcome = outcome
        for deed in attempt.deeds {
            switch outcome {
            case .acknowledged: self.tallies[deed]!.acknowledged += 1
            case .refused:
                self.tallies[deed]!.refused += 1
                self.checkDone(deed)
            case .open, .unknown, .heardAgain: break
            }
        }
    }

    /// A fact says that a deed was done: somebody must have asked for it, and not been refused.
    func done(_ deed: Deed) {
        self.tallies[deed, default: DeedTally()].done += 1
        self.checkDone(deed)
    }

    private func checkDone(_ deed: Deed) {
        let tally = self.tallies[deed]!
        self.require(
            tally.done <= tally.doneMax,
            "\(deed) was done \(tally.done) times, asked for \(tally.asked) times and refused \(tally.refused) times"
        )
    }
}
