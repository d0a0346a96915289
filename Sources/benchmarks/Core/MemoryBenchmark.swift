import Booking
import Glibc

/// A shard's memory per person, hold, seat and account: by the allocator's own counters, with its headers and rounding,
/// and by the process's resident memory.
enum MemoryBenchmark {
    static func run(_ thing: String, count: UInt64) throws {
        let sheet = CoreSheet(rounds: 1, isCounting: false)
        switch thing {
        case "waiting": try Self.waiting(sheet, count)
        case "held": try Self.held(sheet, count)
        case "sold": try Self.sold(sheet, count)
        case "account": try Self.accounts(sheet, count)
        default: preconditionFailure("a thing that is not measured: \(thing)")
        }
    }

    private static func waiting(_ sheet: CoreSheet, _ count: UInt64) throws {
        var shard = try Self.fresh(maxActive: 1)
        let before = Memory.now
        let now = Timestamp(seconds: 1_800_000_000)
        for number in 1...count { Self.ask(&shard, .join(ConcertID(1), Self.user(number)), at: now) }
        sheet.note("person waiting", things: count, since: before)
        use(shard)
    }

    /// People who are already inside hold one seat each.
    private static func held(_ sheet: CoreSheet, _ count: UInt64) throws {
        var shard = try Self.fresh(maxActive: 0)
        var now = Timestamp(seconds: 1_800_000_000)
        let passes = (1...count).map { Self.letIn($0, &shard, &now) }
        let before = Memory.now
        for (index, pass) in passes.enumerated() { _ = Self.hold(UInt64(index), pass, &shard, now) }
        sheet.note("seat held", things: count, since: before)
        use(shard)
    }

    /// One after the other, people with an account come in, hold a seat, and pay for it, which makes them leave the
    /// line: only the sold seats stay, with the payments and the line in their history.
    private static func sold(_ sheet: CoreSheet, _ count: UInt64) throws {
        var shard = try Self.fresh(maxActive: 0)
        var now = Timestamp(seconds: 1_800_000_000)
        for number in 1...count { Self.ask(&shard, .charge(Self.user(number), Won(100_000), .free), at: now) }
        let before = Memory.now
        for number in 1...count {
            let pass = Self.letIn(number, &shard, &now)
            let hold = Self.hold(number - 1, pass, &shard, now)
            Self.ask(&shard, .pay(pass, [hold]), at: now)
        }
        sheet.note("seat sold", things: count, since: before)
        use(shard)
    }

    private static func accounts(_ sheet: CoreSheet, _ count: UInt64) throws {
        var shard = try Self.fresh(maxActive: 0)
        let now = Timestamp(seconds: 1_800_000_000)
        let before = Memory.now
        for number in 1...count { Self.ask(&shard, .charge(Self.user(number), Won(100_000), .free), at: now) }
        sheet.note("account with one charge", things: count, since: before)
        use(shard)
    }

    // MARK: Helpers

    private static func user(_ number: UInt64) -> UserID { UserID(number * 7_919) }

    private static func letIn(_ number: UInt64, _ shard: inout Shard, _ now: inout Timestamp) -> Pass {
        now = now + Nanoseconds(2_000)
        let user = Self.user(number)
        guard case .joined(let joined)? = Self.ask(&shard, .join(ConcertID(1), user), at: now) else {
            preconditionFailure("nobody is refused here")
        }
        return Pass(concert: ConcertID(1), user: user, place: joined.place, issuedAt: joined.issuedAt)
    }

    private static func hold(_ index: UInt64, _ pass: Pass, _ shard: inout Shard, _ now: Timestamp) -> ReservationID {
        let request = Request.reserve(pass, ScheduleID(index / 50_000 + 1), [SeatID(index % 50_000 + 1)])
        guard case .reservations(let held)? = Self.ask(&shard, request, at: now) else {
            preconditionFailure("all seats are free here")
        }
        return held[0].id
    }

    private static func fresh(maxActive: UInt32) throws -> Shard {
        let hall = try Hall(sections: [Hall.Section(seats: 1...50_000, grade: "A", price: Won(100_000))])
        var rules = ConcertRules()
        rules.admissionsPerSecond = 1_000_000
        rules.maxActive = maxActive
        rules.waitingLifetime = .days(1)
        rules.admittedLifetime = .days(1)
        rules.holdTime = .days(1)
        let playsAt = Timestamp(seconds: 1_900_000_000)
        let schedules = (1...40).map { Schedule(id: ScheduleID($0), playsAt: playsAt, hall: hall) }
        let catalogue = try Catalogue([
            Concert(id: ConcertID(1), title: "all", opensAt: .distantPast, schedules: schedules, rules: rules)
        ])
        return Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 42)
    }

    @discardableResult
    private static func ask(_ shard: inout Shard, _ request: Request, at now: Timestamp) -> Reply? {
        let reply = shard.decide(request, from: Shard.Origin(link: 1, request: 1), at: now)
        Self.drop(&shard)
        return reply
    }

    private static func drop(_ shard: inout Shard) {
        shard.drain(facts: { _ in }, transfers: { _ in }, lateReplies: { _ in })
    }
}

/// The memory that this process has allocated, in bytes.
struct Memory {
    /// By the allocator's own counters, with its headers.
    var allocated: Int
    /// Physical memory.
    var resident: Int

    static var now: Memory {
        typealias Count = @convention(c) () -> UInt64
        guard let address = dlsym(nil, "allocated_bytes") else {
            preconditionFailure("preload the library of deploy/bench/counting.c, as core.py does")
        }
        let allocated = unsafeBitCast(address, to: Count.self)()
        var pages = 0
        if let file = fopen("/proc/self/statm", "r") {
            var line = [CChar](repeating: 0, count: 128)
            if fgets(&line, 128, file) != nil {
                let words = String(decoding: line.map(UInt8.init(bitPattern:)).prefix { $0 != 0 }, as: UTF8.self)
                pages = words.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            }
            fclose(file)
        }
        return Memory(allocated: Int(allocated), resident: pages * Int(getpagesize()))
    }
}
