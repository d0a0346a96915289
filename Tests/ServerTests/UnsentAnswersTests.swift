import Testing

@testable import Statistics

/// A gateway with room for a few answers of 9 MB, whose connections end after two answers. One test at a time, as they share that
/// room.
@Suite(
    .serialized,
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

    @Test func `who does not read has large answers refused, small ones given, and is cut off`() throws {
        let before = try self.gateway().refusals
        let idlers = try (0..<8).map { _ in try TestConnection(port: self.port, receiveBuffer: 4_096) }
        for idler in idlers { try idler.send(Self.hall) }
        // A list that needs no shard: asked for often enough to meet the moment before some are cut off.
        var refused: Answer?
        try TestCluster.eventually("another large answer is refused") {
            let answer = try ServedCluster.shared.client.call("GET", "/openapi.json")
            if answer.status != 200 { refused = answer }
            return refused != nil
        }
        #expect(try self.gateway().refusals.largeAnswers > before.largeAnswers)
        let other = try TestConnection(port: self.port)
        try other.send(Self.small)
        #expect(try other.answer().status == 200)
        try TestCluster.eventually("those who do not read are cut off") {
            let gateway = try self.gateway()
            return gateway.refusals.slowReaders > before.slowReaders && gateway.connections.unsentBytes < 33_554_432
        }
        try other.send(Self.hall)
        #expect(try other.answer().status == 200)

        let answers = idlers.compactMap { try? $0.answer() }
        #expect(answers.count < idlers.count)
        let told = try #require(refused)
        ContractTests.expect(told, 503, "OVERLOADED", "요청이 많아 처리할 수 없습니다. 잠시 후 다시 시도해주세요.")
        #expect(told["Retry-After"] == "1")
    }
}
