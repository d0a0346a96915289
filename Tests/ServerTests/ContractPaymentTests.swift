import Testing

/// The contract's points and payments.
extension ContractTests {
    static let pointsShape =
        "{amount: whole, balance: whole, paymentType: string, transactionType: string, updatedAt: time, userId: whole}"
    static let historyShape =
        "{amount: whole, createdAt: time, paymentType: string, pointHistoryId: whole, pointId: whole, "
        + "transactionType: string, updatedAt: time}"
    static let insufficient = "잔액이 부족합니다."

    // MARK: Points

    @Test func `points are charged and used`() throws {
        #expect(try Self.client.balance(3_000).json == .object(["userId": 3_000, "balance": 0, "updatedAt": nil]))
        let charged = try Self.client.charge(3_000, 10_000)
        #expect(charged.status == 200)
        #expect(charged.json.shape == Self.pointsShape)
        #expect(
            charged.json["userId"] == 3_000 && charged.json["amount"] == 10_000 && charged.json["balance"] == 10_000
        )
        #expect(charged.json["transactionType"] == "CHARGE" && charged.json["paymentType"] == "FREE")
        let used = try Self.client.use(3_000, 4_000)
        #expect(used.status == 200)
        #expect(used.json.shape == Self.pointsShape)
        #expect(used.json["amount"] == 4_000 && used.json["balance"] == 6_000 && used.json["transactionType"] == "USE")
        let balance = try Self.client.balance(3_000)
        #expect(balance.json.shape == "{balance: whole, updatedAt: time, userId: whole}")
        #expect(balance.json["balance"] == 6_000 && balance.json["updatedAt"] == used.json["updatedAt"])
    }

    @Test func `charges within the limits, and no others`() throws {
        let (nothing, tooMuch) = ("0 이하의 금액을 충전할 수 없습니다.", "한번에 충전 가능한 금액을 초과했습니다.")
        for amount in [0, -1, -9_000_000_000_000_000_000] {
            Self.expect(try Self.client.charge(3_001, amount), 400, "AMOUNT_NOT_POSITIVE", nothing)
        }
        for amount in [2_000_001, .max] {
            Self.expect(try Self.client.charge(3_001, amount), 400, "CHARGE_TOO_LARGE", tooMuch)
        }
        for round in 1...50 {
            #expect(try Self.client.charge(3_001, 2_000_000).json["balance"] == .whole(Int64(round) * 2_000_000))
        }
        Self.expect(try Self.client.charge(3_001, 1), 400, "BALANCE_TOO_LARGE", "최대 잔고를 초과하여 충전할 수 없습니다.")
        #expect(try Self.client.balance(3_001).json["balance"] == 100_000_000)
    }

    @Test func `no more is used than there is`() throws {
        _ = try Self.client.charge(3_002, 100)
        Self.expect(try Self.client.use(3_002, 101), 400, "INSUFFICIENT_POINTS", Self.insufficient)
        Self.expect(try Self.client.use(3_003, 1), 400, "INSUFFICIENT_POINTS", Self.insufficient)
        for amount in [0, -1] { #expect(try Self.client.use(3_002, amount).code == "AMOUNT_NOT_POSITIVE") }
        #expect(try Self.client.use(3_002, 100).json["balance"] == 0)
    }

    @Test(arguments: ["FREE", "NAVER_PAY", "KAKAO_PAY"])
    func `a charge says how it was paid`(type: String) throws {
        let answer = try Self.client.call("POST", "/api/v1/point/charge?userId=3004&amount=1&paymentType=\(type)")
        #expect(answer.json["paymentType"] == .string(type))
    }

    @Test(arguments: ["", "CASH", "free", "FREE%20"])
    func `a payment type that is none is refused`(type: String) throws {
        let answer = try Self.client.call("POST", "/api/v1/point/charge?userId=3005&amount=1&paymentType=\(type)")
        Self.expect(answer, 400, "FIELD_INVALID")
    }

    @Test(arguments: [
        ("application/x-www-form-urlencoded", "userId=9&amount=9"), ("multipart/form-data; boundary=x", "--x--"),
        ("application/json", "{broken"), ("text/plain", "\u{1}"), ("nonsense", "한국어"), ("application/json", ""),
    ])
    func `calls with their input in the query take any body`(type: String, body: String) throws {
        let headers = ["Content-Type: \(type)", "Content-Length: \(body.utf8.count)"]
        for target in ["/api/v1/point/charge?userId=3006&amount=2", "/api/v1/point/use?userId=3006&amount=2"] {
            let connection = try TestConnection(port: Self.cluster.port)
            try connection.send(BookingClient.request("POST", target, headers) + body)
            let answer = try connection.answer()
            #expect(answer.status == 200 && answer.json["userId"] == 3_006 && answer.json["amount"] == 2)
        }
        let chunked = BookingClient.request(
            "POST",
            "/api/v1/point/charge?userId=3007&amount=2",
            ["Transfer-Encoding: chunked"]
        )
        let connection = try TestConnection(port: Self.cluster.port)
        try connection.send(chunked + "3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n")
        #expect(try connection.answer().status == 200)
    }

    @Test func `the history shows the newest first, in pages, and by type`() throws {
        for amount in 1...25 {
            _ = try Self.client.charge(3_008, amount * 100)
            _ = try Self.client.use(3_008, amount)
        }
        let first = try Self.client.history(3_008)
        #expect(first.status == 200)
        #expect(first.json.shape == "[\(Self.historyShape)]")
        #expect(first.json.list.count == 20)
        #expect(first.json.list.allSatisfy { $0["pointId"] == 3_008 && $0["createdAt"] == $0["updatedAt"] })
        #expect(first.json.eachWhole("amount").prefix(4) == [25, 2_500, 24, 2_400])
        #expect(first.json.each("transactionType").prefix(2) == ["USE", "CHARGE"])
        #expect(first.json.eachWhole("pointHistoryId").allSatisfy { (1..<1 << 53).contains($0) })

        func amounts(_ more: String) throws -> [Int64] { try Self.client.history(3_008, more).json.eachWhole("amount") }
        let all = try amounts("&size=100")
        #expect(all.count == 50)
        #expect(try amounts("&page=1") == Array(all[20..<40]))
        #expect(try amounts("&page=2") == Array(all[40..<50]))
        #expect(try amounts("&page=3") == [])
        #expect(try amounts("&page=7&size=7") == Array(all[49...]))
        #expect(try amounts("&transactionType=USE&size=3") == [25, 24, 23])
        #expect(try amounts("&transactionType=CHARGE&size=10&page=2") == [500, 400, 300, 200, 100])
        #expect(try Self.client.history(3_999).json == .list([]))
    }

    @Test(arguments: [
        "&transactionType=ALL", "&transactionType=use", "&transactionType=", "&page=-1", "&page=x", "&page=10000001",
        "&size=0", "&size=101", "&size=-1", "&size=", "&page=1&page=1",
    ])
    func `a history asked for wrongly is refused`(more: String) throws {
        let answer = try Self.client.history(3_010, more)
        #expect(answer.status == 400, "\(answer)")
        #expect(answer.json.shape == "{code: string, message: string}")
    }

    // MARK: Payments

    @Test func `a payment takes the points, sells the seats, and uses the token up`() throws {
        let token = try Self.client.enter(3, 3_020)
        let held = try Self.client.reserve(3, 500, [1, 50], token)
        let ids = held.json.eachWhole("reservationId")
        Self.expect(try Self.client.pay(3, ids, token), 400, "INSUFFICIENT_POINTS", Self.insufficient)
        _ = try Self.client.charge(3_020, 300_000)
        let paid = try Self.client.pay(3, ids, token)
        #expect(paid.status == 200)
        let shape = Self.reservedShape.replacing("seatPrice: whole}", with: "seatPrice: whole, userId: whole}")
        #expect(
            paid.json.shape == "{pointAmount: whole, pointBalance: whole, reservations: [\(shape)], userId: whole}"
        )
        #expect(paid.json["userId"] == 3_020)
        #expect(paid.json["pointAmount"] == 270_000 && paid.json["pointBalance"] == 30_000)
        #expect(paid.json["reservations"].eachWhole("reservationId") == ids)
        #expect(paid.json["reservations"].each("reservationStatus") == ["SUCCESS", "SUCCESS"])
        #expect(paid.json["reservations"].each("userId") == [3_020, 3_020])
        #expect(paid.json["reservations"].each("expiredAt") == held.json.each("expiredAt"))
        #expect(try Self.client.seats(3, 500).json.each("seatStatus").filter { $0 == "SOLD" }.count == 2)
        let line = try Self.client.history(3_020).json[0]
        #expect(line["amount"] == 270_000 && line["transactionType"] == "USE")

        // The token is used up, for everything but the same payment.
        let message = "tokenId=\(token)에 해당하는 토큰이 없습니다."
        Self.expect(try Self.client.poll(3, token), 400, "TOKEN_NOT_FOUND", message)
        Self.expect(try Self.client.reserve(3, 500, [2], token), 401, "TOKEN_INVALID")
        #expect(try Self.client.pay(3, ids, token).body == paid.body)
        #expect(try Self.client.pay(3, ids.reversed(), token).body == paid.body)
        _ = try Self.client.charge(3_020, 1)
        #expect(try Self.client.pay(3, ids, token).body == paid.body)
        #expect(try Self.client.balance(3_020).json["balance"] == 30_001)
        Self.expect(try Self.client.pay(3, [ids[0]], token), 401, "TOKEN_INVALID")
    }

    @Test func `nobody pays for, or with, what is someone else's`() throws {
        let (holder, other) = (try Self.client.enter(3, 3_021), try Self.client.enter(3, 3_022))
        _ = try Self.client.charge(3_022, 1_000_000)
        let ids = try Self.client.reserve(3, 501, [1], holder).json.eachWhole("reservationId")
        let message = "존재하지 않는 예약입니다."
        Self.expect(try Self.client.pay(3, ids, other), 400, "RESERVATION_NOT_FOUND", message)
        Self.expect(try Self.client.pay(3, [1], other), 400, "RESERVATION_NOT_FOUND", message)
        Self.expect(try Self.client.pay(3, [], other), 400, "RESERVATIONS_MISSING")
        Self.expect(try Self.client.pay(3, ids + ids, holder), 400, "RESERVATION_REPEATED")
        Self.expect(try Self.client.pay(3, ids, nil), 401, "TOKEN_MISSING")
        Self.expect(try Self.client.pay(3, ids, "nobody"), 401, "TOKEN_INVALID")
        Self.expect(try Self.client.pay(4, ids, holder), 401, "TOKEN_INVALID")
        #expect(try Self.client.balance(3_022).json["balance"] == 1_000_000)
        #expect(try Self.client.reservations(3, 3_021).json[0]["reservationStatus"] == "SUSPEND")
    }

    @Test func `many users pay, each on the shard of their points`() throws {
        for user in 3_030..<3_050 {
            let token = try Self.client.enter(4, user)
            _ = try Self.client.charge(user, 100_000)
            let seat = 31 + (user - 3_030) % 20
            let ids = try Self.client.reserve(4, 730, [seat], token).json.eachWhole("reservationId")
            let paid = try Self.client.pay(4, ids, token)
            #expect(paid.status == 200 && paid.json["pointBalance"] == 0, "\(paid)")
        }
    }
}
