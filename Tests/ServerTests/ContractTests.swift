import Testing

/// The contract, call by call, over real sockets against a real cluster with the catalogue that is built in. Each test
/// has users of its own, so that they may run in any order.
///
/// What names, order and types the answers have is compared whole: a field more is a change of the contract as well.
@Suite(.cluster("--shards", "4")) struct ContractTests {
    static var cluster: ServedCluster { ServedCluster.shared }
    static var client: BookingClient { Self.cluster.client }

    /// What every error looks like.
    static func expect(
        _ answer: Answer,
        _ status: Int,
        _ code: String,
        _ message: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == status, "\(answer)", sourceLocation: sourceLocation)
        #expect(answer.code == code, "\(answer)", sourceLocation: sourceLocation)
        #expect(answer.json.shape == "{code: string, message: string}", sourceLocation: sourceLocation)
        if let message { #expect(answer.message == message, sourceLocation: sourceLocation) }
        #expect(answer["Content-Type"] == "application/json; charset=utf-8", sourceLocation: sourceLocation)
    }

    // MARK: The catalogue

    @Test func `the catalogue that is built in has 8 concerts of 240 schedules`() throws {
        let answer = try Self.client.call("GET", "/api/v1/concerts")
        #expect(answer.status == 200)
        #expect(
            answer.json.shape
                == "[{concertId: whole, concertTitle: string, opensAt: time, scheduleCount: whole, state: string}]"
        )
        #expect(answer.json.eachWhole("concertId") == Array(1...8))
        #expect(answer.json[0]["concertTitle"] == "콘서트 1")
        #expect(answer.json.list.allSatisfy { $0["scheduleCount"] == 240 && $0["state"] == "OPEN" })
    }
}
