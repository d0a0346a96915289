import Glibc
import Testing

@testable import Configuration
@testable import Statistics

/// A gateway with small limits: what is too much is refused at once, in words, and the rest goes on.
@Suite(
    .serialized,
    .cluster(
        "--shards",
        "2",
        "--set",
        "gateway.connectionsMax=20",
        "--set",
        "gateway.inFlightPerShardMax=100",
        "--set",
        "gateway.replyTimeoutMilliseconds=1000"
    )
) struct OverloadTests {
    private var cluster: ServedCluster { ServedCluster.shared }

    private func connections() throws -> GatewayStats.Connections {
        try #require(try self.cluster.stats().gateways.first).connections
    }

    @Test func `a connection too many is told so, and one that ends makes room`() throws {
        var connections: [TestConnection] = []
        for _ in 0..<20 {
            let connection = try TestConnection(port: self.cluster.port)
            try connection.send(BookingClient.request("GET", "/api/v1/point?userId=1"))
            #expect(try connection.answer().status == 200)
            connections.append(connection)
        }
        for _ in 0..<50 {
            let answer = try TestConnection(port: self.cluster.port).answer()
            ContractTests.expect(answer, 503, "TOO_MANY_CONNECTIONS", "접속자가 많습니다. 잠시 후 다시 시도해주세요.")
            #expect(answer["Retry-After"] == "1" && answer.closes)
        }
        // Also when it hears so before it has sent its request.
        let early = try TestConnection(port: self.cluster.port)
        try TestCluster.eventually("the refusal is there") { early.hasInput }
        for _ in 0..<20 { try early.send(BookingClient.request("GET", "/api/v1/point?userId=1")) }
        #expect(try early.answer().code == "TOO_MANY_CONNECTIONS")
        #expect(try early.endsClean())
        #expect(try self.connections().open == 20)
        #expect(try self.connections().refused == 51)
        try connections[0].send(BookingClient.request("GET", "/api/v1/point?userId=2"))
        #expect(try connections[0].answer().status == 200)
        connections.removeLast().close()
        try TestCluster.eventually("there is room again") {
            try self.cluster.client.balance(1).status == 200
        }
    }

    @Test func `a shard that does not answer costs its requests 503, and others nothing`() throws {
        let shards = try self.cluster.file().shards
        let stats = try self.cluster.stats()
        let stopped = try #require(stats.shards.firstIndex { $0.concerts.contains { $0.concertId == 1 } })
        let other = Int(try #require(stats.shards[1 - stopped].concerts.first).concertId)
        kill(shards[stopped], SIGSTOP)
        defer { kill(shards[stopped], SIGCONT) }
        let join = BookingClient.request("POST", "/api/v1/waiting", body: #"{"concertId":1,"userId":1}"#)
        let connections = try (0..<4).map { _ in try TestConnection(port: self.cluster.port) }
        for connection in connections { try connection.send(String(repeating: join, count: 40)) }
        var codes: [String: Int] = [:]
        for connection in connections {
            for _ in 0..<40 {
                let answer = try connection.answer()
                #expect(answer.status == 503 && answer["Retry-After"] == "1", "\(answer)")
                codes[answer.code ?? "none", default: 0] += 1
            }
        }
        #expect(codes == ["UNAVAILABLE": 100, "OVERLOADED": 60])
        #expect(try self.cluster.client.join(other, 1).status == 200)
        kill(shards[stopped], SIGCONT)
        // Answers that come too late find nobody, and do no harm: all of them were one join.
        try TestCluster.eventually("the shard serves again") { try self.cluster.client.join(1, 1).status == 200 }
        #expect(try self.cluster.client.join(1, 1).json["place"] == 1)
    }
}

/// A gateway that begins to shed late: the delay is long enough for all that is to be under way to have come,
/// also on a busy machine.
@Suite(
    .serialized,
    .cluster(
        "--shards",
        "1",
        "--set",
        "gateway.overloadDelayMilliseconds=500",
        "--set",
        "gateway.overloadInFlightMin=1000",
        "--set",
        "gateway.corsOrigins=https://shop.example",
        "--set",
        "gateway.replyTimeoutMilliseconds=60000"
    )
) struct SheddingTests {
    private var cluster: ServedCluster { ServedCluster.shared }

    private static func join(_ user: Int) -> String {
        BookingClient.request("POST", "/api/v1/waiting", body: #"{"concertId":1,"userId":\#(user)}"#)
    }

    @Test func `with too much under way joins are refused before polls, and polls before bookings`() throws {
        let token = try #require(try self.cluster.client.join(1, 1).json["tokenId"].string)
        let shard = try self.cluster.file().shards[0]
        kill(shard, SIGSTOP)
        defer { kill(shard, SIGCONT) }
        // More than joins may be, less than questions: 1,088.
        let connections = try (0..<17).map { _ in try TestConnection(port: self.cluster.port) }
        for (number, connection) in connections.enumerated() {
            try connection.send((1...64).map { Self.join(number * 64 + $0) }.joined())
        }
        // What is asked once the ping has been out for too long is refused.
        var waiting: [TestConnection] = []
        var refused: Answer?
        while refused == nil, waiting.count < 100 {
            let connection = try TestConnection(port: self.cluster.port)
            try connection.send(Self.join(2_000 + waiting.count))
            usleep(20_000)
            if connection.hasInput { refused = try connection.answer() } else { waiting.append(connection) }
        }
        let answer = try #require(refused)
        ContractTests.expect(answer, 503, "OVERLOADED", "요청이 많아 처리할 수 없습니다. 잠시 후 다시 시도해주세요.")
        #expect(answer["Retry-After"] == "5" && !answer.closes && answer["Vary"] == "Origin")
        // Every one from now on, in English and for pages of another origin as well.
        let english = try self.cluster.client.call(
            "POST",
            "/api/v1/waiting",
            body: #"{"concertId":1,"userId":3000}"#,
            ["Accept-Language: en", "Connection: close", "Origin: https://shop.example"]
        )
        #expect(english.message == "Too many requests are under way. Try again in a moment." && english.closes)
        #expect(english["Access-Control-Allow-Origin"] == "https://shop.example" && english["Vary"] == "Origin")

        let poll = try TestConnection(port: self.cluster.port)
        try poll.send(BookingClient.request("GET", "/api/v1/waiting?concertId=1", token: token))
        let charge = try TestConnection(port: self.cluster.port)
        try charge.send(BookingClient.request("POST", "/api/v1/point/charge?userId=1&amount=5"))
        usleep(100_000)
        #expect(!poll.hasInput && !charge.hasInput)
        kill(shard, SIGCONT)
        #expect(try poll.answer().status == 200)
        #expect(try charge.answer().status == 200)
        for connection in connections {
            for _ in 0..<64 { #expect(try connection.answer().status == 200) }
        }
        for connection in waiting { #expect(try connection.answer().status == 200) }
        let refusals = try #require(try self.cluster.stats().gateways.first).refusals
        #expect(refusals.shedJoins == 2 && refusals.shedQuestions == 0 && refusals.shedBookings == 0)
        try TestCluster.eventually("joins are taken again") { try self.cluster.client.join(1, 4_000).status == 200 }
    }
}
