import Glibc
import Testing

@testable import Server

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
