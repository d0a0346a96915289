@testable import Booking

/// One shard of one or two, and a clock, for tests that proceed step by step.
final class Stage {
    static let start = Timestamp(seconds: 1_800_000_000)
    static let concert = ConcertID(1)
    static let schedule = ScheduleID(11)

    let index: Int
    let slots: SlotMap
    let catalogue: Catalogue
    var shard: Shard
    var now = Stage.start
    private var requestCount: UInt64 = 0

    init(index: Int, of shardCount: Int = 1, _ catalogue: Catalogue = Stage.catalogue()) {
        self.index = index
        self.slots = SlotMap(shardCount: shardCount)
        self.catalogue = catalogue
        self.shard = Shard(index: index, slots: self.slots, catalogue: catalogue, hashSeed: 1)
        self.hear()
    }

    /// All other shards have said that they have seen no ids.
    func hear() {
        for other in 0..<self.slots.shardCount where other != self.index {
            self.shard.hear([], from: other, at: self.now)
        }
    }

    /// The whole cluster on one shard.
    convenience init(rules: ConcertRules = ConcertRules()) { self.init(index: 0, Stage.catalogue(rules: rules)) }

    /// Concerts 1 to 3 with the original hall: the first schedule plays in 10 hours, the second in 100 days.
    static func catalogue(rules: ConcertRules = ConcertRules(), opensAfter: Nanoseconds = .minutes(-60)) -> Catalogue {
        do {
            return try Catalogue(
                (1...3).map { (id: UInt64) in
                    Concert(
                        id: ConcertID(id),
                        title: "concert \(id)",
                        opensAt: Self.start + opensAfter,
                        schedules: [
                            Schedule(id: ScheduleID(id * 10), playsAt: Self.start + .minutes(600), hall: .original),
                            Schedule(
                                id: ScheduleID(id * 10 + 1),
                                playsAt: Self.start + .minutes(144_000),
                                hall: .original
                            ),
                        ],
                        rules: rules
                    )
                }
            )
        } catch { preconditionFailure("\(error)") }
    }

    /// The concert's shard of two, the other one, and a user who lives there.
    static func apart() -> (concert: Stage, user: Stage, UserID) {
        let slots = SlotMap(shardCount: 2)
        let home = slots.shard(of: Slot(of: Self.concert))
        let stranger = (1...100).map { UserID($0) }.first { slots.shard(of: Slot(of: $0)) != home }!
        return (Stage(index: home, of: 2), Stage(index: 1 - home, of: 2), stranger)
    }

    func pass(_ span: Nanoseconds) { self.now = self.now + span }

    func origin(_ request: UInt64) -> Shard.Origin { Shard.Origin(link: 0, request: request) }

    /// Nil when the answer comes later. Origins count up from 1.
    @discardableResult
    func ask(_ request: Request) -> Reply? {
        self.requestCount += 1
        return self.shard.decide(request, from: self.origin(self.requestCount), at: self.now)
    }

    func join(_ user: UserID, _ concert: ConcertID = Stage.concert) -> Pass {
        guard case .joined(let joined) = self.ask(.join(concert, user)) else {
            preconditionFailure("user \(user) could not join")
        }
        return Pass(concert: concert, user: user, place: joined.place, issuedAt: joined.issuedAt)
    }

    func reserve(_ pass: Pass, _ seats: [UInt64], _ schedule: ScheduleID = Stage.schedule) -> [Reservation] {
        guard case .reservations(let holds) = self.ask(.reserve(pass, schedule, seats.map { SeatID($0) })) else {
            preconditionFailure("seats \(seats) could not be reserved")
        }
        return holds
    }

    func charge(_ user: UserID, _ amount: Int64) { self.ask(.charge(user, Won(amount), .free)) }

    func balance(_ user: UserID) -> Int64 { self.shard.points.balance(of: user).balance.rawValue }

    func status(of seat: Int, on schedule: ScheduleID = Stage.schedule) -> SeatStatus? {
        guard case .seats(let statuses) = self.ask(.seats(Stage.concert, schedule)) else { return nil }
        return statuses[seat - 1]
    }

    struct Output: Equatable {
        var facts: [Fact] = []
        var transfers: [TransferOrder] = []
        var late: [Shard.LateReply] = []
    }

    /// The output that the shell would take now.
    @discardableResult
    func output() -> Output {
        var output = Output()
        self.shard.drain(
            facts: { output.facts.append($0) },
            transfers: { output.transfers.append($0) },
            lateReplies: { output.late.append($0) }
        )
        self.shard.checkInvariants()
        return output
    }

    /// Dies, and restarts from `facts`.
    func restart(from facts: [Fact]) {
        self.shard = Shard(index: self.index, slots: self.slots, catalogue: self.catalogue, hashSeed: 2)
        for fact in facts { self.shard.apply(fact) }
        self.shard.resume(at: self.now)
        self.hear()
        self.shard.checkInvariants()
    }
}

extension TransferOrder {
    var request: Request { .transfer(self) }
}

extension Receipt {
    /// The receipt in a reply, if it is one.
    init?(_ reply: Reply?) {
        switch reply {
        case .paid(let receipt), .cancelled(let receipt): self = receipt
        default: return nil
        }
    }
}
