import Testing

@testable import Statistics

/// A gateway to which 127.0.0.1 is an address like any other. Each test comes from an address of its own, which has all its
/// requests left: twenty, and then one in a thousand seconds, so that no test depends on how fast it runs.
@Suite(
    .cluster(
        "--shards",
        "1",
        "--set",
        "gateway.trustedAddresses=",
        "--set",
        "gateway.connectionsPerAddressMax=5",
        "--set",
        "gateway.requestsPerAddressPerSecond=1",
        "--set",
        "gateway.requestsPerAddressBurst=20",
        "--set",
        "gateway.requestsPerUserPerSecond=1",
        "--set",
        "gateway.requestsPerUserBurst=3",
        "--set",
        "gateway.requestsPerConnectionMax=8"
    )
) struct ClientLimitsTests {
    private var port: Int { ServedCluster.shared.port }
    private static let question = BookingClient.request("GET", "/api/v1/concerts")

    private func refusals() throws -> GatewayStats.Refusals {
        try #require(try ServedCluster.shared.stats().gateways.first).refusals
    }

    /// Asks over fresh connections, six times on each, until an answer is not 200; how many were.
    private func ask(_ count: Int, from host: UInt8, _ headers: [String] = []) throws -> (passed: Int, last: Answer?) {
        var passed = 0
        while passed < count {
            let connection = try TestConnection(port: self.port, host: host)
            for _ in 0..<min(6, count - passed) {
                try connection.send(BookingClient.request("GET", "/api/v1/concerts", headers))
                let answer = try connection.answer()
                guard answer.status == 200 else { return (passed, answer) }
                passed += 1
            }
        }
        return (passed, nil)
    }

    @Test func `a long answer counts as several requests`() throws {
        // 24 kB are one more: of twenty requests ten such answers leave none.
        var passed = 0
        var last: Answer?
        while passed < 1_000, last == nil {
            let connection = try TestConnection(port: self.port, host: 13)
            try connection.send(BookingClient.request("GET", "/api/v1/concert/schedules?concertId=1"))
            let answer = try connection.answer()
            if answer.status == 200 { passed += 1 } else { last = answer }
        }
        #expect(last?.status == 429 && passed >= 4)
        #expect(passed < 20)
    }

    /// How many of these pass before one does not, over fresh connections.
    private func passes(_ request: String, from host: UInt8, toHead: Bool = false) throws -> Int {
        for passed in 0..<1_000 {
            let connection = try TestConnection(port: self.port, host: host)
            try connection.send(request)
            if try connection.answer(toHead: toHead).status == 429 { return passed }
        }
        return 1_000
    }

    @Test func `HEAD counts as much as GET`() throws {
        let target = "/api/v1/concert/schedules?concertId=1"
        let passed = try self.passes(BookingClient.request("HEAD", target), from: 14, toHead: true)
        #expect(passed >= 4 && passed < 20, "\(passed)")
    }

    @Test func `a long request counts as several`() throws {
        // 12,000 bytes are two more: of twenty requests six such leave two.
        let long = BookingClient.request("GET", "/x", ["X-Long: \(String(repeating: "a", count: 12_000))"])
        let passed = try self.passes(long, from: 15)
        #expect(passed >= 7 && passed < 20, "\(passed)")
    }

    @Test func `a request that comes byte by byte counts as several`() throws {
        // However many bytes the kernel puts together: connection after connection, until the address has no requests left.
        var answer: Answer?
        for _ in 0..<200 where answer == nil {
            let connection = try TestConnection(port: self.port, host: 16)
            try connection.send("GET /x HTTP/1.1\r\nHost: a\r\nX-Long: ")
            for _ in 0..<4_000 where answer == nil {
                try connection.send("a")
                if connection.hasInput { answer = try connection.answer() }
            }
        }
        ContractTests.expect(try #require(answer), 429, "TOO_MANY_REQUESTS")
        #expect(answer?.closes == true)
    }

    @Test func `what was charged for a list that turns out to be short is given back`() throws {
        // A thousand reservations would be two dozen requests.
        let request = BookingClient.request("GET", "/api/v1/reservation?concertId=1&userId=7100")
        let connection = try TestConnection(port: self.port, host: 17)
        for _ in 0..<3 {
            try connection.send(request)
            #expect(try connection.answer().status == 200)
        }
    }

    @Test func `an address that asks too often is told when to come back`() throws {
        let before = try self.refusals().requestsByAddress
        let (passed, refused) = try self.ask(1_000, from: 10)
        // More than twenty where the machine is slow; each beyond took a second.
        #expect(passed >= 20)
        let answer = try #require(refused)
        ContractTests.expect(answer, 429, "TOO_MANY_REQUESTS", "요청이 너무 많습니다. 잠시 후 다시 시도해주세요.")
        #expect(answer["Retry-After"] == "1" && !answer.closes)
        #expect(try self.refusals().requestsByAddress > before)
        // Another address is not concerned.
        #expect(try self.ask(12, from: 11).passed == 12)
    }

    @Test func `it is told so in English where it asks for that, and its connection lives on`() throws {
        _ = try self.ask(1_000, from: 12)
        let connection = try TestConnection(port: self.port, host: 12)
        let request = BookingClient.request("GET", "/api/v1/concerts", ["Accept-Language: en"])
        var refusals = 0
        for _ in 0..<7 {
            try connection.send(request)
            let answer = try connection.answer()
            guard answer.status == 429 else { continue }
            refusals += 1
            #expect(answer.message?.hasPrefix("There are too many requests from your address.") == true)
        }
        #expect(refusals >= 1)
    }

    @Test func `an address with too many connections is told so, and one that ends makes room`() throws {
        let before = try self.refusals().connectionsByAddress
        var connections: [TestConnection] = []
        for _ in 0..<5 {
            let connection = try TestConnection(port: self.port, host: 20)
            try connection.send(Self.question)
            #expect(try connection.answer().status == 200)
            connections.append(connection)
        }
        let refused = try TestConnection(port: self.port, host: 20)
        let answer = try refused.answer()
        ContractTests.expect(answer, 429, "TOO_MANY_CONNECTIONS_OF_ADDRESS")
        #expect(answer["Retry-After"] == "1" && answer.closes)
        #expect(try refused.endsClean())
        #expect(try self.refusals().connectionsByAddress == before + 1)
        #expect(try self.ask(1, from: 21).passed == 1)
        connections.removeLast().close()
        try TestCluster.eventually("there is room again") { try self.ask(1, from: 20).passed == 1 }
    }

    @Test func `a user who asks too often is refused, and others behind the address are not`() throws {
        let before = try self.refusals().requestsByUser
        func balance(_ user: Int, from host: UInt8) throws -> Answer {
            let connection = try TestConnection(port: self.port, host: host)
            try connection.send(BookingClient.request("GET", "/api/v1/point?userId=\(user)"))
            return try connection.answer()
        }
        var refused: Answer?
        for _ in 0..<12 where refused == nil {
            let answer = try balance(7_001, from: 30)
            if answer.status != 200 { refused = answer }
        }
        let answer = try #require(refused)
        ContractTests.expect(answer, 429, "TOO_MANY_REQUESTS_OF_USER", "사용자의 요청이 너무 많습니다. 잠시 후 다시 시도해주세요.")
        #expect(answer["Retry-After"] == "1")
        #expect(try self.refusals().requestsByUser > before)
        #expect(try balance(7_002, from: 30).status == 200)
        // Nobody vouches for the number in a query, so it is not used up for who sends it from elsewhere.
        #expect(try balance(7_001, from: 31).status == 200)
    }

    @Test func `the holder of a token is one user wherever it is shown`() throws {
        func call(_ request: String, from host: UInt8) throws -> Answer {
            let connection = try TestConnection(port: self.port, host: host)
            try connection.send(request)
            return try connection.answer()
        }
        let join = BookingClient.request("POST", "/api/v1/waiting", body: #"{"concertId":1,"userId":7010}"#)
        let token = try #require(try call(join, from: 40).json["tokenId"].string)
        let poll = BookingClient.request("GET", "/api/v1/waiting?concertId=1", token: token)
        var refused = false
        for host in 41..<60 as Range<UInt8> where !refused {
            let answer = try call(poll, from: host)
            refused = answer.code == "TOO_MANY_REQUESTS_OF_USER"
            #expect(refused || answer.status == 200)
        }
        #expect(refused)
    }

    @Test func `a connection that has brought its requests is closed with the last answer`() throws {
        let connection = try TestConnection(port: self.port, host: 70)
        // More than it may bring, at once: what comes behind the last is not read, and does not cost it its answer.
        try connection.send(String(repeating: Self.question, count: 30))
        for number in 1...8 {
            let answer = try connection.answer()
            #expect(answer.status == 200 && answer.closes == (number == 8), "\(number): \(answer)")
        }
        connection.closeWriting()
        #expect(try connection.endsClean())
    }

    @Test func `what a client says about addresses is not read`() throws {
        var passed = 0
        for number in 0..<1_000 {
            let headers = ["X-Forwarded-For: 192.0.2.\(number % 200)", "Forwarded: for=192.0.2.\(number % 200)"]
            guard try self.ask(1, from: 80, headers).passed == 1 else { break }
            passed += 1
        }
        #expect(passed >= 20 && passed < 1_000)
        let spoken = try TestConnection(port: self.port, host: 81)
        try spoken.send("PROXY TCP4 192.0.2.1 192.0.2.9 56324 443\r\n" + Self.question)
        #expect(try spoken.answer().code == "METHOD_UNKNOWN")
    }

    @Test func `what is too large is counted by its limit`() throws {
        let before = try self.refusals()
        func status(_ request: String) throws -> Int {
            let connection = try TestConnection(port: self.port, host: 90)
            try connection.send(request)
            return try connection.answer().status
        }
        let head = "POST /api/v1/waiting HTTP/1.1\r\nHost: a\r\n"
        #expect(try status(head + "Content-Length: 1000000\r\n\r\n") == 413)
        #expect(try status("GET /" + String(repeating: "a", count: 9_000)) == 414)
        #expect(try status(head + "X: " + String(repeating: "a", count: 20_000)) == 431)
        let after = try self.refusals()
        #expect(after.largeBodies == before.largeBodies + 1)
        #expect(after.longTargets == before.longTargets + 1)
        #expect(after.largeHeaders == before.largeHeaders + 1)
    }
}
