import Foundation
import Glibc
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// Processes that are alive, and do not run.
@Suite struct HangTests {
    @Test func `a shard that does not answer is told by readyz and stats, until it does`() throws {
        let cluster = try TestCluster(arguments: ["--set", "gateway.silentShardSeconds=1"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let operators = BookingClient(port: file.operatorPort)
        #expect(try operators.call("GET", "/readyz").status == 200)
        kill(file.shards[1], SIGSTOP)
        defer { kill(file.shards[1], SIGCONT) }
        try TestCluster.eventually("readyz says which shard") {
            let answer = try operators.call("GET", "/readyz")
            return answer.status == 503 && answer.message == "Shards that do not answer: 1."
        }
        let text = try StatsCommand.text(cluster.state, json: true)
        let stats = try JSONDecoder().decode(ClusterStats.self, from: Data(text.utf8))
        #expect(stats.gateways.map(\.silentShards) == [[1]])
        #expect(stats.troubles == ["shard 1 does not answer gateway 0"])
        #expect(try operators.call("GET", "/healthz").status == 200)
        kill(file.shards[1], SIGCONT)
        try TestCluster.eventually("it is ready again") { try operators.call("GET", "/readyz").status == 200 }
        #expect(try cluster.file().shards == file.shards)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a shard and a gateway that hang are killed and started again, also by a limit set later`() throws {
        let settings = "/tmp/usher-c\(UInt32.random(in: 0 ... .max)).json"
        func write(_ seconds: Int) throws {
            let text = #"{"cluster": {"hangTimeoutSeconds": \#(seconds)}}"#
            try text.write(toFile: settings, atomically: true, encoding: .utf8)
        }
        defer { try? FileManager.default.removeItem(atPath: settings) }
        try write(0)
        let cluster = try TestCluster(arguments: ["--config", settings], isPatient: false)
        try cluster.waitUntilUp()
        let before = try cluster.file()
        kill(before.shards[0], SIGSTOP)
        kill(before.gateways[0], SIGSTOP)
        #expect(!TestCluster.isGone(before.shards[0]) && !TestCluster.isGone(before.gateways[0]))
        try write(2)
        #expect(try UsherCommand.run("reload", cluster.state).output == "Changed: cluster.hangTimeoutSeconds=2.\n")
        try TestCluster.eventually("others serve in their places") {
            let file = try cluster.file()
            guard file.shards[0] > 0, file.gateways[0] > 0 else { return false }
            return file.shards[0] != before.shards[0] && file.gateways[0] != before.gateways[0]
        }
        let client = BookingClient(port: before.port)
        try TestCluster.eventually("requests are answered") {
            (try? client.call("GET", "/api/v1/point?userId=1").status) == 200
        }
        #expect(cluster.errorText.contains("hung process killed  member=\"shard 0\" seconds=2"))
        #expect(try cluster.file().shards[1] == before.shards[1])
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
