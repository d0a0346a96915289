import Booking
import Wire

/// Seats, points and whole histories, on one shard that is both concert's and user's, so that a payment is one call.
final class BookingBenchmark {
    private static let concert = ConcertID(1)
    private static let people = 512  // a round
    private static let hallSeats: UInt64 = 50_000

    private let sheet: CoreSheet
    private let catalogue: Catalogue
    private var shard: Shard
    private var now = Timestamp(seconds: 1_800_000_000)
    private var requests: UInt64 = 0
    private var nextUser: UInt64 = 1
    private var nextSeat: UInt64 = 0
    private var passes: [Pass] = []
    private var holds: [[ReservationID]] = []

    init(_ sheet: CoreSheet) throws {
        self.sheet = sheet
        let hall = try Hall(sections: [Hall.Section(seats: 1...50_000, grade: "A", price: Won(100_000))])
        var rules = ConcertRules()
        rules.admissionsPerSecond = 1_000_000
        rules.admittedLifetime = .days(1)
        rules.holdTime = .days(1)
        let playsAt = Timestamp(seconds: 1_900_000_000)
        let schedules = (1...240).map { Schedule(id: ScheduleID($0), playsAt: playsAt, hall: hall) }
        self.catalogue = try Catalogue([
            Concert(id: Self.concert, title: "hall", opensAt: .distantPast, schedules: schedules, rules: rules)
        ])
        self.shard = Self.fresh(self.catalogue)
    }

    private static func fresh(_ catalogue: Catalogue) -> Shard {
        Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 42)
    }

    func run() throws {
        let people = Self.people
        self.sheet.measure("charge", count: people, before: { self.letIn() }) {
            for pass in self.passes { self.ask(.charge(pass.user, Won(100_000), .free)) }
        }
        self.sheet.measure("balance", count: people) {
            for pass in self.passes { self.ask(.balance(pass.user)) }
        }
        self.sheet.measure("hold", count: people, before: { self.letIn() }) { self.hold() }
        self.sheet.measure("pay", count: people, before: { self.letInAndHold() }) {
            for (pass, ids) in zip(self.passes, self.holds) { self.ask(.pay(pass, ids)) }
        }
        self.sheet.measure("hold given back", count: people, before: { self.letInAndHold() }) {
            for (pass, ids) in zip(self.passes, self.holds) { self.ask(.release(pass, ids)) }
        }
        self.sheet.measure("schedules, 240 of them", count: people) {
            for _ in 0..<people { self.ask(.schedules(Self.concert)) }
        }
        try self.measureHistories()
    }

    private func measureHistories() throws {
        let batches = ReplayBenchmark.batches(visits: 8_000)
        let facts = batches.reduce(0) { $0 + $1.count }
        var fresh = ReplayBenchmark.fresh()
        try self.sheet.measure("replay, a fact", count: facts, before: { fresh = ReplayBenchmark.fresh() }) {
            try ReplayBenchmark.replay(batches, into: &fresh)
        }
        var bytes = FrameBytes(capacity: 1 << 22)
        var items = 0
        fresh.forEachItem { _ in items += 1 }
        self.sheet.measure("snapshot written, an item", count: items, before: { bytes.removeAll() }) {
            SnapshotBytes.encode(fresh, into: &bytes)
        }
        var restoration = ShardRestoration { ReplayBenchmark.fresh() }
        try self.sheet.measure(
            "snapshot read, an item",
            count: items,
            before: { restoration = ShardRestoration { ReplayBenchmark.fresh() } }
        ) {
            try bytes.withUnsafeBytes { try SnapshotBytes.restore($0, into: restoration) }
        }
    }

    // MARK: People

    /// Admits other people than before, with points.
    private func letIn() {
        self.passes.removeAll(keepingCapacity: true)
        for _ in 0..<Self.people {
            let user = UserID(self.nextUser * 7_919)
            self.nextUser += 1
            self.now = self.now + .milliseconds(1)
            guard case .joined(let joined)? = self.ask(.join(Self.concert, user)) else {
                preconditionFailure("nobody is refused here")
            }
            self.passes.append(
                Pass(concert: Self.concert, user: user, place: joined.place, issuedAt: joined.issuedAt)
            )
        }
        self.now = self.now + .seconds(1)
        self.shard.tick(at: self.now)
    }

    private func letInAndHold() {
        self.letIn()
        for pass in self.passes { self.ask(.charge(pass.user, Won(200_000), .free)) }
        self.hold()
    }

    private func hold() {
        self.holds.removeAll(keepingCapacity: true)
        for pass in self.passes {
            let schedule = ScheduleID(self.nextSeat / Self.hallSeats + 1)
            let seat = SeatID(self.nextSeat % Self.hallSeats + 1)
            self.nextSeat += 1
            guard case .reservations(let holds)? = self.ask(.reserve(pass, schedule, [seat])) else {
                preconditionFailure("all seats are free here")
            }
            self.holds.append(holds.map(\.id))
        }
    }

    @discardableResult
    private func ask(_ request: Request) -> Reply? {
        self.requests += 1
        let origin = Shard.Origin(link: 1, request: self.requests)
        let reply = self.shard.decide(request, from: origin, at: self.now)
        use(reply)
        if self.requests.isMultiple(of: 64) {
            self.shard.drain(facts: { _ in }, transfers: { _ in }, lateReplies: { _ in })
        }
        return reply
    }
}
