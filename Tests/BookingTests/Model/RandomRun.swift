import Foundation
import Seeded

@testable import Booking

/// One random history from a seed, with its last commands for understanding a failure.
struct RandomRun {
    let seed: UInt64
    let cluster: TestCluster
    private var random: SeededRandom
    private(set) var log: [String] = []

    /// Prints each command before it is carried out: needed to find a trap, which leaves no time to print.
    private static let isTracing = ProcessInfo.processInfo.environment["USHER_TRACE"] != nil

    init(seed: UInt64, shardCount: Int) {
        self.seed = seed
        self.cluster = TestCluster(shardCount: shardCount)
        self.random = SeededRandom(seed: seed)
    }

    /// The seed and the last 20 commands, for a failure's message.
    var history: String {
        "seed \(self.seed), \(self.cluster.nodes.count) shards, step \(self.log.count):\n"
            + self.log.suffix(20).joined(separator: "\n")
    }

    mutating func run(steps: Int) throws {
        for _ in 0..<steps { try self.step() }
        self.note("drain")
        try self.cluster.drain()
        try self.cluster.checkBooks()
    }

    private mutating func note(_ command: String) {
        let moment = (self.cluster.now - SmallWorld.start).rawValue
        self.log.append("  at \(Double(moment) / 1e9) s: \(command)")
        if Self.isTracing { FileHandle.standardError.write(Data("seed \(self.seed)\(self.log.last!)\n".utf8)) }
    }

    private mutating func step() throws {
        self.cluster.pass(self.span())
        let links = self.cluster.busyLinks
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<30 where !links.isEmpty:
            let link = self.random.pick(links)
            let again = self.random.once(in: 4)
            self.note("deliver \(link.from) -> \(link.to)\(again ? ", and once more later" : "")")
            try self.cluster.deliver(link, again: again)
        case 30..<40:
            self.note("tick")
            try self.cluster.tick()
        case 40 where self.cluster.nodes.count > 1:
            let from = Int.random(in: 0..<self.cluster.nodes.count, using: &self.random)
            let to =
                (from + Int.random(in: 1..<self.cluster.nodes.count, using: &self.random)) % self.cluster.nodes.count
            self.note("cut \(from) <-> \(to)")
            try self.cluster.cut(TestCluster.Link(from: from, to: to))
        case 41:
            let index = Int.random(in: 0..<self.cluster.nodes.count, using: &self.random)
            let fromSnapshot = self.random.once(in: 2)
            self.note("restart \(index) from \(fromSnapshot ? "a snapshot" : "its facts")")
            try self.cluster.restart(index, fromSnapshot: fromSnapshot)
        default:
            let request = self.request()
            self.note("\(request)")
            try self.cluster.send(request)
        }
    }

    // MARK: Choices

    /// Mostly very short, now and then past every deadline, sometimes exactly on one.
    private mutating func span() -> Nanoseconds {
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<15: return .zero
        case 15..<70: return Nanoseconds(.random(in: 0...30_000_000, using: &self.random))
        case 70..<93: return .milliseconds(.random(in: 0...600, using: &self.random))
        case 93..<96: return .milliseconds(.random(in: 0...5000, using: &self.random))
        case 96..<98:
            let deadlines = self.cluster.model.concerts.flatMap { concert in
                concert.reservations.filter { $0.status == .held && $0.until > self.cluster.now }.map(\.until)
            }
            return deadlines.min().map { $0 - self.cluster.now } ?? .zero
        case 98: return .milliseconds(.random(in: 0...20_000, using: &self.random))
        default: return self.random.once(in: 3) ? .milliseconds(.random(in: 0...70_000, using: &self.random)) : .zero
        }
    }

    private mutating func request() -> Request {
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<15: .join(self.concert(), self.user())
        case 15..<25: .poll(self.pass())
        case 25..<28: .leave(self.pass())
        case 28..<30: .schedules(self.concert())
        case 30..<33: .seats(self.concert(), self.schedule(self.concert()))
        case 33..<55: self.reserve()
        case 55..<59: self.naming { .release($0, $1) }
        case 59..<61: .reservations(self.concert(), self.user())
        case 61..<79: self.naming { .pay($0, $1) }
        case 79..<84: self.cancel()
        case 84..<91: .charge(self.user(), self.amount(), self.random.pick(PaymentType.allCases))
        case 91..<94: .use(self.user(), self.amount())
        case 94..<97: .balance(self.user())
        default: .history(self.user(), self.query())
        }
    }

    private mutating func user() -> UserID { self.random.pick(SmallWorld.users) }
    private mutating func concert() -> ConcertID { ConcertID(self.random.once(in: 40) ? 99 : .random(in: 1...3)) }

    private mutating func schedule(_ concert: ConcertID) -> ScheduleID {
        let id = self.random.once(in: 20) ? UInt64.random(in: 1...40, using: &self.random) : concert.rawValue * 10
        return ScheduleID(id + (self.random.once(in: 2) ? 1 : 0))
    }

    private mutating func amount() -> Won {
        let edges: [Int64] = [0, -1, 1, 2_000_000, 2_000_001, .max, .min]
        if self.random.once(in: 4) { return Won(self.random.pick(edges)) }
        return Won(.random(in: 1...40, using: &self.random) * 5_000)
    }

    private mutating func query() -> HistoryQuery {
        HistoryQuery(
            only: self.random.once(in: 2) ? nil : self.random.pick(TransactionType.allCases),
            page: .random(in: 0...2, using: &self.random),
            size: .random(in: 0...5, using: &self.random)
        )
    }

    /// Mostly that of a person present, inside if possible; sometimes an old one, sometimes a forged one.
    private mutating func pass() -> Pass {
        let here = self.people { !$0.isGone }
        let inside = self.people { !$0.isGone && $0.admittedAt != nil }
        let all = self.people { _ in true }
        guard !all.isEmpty else {
            return Pass(concert: ConcertID(1), user: self.user(), place: Place(1), issuedAt: self.cluster.now)
        }
        let chosen = [inside, inside, inside, inside, here, all][Int.random(in: 0..<6, using: &self.random)]
        let pass = self.random.pick(chosen.isEmpty ? all : chosen)
        guard self.random.once(in: 25) else { return pass }
        return switch Int.random(in: 0..<4, using: &self.random) {
        case 0: Pass(concert: self.concert(), user: pass.user, place: pass.place, issuedAt: pass.issuedAt)
        case 1: Pass(concert: pass.concert, user: self.user(), place: pass.place, issuedAt: pass.issuedAt)
        case 2:
            Pass(
                concert: pass.concert,
                user: pass.user,
                place: self.random.pick([0, 1, .max].map { Place($0) }),
                issuedAt: pass.issuedAt
            )
        default:
            Pass(concert: pass.concert, user: pass.user, place: pass.place, issuedAt: pass.issuedAt + Nanoseconds(1))
        }
    }

    private func people(where isMeant: (ClusterModel.Person) -> Bool) -> [Pass] {
        self.cluster.model.concerts.flatMap { concert in
            concert.people.filter(isMeant).map { person in
                Pass(concert: concert.concert.id, user: person.user, place: person.place, issuedAt: person.joinedAt)
            }
        }
    }

    /// A person with seats, inside or not; anyone when there is none.
    private mutating func holder() -> Pass {
        let holders = self.cluster.model.concerts.flatMap { concert in
            concert.reservations.filter { $0.status == .held }.map { ($0.user, concert.concert.id) }
        }
        guard let (user, concert) = holders.randomElement(using: &self.random) else { return self.pass() }
        return self.people { $0.user == user }.last { $0.concert == concert }!
    }

    private mutating func reserve() -> Request {
        let pass = self.pass()
        let count =
            self.random.once(in: 10)
            ? Int.random(in: 0...5, using: &self.random) : Int.random(in: 1...2, using: &self.random)
        let highest: UInt64 = self.random.once(in: 10) ? 8 : 6
        let seats = (0..<count).map { _ in SeatID(.random(in: (highest == 6 ? 1 : 0)...highest, using: &self.random)) }
        return .reserve(pass, self.schedule(pass.concert), seats)
    }

    /// Mostly seats paid together, or a part of them; now and then another user's, or unpaid ones.
    private mutating func cancel() -> Request {
        let all = self.cluster.model.concerts.flatMap { concert in
            concert.reservations.map { (concert: concert.concert.id, reservation: $0) }
        }
        guard let one = all.filter({ $0.reservation.payment != nil }).suffix(8).randomElement(using: &self.random)
        else {
            return .cancel(self.concert(), self.user(), [ReservationID(.max)])
        }
        let user = self.random.once(in: 20) ? self.user() : one.reservation.user
        let own = all.filter { $0.concert == one.concert && $0.reservation.user == user }.map(\.reservation)
        let together = own.filter { $0.payment == one.reservation.payment }.map(\.id)
        return switch Int.random(in: 0..<10, using: &self.random) {
        case 0..<5: .cancel(one.concert, user, together.shuffled(using: &self.random))
        case 5..<7: .cancel(one.concert, user, [one.reservation.id])
        case 7: .cancel(one.concert, user, own.filter { $0.payment != nil }.map(\.id))
        case 8: .cancel(one.concert, user, own.suffix(2).map(\.id))
        default: .cancel(one.concert, user, together + together.prefix(1))
        }
    }

    /// Reservations to pay or release: mostly the person's own current ones, or those of an earlier payment.
    private mutating func naming(_ make: (Pass, [ReservationID]) -> Request) -> Request {
        let pass = self.random.once(in: 4) ? self.pass() : self.holder()
        let all = self.cluster.model.concerts.flatMap(\.reservations)
        let own = all.filter { $0.user == pass.user && SlotIDs.slot(of: $0.id.rawValue) == Slot(of: pass.concert) }
        let held = own.filter { $0.status == .held }.map(\.id)
        let earlier = self.cluster.model.payments.filter { $0.user == pass.user && $0.concert == pass.concert }
        switch Int.random(in: 0..<20, using: &self.random) {
        case 0..<11: return make(pass, held.shuffled(using: &self.random))
        case 11..<13: return make(pass, Array(held.prefix(1)))
        case 13..<16: return make(pass, earlier.last?.reservations.reversed() ?? held)
        case 16..<18: return make(pass, own.suffix(2).map(\.id))
        case 18: return make(pass, held + held.prefix(1))
        default: return make(pass, all.isEmpty ? [ReservationID(.max)] : [self.random.pick(all).id])
        }
    }
}
