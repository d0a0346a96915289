import Foundation

/// Compares what fans were answered with what the cluster says afterwards, over HTTP: nothing acknowledged is lost, no
/// seat is sold twice, every balance adds up, and nobody passed another in line.
struct FanBooks {
    private let client: BookingClient
    private let visits: [Fan.Visit]
    private(set) var problems: [String] = []
    private(set) var lost = 0
    private(set) var soldTwice = 0
    private(set) var balancesWrong = 0
    private(set) var sold = 0
    /// Who has each seat, by the lists of reservations.
    private var owners: [Fan.Seat: (user: Int, isSold: Bool)] = [:]

    /// Asks for everything that the visits touched, over one connection.
    init(_ tally: Fan.Tally, port: Int) throws {
        self.client = try BookingClient.keeping(port: port)
        self.visits = tally.visits
        for visit in self.visits {
            let used = try self.checkReservations(visit)
            try self.checkPoints(visit, used: used)
        }
        try self.checkSeats()
        self.checkOrder()
    }

    // MARK: One person

    /// What was acknowledged is in the list, and nothing is that was never asked for; what the paid seats cost.
    private mutating func checkReservations(_ visit: Fan.Visit) throws -> Int {
        let list = try self.client.reservations(visit.concert, visit.user).json.list
        var used = 0
        var found: [Int64: String] = [:]
        for each in list {
            let id = each["reservationId"].whole ?? 0
            let status = each["reservationStatus"].string ?? ""
            let seat = Fan.Seat(
                schedule: Int(each["concertScheduleId"].whole ?? 0),
                number: Int(each["seatId"].whole ?? 0)
            )
            found[id] = status
            if !visit.asked.contains(seat) { self.note("user \(visit.user) has \(seat), and never asked for it") }
            guard status != "CANCEL" else { continue }
            if status == "SUCCESS" { used += Int(each["seatPrice"].whole ?? 0) }
            if let other = self.owners.updateValue((visit.user, status == "SUCCESS"), forKey: seat) {
                self.soldTwice += 1
                self.note("\(seat) is both user \(visit.user)'s and user \(other.user)'s")
            }
        }
        let expected =
            switch visit.end {
            case .none: "SUSPEND"
            case .paid: "SUCCESS"
            case .gaveBack: "CANCEL"
            }
        for held in visit.held {
            let expected = visit.cancelled.contains(held.id) ? "CANCEL" : expected
            guard found[held.id] != expected else { continue }
            self.lost += 1
            self.note(
                "user \(visit.user): reservation \(held.id) is \(found[held.id] ?? "lost"), acknowledged as \(expected)"
            )
        }
        return used
    }

    /// The balance is what went in less what went out; so says the history too.
    private mutating func checkPoints(_ visit: Fan.Visit, used: Int) throws {
        let balance = Int(try self.client.balance(visit.user).json["balance"].whole ?? -1)
        let expected = visit.points.reduce(0, +) - used
        if balance != expected {
            self.balancesWrong += 1
            self.note("user \(visit.user) has \(balance) points, expected \(expected): \(visit)")
        }
        let history = try self.client.history(visit.user, "&size=100").json.list
        var lines: [Int] = history.map { line in
            let amount = Int(line["amount"].whole ?? 0)
            return line["transactionType"] == "USE" ? -amount : amount
        }
        if lines.reduce(0, +) != balance {
            self.balancesWrong += 1
            self.note("user \(visit.user)'s history \(lines) does not add up to \(balance)")
        }
        for amount in visit.points {
            guard let index = lines.firstIndex(of: amount) else {
                self.lost += 1
                self.note("user \(visit.user)'s \(amount) points were acknowledged and are not in the history")
                continue
            }
            lines.remove(at: index)
        }
    }

    // MARK: All together

    /// Maps of seats and lists of reservations tell the same.
    private mutating func checkSeats() throws {
        let schedules = Set(self.visits.flatMap { visit in visit.asked.map { [visit.concert, $0.schedule] } })
        for pair in schedules {
            for each in try self.client.seats(pair[0], pair[1]).json.list {
                let seat = Fan.Seat(schedule: pair[1], number: Int(each["seatId"].whole ?? 0))
                let expected = self.owners[seat].map { $0.isSold ? "SOLD" : "HELD" } ?? "AVAILABLE"
                let status = each["seatStatus"].string ?? ""
                if status == "SOLD" { self.sold += 1 }
                if status != expected { self.note("\(seat) is \(status), but by the lists it is \(expected)") }
            }
        }
    }

    /// Places are given once, and who was answered before another asked stands before them.
    private mutating func checkOrder() {
        for concert in 1...8 {
            let here = self.visits.filter { $0.concert == concert && $0.place != nil }
            if Set(here.map(\.place)).count != here.count { self.note("a place of concert \(concert) was given twice") }
            let byAnswer = here.sorted { $0.joinAnsweredAt < $1.joinAnsweredAt }
            var next = 0
            var highest: Int64 = 0
            for visit in here.sorted(by: { $0.joinSentAt < $1.joinSentAt }) {
                while next < byAnswer.count, byAnswer[next].joinAnsweredAt < visit.joinSentAt {
                    highest = max(highest, byAnswer[next].place ?? 0)
                    next += 1
                }
                if let place = visit.place, place <= highest {
                    self.note("user \(visit.user) got place \(place) of concert \(concert) after \(highest) was given")
                }
            }
        }
    }

    private mutating func note(_ problem: String) { self.problems.append(problem) }
}
