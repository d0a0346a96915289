import Booking

/// Each path's calls: what they take, what they answer, and what they may be refused for. The switch has no default, so a
/// path that is added asks for its words here.
extension ContractDocument {
    static func calls(of path: Router.Path) -> [DocumentedCall] {
        guard path.isAboutUser else { return self.ownCalls(of: path) }
        return self.ownCalls(of: path).map { call in
            var call = call
            call.problems += Problem.identities
            call.isAboutUser = true
            return call
        }
    }

    private static func ownCalls(of path: Router.Path) -> [DocumentedCall] {
        switch path {
        case .concerts: [self.concerts]
        case .schedules: [self.schedules]
        case .seats: [self.seats]
        case .waiting: [self.join, self.poll, self.leave]
        case .reservation: [self.reserve, self.reservations, self.giveBack]
        case .cancel: [self.cancel]
        case .payment: [self.pay]
        case .charge: [self.charge]
        case .use: [self.use]
        case .balance: [self.balance]
        case .history: [self.history]
        case .document: [self.document]
        }
    }

    /// What any question to a shard may be refused for, and any change.
    private static let question: [Refusal] = [.overloaded, .unavailable]
    private static let change: [Refusal] = [.overloaded, .unavailable, .storageUnavailable, .clockSuspended]
    private static let transfer: [Refusal] = Self.change + [.transferConflict]
    /// For the calls that only people inside may make.
    private static let needsPlace: [Problem] = [.tokenMissing, .tokenInvalid, .tokenNotAdmitted]

    private static let tokenParameter = DocumentValue.reference("parameters/ConcertToken")

    private static func query(
        _ name: String,
        _ schema: DocumentValue,
        _ example: DocumentValue,
        required: Bool = true
    ) -> DocumentValue {
        ["name": .text(name), "in": "query", "required": .truth(required), "schema": schema, "example": example]
    }

    private static var concertQuery: DocumentValue { self.query("concertId", self.id, 1) }
    private static var userQuery: DocumentValue { self.query("userId", self.id, 1001) }

    // MARK: Concerts

    private static var concerts: DocumentedCall {
        DocumentedCall(
            method: .get,
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
            ),
            isCached: true,
            input: .none
        )
    }

    private static var schedules: DocumentedCall {
        DocumentedCall(
            method: .get,
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
            isCached: true,
            refusals: [.unknownConcert] + self.question
        )
    }

    private static var seats: DocumentedCall {
        DocumentedCall(
            method: .get,
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

    // MARK: The line

    private static var join: DocumentedCall {
        DocumentedCall(
            method: .post,
            id: "joinLine",
            tag: "line",
            summary: "Join a concert's line",
            description: """
                Who joins again while waiting or inside gets the same token and place. `remainingWaitingOrder` 1 is next, \
                0 is inside. `remainingWaitingSec` is an estimate: the time to the opening, and then the later of the place \
                divided by the rate of admission and the time until enough places inside come free, as lately or else by the \
                lifetimes. `Retry-After`, a tenth of it in most lines, says when to poll.
                """,
            body: ("Joining", ["concertId": 1, "userId": 1001]),
            answer: (
                .reference("schemas/Joined"),
                [
                    "userId": 1001, "concertId": 1, "tokenId": .text(self.exampleToken),
                    "createdAt": "2026-07-01 20:00:00", "place": 1, "remainingWaitingOrder": 1,
                    "remainingWaitingSec": 1,
                ]
            ),
            mayPause: true,
            input: .body,
            refusals: [.unknownConcert, .concertOver] + self.change,
            links: [
                "poll": self.link("poll", ["concertId": "$response.body#/concertId"], token: "$response.body#/tokenId"),
                "leave": self.link(
                    "leaveLine",
                    ["concertId": "$response.body#/concertId"],
                    token: "$response.body#/tokenId"
                ),
                "reserve": self.link(
                    "reserve",
                    [:],
                    token: "$response.body#/tokenId",
                    body: ["concertId": "$response.body#/concertId", "concertScheduleId": 1, "seatIds": [1]]
                ),
            ]
        )
    }

    private static var poll: DocumentedCall {
        DocumentedCall(
            method: .get,
            id: "poll",
            tag: "line",
            summary: "One's place in line",
            description: """
                Both numbers are 0 once inside. `remainingWaitingSec` is an estimate, as when joining. `Retry-After` says when \
                to ask again.
                """,
            parameters: [self.concertQuery, self.tokenParameter],
            answer: (
                .reference("schemas/Standing"),
                ["tokenId": .text(self.exampleToken), "remainingWaitingOrder": 120, "remainingWaitingSec": 3]
            ),
            mayPause: true,
            refusals: [.concertOver] + self.question,
            problems: [.tokenNotFound(self.exampleToken)]
        )
    }

    private static var leave: DocumentedCall {
        DocumentedCall(
            method: .delete,
            id: "leaveLine",
            tag: "line",
            summary: "Leave the line",
            description: "Everyone behind moves up.",
            parameters: [self.concertQuery, self.tokenParameter],
            answer: (
                .reference("schemas/Left"),
                ["userId": 1001, "concertId": 1, "tokenId": .text(self.exampleToken)]
            ),
            refusals: [.concertOver] + self.change,
            problems: [.tokenNotFound(self.exampleToken)]
        )
    }

    // MARK: Seats

    private static var reserve: DocumentedCall {
        DocumentedCall(
            method: .post,
            id: "reserve",
            tag: "seats",
            summary: "Hold seats",
            description: "All the seats it names or none.",
            parameters: [self.tokenParameter],
            body: ("Reserving", ["concertId": 1, "concertScheduleId": 1, "seatIds": [1]]),
            answer: (self.list(of: "Reservation"), [self.reservation("SUSPEND")]),
            input: .body,
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

    private static var reservations: DocumentedCall {
        DocumentedCall(
            method: .get,
            id: "listReservations",
            tag: "seats",
            summary: "A user's reservations",
            parameters: [self.concertQuery, self.userQuery],
            answer: (self.list(of: "Reservation"), [self.reservation("SUCCESS")]),
            refusals: [.unknownConcert] + self.question
        )
    }

    private static var giveBack: DocumentedCall {
        DocumentedCall(
            method: .delete,
            id: "giveBack",
            tag: "seats",
            summary: "Give held seats back",
            parameters: [self.tokenParameter],
            body: ("Reservations", ["concertId": 1, "reservationIds": [.whole(self.exampleReservation)]]),
            answer: (self.list(of: "Reservation"), [self.reservation("CANCEL")]),
            input: .body,
            refusals: [
                .noReservations, .duplicateReservation, .noSuchReservation, .alreadyPaid, .paymentInProgress,
            ] + self.change,
            problems: self.needsPlace
        )
    }

    // MARK: Payment

    private static var pay: DocumentedCall {
        DocumentedCall(
            method: .post,
            id: "pay",
            tag: "payment",
            summary: "Pay for held seats",
            description: "Takes the points and sells all the seats named, or does neither. The token is used up.",
            parameters: [self.tokenParameter],
            body: ("Reservations", ["concertId": 1, "reservationIds": [.whole(self.exampleReservation)]]),
            answer: (.reference("schemas/Receipt"), self.receipt("SUCCESS", balance: 330_000)),
            input: .body,
            refusals: [
                .noReservations, .duplicateReservation, .noSuchReservation, .holdExpired, .alreadyPaid,
                .alreadyCancelled, .insufficientPoints, .paymentInProgress, .cancelInProgress,
            ] + self.transfer,
            problems: self.needsPlace,
            links: [
                "cancel": self.link(
                    "cancel",
                    [:],
                    body: [
                        "concertId": "$response.body#/reservations/0/concertId", "userId": "$response.body#/userId",
                        "reservationIds": ["$response.body#/reservations/0/reservationId"],
                    ]
                )
            ]
        )
    }

    private static var cancel: DocumentedCall {
        DocumentedCall(
            method: .post,
            id: "cancel",
            tag: "payment",
            summary: "Cancel paid seats",
            description: "Gives the points back and frees all the seats named, or does neither. Needs no token.",
            body: (
                "Cancelling",
                ["concertId": 1, "userId": 1001, "reservationIds": [.whole(self.exampleReservation)]]
            ),
            answer: (.reference("schemas/Receipt"), self.receipt("CANCEL", balance: 500_000)),
            input: .body,
            refusals: [
                .unknownConcert, .noReservations, .duplicateReservation, .noSuchReservation, .notPaid, .cancelTooLate,
                .alreadyCancelled, .cancelInProgress,
            ] + self.transfer
        )
    }

    // MARK: Points

    private static var charge: DocumentedCall {
        DocumentedCall(
            method: .post,
            id: "charge",
            tag: "points",
            summary: "Charge points",
            description: "A body of any kind is ignored.",
            parameters: [
                self.userQuery,
                self.query(
                    "amount",
                    ["type": "integer", "minimum": 1, "maximum": .whole(Points.chargeMax.rawValue)],
                    500_000
                ),
                self.query("paymentType", .reference("schemas/PaymentType"), "FREE", required: false),
            ],
            answer: (.reference("schemas/PointsChange"), self.change("CHARGE", 500_000, balance: 500_000)),
            refusals: [.chargeNotPositive, .chargeTooLarge, .balanceTooLarge] + self.change
        )
    }

    private static var use: DocumentedCall {
        DocumentedCall(
            method: .post,
            id: "use",
            tag: "points",
            summary: "Use points",
            description: "A body of any kind is ignored.",
            parameters: [self.userQuery, self.query("amount", ["type": "integer", "minimum": 1], 1_000)],
            answer: (.reference("schemas/PointsChange"), self.change("USE", 1_000, balance: 499_000)),
            refusals: [.useNotPositive, .insufficientPoints] + self.change
        )
    }

    private static var balance: DocumentedCall {
        DocumentedCall(
            method: .get,
            id: "balance",
            tag: "points",
            summary: "A user's points",
            parameters: [self.userQuery],
            answer: (
                .reference("schemas/Balance"),
                ["userId": 1001, "balance": 500_000, "updatedAt": "2026-07-01 19:55:00"]
            ),
            refusals: self.question
        )
    }

    private static var history: DocumentedCall {
        let sizeMax = Int64(HistoryQuery.sizeMax)
        let sizeDefault = Int64(HistoryQuery.sizeDefault)
        return DocumentedCall(
            method: .get,
            id: "history",
            tag: "points",
            summary: "What came and went of a user's points, newest first",
            parameters: [
                self.userQuery,
                self.query("transactionType", .reference("schemas/TransactionType"), "CHARGE", required: false),
                self.query(
                    "page",
                    ["type": "integer", "minimum": 0, "maximum": .whole(Int64(HistoryQuery.pageMax)), "default": 0],
                    0,
                    required: false
                ),
                self.query(
                    "size",
                    ["type": "integer", "minimum": 1, "maximum": .whole(sizeMax), "default": .whole(sizeDefault)],
                    .whole(sizeDefault),
                    required: false
                ),
            ],
            answer: (
                self.list(of: "HistoryEntry"),
                [
                    [
                        "pointHistoryId": 1_570_102_604_464_129, "pointId": 1001, "amount": 500_000,
                        "transactionType": "CHARGE", "paymentType": "FREE", "createdAt": "2026-07-01 19:55:00",
                        "updatedAt": "2026-07-01 19:55:00",
                    ]
                ]
            ),
            refusals: self.question
        )
    }

    private static var document: DocumentedCall {
        DocumentedCall(
            method: .get,
            id: "contract",
            tag: "contract",
            summary: "This document",
            answer: (
                .reference("schemas/OpenAPI"),
                ["openapi": "3.1.0", "info": ["title": "Usher", "version": .text(self.version)], "paths": [:]]
            ),
            isCached: true,
            input: .none
        )
    }
}
