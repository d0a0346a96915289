public import Booking

// What is sold: concerts, their schedules and seats.

extension Router {
    func schedules(_ request: HTTPRequest) throws -> RoutedCall {
        RoutedCall(.schedules(try self.known(try Self.concert(in: request.query))))
    }

    func seats(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let concert = try self.knownConcert(in: query)
        return RoutedCall(.ask(.seats(concert, try Self.id(in: query, "concertScheduleId"))))
    }
}

extension AnswerWriter {
    /// The listed concerts as of a moment: `state` says whether people are admitted.
    public func concertsBody(at now: Timestamp) -> [UInt8] {
        var output = OutputBytes()
        output.openArray()
        for concert in self.catalogue.concerts where !concert.isArchived {
            output.element()
            output.openObject()
            output.member("concertId", concert.id.rawValue)
            output.member("concertTitle", concert.title)
            self.append("opensAt", concert.opensAt, &output)
            output.member("scheduleCount", UInt64(concert.listedCount))
            output.member("state", concert.state(at: now).rawValue)
            output.closeObject()
        }
        output.closeArray()
        return output.array
    }

    /// The list of schedules, for the gateway's cache.
    public func schedulesBody(_ remaining: [UInt32], of request: Request) -> [UInt8] {
        var output = OutputBytes()
        self.schedules(.schedules(remaining), request, &output)
        return output.array
    }

    func schedules(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        guard case .schedules(let remaining) = reply, case .schedules(let id) = request,
            let concert = self.catalogue[id]
        else { return }
        output.openArray()
        for (schedule, count) in zip(concert.listedSchedules, remaining) {
            output.element()
            output.openObject()
            output.member("concertScheduleId", schedule.id.rawValue)
            output.member("concertId", id.rawValue)
            self.append("playDateTime", schedule.playsAt, &output)
            output.member("remainingSeatCount", UInt64(count))
            output.closeObject()
        }
        output.closeArray()
    }

    func schedulesBytesMax(_ request: Request) -> Int {
        guard case .schedules(let concert) = request else { return 0 }
        return (self.catalogue[concert]?.schedules.count ?? 0) * Self.scheduleBytes
    }

    func seats(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        guard case .seats(let statuses) = reply, case .seats(let concert, let id) = request,
            let schedule = self.catalogue[concert]?.schedule(id)
        else { return }
        output.openArray()
        for (index, status) in statuses.enumerated() {
            let seat = SeatID(UInt64(index) + 1)
            guard let section = schedule.hall.section(of: seat) else { continue }
            output.element()
            output.openObject()
            output.member("seatId", seat.rawValue)
            output.member("seatNum", seat.rawValue)
            output.member("seatGrade", section.grade)
            output.member("seatPrice", section.price.rawValue)
            output.member("seatStatus", status.word)
            output.closeObject()
        }
        output.closeArray()
    }

    func seatsBytesMax(_ request: Request) -> Int {
        guard case .seats(let concert, let schedule) = request else { return 0 }
        return (self.catalogue[concert]?.schedule(schedule)?.hall.seatCount ?? 0) * Self.seatBytes
    }

    /// Of one element, with usual numbers and titles.
    private static let scheduleBytes = 100
    private static let seatBytes = 88
}

extension ContractDocument {
    static func concerts(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "listConcerts",
            tag: "concerts",
            summary: "All concerts",
            answer: (
                self.list(of: "Concert"),
                [
                    [
                        "concertId": 1, "concertTitle": "콘서트 1", "opensAt": "2026-01-01 00:00:00",
                        "scheduleCount": 240, "state": "OPEN",
                    ]
                ]
            )
        )
    }

    static func schedules(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "listSchedules",
            tag: "concerts",
            summary: "A concert's schedules",
            description: "Seat counts are at most a second old.",
            parameters: [self.concertQuery],
            answer: (
                self.list(of: "Schedule"),
                [
                    [
                        "concertScheduleId": 1, "concertId": 1, "playDateTime": "2030-01-01 19:00:00",
                        "remainingSeatCount": 50,
                    ]
                ]
            ),
            refusals: [.unknownConcert] + self.question
        )
    }

    static func seats(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "listSeats",
            tag: "concerts",
            summary: "The seats of a schedule",
            parameters: [self.concertQuery, self.query("concertScheduleId", self.id, 1)],
            answer: (
                self.list(of: "Seat"),
                [["seatId": 1, "seatNum": 1, "seatGrade": "VIP", "seatPrice": 170_000, "seatStatus": "AVAILABLE"]]
            ),
            refusals: [.unknownConcert, .noSuchSchedule] + self.question
        )
    }
}
