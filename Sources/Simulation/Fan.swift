import Booking
import Seeded

/// One window of one person's browser: joins lines, waits, reserves, charges, pays, gives back, cancels, looks around, and clicks
/// again when nothing came back. One request at a time.
struct Fan {
    let user: UserID
    /// Which of the person's windows.
    private let window: Int64
    /// The request that waits for an answer.
    var open: Attempt?
    /// A request without an answer, to be sent again, with its key if it had one.
    private var toRepeat: (request: Request, isForged: Bool, key: OperationID?)?
    /// Requests that were answered, by their keys; the newest few.
    private var answered: [(request: Request, key: OperationID)] = []
    private var keyCount: UInt64 = 0
    private var passes: [ConcertID: Pass] = [:]
    private var isInside: Set<ConcertID> = []
    /// Concerts that were said to be over.
    private var over: Set<ConcertID> = []
    private var held: [ConcertID: [ReservationID]] = [:]
    /// What was paid for together, newest last; some of it may be cancelled by now.
    private var paid: [ConcertID: [[ReservationID]]] = [:]
    private var changeCount: Int64 = 0
    private static let answeredMax = 20

    init(_ user: UserID, window: Int) {
        self.user = user
        self.window = Int64(window)
    }

    // MARK: What to do next

    /// The next request, and the key that goes with it; `isEcho` says that the key had its answer already.
    mutating func nextQuestion(_ auditor: Auditor, _ random: inout SeededRandom)
        -> (request: Request, isForged: Bool, key: OperationID?, isEcho: Bool)
    {
        if let again = self.toRepeat.take(), !random.once(in: 3) {
            // A fan without an answer to a payment may leave before it is decided.
            if case .pay(let pass, _) = again.request, random.once(in: 3) { return (.leave(pass), false, nil, false) }
            // Who hears nothing of a cancellation may try it with one of its seats.
            if case .cancel(let concert, let user, let ids) = again.request, ids.count > 1, random.once(in: 2) {
                return (.cancel(concert, user, [random.pick(ids)]), false, nil, false)
            }
            return (again.request, again.isForged, again.key, false)
        }
        // Who waits for one cancellation in another window may try it with one of its seats.
        if let order = auditor.openCancellation(of: self.user), random.once(in: 3) {
            return (.cancel(order.concert, self.user, [random.pick(order.reservations)]), false, nil, false)
        }
        // A fan may leave in one window while a payment in another is under way.
        if let pass = auditor.payingPass(of: self.user), random.once(in: 3) { return (.leave(pass), false, nil, false) }
        if !self.answered.isEmpty, random.once(in: 16) {
            let (request, key) = random.pick(self.answered)
            return (random.once(in: 4) ? self.mistaken(request) : request, false, key, true)
        }
        let (request, isForged) = self.nextRequest(auditor, &random)
        guard request.mutatingUser != nil, !isForged, random.once(in: 2) else { return (request, isForged, nil, false) }
        self.keyCount += 1
        let key = OperationID(high: self.user.rawValue, low: UInt64(self.window) << 32 | self.keyCount)
        return (request, false, key, false)
    }

    /// Another request, maybe for another shard.
    private func mistaken(_ request: Request) -> Request {
        switch request {
        case .join(let concert, let user): .join(ConcertID(concert.rawValue % 3 + 1), user)
        case .charge(let user, let amount, let type): .charge(user, amount + Won(1), type)
        case .use(let user, _): .join(ConcertID(1), user)
        case .reserve(let pass, let schedule, let seats): .reserve(pass, schedule, seats.dropLast())
        case .leave(let pass): .release(pass, [ReservationID(1)])
        case .pay(let pass, let ids): .release(pass, ids)
        case .release(let pass, _): .charge(pass.user, Won(1), .free)
        case .cancel(let concert, let user, let ids): .cancel(concert, user, ids + [ReservationID(1)])
        default: request
        }
    }

    private mutating func nextRequest(_ auditor: Auditor, _ random: inout SeededRandom)
        -> (request: Request, isForged: Bool)
    {
        var concert = random.pick(SmallWorld.catalogue.concerts)
        if self.over.contains(concert.id), self.passes[concert.id] == nil, !random.once(in: 8) {
            concert = SmallWorld.catalogue.concerts[0]
        }
        if random.once(in: 6), let request = self.cancel(concert, auditor, &random) { return (request, false) }
        guard let pass = self.passes[concert.id] else {
            return switch random.weighted([12, 2, 1, 1]) {
            case 0: (.join(concert.id, self.user), false)
            case 1: (self.charge(&random), false)
            case 2: (.schedules(concert.id), false)
            default: (self.look(concert, auditor, &random), false)
            }
        }
        if random.once(in: 40) { return self.forged(pass, concert, auditor, &random) }
        let ids = self.held[concert.id] ?? []
        if !ids.isEmpty {
            switch random.weighted([10, 2, 3, 2, 2]) {
            case 0: return (.pay(pass, random.once(in: 8) ? [random.pick(ids)] : ids), false)
            case 1: return (.release(pass, random.once(in: 2) ? [random.pick(ids)] : ids), false)
            case 2: return (self.charge(&random), false)
            case 3: return (self.reserve(pass, concert, auditor, &random), false)
            default: return (self.look(concert, auditor, &random), false)
            }
        }
        guard self.isInside.contains(concert.id) else {
            return switch random.weighted([12, 1, 2, 1]) {
            case 0: (.poll(pass), false)
            case 1: (.leave(pass), false)
            case 2: (self.charge(&random), false)
            default: (self.look(concert, auditor, &random), false)
            }
        }
        return switch random.weighted([12, 1, 1, 2, 2]) {
        case 0: (self.reserve(pass, concert, auditor, &random), false)
        case 1: (.leave(pass), false)
        case 2: (.poll(pass), false)
        case 3: (self.charge(&random), false)
        default: (self.look(concert, auditor, &random), false)
        }
    }

    private func reserve(_ pass: Pass, _ concert: Concert, _ auditor: Auditor, _ random: inout SeededRandom) -> Request
    {
        let first = random.within(1...SmallWorld.seatCount)
        let count = min(random.within(1...3), SmallWorld.seatCount - first + 1)
        let seats = (0..<count).map { SeatID(UInt64(first + $0)) }
        return .reserve(pass, random.pick(Array(auditor.schedulesOnSale(of: concert))).id, seats)
    }

    /// Mostly what was paid for last, all of it or one seat; now and then what is held, or someone else's.
    private func cancel(_ concert: Concert, _ auditor: Auditor, _ random: inout SeededRandom) -> Request? {
        if random.once(in: 10), let ids = self.held[concert.id], !ids.isEmpty {
            return .cancel(concert.id, self.user, ids)
        }
        guard let paid = self.paid[concert.id], let last = paid.last else { return nil }
        if random.once(in: 20), let payment = auditor.payments.last,
            let others = auditor.paymentBooks[payment]?.order, others.concert == concert.id
        {
            return .cancel(concert.id, self.user, others.reservations)
        }
        switch random.weighted([6, 2, 1, 1]) {
        case 0: return .cancel(concert.id, self.user, last)
        case 1: return .cancel(concert.id, self.user, [random.pick(last)])
        case 2: return .cancel(concert.id, self.user, random.pick(paid))
        default: return .cancel(concert.id, self.user, paid.suffix(2).flatMap { $0 })
        }
    }

    /// No amount is asked for twice, so that a fact tells which request it came from.
    private mutating func charge(_ random: inout SeededRandom) -> Request {
        self.changeCount += 1
        let own = self.changeCount * 2 + self.window
        if random.once(in: 30) { return .charge(self.user, random.pick([Won.zero, Won(2_000_001), Won(-5)]), .free) }
        if random.once(in: 6) { return .use(self.user, Won(own)) }
        return .charge(self.user, Won(Int64(random.within(1...9)) * 10_000 + own), random.pick([.free, .naverPay]))
    }

    private func look(_ concert: Concert, _ auditor: Auditor, _ random: inout SeededRandom) -> Request {
        switch random.below(5) {
        case 0: .seats(concert.id, random.pick(Array(auditor.schedulesOnSale(of: concert))).id)
        case 1: .balance(self.user)
        case 2: .history(self.user, HistoryQuery(size: 100))
        case 3: .schedules(concert.id)
        default: .reservations(concert.id, self.user)
        }
    }

    /// As if its signature had been checked: the shard must not take it for another's, or for one of another life.
    private func forged(_ pass: Pass, _ concert: Concert, _ auditor: Auditor, _ random: inout SeededRandom)
        -> (Request, isForged: Bool)
    {
        let other = Pass(
            concert: pass.concert,
            user: pass.user,
            place: pass.place,
            issuedAt: pass.issuedAt + Nanoseconds(random.once(in: 2) ? 1 : -1)
        )
        return switch random.below(3) {
        case 0: (.poll(other), true)
        case 1: (.leave(other), true)
        default: (self.reserve(other, concert, auditor, &random), true)
        }
    }

    // MARK: What an answer changes

    /// Milliseconds that the fan waits because of the answer; nil when that is up to them.
    mutating func hears(_ reply: Reply?, to attempt: Attempt, _ random: inout SeededRandom) -> Int? {
        if attempt.isEcho { return nil }
        guard let reply else {
            self.toRepeat = (attempt.request, attempt.isForged, attempt.key)
            return nil
        }
        if attempt.isForged { return nil }
        if let key = attempt.key, Auditor.isFinal(reply) {
            if self.answered.count == Self.answeredMax { self.answered.removeFirst() }
            self.answered.append((attempt.request, key))
        }
        switch (attempt.request, reply) {
        case (.join(let concert, let user), .joined(let joined)):
            let pass = Pass(concert: concert, user: user, place: joined.place, issuedAt: joined.issuedAt)
            self.passes[concert] = pass
            self.held[concert] = nil
            return self.sees(joined.standing, concert, &random)
        case (.poll(let pass), .standing(let standing)): return self.sees(standing, pass.concert, &random)
        case (.leave(let pass), .left): self.forget(pass.concert)
        case (.reserve(let pass, _, _), .reservations(let holds)):
            self.held[pass.concert, default: []] += holds.map(\.id)
        case (.reservations(let concert, _), .reservations(let all)):
            // What an unanswered request has held is found here, as on a page that lists them.
            let ids = all.filter { $0.status == .held }.map(\.id)
            self.held[concert] = ids.isEmpty ? nil : ids
        case (.release(let pass, let ids), .reservations): self.held[pass.concert]?.removeAll { ids.contains($0) }
        case (.pay(let pass, let ids), .paid):
            if self.paid[pass.concert]?.contains(ids) != true { self.paid[pass.concert, default: []].append(ids) }
            self.forget(pass.concert)
        case (.cancel(let concert, _, let ids), .cancelled):
            // Once more now and then: the answer must be the same.
            if random.once(in: 2) { self.paid[concert]?.removeAll { Set($0).isSubset(of: ids) } }
        case (.cancel(let concert, _, let ids), .refused(.cancelTooLate)),
            (.cancel(let concert, _, let ids), .refused(.alreadyCancelled)),
            (.cancel(let concert, _, let ids), .refused(.noSuchReservation)):
            self.paid[concert]?.removeAll { !Set($0).isDisjoint(with: ids) }
        case (.poll(let pass), .refused(.tokenUnknown)), (.leave(let pass), .refused(.tokenUnknown)),
            (.reserve(let pass, _, _), .refused(.tokenUnknown)), (.release(let pass, _), .refused(.tokenUnknown)),
            (.pay(let pass, _), .refused(.tokenUnknown)):
            self.forget(pass.concert)
        case (.join(let concert, _), .refused(.concertOver)): self.over.insert(concert)
        case (.poll(let pass), .refused(.concertOver)), (.leave(let pass), .refused(.concertOver)):
            self.over.insert(pass.concert)
            self.forget(pass.concert)
        case (.release(let pass, _), .refused), (.pay(let pass, _), .refused(.holdExpired)),
            (.pay(let pass, _), .refused(.alreadyPaid)), (.pay(let pass, _), .refused(.noSuchReservation)):
            self.held[pass.concert] = nil
        case (_, .refused(.unavailable)), (_, .refused(.overloaded)):
            self.toRepeat = (attempt.request, attempt.isForged, attempt.key)
            return random.within(20...200)
        default: break
        }
        return nil
    }

    private mutating func sees(_ standing: Standing, _ concert: ConcertID, _ random: inout SeededRandom) -> Int? {
        guard standing.order > 0 else {
            self.isInside.insert(concert)
            return nil
        }
        self.isInside.remove(concert)
        return random.within(20...100 + Int(min(standing.seconds, 5)) * 100)
    }

    private mutating func forget(_ concert: ConcertID) {
        self.passes[concert] = nil
        self.held[concert] = nil
        self.isInside.remove(concert)
    }
}
