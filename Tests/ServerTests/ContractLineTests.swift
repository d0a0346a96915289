import Booking
import Testing

/// The contract's line: joining, asking for the place, leaving.
extension ContractTests {
    static let joinedShape =
        "{concertId: whole, createdAt: time, place: whole, remainingWaitingOrder: whole, remainingWaitingSec: whole, "
        + "tokenId: string, userId: whole}"
    static let polledShape = "{remainingWaitingOrder: whole, remainingWaitingSec: whole, tokenId: string}"
    static let noToken = "tokenId=에 해당하는 토큰이 없습니다."

    @Test func `joining gives a token, and joining again the same`() throws {
        let first = try Self.client.join(1, 1_000)
        #expect(first.status == 200)
        #expect(first.json.shape == Self.joinedShape)
        #expect(first.json["userId"] == 1_000 && first.json["concertId"] == 1)
        #expect(first["Cache-Control"] == "no-store")
        let token = try #require(first.json["tokenId"].string)
        #expect(token.utf8.count <= 80)
        #expect(token.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
        let again = try Self.client.join(1, 1_000)
        for name in ["tokenId", "place", "createdAt", "userId"] { #expect(again.json[name] == first.json[name]) }
        let other = try Self.client.join(2, 1_000)
        #expect(other.json["tokenId"] != first.json["tokenId"])
    }

    @Test func `joining takes members in any order, white space, and members that nobody knows`() throws {
        let plain = try Self.client.join(1, 1_001)
        let body = " {\n\t\"more\": [1, {\"a\": null}], \"userId\" : 1001 , \"\\u0063oncertId\":1\r\n} "
        let odd = try Self.client.call("POST", "/api/v1/waiting", body: body)
        #expect(odd.json["tokenId"] == plain.json["tokenId"])
    }

    @Test(arguments: [0, 9, 9_007_199_254_740_991])
    func `a concert that is none is refused`(concert: Int) throws {
        let answer = try Self.client.join(concert, 1_002)
        Self.expect(answer, 400, concert == 0 ? "FIELD_INVALID" : "CONCERT_NOT_FOUND")
        if concert != 0 { #expect(answer.message == "존재하지 않는 콘서트입니다.") }
    }

    @Test func `a poll tells the place until it is 0, and repeats the token`() throws {
        let token = try Self.client.enter(1, 1_003)
        let answer = try Self.client.poll(1, token)
        #expect(answer.status == 200)
        #expect(
            answer.json == .object(["tokenId": .string(token), "remainingWaitingOrder": 0, "remainingWaitingSec": 0])
        )
        #expect(answer["Retry-After"] == nil)
        #expect(answer["Cache-Control"] == "no-store")
    }

    @Test func `a poll's refusal repeats the token that was sent, whatever it is`() throws {
        let token = try Self.client.enter(1, 1_004)
        let forged = String(token.dropLast()) + (token.last == "A" ? "B" : "A")
        for wrong in ["nobody", forged, String(token.dropLast()), token + "A", "\"\\<>", "토큰"] {
            let message = "tokenId=\(wrong)에 해당하는 토큰이 없습니다."
            Self.expect(try Self.client.poll(1, wrong), 400, "TOKEN_NOT_FOUND", message)
        }
        // Of what is longer than any token, not more than that.
        let long = String(repeating: "x", count: 4_000)
        let message = "tokenId=\(long.prefix(TokenText.bytesMax))…에 해당하는 토큰이 없습니다."
        Self.expect(try Self.client.poll(1, long), 400, "TOKEN_NOT_FOUND", message)
        let answer = try Self.client.call("GET", "/api/v1/waiting?concertId=1")
        Self.expect(answer, 400, "TOKEN_NOT_FOUND", Self.noToken)
        // A token of another concert, and of a concert that is none.
        for concert in [2, 77] {
            let message = "tokenId=\(token)에 해당하는 토큰이 없습니다."
            Self.expect(try Self.client.poll(concert, token), 400, "TOKEN_NOT_FOUND", message)
        }
    }

    @Test func `leaving ends the token, and joining again gives a new one`() throws {
        let token = try Self.client.enter(1, 1_005)
        let answer = try Self.client.leave(1, token)
        #expect(answer.status == 200)
        #expect(answer.json == .object(["userId": 1_005, "concertId": 1, "tokenId": .string(token)]))
        let message = "tokenId=\(token)에 해당하는 토큰이 없습니다."
        Self.expect(try Self.client.poll(1, token), 400, "TOKEN_NOT_FOUND", message)
        Self.expect(try Self.client.leave(1, token), 400, "TOKEN_NOT_FOUND", message)
        Self.expect(try Self.client.reserve(1, 1, [1], token), 401, "TOKEN_INVALID")
        #expect(try Self.client.join(1, 1_005).json["tokenId"] != .string(token))
    }
}
