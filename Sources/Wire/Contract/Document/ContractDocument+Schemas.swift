import Booking

/// The shape of bodies. Answers may gain members, so no schema is closed.
extension ContractDocument {
    static var schemas: DocumentValue {
        [
            "Id": ["type": "integer", "minimum": 1, "maximum": .whole(Int64(IdentifierLimits.max))],
            "Won": ["type": "integer", "description": "Whole won.", "minimum": 0],
            "Time": [
                "type": "string", "description": "In the service's time zone.",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
            ],
            "Token": [
                "type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[0-9A-Za-z_-]+$",
                "example": .text(self.exampleToken),
            ],
            "PaymentType": ["enum": .texts(PaymentType.allWords)],
            "TransactionType": ["enum": .texts(TransactionType.allWords)],
            "Concert": self.object([
                ("concertId", self.id), ("concertTitle", self.text), ("opensAt", self.time),
                ("scheduleCount", self.count), ("state", ["enum": .texts(Concert.State.allCases.map(\.rawValue))]),
            ]),
            "Schedule": self.object([
                ("concertScheduleId", self.id), ("concertId", self.id), ("playDateTime", self.time),
                ("remainingSeatCount", self.count),
            ]),
            "Seat": self.object([
                ("seatId", self.id), ("seatNum", self.id), ("seatGrade", self.text), ("seatPrice", self.won),
                ("seatStatus", ["enum": .texts(SeatStatus.allWords)]),
            ]),
            "Joining": self.object([("concertId", self.id), ("userId", self.id)]),
            "Joined": self.object([
                ("userId", self.id), ("concertId", self.id), ("tokenId", self.token), ("createdAt", self.time),
                ("place", self.id), ("remainingWaitingOrder", self.count), ("remainingWaitingSec", self.count),
            ]),
            "Standing": self.object([
                ("tokenId", self.token), ("remainingWaitingOrder", self.count), ("remainingWaitingSec", self.count),
            ]),
            "Left": self.object([("userId", self.id), ("concertId", self.id), ("tokenId", self.token)]),
            "Reserving": self.object([
                ("concertId", self.id), ("concertScheduleId", self.id), ("seatIds", self.ids),
            ]),
            "Reservations": self.object([("concertId", self.id), ("reservationIds", self.ids)]),
            "Cancelling": self.object([("concertId", self.id), ("userId", self.id), ("reservationIds", self.ids)]),
            "Reservation": self.object(self.reservation),
            "OwnedReservation": self.object([("userId", self.id)] + self.reservation),
            "Receipt": self.object([
                ("userId", self.id), ("pointAmount", self.won), ("pointBalance", self.won),
                ("reservations", self.list(of: "OwnedReservation")),
            ]),
            "PointsChange": self.object([
                ("userId", self.id), ("amount", self.won), ("balance", self.won),
                ("transactionType", .reference("schemas/TransactionType")),
                ("paymentType", .reference("schemas/PaymentType")), ("updatedAt", self.time),
            ]),
            "Balance": self.object([
                ("userId", self.id), ("balance", self.won),
                (
                    "updatedAt",
                    [
                        "description": "Null for a user who never had a point.",
                        "anyOf": [self.time, ["type": "null"]],
                    ]
                ),
            ]),
            "HistoryEntry": self.object([
                ("pointHistoryId", self.id), ("pointId", self.id), ("amount", self.won),
                ("transactionType", .reference("schemas/TransactionType")),
                ("paymentType", .reference("schemas/PaymentType")), ("createdAt", self.time),
                ("updatedAt", self.time),
            ]),
            "OpenAPI": self.object([
                ("openapi", self.text), ("info", ["type": "object"]), ("paths", ["type": "object"]),
            ]),
            "Problem": self.object([
                ("code", ["type": "string", "description": "For programs. Never changes.", "pattern": "^[0-9A-Z_]+$"]),
                ("message", ["type": "string", "description": "For people: in Korean, or in English if asked for."]),
            ]),
            "QueryCode": ["description": "A query that can't be read.", "enum": self.inputCodes { $0.query }],
            "BodyCode": ["description": "A body that can't be read.", "enum": self.inputCodes { $0.body }],
            "ConnectionCode": [
                "description": "A request that is not HTTP. The connection is closed.",
                "enum": .texts(HTTPRefusal.allCases.filter { $0.status == .badRequest }.map { "\($0.code)" }),
            ],
        ]
    }

    private static func inputCodes(_ isMeant: ((query: Bool, body: Bool)) -> Bool) -> DocumentValue {
        .texts(InputError.Code.allCases.filter { isMeant(self.isOf($0)) }.map(\.rawValue) + [self.fieldInvalid.code])
    }

    private static var reservation: [(name: String, value: DocumentValue)] {
        [
            ("reservationId", self.id), ("concertId", self.id), ("concertTitle", self.text),
            ("concertScheduleId", self.id), ("playDateTime", self.time), ("seatId", self.id), ("seatNum", self.id),
            ("seatGrade", self.text), ("seatPrice", self.won),
            (
                "reservationStatus",
                [
                    "description": .text(
                        "SUSPEND while it is held, SUCCESS once paid, CANCEL when it lapsed, was given back or cancelled."
                    ),
                    "enum": .texts(Reservation.Status.allWords),
                ]
            ), ("expiredAt", self.time),
        ]
    }

    // MARK: Parts

    static var id: DocumentValue { .reference("schemas/Id") }
    static var won: DocumentValue { .reference("schemas/Won") }
    private static var time: DocumentValue { .reference("schemas/Time") }
    private static var token: DocumentValue { .reference("schemas/Token") }
    private static var text: DocumentValue { ["type": "string"] }
    private static var count: DocumentValue { ["type": "integer", "minimum": 0] }

    private static var ids: DocumentValue {
        [
            "type": "array", "items": self.id, "minItems": 1, "maxItems": .whole(Int64(Router.listCountMax)),
            "uniqueItems": true,
        ]
    }

    static func list(of schema: String) -> DocumentValue {
        ["type": "array", "items": .reference("schemas/\(schema)")]
    }

    /// All members are always present.
    private static func object(_ members: [(name: String, value: DocumentValue)]) -> DocumentValue {
        ["type": "object", "required": .texts(members.map(\.name)), "properties": .object(members)]
    }
}
