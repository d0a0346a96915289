import Testing

/// The contract's schedules, seats and reservations. Each test has a schedule of its own.
extension ContractTests {
    static let reservedShape =
        "{concertId: whole, concertScheduleId: whole, concertTitle: string, expiredAt: time, playDateTime: time, "
        + "reservationId: whole, reservationStatus: string, seatGrade: string, seatId: whole, seatNum: whole, "
        + "seatPrice: whole}"

    @Test func `schedules say when they play, and how many seats are free`() throws {
        let answer = try Self.client.schedules(2)
        #expect(answer.status == 200)
        #expect(
            answer.json.shape
                == "[{concertId: whole, concertScheduleId: whole, playDateTime: time, remainingSeatCount: whole}]"
        )
        #expect(answer.json.eachWhole("concertScheduleId") == Array(241...480))
        #expect(answer.json[0]["playDateTime"] == "2030-01-01 19:00:00")
        #expect(answer.json[239]["playDateTime"] == "2030-08-28 19:00:00")
        #expect(answer.json.list.allSatisfy { $0["concertId"] == 2 && $0["remainingSeatCount"] == 50 })
        #expect(answer["Cache-Control"] == "public, max-age=1")
    }

    @Test func `schedules without a concert, or of none, are refused`() throws {
        Self.expect(try Self.client.call("GET", "/api/v1/concert/schedules"), 400, "FIELD_MISSING")
        Self.expect(try Self.client.schedules(99), 400, "CONCERT_NOT_FOUND", "존재하지 않는 콘서트입니다.")
        Self.expect(try Self.client.schedules(-1), 400, "FIELD_INVALID")
    }

    @Test func `a hall shows its 50 seats with grades and prices`() throws {
        let answer = try Self.client.seats(1, 240)
        #expect(answer.status == 200)
        #expect(
            answer.json.shape
                == "[{seatGrade: string, seatId: whole, seatNum: whole, seatPrice: whole, seatStatus: string}]"
        )
        #expect(answer.json.eachWhole("seatId") == Array(1...50) && answer.json.eachWhole("seatNum") == Array(1...50))
        let grades = [
            ("VIP", 170_000, 1...10), ("R", 150_000, 11...20), ("S", 130_000, 21...30), ("A", 100_000, 31...50),
        ]
        for (grade, price, seats) in grades {
            for seat in seats {
                #expect(answer.json[seat - 1]["seatGrade"] == .string(grade))
                #expect(answer.json[seat - 1]["seatPrice"] == .whole(Int64(price)))
                #expect(answer.json[seat - 1]["seatStatus"] == "AVAILABLE")
            }
        }
        // A schedule of another concert is none of this one.
        Self.expect(try Self.client.seats(2, 240), 400, "SCHEDULE_NOT_FOUND", "존재하지 않는 공연 일정입니다.")
    }

    @Test func `a reservation holds all its seats`() throws {
        let token = try Self.client.enter(1, 2_000)
        let answer = try Self.client.reserve(1, 10, [1, 11, 21, 31], token)
        #expect(answer.status == 200)
        #expect(answer.json.shape == "[\(Self.reservedShape)]")
        #expect(answer.json.each("seatId") == [1, 11, 21, 31] && answer.json.each("seatNum") == [1, 11, 21, 31])
        #expect(answer.json.each("seatGrade") == ["VIP", "R", "S", "A"])
        #expect(answer.json.each("seatPrice") == [170_000, 150_000, 130_000, 100_000])
        for reservation in answer.json.list {
            #expect(reservation["concertId"] == 1 && reservation["concertScheduleId"] == 10)
            #expect(reservation["concertTitle"] == "콘서트 1")
            #expect(reservation["playDateTime"] == "2030-01-10 19:00:00")
            #expect(reservation["reservationStatus"] == "SUSPEND")
            #expect((1..<1 << 53).contains(try #require(reservation["reservationId"].whole)))
        }
        #expect(Set(answer.json.eachWhole("reservationId")).count == 4)
        let seats = try Self.client.seats(1, 10).json
        #expect([1, 11, 21, 31].allSatisfy { seats[$0 - 1]["seatStatus"] == "HELD" })
        #expect(seats.each("seatStatus").filter { $0 == "AVAILABLE" }.count == 46)
        try TestCluster.eventually("the schedule shows 46 free seats") {
            try Self.client.schedules(1).json[9]["remainingSeatCount"] == 46
        }
        let listed = try Self.client.reservations(1, 2_000)
        #expect(listed.json == answer.json)
        #expect(try Self.client.reservations(1, 2_999).json == .list([]))
    }

    @Test func `a reservation takes all its seats or none`() throws {
        let (first, second) = (try Self.client.enter(1, 2_001), try Self.client.enter(1, 2_002))
        #expect(try Self.client.reserve(1, 11, [3], first).status == 200)
        Self.expect(try Self.client.reserve(1, 11, [2, 3], second), 400, "SEAT_TAKEN", "이미 예약중인 좌석입니다.")
        Self.expect(try Self.client.reserve(1, 11, [3], first), 400, "SEAT_TAKEN", "이미 예약중인 좌석입니다.")
        #expect(try Self.client.seats(1, 11).json[1]["seatStatus"] == "AVAILABLE")
        // The same seat of another schedule is another seat.
        #expect(try Self.client.reserve(1, 12, [3], second).status == 200)
    }

    @Test func `what can't be reserved is refused with its reason`() throws {
        let token = try Self.client.enter(1, 2_003)
        func reserve(_ schedule: Int, _ seats: [Int]) throws -> Answer {
            try Self.client.reserve(1, schedule, seats, token)
        }
        Self.expect(try reserve(9_999, [1]), 400, "SCHEDULE_NOT_FOUND", "존재하지 않는 공연 일정입니다.")
        Self.expect(try reserve(241, [1]), 400, "SCHEDULE_NOT_FOUND", "존재하지 않는 공연 일정입니다.")
        Self.expect(try reserve(13, [51]), 400, "SEAT_NOT_FOUND", "존재하지 않는 좌석입니다.")
        Self.expect(try reserve(13, [1, 51]), 400, "SEAT_NOT_FOUND", "존재하지 않는 좌석입니다.")
        Self.expect(try reserve(13, []), 400, "SEATS_MISSING")
        Self.expect(try reserve(13, [1, 1]), 400, "SEAT_REPEATED")
        Self.expect(try reserve(13, [1, 2, 3, 4, 5]), 400, "TOO_MANY_SEATS")
        Self.expect(try reserve(13, [0]), 400, "FIELD_INVALID")
        #expect(try Self.client.seats(1, 13).json.list.allSatisfy { $0["seatStatus"] == "AVAILABLE" })
    }

    @Test func `only someone inside reserves, with a token of this concert`() throws {
        Self.expect(try Self.client.reserve(1, 14, [1], nil), 401, "TOKEN_MISSING")
        let answer = try Self.client.reserve(1, 14, [1], "nobody")
        Self.expect(answer, 401, "TOKEN_INVALID", "유효하지 않은 토큰입니다. 대기열에 다시 등록해주세요.")
        #expect(answer["WWW-Authenticate"] == "ConcertToken")
        let other = try Self.client.enter(2, 2_004)
        Self.expect(try Self.client.reserve(1, 14, [1], other), 401, "TOKEN_INVALID")
        #expect(try Self.client.seats(1, 14).json[0]["seatStatus"] == "AVAILABLE")
    }

    @Test func `seats given back are free again, and only their own holder gives them back`() throws {
        let (holder, other) = (try Self.client.enter(1, 2_005), try Self.client.enter(1, 2_006))
        let held = try Self.client.reserve(1, 15, [5, 6], holder)
        let ids = held.json.eachWhole("reservationId")
        let message = "존재하지 않는 예약입니다."
        Self.expect(try Self.client.release(1, ids, other), 400, "RESERVATION_NOT_FOUND", message)
        Self.expect(try Self.client.release(1, [ids[0], 1], holder), 400, "RESERVATION_NOT_FOUND", message)
        Self.expect(try Self.client.release(1, [], holder), 400, "RESERVATIONS_MISSING")
        Self.expect(try Self.client.release(1, [ids[0], ids[0]], holder), 400, "RESERVATION_REPEATED")
        Self.expect(try Self.client.release(1, ids, nil), 401, "TOKEN_MISSING")
        #expect(try Self.client.seats(1, 15).json[4]["seatStatus"] == "HELD")

        let back = try Self.client.release(1, ids, holder)
        #expect(back.status == 200)
        #expect(back.json.shape == "[\(Self.reservedShape)]")
        #expect(back.json.each("reservationStatus") == ["CANCEL", "CANCEL"])
        #expect(try Self.client.release(1, ids, holder).body == back.body)
        #expect(try Self.client.reserve(1, 15, [5, 6], other).status == 200)
        Self.expect(
            try Self.client.pay(1, ids, holder),
            400,
            "HOLD_EXPIRED",
            "좌석 선점 시간이 만료되었습니다. 다시 시도해주세요."
        )
    }
}
