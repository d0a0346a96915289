import Foundation
import Glibc
import Synchronization
import TestSupport

/// One fan after another, each in a closed loop: pays points in, joins, waits, reserves, pays or gives back, cancels now
/// and then, while processes die. Keeps to itself what it was answered, for the books (`FanBooks`) to compare later.
///
/// A request whose answer did not come, or was 503, has an unknown outcome. What is safe to repeat is repeated until it
/// is answered; what is not (points in, points out) is sent once, and the books allow for both outcomes.
struct Fan {
    /// What one fan did and heard.
    struct Visit: Sendable {
        let user: Int
        let concert: Int
        /// Points that went in (positive) or out, and were acknowledged.
        var points: [Int] = []
        /// The same, with an unknown outcome.
        var pointsMaybe: [Int] = []
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
        /// Nanoseconds from the first try of a request to its answer, the longest.
        var longestPause: UInt64 = 0
        /// Answers that the contract has no reason for.
        var surprises: [String] = []

        mutating func add(_ other: Tally) {
            self.visits += other.visits
            self.acknowledged += other.acknowledged
            self.errors.merge(other.errors, uniquingKeysWith: +)
            self.broken += other.broken
            self.longestPause = max(self.longestPause, other.longestPause)
            self.surprises += other.surprises
        }
    }

    private enum Outcome {
        case answered(Answer)
        /// Done or not, nobody knows.
        case unknown
        /// Surely not done.
        case undone
    }

    /// How long a request is repeated before the test fails: far longer than any restart.
    private static let patienceSeconds: UInt64 = 60
    private static let seatsOfHall = 50
    private static let schedulesOfConcert = 240
    /// Visits per schedule, so that fans meet at the same seats but the hall is never full.
    private static let seatsWantedPerSchedule = 30

    private let port: Int
    private let fans: Int
    private var random: SplitMix
    private var connection: TestConnection?
    private var nextUser: Int
    private var visitsBegun = 0
    private(set) var tally = Tally()

    /// `index` of `fans` that run at the same time, each with users of its own.
    init(port: Int, index: Int, of fans: Int, seed: UInt64, firstUser: Int) {
        self.port = port
        self.fans = fans
        self.random = SplitMix(seed: seed &* 1_000 &+ UInt64(index))
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

    /// Points in or out. Not safe to repeat once it may have been done.
    private mutating func move(_ amount: Int, _ visit: inout Visit) {
        let call = amount > 0 ? "charge" : "use"
        let target = "/api/v1/point/\(call)?userId=\(visit.user)&amount=\(abs(amount))"
        switch self.ask(once: true, "POST", target) {
        case .answered(let answer) where answer.status == 200: visit.points.append(amount)
        case .answered(let answer): self.surprise(answer, visit)
        case .unknown: visit.pointsMaybe.append(amount)
        case .undone: self.surprise(nil, visit)
        }
    }

    private mutating func join(_ visit: inout Visit) -> String? {
        let body = #"{"concertId":\#(visit.concert),"userId":\#(visit.user)}"#
        visit.joinSentAt = Self.now
        guard let joined = self.insist("POST", "/api/v1/waiting", body: body, visit) else { return nil }
        visit.joinAnsweredAt = Self.now
        visit.place = joined["place"].whole
        guard let token = joined["tokenId"].string else { return nil }
        if self.random.once(in: 50) {
            _ = self.insist("DELETE", "/api/v1/waiting?concertId=\(visit.concert)", token: token, visit)
            return nil
        }
        let begun = Self.now
        while true {
            let target = "/api/v1/waiting?concertId=\(visit.concert)"
            guard let standing = self.insist("GET", target, token: token, visit) else { return nil }
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
            guard self.insist("DELETE", "/api/v1/reservation", token: token, body: body, visit) != nil else { return }
            visit.end = .gaveBack
        } else {
            guard self.insist("POST", "/api/v1/payment", token: token, body: body, visit) != nil else { return }
            visit.end = .paid
            if self.random.once(in: 4) { self.cancel(&visit) }
        }
    }

    /// All that was paid, or the first seat of it.
    private mutating func cancel(_ visit: inout Visit) {
        let ids = visit.held.map(\.id).prefix(Int.random(in: 1...2, using: &self.random))
        let body = #"{"concertId":\#(visit.concert),"userId":\#(visit.user),"reservationIds":\#(Array(ids))}"#
        guard self.insist("POST", "/api/v1/reservation/cancel", body: body, visit) != nil else { return }
        visit.cancelled = Set(ids)
    }

    /// One or two seats that others want as well. When nobody knows whether they are held, the list of reservations does.
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
        switch self.ask(once: true, "POST", "/api/v1/reservation", token: token, body: body) {
        case .answered(let answer) where answer.status == 200: visit.held = Self.reservations(answer.json)
        case .answered(let answer):
            if answer.code != "SEAT_TAKEN" { self.surprise(answer, visit) }
        case .unknown, .undone:
            let target = "/api/v1/reservation?concertId=\(visit.concert)&userId=\(visit.user)"
            guard let list = self.insist("GET", target, visit) else { return }
            visit.held = Self.reservations(list)
        }
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

    /// Asks until it is answered; its JSON, or nil (and a surprise) for anything but 200.
    private mutating func insist(
        _ method: String,
        _ target: String,
        token: String? = nil,
        body: String? = nil,
        _ visit: Visit
    ) -> JSONValue? {
        guard case .answered(let answer) = self.ask(once: false, method, target, token: token, body: body) else {
            self.surprise(nil, visit)
            return nil
        }
        guard answer.status == 200 else {
            self.surprise(answer, visit)
            return nil
        }
        return answer.json
    }

    /// `once` gives up as soon as the outcome is unknown.
    private mutating func ask(
        once: Bool,
        _ method: String,
        _ target: String,
        token: String? = nil,
        body: String? = nil
    ) -> Outcome {
        let begun = Self.now
        let request = BookingClient.request(method, target, token: token, body: body)
        while Self.now - begun < Self.patienceSeconds * 1_000_000_000 {
            guard let connection = self.connect() else {
                self.tally.broken += 1
                usleep(5_000)
                continue
            }
            let answer: Answer
            do {
                try connection.send(request)
                answer = try connection.answer()
            } catch {
                self.tally.broken += 1
                self.connection = nil
                guard !once else { return .unknown }
                continue
            }
            self.tally.longestPause = max(self.tally.longestPause, Self.now - begun)
            if answer.closes { self.connection = nil }
            if answer.status < 500 {
                self.tally.acknowledged += answer.status == 200 ? 1 : 0
                guard answer.code == "PAYMENT_IN_PROGRESS" else { return .answered(answer) }
            } else {
                self.tally.errors[answer.code ?? "\(answer.status)", default: 0] += 1
                if once, answer.code == "UNAVAILABLE" { return .unknown }
            }
            usleep(10_000)
        }
        return .undone
    }

    private mutating func connect() -> TestConnection? {
        if self.connection == nil { self.connection = try? TestConnection(port: self.port) }
        return self.connection
    }

    private mutating func surprise(_ answer: Answer?, _ visit: Visit) {
        // A charge with an unknown outcome may leave too little.
        if answer?.code == "INSUFFICIENT_POINTS", !visit.pointsMaybe.isEmpty { return }
        let text = answer.map { "\($0.status) \($0.text)" } ?? "no answer in \(Self.patienceSeconds) s"
        self.tally.surprises.append("user \(visit.user) of concert \(visit.concert) heard \(text)")
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
