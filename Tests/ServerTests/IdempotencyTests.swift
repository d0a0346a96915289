import Foundation
import Testing

@testable import Statistics

/// The header `Idempotency-Key`, as a client meets it.
@Suite(.serialized, .cluster("--set", "booking.admissionsPerSecond=1000"))
struct IdempotencyTests {
    private var client: BookingClient { ServedCluster.shared.client }

    private func call(_ method: String, _ target: String, _ key: String, token: String? = nil, _ body: String? = nil)
        throws -> Answer
    {
        try self.client.call(method, target, token: token, body: body, ["Idempotency-Key: \(key)"])
    }

    /// Sends the call twice, and expects the same answer. The answer.
    private func twice(_ method: String, _ target: String, _ key: String, token: String? = nil, _ body: String? = nil)
        throws -> Answer
    {
        let first = try self.call(method, target, key, token: token, body)
        let again = try self.call(method, target, key, token: token, body)
        #expect(first.status == again.status && first.text == again.text, "\(first)\n\(again)")
        return first
    }

    private static func expectReused(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) {
        ContractTests.expect(
            answer,
            422,
            "IDEMPOTENCY_KEY_REUSED",
            "다른 요청에 이미 사용된 Idempotency-Key입니다. 새로운 키로 다시 시도해주세요.",
            sourceLocation: sourceLocation
        )
    }

    @Test func `a user who uses up their keys is refused new ones, and goes on without`() throws {
        for number in 1...1_000 {
            #expect(try self.call("POST", "/api/v1/point/charge?userId=7077&amount=1", "k\(number)").status == 200)
        }
        let refused = try self.call("POST", "/api/v1/point/charge?userId=7077&amount=1", "k1001")
        ContractTests.expect(
            refused,
            429,
            "TOO_MANY_IDEMPOTENCY_KEYS",
            "Idempotency-Key를 너무 많이 사용했습니다. 나중에 다시 시도해주세요."
        )
        // When the first of them ends.
        #expect(try (86_000...86_400).contains(#require(refused["Retry-After"].flatMap { Int($0) })))
        #expect(try self.call("POST", "/api/v1/point/charge?userId=7077&amount=1", "k1000").status == 200)
        #expect(try self.client.charge(7077, 1).json["balance"] == 1_001)
        #expect(try self.call("POST", "/api/v1/point/charge?userId=7078&amount=1", "k1").status == 200)
    }

    @Test func `a whole booking, every call sent twice, is one booking`() throws {
        let join = #"{"concertId":1,"userId":7001}"#
        let joined = try self.twice("POST", "/api/v1/waiting", "join", join)
        let token = try #require(joined.json["tokenId"].string)
        try TestCluster.eventually("7001 is let in") {
            try self.client.poll(1, token).json["remainingWaitingOrder"] == 0
        }
        let seats = #"{"concertId":1,"concertScheduleId":1,"seatIds":[31,32]}"#
        let held = try self.twice("POST", "/api/v1/reservation", "reserve", token: token, seats)
        let ids = held.json.eachWhole("reservationId")
        #expect(ids.count == 2, "\(held)")
        let first = #"{"concertId":1,"reservationIds":[\#(ids[0])]}"#
        #expect(try self.twice("DELETE", "/api/v1/reservation", "give back", token: token, first).status == 400)
        #expect(try self.twice("DELETE", "/api/v1/reservation", "give-back", token: token, first).status == 200)
        #expect(try self.twice("POST", "/api/v1/point/charge?userId=7001&amount=150000", "charge").status == 200)
        #expect(try self.client.balance(7_001).json["balance"] == 150_000)
        let second = #"{"concertId":1,"reservationIds":[\#(ids[1])]}"#
        let paid = try self.twice("POST", "/api/v1/payment", "pay", token: token, second)
        #expect(paid.json["pointBalance"] == 50_000, "\(paid)")
        #expect(try self.twice("POST", "/api/v1/point/use?userId=7001&amount=20000", "use").status == 200)
        #expect(try self.client.balance(7_001).json["balance"] == 30_000)
        // All of them once more, after everything has changed: the first answers.
        #expect(try self.call("POST", "/api/v1/waiting", "join", join).text == joined.text)
        #expect(try self.call("POST", "/api/v1/reservation", "reserve", token: token, seats).text == held.text)
        #expect(try self.call("POST", "/api/v1/payment", "pay", token: token, second).text == paid.text)
        #expect(try self.client.balance(7_001).json["balance"] == 30_000)
    }

    @Test func `leaving twice by one key is answered the same`() throws {
        let token = try self.client.enter(2, 7_002)
        #expect(try self.twice("DELETE", "/api/v1/waiting?concertId=2", "leave", token: token).status == 200)
        #expect(try self.client.leave(2, token).status == 400)
    }

    @Test func `a refusal is the answer, too`() throws {
        let use = "/api/v1/point/use?userId=7003&amount=5"
        #expect(try self.call("POST", use, "k").code == "INSUFFICIENT_POINTS")
        #expect(try self.client.charge(7_003, 100).status == 200)
        #expect(try self.call("POST", use, "k").code == "INSUFFICIENT_POINTS")
        #expect(try self.call("POST", use, "k2").status == 200)
    }

    @Test func `a key with another request is refused, and another user's key is another`() throws {
        #expect(try self.call("POST", "/api/v1/point/charge?userId=7004&amount=5", "k").status == 200)
        Self.expectReused(try self.call("POST", "/api/v1/point/charge?userId=7004&amount=6", "k"))
        Self.expectReused(try self.call("POST", "/api/v1/point/use?userId=7004&amount=5", "k"))
        let english = try self.client.call(
            "POST",
            "/api/v1/point/charge?userId=7004&amount=6",
            ["Idempotency-Key: k", "Accept-Language: en"]
        )
        #expect(
            english.message == "This Idempotency-Key came before with another request. Use a new key for each request."
        )
        #expect(try self.call("POST", "/api/v1/point/charge?userId=7005&amount=6", "k").status == 200)
        #expect(try self.client.balance(7_004).json["balance"] == 5)
    }

    @Test func `a key is one request's on all shards, concerts and points alike`() throws {
        let join = { (concert: Int, user: Int) in #"{"concertId":\#(concert),"userId":\#(user)}"# }
        // Users and concerts of every two shards.
        for user in 7_100..<7_116 {
            let first = user % 8 + 1
            #expect(try self.twice("POST", "/api/v1/waiting", "k", join(first, user)).status == 200)
            for concert in 1...8 where concert != first {
                Self.expectReused(try self.call("POST", "/api/v1/waiting", "k", join(concert, user)))
            }
            Self.expectReused(try self.call("POST", "/api/v1/point/charge?userId=\(user)&amount=5", "k"))
            #expect(try self.call("POST", "/api/v1/point/charge?userId=\(user)&amount=5", "k2").status == 200)
            Self.expectReused(try self.call("POST", "/api/v1/waiting", "k2", join(first, user)))
        }
    }

    @Test(arguments: ["", "a b", "키", String(repeating: "x", count: 256)])
    func `a key that is none is refused before anything is done`(key: String) throws {
        let answer = try self.call("POST", "/api/v1/point/charge?userId=7006&amount=6", key)
        #expect(answer.status == 400 && answer.code == "IDEMPOTENCY_KEY_INVALID", "\(answer)")
        #expect(try self.client.balance(7_006).json["balance"] == 0)
        // What changes nothing does not look at it.
        #expect(try self.call("GET", "/api/v1/point?userId=7006", key).status == 200)
    }

    @Test func `the longest key is taken, and repeats of it are counted once`() throws {
        let before = try ServedCluster.shared.stats().shards.reduce(0) { $0 + $1.answers.keys }
        let key = String(repeating: "~", count: 255)
        #expect(try self.twice("POST", "/api/v1/point/charge?userId=7007&amount=6", key).status == 200)
        let answers = try ServedCluster.shared.stats().shards.map(\.answers)
        #expect(answers.reduce(0) { $0 + $1.keys } == before + 1)
        #expect(answers.allSatisfy { $0.max == 1_000_000 && ($0.keys == 0 || $0.bytes > 0) })
    }
}
