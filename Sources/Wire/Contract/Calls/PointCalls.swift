import Booking

// What is paid with.

extension Router {
    func charge(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let user = try self.user(in: query)
        let amount = try Self.amount(in: query)
        let type: PaymentType = try Self.word(in: query, "paymentType") ?? .free
        return RoutedCall(.ask(.charge(user, amount, type)))
    }

    func use(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        return RoutedCall(.ask(.use(try self.user(in: query), try Self.amount(in: query))))
    }

    func balance(_ request: HTTPRequest) throws -> RoutedCall {
        RoutedCall(.ask(.balance(try self.user(in: try QueryParameters(request.query)))))
    }

    func history(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let user = try self.user(in: query)
        let only: TransactionType? = try Self.word(in: query, "transactionType")
        let page = try Self.number(in: query, "page", 0...HistoryQuery.pageMax, default: 0)
        let size = try Self.number(in: query, "size", 1...HistoryQuery.sizeMax, default: HistoryQuery.sizeDefault)
        return RoutedCall(.ask(.history(user, HistoryQuery(only: only, page: page, size: size))))
    }
}

extension AnswerWriter {
    func pointsChange(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        guard case .points(let change) = reply, let user = request.user else { return }
        output.openObject()
        output.member("userId", user.rawValue)
        output.member("amount", change.amount.rawValue)
        output.member("balance", change.balance.rawValue)
        output.member("transactionType", change.type.word)
        output.member("paymentType", change.paymentType.word)
        self.append("updatedAt", change.at, &output)
        output.closeObject()
    }

    func balance(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        guard case .balance(let balance) = reply, case .balance(let user) = request else { return }
        output.openObject()
        output.member("userId", user.rawValue)
        output.member("balance", balance.balance.rawValue)
        if let updatedAt = balance.updatedAt {
            self.append("updatedAt", updatedAt, &output)
        } else {
            output.member("updatedAt")
            output.append("null")
        }
        output.closeObject()
    }

    func history(_ reply: Reply, _ request: Request, _ output: inout OutputBytes) {
        guard case .history(let entries) = reply, case .history(let user, _) = request else { return }
        output.openArray()
        for entry in entries {
            output.element()
            output.openObject()
            output.member("pointHistoryId", entry.id.rawValue)
            // A user has one account, which has the user's number.
            output.member("pointId", user.rawValue)
            output.member("amount", entry.amount.rawValue)
            output.member("transactionType", entry.type.word)
            output.member("paymentType", entry.paymentType.word)
            self.append("createdAt", entry.at, &output)
            // A line of the history is never changed.
            self.append("updatedAt", entry.at, &output)
            output.closeObject()
        }
        output.closeArray()
    }

    func historyBytesMax(_ request: Request) -> Int { Int(HistoryQuery.sizeMax) * Self.historyLineBytes }

    /// With usual numbers.
    private static let historyLineBytes = 176
}

extension ContractDocument {
    static func charge(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
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
            answerRemark: "The type is `CHARGE`, `paymentType` `FREE` unless named.",
            refusals: [.chargeNotPositive, .chargeTooLarge, .balanceTooLarge] + self.change
        )
    }

    static func use(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "use",
            tag: "points",
            summary: "Use points",
            description: "A body of any kind is ignored.",
            parameters: [self.userQuery, self.query("amount", ["type": "integer", "minimum": 1], 1_000)],
            answer: (.reference("schemas/PointsChange"), self.change("USE", 1_000, balance: 499_000)),
            answerRemark: "The type is `USE`.",
            refusals: [.useNotPositive, .insufficientPoints] + self.change
        )
    }

    static func balance(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
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

    static func history(_ route: Route) -> DocumentedCall {
        let sizeMax = Int64(HistoryQuery.sizeMax)
        let sizeDefault = Int64(HistoryQuery.sizeDefault)
        return DocumentedCall(
            route,
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
            answerRemark: "Newest first; `amount` is never negative.",
            refusals: self.question
        )
    }
}
