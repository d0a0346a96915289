import Testing

@testable import Statistics

/// A gateway with little room for requests that have not come whole.
@Suite(.serialized, .cluster("--shards", "1", "--set", "gateway.unsentBytesMax=4194304"))
struct UnfinishedRequestsTests {
    private static let body = String(repeating: " ", count: 50_000)

    private var port: Int { ServedCluster.shared.port }
    private func gateway() throws -> GatewayStats { try #require(try ServedCluster.shared.stats().gateways.first) }

    /// A request of a long body that lacks its last byte.
    private func sendMost(_ connection: TestConnection, _ lines: [String] = []) throws {
        let length = "Content-Length: \(Self.body.utf8.count + 1)"
        try connection.send(BookingClient.request("POST", "/api/v1/waiting", [length] + lines) + Self.body)
    }

    @Test func `slow long requests are ended in favour of small ones`() throws {
        // People whose requests come in two parts, before, among and behind those who send long ones slowly.
        let honest = try (0..<30).map { _ in try TestConnection(port: self.port) }
        let half =
            "GET /api/v1/point?userId=6000 HTTP/1.1\r\nHost: a\r\nX-Padding: \(String(repeating: "x", count: 600))\r\n"
        var slow: [TestConnection] = []
        for connection in honest {
            try connection.send(half)
            let slowOnes = try (0..<3).map { _ in try TestConnection(port: self.port) }
            for one in slowOnes { try self.sendMost(one) }
            slow += slowOnes
        }
        try TestCluster.eventually("some are ended") { try self.gateway().refusals.unfinishedRequests ?? 0 >= 60 }
        let bytes = try #require(try self.gateway().connections.unfinishedBytes)
        #expect(bytes > 0 && bytes <= 1_048_576)
        for connection in honest {
            try connection.send("\r\n")
            #expect(try connection.answer().status == 200)
        }
        var endedCount = 0
        for connection in slow where connection.hasInput {
            let answer = try connection.answer()
            ContractTests.expect(answer, 503, "TOO_MUCH_UNFINISHED", "받는 중인 요청이 너무 많습니다. 새 연결로 다시 보내주세요.")
            #expect(answer.closes && answer["Retry-After"] == "1")
            endedCount += 1
        }
        #expect(endedCount >= 60)
        slow.removeAll()
        try TestCluster.eventually("their memory is free") {
            try self.gateway().connections.unfinishedBytes ?? 0 < 65_536
        }
    }

    @Test func `long requests are served while there is room, in one piece or many`() throws {
        let before = try self.gateway().refusals.unfinishedRequests
        for _ in 0..<30 {
            let connection = try TestConnection(port: self.port)
            try self.sendMost(connection)
            try connection.send(" ")
            #expect(try connection.answer().status == 400)
        }
        #expect(try self.gateway().refusals.unfinishedRequests == before)
    }

    @Test func `a connection that is ended has had its answers, and reads nothing more`() throws {
        var held: [TestConnection] = []
        var ended: TestConnection?
        while ended == nil {
            let connection = try TestConnection(port: self.port)
            try connection.send(BookingClient.request("GET", "/api/v1/point?userId=6001"))
            try self.sendMost(connection)
            #expect(try connection.answer().json["userId"] == 6_001)
            held.append(connection)
            ended = held.first { $0.hasInput }
        }
        let connection = try #require(ended)
        try connection.send(" " + BookingClient.request("POST", "/api/v1/point/charge?userId=6003&amount=1"))
        #expect(try connection.answer().code == "TOO_MUCH_UNFINISHED")
        #expect(try connection.endsClean())
        #expect(try ServedCluster.shared.client.balance(6_003).json["updatedAt"] == .null)
    }

    @Test func `the rest of a connection that its client has ended takes no memory`() throws {
        let connection = try TestConnection(port: self.port)
        try connection.send(BookingClient.request("GET", "/api/v1/point?userId=6002"))
        try self.sendMost(connection)
        connection.closeWriting()
        #expect(try connection.answer().json["userId"] == 6_002)
        #expect(try connection.endsClean())
    }
}
