import Glibc
import Testing

@testable import Configuration

/// Without logins: an address that names users as it likes, over two gateways and a shard's death. A shard keeps 300 keys.
@Suite(
    .serialized,
    .cluster(
        "--shards",
        "1",
        "--gateways",
        "2",
        "--set",
        "gateway.trustedAddresses=127.0.0.9/32",
        "--set",
        "shard.keptAnswersMax=400",
        "--set",
        "gateway.inFlightPerShardMax=50",
        "--set",
        "journal.kind=sqlite",
        "--set",
        "journal.policy=none",
        mayDie: true
    )
) struct KeysOfAddressTests {
    /// Over a new connection, so of any gateway.
    private func charge(_ user: Int, _ key: String?, from host: UInt8) throws -> Answer {
        let connection = try TestConnection(port: ServedCluster.shared.port, host: host)
        let headers = key.map { ["Idempotency-Key: \($0)"] } ?? []
        try connection.send(BookingClient.request("POST", "/api/v1/point/charge?userId=\(user)&amount=1", headers))
        return try connection.answer()
    }

    @Test func `fills its share of the keys, and nobody else's`() throws {
        var refused: Answer?
        var taken = 0
        for user in 1...100 where refused == nil {
            let answer = try self.charge(user, "k", from: 20)
            if answer.status == 200 { taken += 1 } else { refused = answer }
        }
        // A sixteenth of what is free: 300 less these.
        #expect(taken == 17)
        let answer = try #require(refused)
        ContractTests.expect(
            answer,
            429,
            "TOO_MANY_IDEMPOTENCY_KEYS_OF_ADDRESS",
            "같은 주소에서 Idempotency-Key를 너무 많이 사용했습니다. 나중에 다시 시도해주세요."
        )
        #expect(try (86_000...86_400).contains(#require(answer["Retry-After"].flatMap { Int($0) })))
        // What has an answer keeps it, a new key is taken from others and from an address that is trusted, and without a key all
        // goes on.
        #expect(try self.charge(1, "k", from: 20).json["balance"] == 1)
        #expect(try self.charge(1, "other", from: 21).json["balance"] == 2)
        for user in 201...220 { #expect(try self.charge(user, "k", from: 9).status == 200) }
        #expect(try self.charge(301, nil, from: 20).status == 200)

        kill(try ServedCluster.shared.file().shards[0], SIGKILL)
        #expect(try self.charge(302, nil, from: 21).status == 200)
        for _ in 0..<6 {
            #expect(try self.charge(303, "k", from: 20).code == "TOO_MANY_IDEMPOTENCY_KEYS_OF_ADDRESS")
        }
        #expect(try self.charge(1, "k", from: 20).json["balance"] == 1)
    }
}
