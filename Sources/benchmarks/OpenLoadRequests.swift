import Glibc
import Seeded

/// The requests of an open load, made in advance where possible, to spare the load's own time.
struct OpenLoadRequests {
    private let plan: OpenLoad.Plan
    private var joins: [[UInt8]] = []
    private var polls: [[UInt8]] = []
    private var reserves: [[UInt8]] = []
    private var charge: [UInt8]
    private var nextUser: UInt64

    /// Digits written anew in each request: all numbers have the same number of digits, so lengths stay.
    private static let userDigits = 10
    private static let scheduleDigits = 6
    private static let seatDigits = 5
    private static let firstSchedule: UInt64 = 100_000
    private static let firstSeat: UInt64 = 10_000

    init(_ plan: OpenLoad.Plan) {
        self.plan = plan
        self.nextUser = plan.firstUser + UInt64(plan.people)
        self.charge = Self.post("/api/v1/point/charge?userId=1000000000&amount=1", "", nil)
        for concert in 1...plan.concerts {
            self.joins.append(
                Self.post("/api/v1/waiting", "{\"concertId\":\(concert),\"userId\":\(plan.firstUser)}", nil)
            )
        }
    }

    private static func post(_ path: String, _ body: String, _ token: String?) -> [UInt8] {
        let header = token.map { "X-Concert-Token: \($0)\r\n" } ?? ""
        return Array(
            ("POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(header)Content-Type: application/json\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8
        )
    }

    /// Users join the concerts in turn.
    func join(_ user: UInt64) -> [UInt8] {
        var bytes = self.joins[Int(user % UInt64(self.plan.concerts))]
        Self.write(user, Self.userDigits, into: &bytes, endingBefore: 1)
        return bytes
    }

    /// Takes the token out of a join's answer; false where there is none.
    mutating func readToken(from answer: UnsafeRawBufferPointer) -> Bool {
        let text = String(decoding: answer, as: UTF8.self)
        func field(_ name: String) -> Substring? {
            guard let range = text.firstRange(of: "\"\(name)\":") else { return nil }
            return text[range.upperBound...].prefix { $0 != "," && $0 != "}" }
        }
        guard let token = field("tokenId")?.dropFirst().dropLast(),
            let concert = field("concertId").flatMap({ Int($0) })
        else {
            return false
        }
        self.polls.append(
            Array(
                ("GET /api/v1/waiting?concertId=\(concert) HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + "X-Concert-Token: \(token)\r\n\r\n").utf8
            )
        )
        let first = Int(Self.firstSchedule) + 1_000 * concert
        let body = "{\"concertId\":\(concert),\"concertScheduleId\":\(first),\"seatIds\":[\(Self.firstSeat)]}"
        self.reserves.append(Self.post("/api/v1/reservation", body, String(token)))
        return true
    }

    mutating func request(_ kind: OpenLoad.Kind, _ random: inout SeededRandom) -> [UInt8] {
        switch kind {
        case .join:
            self.nextUser += 1
            return self.join(self.nextUser)
        case .poll: return self.polls[Int(random.next() % UInt64(self.polls.count))]
        case .reserve:
            let index = Int(random.next() % UInt64(self.reserves.count))
            let seat = Self.firstSeat + random.next() % UInt64(self.plan.seatsPerHall)
            // The last digits of the schedule, whose concert is the token's.
            let schedule = random.next() % UInt64(self.plan.schedulesPerConcert)
            Self.write(seat, Self.seatDigits, into: &self.reserves[index], endingBefore: 2)
            let before = 2 + Self.seatDigits + ",\"seatIds\":[".utf8.count
            Self.write(schedule, 3, into: &self.reserves[index], endingBefore: before)
            return self.reserves[index]
        case .charge:
            self.nextUser += 1
            let start = "POST /api/v1/point/charge?userId=".utf8.count
            let count = self.charge.count
            Self.write(
                self.nextUser,
                Self.userDigits,
                into: &self.charge,
                endingBefore: count - start - Self.userDigits
            )
            return self.charge
        }
    }

    private static func write(_ number: UInt64, _ digits: Int, into bytes: inout [UInt8], endingBefore end: Int) {
        var (rest, at) = (number, bytes.count - end)
        for _ in 0..<digits {
            at -= 1
            bytes[at] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
