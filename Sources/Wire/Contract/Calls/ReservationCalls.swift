import Booking

// Holding seats, and giving them back.

extension Router {
    func reserve(_ request: HTTPRequest) throws -> RoutedCall {
        let pass = try self.pass(request)
        let body = try JSONObject(request.body)
        try Self.check(pass, isFor: body)
        let schedule: ScheduleID = try Self.id(in: body, "concertScheduleId")
        return RoutedCall(.ask(.reserve(pass, schedule, try Self.ids(in: body, "seatIds"))))
    }

    func reservations(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let concert = try self.knownConcert(in: query)
        return RoutedCall(.ask(.reservations(concert, try self.user(in: query))))
    }

    func release(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, ids) = try self.passAndReservations(request)
        return RoutedCall(.ask(.release(pass, ids)))
    }
}

extension AnswerWriter {
    func reservations(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        guard case .reservations(let reservations) = reply else { return }
        self.append(reservations, of: request, withUser: false, &output)
    }

    func reservationsBytesMax(_ request: Request) -> Int { Shard.reservationsShownMax * Self.reservationBytes }

    /// With usual numbers and titles.
    private static let reservationBytes = 360

    func append(
        _ reservations: [Reservation],
        of request: Request,
        withUser: Bool,
        _ output: inout OutputBytes
    ) {
        let concert: Concert?
        switch request {
        case .reserve(let pass, _, _), .release(let pass, _), .pay(let pass, _): concert = self.catalogue[pass.concert]
        case .reservations(let id, _), .cancel(let id, _, _): concert = self.catalogue[id]
        default: concert = nil
        }
        // A list in any case: it may be a member of a larger value.
        output.openArray()
        defer { output.closeArray() }
        guard let concert else { return }
        for reservation in reservations {
            guard let schedule = concert.schedule(reservation.schedule) else { continue }
            output.element()
            output.openObject()
            output.member("reservationId", reservation.id.rawValue)
            if withUser { output.member("userId", reservation.user.rawValue) }
            output.member("concertId", concert.id.rawValue)
            output.member("concertTitle", concert.title)
            output.member("concertScheduleId", schedule.id.rawValue)
            self.append("playDateTime", schedule.playsAt, &output)
            output.member("seatId", reservation.seat.rawValue)
            output.member("seatNum", reservation.seat.rawValue)
            output.member("seatGrade", reservation.grade ?? "")
            output.member("seatPrice", reservation.price.rawValue)
            output.member("reservationStatus", reservation.status.word)
            self.append("expiredAt", reservation.until, &output)
            output.closeObject()
        }
    }
}

extension ContractDocument {
    static func reserve(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "reserve",
            tag: "seats",
            summary: "Hold seats",
            description: "All the seats it names or none.",
            parameters: [self.tokenParameter],
            body: ("Reserving", ["concertId": 1, "concertScheduleId": 1, "seatIds": [1]]),
            answer: (self.list(of: "Reservation"), [self.reservation("SUSPEND")]),
            refusals: [
                .noSuchSchedule, .scheduleOver, .noSeats, .tooManySeats, .duplicateSeat, .noSuchSeat,
                .seatsPerUserExceeded, .seatTaken, .stayOver, .seatKeptTooLong,
            ] + self.change,
            problems: self.needsPlace,
            links: [
                "pay": self.link("pay", [:], token: "$request.header.X-Concert-Token", body: self.firstReservation),
                "giveBack": self.link(
                    "giveBack",
                    [:],
                    token: "$request.header.X-Concert-Token",
                    body: self.firstReservation
                ),
            ]
        )
    }

    static func reservations(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "listReservations",
            tag: "seats",
            summary: "A user's reservations",
            parameters: [self.concertQuery, self.userQuery],
            answer: (self.list(of: "Reservation"), [self.reservation("SUCCESS")]),
            answerRemark: "Those of this user.",
            refusals: [.unknownConcert] + self.question
        )
    }

    static func release(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "giveBack",
            tag: "seats",
            summary: "Give held seats back",
            parameters: [self.tokenParameter],
            body: ("Reservations", ["concertId": 1, "reservationIds": [.whole(self.exampleReservation)]]),
            answer: (self.list(of: "Reservation"), [self.reservation("CANCEL")]),
            answerRemark: "Those given back.",
            refusals: [
                .noReservations, .duplicateReservation, .noSuchReservation, .alreadyPaid, .paymentInProgress,
            ] + self.change,
            problems: self.needsPlace
        )
    }
}
