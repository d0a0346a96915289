import Booking
import Seeded
import Wire

/// The cost of each operation of the pure core, without sockets, disks and processes.
enum CoreBenchmark {
    /// The line lengths that are measured, in waiting people.
    static let waiting: [UInt64] = [1_000, 100_000, 1_000_000, 10_000_000]

    static func run(rounds: Int, isCounting: Bool, waitingMax: UInt64) throws {
        let sheet = CoreSheet(rounds: rounds, isCounting: isCounting)
        try WireBenchmark(sheet).run()
        try BookingBenchmark(sheet).run()
        try LineBenchmark(sheet).run(Self.waiting.filter { $0 <= waitingMax })
    }
}

/// The operations whose cost might grow with a line's length: one shard, one concert, called as gateways do.
///
///     place:  1 ........ │ 1/4 ........ │ 1/2 ........................ │ n
///             go in next │ leave early  │ ask for their place           │ join
///
/// One person may be inside, so nobody is admitted until they leave. Users and join times are computed from places: a
/// table of passes would share the processor's caches with the line.
final class LineBenchmark {
    private static let concert = ConcertID(1)
    /// The facts of this many requests leave together, like those of a turn of the loop.
    private static let batch = 64

    private let sheet: CoreSheet
    private var shard: Shard
    private var now = Timestamp(seconds: 1_800_000_000)
    private var random = SeededRandom(seed: 1)
    private var joined: UInt64 = 0
    private var inside: UInt64 = 1
    private var requests: UInt64 = 0
    /// The join time of the people from a place on.
    private var joinTimes: [(from: UInt64, at: Timestamp)] = []

    init(_ sheet: CoreSheet) throws {
        self.sheet = sheet
        var rules = ConcertRules()
        rules.admissionsPerSecond = 1_000_000
        rules.maxActive = 1
        rules.waitingLifetime = .days(100)
        rules.admittedLifetime = .days(100)
        let playsAt = Timestamp(seconds: 1_900_000_000)
        let concert = Concert(
            id: Self.concert,
            title: "line",
            opensAt: .distantPast,
            schedules: [Schedule(id: ScheduleID(1), playsAt: playsAt, hall: .original)],
            rules: rules
        )
        let catalogue = try Catalogue([concert])
        self.shard = Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 42)
    }

    func run(_ sizes: [UInt64]) throws {
        for size in sizes { self.run(size) }
    }

    private func run(_ size: UInt64) {
        let rounds = UInt64(self.sheet.rounds)
        let count = min(4_096, size / (2 * rounds))
        self.pass(.seconds(10))
        self.joinTimes.append((self.joined + 1, self.now))
        while self.joined < size - count * rounds { self.join() }
        self.sheet.measure("join", waiting: size, count: Int(count)) { for _ in 0..<count { self.join() } }
        while self.joined < size { self.join() }
        self.sheet.measure("join again", waiting: size, count: Int(count)) {
            for _ in 0..<count { self.ask(.join(Self.concert, self.user(at: self.someone(of: size)))) }
        }
        // They joined just now, so their place in the order of expiry need not change.
        self.sheet.measure("poll, seen just now", waiting: size, count: Int(count)) {
            for _ in 0..<count { self.poll(self.someone(of: size)) }
        }
        self.sheet.measure("poll", waiting: size, count: Int(count), before: { self.pass(.seconds(100)) }) {
            for _ in 0..<count { self.poll(self.someone(of: size)) }
        }
        self.sheet.measure("poll of the last", waiting: size, count: Int(count)) {
            for _ in 0..<count { self.poll(size) }
        }
        var leaving = size / 4
        self.sheet.measure("leave early", waiting: size, count: Int(count / 4)) {
            for _ in 0..<count / 4 {
                self.ask(.leave(self.pass(at: leaving)))
                leaving += 1
            }
        }
        self.sheet.measure("next goes in", waiting: size, count: Int(count / 4)) {
            for _ in 0..<count / 4 {
                self.now = self.now + Nanoseconds(1_000)
                self.ask(.leave(self.pass(at: self.inside)))
                self.inside += 1
            }
        }
    }

    private func join() {
        self.joined += 1
        self.ask(.join(Self.concert, self.user(at: self.joined)))
    }

    private func poll(_ place: UInt64) { self.ask(.poll(self.pass(at: place))) }

    @inline(__always)
    private func ask(_ request: Request) {
        self.requests += 1
        let origin = Shard.Origin(link: 1, request: self.requests)
        use(self.shard.decide(request, from: origin, at: self.now))
        if self.requests.isMultiple(of: UInt64(Self.batch)) {
            self.shard.drain(facts: { _ in }, transfers: { _ in }, lateReplies: { _ in })
        }
    }

    // MARK: People

    private func user(at place: UInt64) -> UserID { UserID(place * 7_919) }

    private func pass(at place: UInt64) -> Pass {
        let at = self.joinTimes.last { $0.from <= place }!.at
        return Pass(concert: Self.concert, user: self.user(at: place), place: Place(place), issuedAt: at)
    }

    /// Of the second half of the line, where everybody still waits.
    private func someone(of size: UInt64) -> UInt64 { size / 2 + UInt64(self.random.below(Int(size / 2))) + 1 }

    private func pass(_ time: Nanoseconds) { self.now = self.now + time }
}
