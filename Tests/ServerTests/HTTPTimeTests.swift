import Testing

@testable import Statistics

/// A gateway that gives a client a second or two for everything, in a hall so large that an answer is 9 MB.
@Suite(
    .cluster(
        "--shards",
        "1",
        "--set",
        "gateway.requestTimeoutSeconds=1",
        "--set",
        "gateway.idleTimeoutSeconds=1",
        "--set",
        "gateway.answerTimeoutSeconds=20",
        catalogue: HTTPTimeCatalogue.json
    )
) struct HTTPTimeTests {
    private var port: Int { ServedCluster.shared.port }

    @Test(arguments: ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: y", "GET / HTTP/1.1\r\nHost: a\r\n"])
    func `a head that does not come in time is answered 408`(head: String) throws {
        let connection = try TestConnection(port: self.port)
        try connection.send(head)
        try HTTPTimeCatalogue.expectTimeout(connection)
    }

    @Test(arguments: [
        "Content-Length: 9\r\n\r\n{\"con", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "Content-Length: 1\r\n\r\n",
    ])
    func `a body that does not come in time is answered 408`(body: String) throws {
        let connection = try TestConnection(port: self.port)
        try connection.send("POST /api/v1/waiting HTTP/1.1\r\nHost: a\r\n" + body)
        try HTTPTimeCatalogue.expectTimeout(connection)
    }

    @Test func `a connection that rests is closed without a word`() throws {
        let fresh = try TestConnection(port: self.port)
        #expect(try fresh.endsClean())
        let used = try TestConnection(port: self.port)
        try used.send(BookingClient.request("GET", "/api/v1/point?userId=1"))
        #expect(try used.answer().status == 200)
        #expect(try used.endsClean())
    }

    /// Its statistics; it must be quick to give them, whatever it is doing.
    private func gateway() throws -> GatewayStats { try #require(try ServedCluster.shared.stats().gateways.first) }

    @Test func `a client that never reads is cut off, and its answers are forgotten`() throws {
        let before = try self.gateway().process.residentBytes
        for _ in 0..<3 {
            let connection = try TestConnection(port: self.port, receiveBuffer: 4_096)
            let request = BookingClient.request("GET", "/api/v1/concert/seats?concertId=1&concertScheduleId=1")
            try connection.send(String(repeating: request, count: 64))
            // Nothing is read until the gateway has cut it off; then less comes than one answer.
            try TestCluster.eventually("it is cut off") {
                try self.gateway().connections.open == 0
            }
            #expect(try connection.drain() < 9_000_000)
        }
        let after = try self.gateway().process.residentBytes
        #expect(after < before + 300_000_000, "\(before) -> \(after)")
    }
}

/// The same hall, and a gateway that bounds only the time in which a client may send: how fast the test runs is no matter.
@Suite(
    .cluster(
        "--shards",
        "1",
        "--set",
        "gateway.requestTimeoutSeconds=1",
        "--set",
        "gateway.idleTimeoutSeconds=3600",
        "--set",
        "gateway.answerTimeoutSeconds=36000",
        catalogue: HTTPTimeCatalogue.json
    )
) struct HTTPSlowClientTests {
    @Test func `a head that drips on for ever is answered 408`() throws {
        let connection = try TestConnection(port: ServedCluster.shared.port)
        let other = try BookingClient.keeping(port: ServedCluster.shared.port)
        try connection.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        while !connection.hasInput {
            try connection.send("x")
            _ = try other.balance(1)
        }
        try HTTPTimeCatalogue.expectTimeout(connection)
    }

    @Test func `a large answer comes whole`() throws {
        let answer = try ServedCluster.shared.client.seats(1, 1)
        #expect(answer.body.count > 8_000_000)
        #expect(answer.text.hasPrefix(#"[{"seatId":1,"#))
        let last = #",{"seatId":100000,"seatNum":100000,"seatGrade":"A","seatPrice":1,"seatStatus":"AVAILABLE"}]"#
        #expect(answer.text.hasSuffix(last))
    }

    @Test func `a client that reads slowly is not taken for one that sends slowly`() throws {
        let connection = try TestConnection(port: ServedCluster.shared.port, receiveBuffer: 4_096)
        let other = try BookingClient.keeping(port: ServedCluster.shared.port)
        let request = BookingClient.request("GET", "/api/v1/concert/seats?concertId=1&concertScheduleId=1")
        // The gateway stops reading in the middle of the third request: the rest of it is no fault of the client's.
        try connection.send(request + request + request)
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end {
            #expect(try connection.receive(atMost: 512))
            _ = try other.balance(1)
        }
        for _ in 0..<3 { #expect(try connection.answer().status == 200) }
    }
}

/// A gateway that waits long for a client to go on reading, and not long for the end of it.
@Suite(
    .cluster(
        "--shards",
        "1",
        "--set",
        "gateway.answerTimeoutSeconds=1",
        catalogue: HTTPTimeCatalogue.json
    )
) struct HTTPAnswerTimeTests {
    @Test func `a client that reads an answer bit by bit for ever is cut off`() throws {
        let connection = try TestConnection(port: ServedCluster.shared.port, receiveBuffer: 4_096)
        let other = try BookingClient.keeping(port: ServedCluster.shared.port)
        try connection.send(BookingClient.request("GET", "/api/v1/concert/seats?concertId=1&concertScheduleId=1"))
        var count = 0
        do {
            while try connection.receive(atMost: 64) {
                count += 1
                _ = try other.balance(1)
            }
            Issue.record("it ended without a reset")
        } catch let failure as TestConnection.Failure {
            #expect(failure.isReset, "\(failure)")
        }
        #expect(count < 9_000_000 / 64)
        #expect(try #require(try ServedCluster.shared.stats().gateways.first).connections.timedOut == 1)
    }

    @Test func `answers of one connection may take longer than one together`() throws {
        let client = try BookingClient.keeping(port: ServedCluster.shared.port)
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end { #expect(try client.balance(1).status == 200) }
    }
}

enum HTTPTimeCatalogue {
    static func expectTimeout(_ connection: TestConnection) throws {
        let answer = try connection.answer()
        #expect(answer.status == 408 && answer.code == "REQUEST_TIMEOUT" && answer.closes, "\(answer)")
        #expect(try connection.endsClean())
    }

    static let json = """
        {"halls": [{"name": "huge", "sections": [{"from": 1, "to": 100000, "grade": "A", "price": 1}]}],
         "concerts": [{"id": 1, "title": "huge", "opensAt": "2026-01-01 00:00:00", "hall": "huge",
                       "schedules": [{"id": 1, "playDateTime": "2030-06-01 19:00:00"}]}]}
        """
}
