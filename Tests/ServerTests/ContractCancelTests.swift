import Testing

/// The contract's cancelling of what is paid.
extension ContractTests {
    /// Buys seats of concert 5; their reservations.
    private func buy(_ user: Int, _ schedule: Int, _ seats: [Int]) throws -> [Int64] {
        let token = try Self.client.enter(5, user)
        let ids = try Self.client.reserve(5, schedule, seats, token).json.eachWhole("reservationId")
        #expect(try Self.client.pay(5, ids, token).status == 200)
        return ids
    }

    @Test func `cancelling gives the points back and frees the seats`() throws {
        _ = try Self.client.charge(3_100, 300_000)
        let ids = try self.buy(3_100, 970, [1, 50])
        let cancelled = try Self.client.cancel(5, 3_100, ids)
        #expect(cancelled.status == 200)
        let shape = Self.reservedShape.replacing("seatPrice: whole}", with: "seatPrice: whole, userId: whole}")
        #expect(
            cancelled.json.shape == "{pointAmount: whole, pointBalance: whole, reservations: [\(shape)], userId: whole}"
        )
        #expect(cancelled.json["userId"] == 3_100)
        #expect(cancelled.json["pointAmount"] == 270_000 && cancelled.json["pointBalance"] == 300_000)
        #expect(cancelled.json["reservations"].eachWhole("reservationId") == ids)
        #expect(cancelled.json["reservations"].each("reservationStatus") == ["CANCEL", "CANCEL"])
        #expect(try Self.client.seats(5, 970).json.each("seatStatus").allSatisfy { $0 == "AVAILABLE" })
        #expect(try Self.client.reservations(5, 3_100).json.each("reservationStatus") == ["CANCEL", "CANCEL"])
        let line = try Self.client.history(3_100).json[0]
        #expect(line["amount"] == 270_000 && line["transactionType"] == "CHARGE" && line["paymentType"] == "FREE")

        // Again, in any order: the first answer.
        _ = try Self.client.charge(3_100, 1)
        #expect(try Self.client.cancel(5, 3_100, ids).body == cancelled.body)
        #expect(try Self.client.cancel(5, 3_100, ids.reversed()).body == cancelled.body)
        #expect(try Self.client.balance(3_100).json["balance"] == 300_001)
        Self.expect(try Self.client.cancel(5, 3_100, [ids[0]]), 400, "ALREADY_CANCELLED", "이미 취소된 예약입니다.")
    }

    @Test func `a payment that was cancelled is answered as at first`() throws {
        _ = try Self.client.charge(3_101, 100_000)
        let token = try Self.client.enter(5, 3_101)
        let ids = try Self.client.reserve(5, 971, [31], token).json.eachWhole("reservationId")
        let paid = try Self.client.pay(5, ids, token)
        #expect(try Self.client.cancel(5, 3_101, ids).status == 200)
        #expect(try Self.client.pay(5, ids, token).body == paid.body)
        #expect(try Self.client.balance(3_101).json["balance"] == 100_000)
    }

    @Test func `what can't be cancelled is refused`() throws {
        _ = try Self.client.charge(3_102, 100_000)
        let token = try Self.client.enter(5, 3_102)
        let held = try Self.client.reserve(5, 972, [31], token).json.eachWhole("reservationId")
        Self.expect(try Self.client.cancel(5, 3_102, held), 400, "NOT_PAID", "결제되지 않은 예약입니다.")
        let message = "존재하지 않는 예약입니다."
        Self.expect(try Self.client.cancel(5, 3_103, held), 400, "RESERVATION_NOT_FOUND", message)
        Self.expect(try Self.client.cancel(5, 3_102, [1]), 400, "RESERVATION_NOT_FOUND", message)
        Self.expect(try Self.client.cancel(5, 3_102, []), 400, "RESERVATIONS_MISSING")
        Self.expect(try Self.client.cancel(5, 3_102, held + held), 400, "RESERVATION_REPEATED")
        Self.expect(try Self.client.cancel(99, 3_102, held), 400, "CONCERT_NOT_FOUND")
        Self.expect(try Self.client.cancel(5, 0, held), 400, "FIELD_INVALID")
        let path = "/api/v1/reservation/cancel"
        Self.expect(try Self.client.call("POST", path, body: "{}"), 400, "FIELD_MISSING")
        Self.expect(try Self.client.call("GET", path), 405, "METHOD_NOT_ALLOWED")
        #expect(try Self.client.call("OPTIONS", path)["Allow"] == "POST, OPTIONS")
    }

    @Test func `many users cancel, each on the shard of their points`() throws {
        for user in 3_110..<3_130 {
            _ = try Self.client.charge(user, 100_000)
            let ids = try self.buy(user, 973, [31 + (user - 3_110) % 20])
            let cancelled = try Self.client.cancel(5, user, ids)
            #expect(cancelled.status == 200 && cancelled.json["pointBalance"] == 100_000, "\(cancelled)")
        }
        #expect(try Self.client.seats(5, 973).json.each("seatStatus").allSatisfy { $0 == "AVAILABLE" })
    }
}
