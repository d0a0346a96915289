import Booking

// Paying for held seats, and cancelling what is paid.

extension Router {
    func pay(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, ids) = try self.passAndReservations(request)
        return RoutedCall(.ask(.pay(pass, ids)))
    }

    func cancel(_ request: HTTPRequest) throws -> RoutedCall {
        let body = try JSONObject(request.body)
        let concert = try self.knownConcert(in: body)
        let user = try self.user(in: body)
        return RoutedCall(.ask(.cancel(concert, user, try Self.ids(in: body, "reservationIds"))))
    }
}

extension AnswerWriter {
    func receipt(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        let receipt: Receipt
        switch reply {
        case .paid(let paid): receipt = paid
        case .cancelled(let cancelled): receipt = cancelled
        default: return
        }
        output.openObject()
        output.member("userId", receipt.user.rawValue)
        output.member("pointAmount", receipt.amount.rawValue)
        output.member("pointBalance", receipt.balance.rawValue)
        output.member("reservations")
        self.append(receipt.reservations, of: request, withUser: true, &output)
        output.closeObject()
    }
}

extension ContractDocument {
    static func pay(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "pay",
            tag: "payment",
            summary: "Pay for held seats",
            description: "Takes the points and sells all the seats named, or does neither. The token is used up.",
            parameters: [self.tokenParameter],
            body: ("Reservations", ["concertId": 1, "reservationIds": [.whole(self.exampleReservation)]]),
            answer: (.reference("schemas/Receipt"), self.receipt("SUCCESS", balance: 330_000)),
            answerRemark: "Each reservation has its `userId`.",
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

    static func cancel(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "cancel",
            tag: "payment",
            summary: "Cancel paid seats",
            description: "Gives the points back and frees all the seats named, or does neither. Needs no token.",
            body: (
                "Cancelling",
                ["concertId": 1, "userId": 1001, "reservationIds": [.whole(self.exampleReservation)]]
            ),
            answer: (.reference("schemas/Receipt"), self.receipt("CANCEL", balance: 500_000)),
            answerRemark:
                "`pointAmount` came back, `pointBalance` is the balance right after; each reservation is `CANCEL`, and has its `userId`.",
            refusals: [
                .unknownConcert, .noReservations, .duplicateReservation, .noSuchReservation, .notPaid, .cancelTooLate,
                .alreadyCancelled, .cancelInProgress,
            ] + self.transfer
        )
    }
}
