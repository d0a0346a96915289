import Foundation
import Glibc
import Seeded
import Synchronization

/// One fan after another, each in a closed loop: pays points in, joins, waits, reserves, pays or gives back, cancels now
/// and then, while processes die. Keeps to itself what it was answered, for the books (`FanBooks`) to compare later.
///
/// A request whose answer did not come, or was 503, has an unknown outcome, and is repeated until it is answered. So that
/// it is done once, each change carries an `Idempotency-Key` of its own; joining needs none.
struct Fan {
    /// What one fan did and heard.
    struct Visit: Sendable {
        let user: Int
        let concert: Int
        /// Points that went in (positive) or out, and were acknowledged.
        var points: [Int] = []
        var place: Int64?
        /// By the machine's monotonic clock, nanoseconds.
        var joinSentAt: UInt64 = 0
        var joinAnsweredAt: UInt64 = 0
        /// All seats that were ever asked for.
        var asked: Set<Seat> = []
        var held: [Reservation] = []
        var end = End.none
        /// Of what was paid.
        var cancelled: Set<Int64> = []

        enum End: Equatable { case none, paid, gaveBack }
    }

    struct Seat: Hashable, Sendable {
        let schedule: Int
        let number: Int
    }

    struct Reservation: Equatable, Sendable {
        let id: Int64
        let seat: Seat
        let price: Int
    }

    /// What the fans of one run together met.
    struct Tally: Sendable {
        var visits: [Visit] = []
        var acknowledged = 0
        /// Answers of 500 and above, by code.
        var errors: [String: Int] = [:]
        /// Connections that ended before the answer, or could not be made.
        var broken = 0
        /// Requests that were sent again because their connection had ended or the answer was an error.
        var repeated = 0
        /// Nanoseconds from the first try of a request to its answer, the longest.
        var longestPause: UInt64 = 0
        /// Answers that the contract has no reason for.
        var surprises: [String] = []

        mutating func add(_ other: Tally) {
            self.visits += other.visits
            self.acknowledged += other.acknowledged
            self.errors.merge(other.errors, uniquingKeysWith: +)
            self.broken += other.broken
            self.repeated += other.repeated
            self.longestPause = max(self.longestPause, other.longestPause)
            self.surprises += other.surprises
        }
    }

    /// How long a request is repeated before the test fails: far longer than any restart.
    private static let patienceSeconds: UInt64 = 60
    private static let seatsOfHall = 50
    private static let schedulesOfConcert = 240
    /// Visits per schedule, so that fans meet at the same seats but the hall is never full.
    private static let seatsWantedPerSchedule = 30

    private let port: Int
    private let fans: Int
    private var random: SeededRandom
    private var connection: TestConnection?
    private var nextUser: Int
    private var visitsBegun = 0
    private var keysMade = 0
    private(set) var tally = Tally()

    /// `index` of `fans` that run at the same time, each with users of its own.
    init(port: Int, index: Int, of fans: Int, seed: UInt64, firstUser: Int) {
        self.port = port
        self.fans = fans
        self.random = SeededRandom(seed: seed &* 1_000 &+ UInt64(index))
        self.nextUser = firstUser + index * 1_000_000
    }

    // MARK: A visit

    mutating func visit() {
        var visit = Visit(user: self.nextUser, concert: .random(in: 1...8, using: &self.random))
        self.nextUser += 1
        self.visitsBegun += 1
        self.move(500_000, &visit)
        if let token = self.join(&visit) {
            self.book(&visit, token)
        }
        if self.random.once(in: 3) { self.move(.random(in: 1...50_000, using: &self.random), &visit) }
        if self.random.once(in: 3) { self.move(-.random(in: 1...50_000, using: &self.random), &visit) }
        self.tally.visits.append(visit)
    }

    /// Points in or out.
    private mutating func move(_ amount: Int, _ visit: inout Visit) {
        let call = amount > 0 ? "charge" : "use"
        let target = "/api/v1/point/\(call)?userId=\(visit.user)&amount=\(abs(amount))"
        if self.change("POST", target, for: visit) != nil { visit.points.append(amount) }
    }

    private mutating func join(_ visit: inout Visit) -> String? {
        let body = #"{"concertId":\#(visit.concert),"userId":\#(visit.user)}"#
        visit.joinSentAt = Self.now
        guard let joined = self.insist("POST", "/api/v1/waiting", for: visit, body: body) else { return nil }
        visit.joinAnsweredAt = Self.now
        visit.place = joined["place"].whole
        guard let token = joined["tokenId"].string else { return nil }
        if self.random.once(in: 50) {
            _ = self.change("DELETE", "/api/v1/waiting?concertId=\(visit.concert)", for: visit, token: token)
            return nil
        }
        let begun = Self.now
        while true {
            let target = "/api/v1/waiting?concertId=\(visit.concert)"
            guard let standing = self.insist("GET", target, for: visit, token: token) else { return nil }
            if standing["remainingWaitingOrder"] == 0 { return token }
            guard Self.now - begun < Self.patienceSeconds * 1_000_000_000 else {
                self.tally.surprises.append("user \(visit.user) was never let in")
                return nil
            }
            usleep(2_000)
        }
    }

    private mutating func book(_ visit: inout Visit, _ token: String) {
        for _ in 0..<5 where visit.held.isEmpty {
            self.reserve(&visit, token)
        }
        guard !visit.held.isEmpty else { return }
        let ids = visit.held.map(\.id)
        let body = #"{"concertId":\#(visit.concert),"reservationIds":\#(ids)}"#
        if self.random.once(in: 4) {
            guard self.change("DELETE", "/api/v1/reservation", for: visit, token: token, body: body) != nil else {
                return
            }
            visit.end = .gaveBack
            return
        }
        guard self.change("POST", "/api/v1/payment", for: visit, token: token, body: body) != nil else { return }
        visit.end = .paid
        if self.random.once(in: 4) { self.cancel(&visit) }
    }

    /// All that was paid, or the first seat of it.
    private mutating func cancel(_ visit: inout Visit) {
        let ids = visit.held.map(\.id).prefix(Int.random(in: 1...2, using: &self.random))
        let body = #"{"concertId":\#(visit.concert),"userId":\#(visit.user),"reservationIds":\#(Array(ids))}"#
        guard self.change("POST", "/api/v1/reservation/cancel", for: visit, body: body) != nil else { return }
        visit.cancelled = Set(ids)
    }

    /// One or two seats that others want as well.
    private mutating func reserve(_ visit: inout Visit, _ token: String) {
        let wanted = self.visitsBegun * self.fans / 8 / Self.seatsWantedPerSchedule
        let schedule = (visit.concert - 1) * Self.schedulesOfConcert + wanted % Self.schedulesOfConcert + 1
        var numbers: Set<Int> = []
        for _ in 0..<Int.random(in: 1...2, using: &self.random) {
            numbers.insert(.random(in: 1...Self.seatsOfHall, using: &self.random))
        }
        for number in numbers { visit.asked.insert(Seat(schedule: schedule, number: number)) }
        let body =
            #"{"concertId":\#(visit.concert),"concertScheduleId":\#(schedule),"seatIds":\#(numbers.sorted())}"#
        let list = self.change(
            "POST",
            "/api/v1/reservation",
            for: visit,
            token: token,
            body: body,
            mayHear: "SEAT_TAKEN"
        )
        if let list { visit.held = Self.reservations(list) }
    }

    private static func reservations(_ json: JSONValue) -> [Reservation] {
        json.list.compactMap { each in
            guard let id = each["reservationId"].whole, let schedule = each["concertScheduleId"].whole,
                let number = each["seatId"].whole, let price = each["seatPrice"].whole
            else { return nil }
            return Reservation(id: id, seat: Seat(schedule: Int(schedule), number: Int(number)), price: Int(price))
        }
    }

    // MARK: A request

    /// Something that is to be done once, however often it is sent; its JSON, or nil for what it `mayHear` instead.
    private mutating func change(
        _ method: String,
        _ target: String,
        for visit: Visit,
        token: String? = nil,
        body: String? = nil,
        mayHear code: String? = nil
    ) -> JSONValue? {
        self.keysMade += 1
        let key = "Idempotency-Key: \(visit.user)-\(self.keysMade)"
        return self.insist(method, target, for: visit, token: token, body: body, headers: [key], mayHear: code)
    }

    /// Asks until it is answered; its JSON, or nil for anything but 200, which is a surprise unless it is named.
    private mutating func insist(
        _ method: String,
        _ target: String,
        for visit: Visit,
        token: String? = nil,
        body: String? = nil,
        headers: [String] = [],
        mayHear code: String? = nil
    ) -> JSONValue? {
        let request = BookingClient.request(method, target, token: token, body: body, headers)
        guard let answer = self.ask(request) else {
            self.tally.surprises.append("\(visit) heard nothing for \(Self.patienceSeconds) s")
            return nil
        }
        if answer.status == 200 { return answer.json }
        if answer.code != code { self.tally.surprises.append("\(visit) heard \(answer.status) \(answer.text)") }
        return nil
    }

    private mutating func ask(_ request: String) -> Answer? {
        let begun = Self.now
        while Self.now - begun < Self.patienceSeconds * 1_000_000_000 {
            guard let answer = self.tryOnce(request) else {
                self.tally.repeated += 1
                continue
            }
            self.tally.longestPause = max(self.tally.longestPause, Self.now - begun)
            if answer.status < 500, answer.status != 409 {
                self.tally.acknowledged += answer.status == 200 ? 1 : 0
                return answer
            }
            if answer.status >= 500 { self.tally.errors[answer.code ?? "\(answer.status)", default: 0] += 1 }
            self.tally.repeated += 1
            usleep(10_000)
        }
        return nil
    }

    /// Nil when the connection could not be made, or ended before the answer.
    private mutating func tryOnce(_ request: String) -> Answer? {
        guard let connection = self.connect() else {
            self.tally.broken += 1
            usleep(5_000)
            return nil
        }
        do {
            try connection.send(request)
            let answer = try connection.answer()
            if answer.closes { self.connection = nil }
            return answer
        } catch {
            self.tally.broken += 1
            self.connection = nil
            return nil
        }
    }

    private mutating func connect() -> TestConnection? {
        if self.connection == nil { self.connection = try? TestConnection(port: self.port) }
        return self.connection
    }

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Many fans at a time, a thread each, from the start to `leave`.
final class Crowd: Sendable {
    private let isOver = Atomic(false)
    private let tally = Mutex(Fan.Tally())
    private let left = DispatchGroup()

    init(port: Int, fans: Int, seed: UInt64, firstUser: Int = 1) {
        for index in 0..<fans {
            self.left.enter()
            let thread = Thread { [self] in
                var fan = Fan(port: port, index: index, of: fans, seed: seed, firstUser: firstUser)
                while !self.isOver.load(ordering: .relaxed) { fan.visit() }
                self.tally.withLock { $0.add(fan.tally) }
                self.left.leave()
            }
            thread.start()
        }
    }

    /// Lets everyone finish their visit, and gives what they met.
    func leave() -> Fan.Tally {
        self.isOver.store(true, ordering: .relaxed)
        self.left.wait()
        return self.tally.withLock { $0 }
    }
}
