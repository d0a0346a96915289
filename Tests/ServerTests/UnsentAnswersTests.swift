import Testing

@testable import Server

/// A gateway with room for a few answers of 9 MB, whose connections end after two answers.
@Suite(
    .cluster(
        "--shards",
        "1",
        "--set",
        "gateway.requestsPerConnectionMax=2",
        "--set",
        "gateway.unsentBytesMax=33554432",
        catalogue: HTTPTimeCatalogue.json
    )
) struct UnsentAnswersTests {
    private static let hall = BookingClient.request("GET", "/api/v1/concert/seats?concertId=1&concertScheduleId=1")
    private static let small = BookingClient.request("GET", "/api/v1/point?userId=1")

    private var port: Int { ServedCluster.shared.port }
    private func gateway() throws -> GatewayStats { try #require(try ServedCluster.shared.stats().gateways.first) }

    /// Longer than the two seconds that a connection lingers after its last answer.
    private func waitForMoreThanALinger() throws {
        let end = ContinuousClock.now + .seconds(4)
        try TestCluster.eventually("time has passed") { ContinuousClock.now > end }
    }

    @Test func `the last answer of a connection is there for a client that reads it slowly`() throws {
        let connection = try TestConnection(port: self.port, receiveBuffer: 4_096)
        try connection.send(Self.small + Self.hall)
        #expect(try connection.answer().status == 200)
        try self.waitForMoreThanALinger()
        let answer = try connection.answer()
        #expect(answer.status == 200 && answer.closes && answer.body.count > 5_000_000)
    }

    @Test func `who does not read has others' large answers refused, not their small ones, and only for a while`()
        throws
    {
        let refusedBefore = try self.gateway().refusals.largeAnswers
        var idlers: [TestConnection] = []
        var refused: Answer?
        while refused == nil, idlers.count < 100 {
            let idler = try TestConnection(port: self.port, receiveBuffer: 4_096)
            try idler.send(Self.hall)
            // Either the whole of its answer is kept for it, or it is a short refusal.
            try TestCluster.eventually("it has its answer") { idler.hasInput }
            if try self.gateway().refusals.largeAnswers > refusedBefore { refused = try idler.answer() }
            idlers.append(idler)
        }
        let answer = try #require(refused)
        ContractTests.expect(answer, 503, "OVERLOADED", "요청이 많아 처리할 수 없습니다. 잠시 후 다시 시도해주세요.")
        #expect(answer["Retry-After"] == "1" && idlers.count > 1)
        #expect(try self.gateway().connections.unsentBytes >= 33_554_432)

        let other = try TestConnection(port: self.port)
        try other.send(Self.small)
        #expect(try other.answer().status == 200)
        for idler in idlers { idler.reset() }
        try TestCluster.eventually("the memory is free again") {
            try self.gateway().connections.unsentBytes < 33_554_432
        }
        try other.send(Self.hall)
        #expect(try other.answer().status == 200)
    }
}
