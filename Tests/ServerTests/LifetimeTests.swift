import Testing

@testable import Statistics

/// What runs out, and who may go in: one concert for each rule. Waiting is done by asking until it has happened, never
/// by the clock.
@Suite(.cluster("--shards", "2", catalogue: LifetimeCatalogue.json)) struct LifetimeTests {
    private var client: BookingClient { ServedCluster.shared.client }

    private func concert(_ id: Int) throws -> ShardStats.Concert {
        let concerts = try ServedCluster.shared.stats().shards.flatMap(\.concerts)
        return try #require(concerts.first { $0.concertId == id })
    }

    @Test func `a hold lapses, the seat is free again, and paying for it is refused`() throws {
        let token = try self.client.enter(1, 10)
        _ = try self.client.charge(10, 10_000)
        let ids = try self.client.reserve(1, 100, [1, 2], token).json.eachWhole("reservationId")
        try TestCluster.eventually("the hold lapses") {
            try self.client.reservations(1, 10).json.each("reservationStatus") == ["CANCEL", "CANCEL"]
        }
        #expect(try self.client.seats(1, 100).json.list.allSatisfy { $0["seatStatus"] == "AVAILABLE" })
        let answer = try self.client.pay(1, ids, token)
        ContractTests.expect(answer, 400, "HOLD_EXPIRED", "좌석 선점 시간이 만료되었습니다. 다시 시도해주세요.")
        #expect(try self.client.balance(10).json["balance"] == 10_000)
        let other = try self.client.enter(1, 11)
        #expect(try self.client.reserve(1, 100, [1, 2], other).status == 200)
        ContractTests.expect(try self.client.release(1, ids, other), 400, "RESERVATION_NOT_FOUND")
    }

    @Test func `time inside runs out, and joining again starts at the end`() throws {
        let token = try self.client.enter(2, 20)
        let ids = try self.client.reserve(2, 200, [3], token).json.eachWhole("reservationId")
        #expect(try self.client.release(2, ids, token).status == 200)
        try TestCluster.eventually("the time inside runs out") { try self.client.poll(2, token).status == 400 }
        let message = "tokenId=\(token)에 해당하는 토큰이 없습니다."
        ContractTests.expect(try self.client.poll(2, token), 400, "TOKEN_NOT_FOUND", message)
        ContractTests.expect(try self.client.reserve(2, 200, [4], token), 401, "TOKEN_INVALID")
        ContractTests.expect(try self.client.pay(2, ids, token), 401, "TOKEN_INVALID")
        let again = try self.client.join(2, 20).json
        #expect(again["tokenId"] != .string(token))
        #expect(again["place"].whole! > 1)
        #expect(try self.concert(2).gone.lapsed >= 1)
    }

    @Test func `whoever holds seats stays until they are paid, given back or over, and gets no new ones`() throws {
        let token = try self.client.enter(2, 21)
        _ = try self.client.charge(21, 10_000)
        let ids = try self.client.reserve(2, 200, [1, 4], token).json.eachWhole("reservationId")
        let message = "입장 가능 시간이 지나 새로운 좌석을 예약할 수 없습니다. 선점한 좌석은 만료 시각까지 결제하거나 반납할 수 있습니다."
        var answer = try self.client.release(2, [ids[1]], token)
        try TestCluster.eventually("the time inside runs out") {
            answer = try self.client.reserve(2, 200, [5], token)
            if answer.status == 200 {
                _ = try self.client.release(2, answer.json.eachWhole("reservationId"), token)
            }
            return answer.status != 200 && answer.json["code"] != "SEAT_KEPT_TOO_LONG"
        }
        ContractTests.expect(answer, 400, "STAY_OVER", message)
        #expect(try self.client.poll(2, token).json["remainingWaitingOrder"] == 0)
        #expect(try self.client.join(2, 21).json["tokenId"] == .string(token))
        #expect(try self.client.pay(2, [ids[0]], token).status == 200)
        #expect(try self.client.poll(2, token).status == 400)
    }

    @Test func `whoever asks as told keeps their place, also where it is kept for a short time only`() throws {
        let pauses = try (901...940).map {
            try #require(try self.client.join(10, $0)["Retry-After"].flatMap { Int($0) })
        }
        // Three times in a waiting lifetime.
        #expect(pauses.max() == 3)
    }

    @Test func `a seat is not renewed beyond its hold time before others had it`() throws {
        let token = try self.client.enter(1, 12)
        #expect(try self.client.reserve(1, 100, [9], token).status == 200)
        var answer: Answer?
        try TestCluster.eventually("the hold runs out, and the seat is others' for now") {
            answer = try self.client.reserve(1, 100, [9], token)
            return answer?.json["code"] == "SEAT_KEPT_TOO_LONG"
        }
        let message = "같은 좌석을 계속 선점할 수 없습니다. 다른 사람에게 10초 동안 기회를 준 뒤 다시 시도해주세요."
        ContractTests.expect(try #require(answer), 400, "SEAT_KEPT_TOO_LONG", message)
        let other = try self.client.enter(1, 13)
        #expect(try self.client.reserve(1, 100, [9], other).status == 200)
    }

    @Test func `whoever does not ask loses the place in line, and whoever asks keeps it`() throws {
        _ = try self.client.enter(3, 30)
        let lost = try #require(try self.client.join(3, 31).json["tokenId"].string)
        let kept = try #require(try self.client.join(3, 32).json["tokenId"].string)
        try TestCluster.eventually("a place lapses") {
            // Asked more often than every two seconds, which is the lifetime, unless this machine stops for as long.
            _ = try self.client.poll(3, kept)
            return try self.concert(3).gone.lapsed >= 1
        }
        #expect(try self.client.poll(3, lost).status == 400)
    }

    @Test func `no more are inside than may be, and who leaves makes room for the next`() throws {
        let inside = try self.client.enter(4, 40)
        let tokens = try (41...45).map { try #require(try self.client.join(4, $0).json["tokenId"].string) }
        func orders() throws -> [Int64?] {
            try tokens.map { try self.client.poll(4, $0).json["remainingWaitingOrder"].whole }
        }
        #expect(try orders() == [1, 2, 3, 4, 5])
        let answer = try self.client.reserve(4, 400, [1], tokens[0])
        ContractTests.expect(answer, 401, "TOKEN_NOT_ADMITTED", "아직 입장 순서가 아닙니다. 대기열에서 기다려주세요.")
        ContractTests.expect(try self.client.pay(4, [1], tokens[0]), 401, "TOKEN_NOT_ADMITTED")
        // From the middle, everyone behind moves up.
        #expect(try self.client.leave(4, tokens[2]).status == 200)
        #expect(try orders() == [1, 2, nil, 3, 4])
        #expect(try self.client.leave(4, inside).status == 200)
        try TestCluster.eventually("the next is let in") { try orders() == [0, 1, nil, 2, 3] }
        // Paying uses the place up, and makes room as well.
        let ids = try self.client.reserve(4, 400, [3], tokens[0]).json.eachWhole("reservationId")
        #expect(try self.client.pay(4, ids, tokens[0]).json["pointAmount"] == 0)
        try TestCluster.eventually("the one after is let in") { try orders() == [nil, 0, nil, 1, 2] }
        #expect(try self.concert(4).admitted == 1)
    }

    @Test func `before the opening everyone waits, and the place says for how long`() throws {
        let concerts = try self.client.call("GET", "/api/v1/concerts").json
        #expect(
            concerts.each("state") == [
                "OPEN", "OPEN", "OPEN", "OPEN", "UPCOMING", "OPEN", "OPEN", "OPEN", "OVER", "UPCOMING",
            ]
        )
        #expect(concerts[4]["opensAt"] == "2199-01-01 00:00:00")
        let client = try BookingClient.keeping(port: ServedCluster.shared.port)
        for user in 1...320 {
            let answer = try client.join(5, 50_000 + user)
            #expect(answer.json["place"] == .whole(Int64(user)))
            #expect(answer.json["remainingWaitingOrder"] == .whole(Int64(user)))
            // Until 2199. Nobody sleeps longer than a third of the concert's own waiting lifetime, and than half a minute.
            #expect(try #require(answer.json["remainingWaitingSec"].whole) > 4_000_000_000)
            #expect(answer["Retry-After"] == "30")
        }
        let again = try client.join(5, 50_200)
        #expect(again.json["place"] == 200 && again["Retry-After"] == "30")
        let poll = try client.poll(5, try #require(again.json["tokenId"].string))
        #expect(poll.json["remainingWaitingOrder"] == 200 && poll["Retry-After"] == "30")
    }

    @Test func `a concert's own limit of seats holds`() throws {
        let token = try self.client.enter(6, 60)
        let message = "한번에 예약 가능한 좌석 수를 초과했습니다."
        ContractTests.expect(try self.client.reserve(6, 600, [1, 2, 3], token), 400, "TOO_MANY_SEATS", message)
        #expect(try self.client.reserve(6, 600, [1, 2], token).status == 200)
        #expect(try self.client.reserve(6, 600, [3, 4], token).status == 200)
        let exceeded = "1인당 예약 가능한 좌석 수를 초과했습니다."
        ContractTests.expect(try self.client.reserve(6, 600, [5], token), 400, "SEATS_PER_USER_EXCEEDED", exceeded)
    }

    @Test func `a concert may allow no cancelling`() throws {
        let token = try self.client.enter(8, 80)
        let ids = try self.client.reserve(8, 800, [3], token).json.eachWhole("reservationId")
        #expect(try self.client.pay(8, ids, token).status == 200)
        ContractTests.expect(try self.client.cancel(8, 80, ids), 400, "CANCEL_TOO_LATE", "취소 가능 기간이 지났습니다.")
    }

    @Test func `a play that has begun is not sold any more`() throws {
        let token = try self.client.enter(7, 70)
        ContractTests.expect(try self.client.reserve(7, 700, [1], token), 400, "SCHEDULE_OVER", "이미 시작된 공연입니다.")
        #expect(try self.client.reserve(7, 701, [1], token).status == 200)
    }

    @Test func `nobody joins a concert whose last play has begun, and what it was can be read`() throws {
        let message = "이미 종료된 공연입니다. 다른 공연을 선택해주세요."
        ContractTests.expect(try self.client.join(9, 90), 400, "CONCERT_OVER", message)
        let body = #"{"concertId":9,"userId":90}"#
        let english = try self.client.call("POST", "/api/v1/waiting", body: body, ["Accept-Language: en"])
        #expect(english.json["message"].string?.hasPrefix("This concert is over: its last play has begun.") == true)
        #expect(try self.client.schedules(9).json.eachWhole("concertScheduleId") == [900])
        #expect(try self.client.seats(9, 900).status == 200)
        #expect(try self.client.reservations(9, 90).json.list.isEmpty)
    }
}

/// One concert for each rule.
private enum LifetimeCatalogue {
    static let json = """
        {
          "halls": [
            {"name": "small", "sections": [
              {"from": 1, "to": 2, "grade": "VIP", "price": 5000}, {"from": 3, "to": 9, "grade": "A", "price": 0}]}
          ],
          "concerts": [
            \(Self.concert(1, "holds are short", #""holdTimeSeconds": 1"#)),
            \(Self.concert(2, "time inside is short", #""admittedLifetimeSeconds": 2"#)),
            \(Self.concert(3, "waiting is short", #""waitingLifetimeSeconds": 2, "maxActive": 1"#)),
            \(Self.concert(4, "one inside", #""maxActive": 1"#)),
            \(Self.concert(5, "not open yet", #""admissionsPerSecond": 1"#, opensAt: "2199-01-01 00:00:00")),
            \(Self.concert(6, "two seats each", #""maxSeatsPerReservation": 2, "heldSeatsPerUserMax": 4"#)),
            \(Self.concert(7, "half over", #""maxActive": 0"#, playsAt: ["2020-02-29 19:00:00", "2030-06-01 19:00:00"])),
            \(Self.concert(8, "sold is sold", #""cancelTimeSeconds": 0"#)),
            \(Self.concert(9, "long over", #""maxActive": 0"#, playsAt: ["2020-02-29 19:00:00"])),
            \(Self.concert(10, "a long line of impatient people", #""admissionsPerSecond": 1, "waitingLifetimeSeconds": 10"#,
                opensAt: "2199-01-01 00:00:00"))
          ]
        }
        """

    private static func concert(
        _ id: Int,
        _ title: String,
        _ rules: String,
        opensAt: String = "2026-01-01 00:00:00",
        playsAt: [String] = ["2030-06-01 19:00:00"]
    ) -> String {
        let schedules = playsAt.enumerated().map { #"{"id": \#(id * 100 + $0), "playDateTime": "\#($1)"}"# }
        return """
            {"id": \(id), "title": "\(title)", "opensAt": "\(opensAt)", "hall": "small",
             "schedules": [\(schedules.joined(separator: ", "))], "rules": {\(rules)}}
            """
    }
}
