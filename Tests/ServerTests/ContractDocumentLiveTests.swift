import Foundation
import Testing
import Wire

/// The contract's document against a cluster: what it shows as a request can be sent, and what comes is what it says.
@Suite(.cluster()) struct ContractDocumentLiveTests {
    private let client = ServedCluster.shared.client

    private func text() throws -> ContractText { try ContractText(try self.client.call("GET", "/openapi.json").body) }

    /// The request that the document shows for a call, with some of its values changed; nil leaves one out.
    private func send(
        _ text: ContractText,
        _ id: String,
        token: String? = nil,
        _ changes: [String: JSONValue?] = [:]
    ) throws -> Answer {
        let call = try #require(text[id])
        func value(_ name: String, _ example: JSONValue) -> JSONValue? {
            if let change = changes[name] { change } else { example }
        }
        let parameters = call.text["parameters"].list.map(text.schema.resolved)
        let query = parameters.filter { $0["in"] == "query" }.compactMap { parameter in
            let name = parameter["name"].string ?? ""
            return value(name, parameter["example"]).map { "\(name)=\($0.string ?? $0.text)" }
        }
        let content = call.text["requestBody"]["content"]["application/json"]
        var members = content["example"].members
        for name in members.keys { members[name] = value(name, content["example"][name]) }
        let target = call.path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        let body = content == .null ? nil : JSONValue.object(members).text
        let answer = try self.client.call(call.method, target, token: token, body: body)
        #expect(text.mistakes(in: answer, to: call) == [])
        return answer
    }

    @Test func `it is served with a tag, and not again to who has it`() throws {
        let answer = try self.client.call("GET", "/openapi.json")
        #expect(answer.status == 200)
        #expect(answer["Cache-Control"] == "public, max-age=60")
        #expect(answer["Content-Type"] == "application/json; charset=utf-8")
        let tag = try #require(answer["ETag"])
        let again = try self.client.call("GET", "/openapi.json", ["If-None-Match: \(tag)"])
        #expect(again.status == 304 && again.body.isEmpty)
        let head = try self.client.call("HEAD", "/openapi.json")
        #expect(head.status == 200 && head["Content-Length"] == "\(answer.body.count)")
        #expect(try self.client.call("POST", "/openapi.json", body: "{}")["Allow"] == "GET, HEAD, OPTIONS")
    }

    @Test func `every call's example can be sent, and its answer looks like the one shown`() throws {
        let text = try self.text()
        var left = Set(text.calls.map(\.id))
        func show(_ id: String, token: String? = nil, _ changes: [String: JSONValue?] = [:]) throws -> JSONValue {
            let answer = try self.send(text, id, token: token, changes)
            #expect(answer.status == 200, "\(id): \(answer)")
            let example = text.response(try #require(text[id]), 200)["content"]["application/json"]["example"]
            // The document is its own example, too long to be shown whole.
            if id != "contract" { #expect(answer.json.shape == example.shape, "\(id)") }
            left.remove(id)
            return answer.json
        }
        for id in ["contract", "listConcerts", "listSchedules", "listSeats", "charge", "use", "balance", "history"] {
            _ = try show(id)
        }
        let token = try #require(try show("joinLine")["tokenId"].string)
        try TestCluster.eventually("it is let in") { try show("poll", token: token)["remainingWaitingOrder"] == 0 }
        let held = try show("reserve", token: token)[0]["reservationId"]
        _ = try show("giveBack", token: token, ["reservationIds": .list([held])])
        let paid = try show("reserve", token: token)[0]["reservationId"]
        _ = try show("pay", token: token, ["reservationIds": .list([paid])])
        _ = try show("listReservations")
        _ = try show("cancel", ["reservationIds": .list([paid])])
        let other = try #require(try show("joinLine", ["userId": 1002])["tokenId"].string)
        _ = try show("leaveLine", token: other)
        #expect(left == [])
    }

    @Test func `refusals have the status and code that the call's document names`() throws {
        let text = try self.text()
        let token = try self.client.enter(2, 2001)
        var seen: Set<String> = []
        for call in text.calls where call.id != "contract" {
            for token in [nil, "forged", token] {
                for concert: JSONValue? in [2, 99, 0, "x", .null, nil] {
                    for ids: JSONValue? in [.list([1]), .list([1]), .list([]), .list([1, 1]), .list([99]), "x", nil] {
                        let changes: [String: JSONValue?] = [
                            "concertId": concert, "concertScheduleId": 241, "seatIds": ids, "reservationIds": ids,
                            "userId": 2001,
                        ]
                        let answer = try self.send(text, call.id, token: token, changes)
                        if let code = answer.code { seen.insert(code) }
                        if call.text["requestBody"] == .null { break }
                    }
                }
            }
            for amount: JSONValue in [0, 2_000_001, 99_999_999_999, "9999999999999999999999"] {
                let answer = try self.send(text, call.id, token: token, ["amount": amount, "userId": 2002])
                if let code = answer.code { seen.insert(code) }
            }
        }
        let wanted: Set = [
            "CONCERT_NOT_FOUND", "SEAT_NOT_FOUND", "SEATS_MISSING", "SEAT_REPEATED", "SEAT_TAKEN", "TOKEN_NOT_FOUND",
            "TOKEN_MISSING", "TOKEN_INVALID", "RESERVATION_NOT_FOUND", "RESERVATIONS_MISSING", "RESERVATION_REPEATED",
            "INSUFFICIENT_POINTS", "AMOUNT_NOT_POSITIVE", "CHARGE_TOO_LARGE", "FIELD_MISSING", "FIELD_INVALID",
            "FIELD_TYPE_INVALID", "NUMBER_INVALID",
        ]
        #expect(seen.isSuperset(of: wanted), "never: \(wanted.subtracting(seen))")
    }

    @Test func `a method that is not in it is answered 405, with those that are`() throws {
        let text = try self.text()
        for (path, calls) in text.document["paths"].members {
            for method in ContractText.methods {
                let answer = try self.client.call(method.uppercased(), path)
                let isThere = calls.has(method) || method == "options" || (method == "head" && calls.has("get"))
                #expect((answer.status != 405) == isThere, "\(method) \(path): \(answer)")
                if !isThere || method == "options" { #expect(answer["Allow"] == calls["x-allow"].string) }
            }
        }
    }

    /// The last word on a message is the gateway's: what the document shows is what comes.
    @Test func `the example of a code is what a client hears`() throws {
        let text = try self.text()
        let examples = text.document["components"]["examples"]
        let answers = [
            try self.client.call("GET", "/api/v1/waiting", token: "x"), try self.client.call("GET", "/nowhere"),
            try self.client.call("GET", "/api/v1/concert/schedules?concertId=%zz"),
            try self.client.call("GET", "/api/v1/concert/schedules?concertId=99"),
            try self.client.call("POST", "/api/v1/waiting", body: ""),
            try self.client.call("POST", "/api/v1/waiting", body: "[]"), try self.client.use(2003, 1),
            try self.client.charge(2003, 0), try self.client.reserve(2, 1, [1], nil),
            try self.client.reserve(2, 1, [1], "x"), try self.client.call("GET", "/a", ["Expect: more"]),
        ]
        for answer in answers {
            let code = try #require(answer.code, "\(answer)")
            #expect(examples[code]["value"] == answer.json)
        }
        #expect(Set(answers.compactMap(\.code)).count == answers.count)
    }
}
