/// What the examples of calls are made of: one user, who books the first seat of the first concert.
extension ContractDocument {
    static let exampleToken = "AQEBAAAAAAAAAOkDAAAAAAAAAQAAAAAAAABx3DFoFgHrGNMM3vjCN9L449hRII56fBs"
    static let exampleReservation: Int64 = 845_249_563_852_801
    static let firstReservation: DocumentValue = [
        "concertId": "$response.body#/0/concertId", "reservationIds": ["$response.body#/0/reservationId"],
    ]

    static func link(
        _ id: String,
        _ parameters: DocumentValue,
        token: String? = nil,
        body: DocumentValue? = nil
    ) -> DocumentValue {
        var link: DocumentValue = ["operationId": .text(id)]
        var parameters = parameters
        if let token { parameters = parameters.with(["X-Concert-Token": .text(token)]) }
        if case .object(let members) = parameters, !members.isEmpty { link = link.with(["parameters": parameters]) }
        return body.map { link.with(["requestBody": $0]) } ?? link
    }

    static func reservation(_ status: String) -> DocumentValue {
        [
            "reservationId": .whole(self.exampleReservation), "concertId": 1, "concertTitle": "콘서트 1",
            "concertScheduleId": 1, "playDateTime": "2030-01-01 19:00:00", "seatId": 1, "seatNum": 1,
            "seatGrade": "VIP", "seatPrice": 170_000, "reservationStatus": .text(status),
            "expiredAt": "2026-07-01 20:05:00",
        ]
    }

    static func receipt(_ status: String, balance: Int64) -> DocumentValue {
        [
            "userId": 1001, "pointAmount": 170_000, "pointBalance": .whole(balance),
            "reservations": [self.reservation(status).with(["userId": 1001])],
        ]
    }

    static func change(_ type: String, _ amount: Int64, balance: Int64) -> DocumentValue {
        [
            "userId": 1001, "amount": .whole(amount), "balance": .whole(balance), "transactionType": .text(type),
            "paymentType": "FREE", "updatedAt": "2026-07-01 19:55:00",
        ]
    }
}
