import Foundation
import Glibc
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// One cluster for a whole suite: started before its first test, and stopped after its last one, when it must have
/// lived through all of them and have no connection left open.
struct ClusterTrait: SuiteTrait, TestScoping {
    let arguments: [String]
    /// The catalogue's JSON; nil for the one that is built in.
    let catalogue: String?
    /// Its tests kill processes of it.
    let mayDie: Bool

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        let state = TestCluster.freshState()
        var arguments = self.arguments
        let catalogueFile = state.path + ".json"
        if let catalogue {
            try catalogue.write(toFile: catalogueFile, atomically: false, encoding: .utf8)
            arguments += ["--catalogue", catalogueFile]
        }
        defer { try? FileManager.default.removeItem(atPath: catalogueFile) }
        let cluster = try TestCluster(in: state, arguments: arguments)
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let served = ServedCluster(state: state, port: file.port, operatorPort: file.operatorPort)
        try await ServedCluster.$current.withValue(served) { try await function() }
        try TestCluster.eventually("all connections of \(test.name) are closed") {
            try served.stats().gateways.allSatisfy { $0.connections.open == 0 && $0.inFlight == 0 }
        }
        // A shard that kept its facts in memory and died takes its half of the payments with it.
        let discrepancies = try served.stats().discrepancies
        #expect(discrepancies.filter { !self.mayDie || !$0.hasPrefix("payments took") } == [])
        if !self.mayDie { #expect(!cluster.errorText.contains("warning"), "\(cluster.errorText)") }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}

extension Trait where Self == ClusterTrait {
    static func cluster(_ arguments: String..., catalogue: String? = nil, mayDie: Bool = false) -> ClusterTrait {
        ClusterTrait(arguments: arguments, catalogue: catalogue, mayDie: mayDie)
    }

    static func cluster(_ arguments: [String]) -> ClusterTrait {
        ClusterTrait(arguments: arguments, catalogue: nil, mayDie: false)
    }
}

/// What a test knows of its suite's cluster.
struct ServedCluster: Sendable {
    @TaskLocal static var current: ServedCluster?

    let state: StateDirectory
    let port: Int
    let operatorPort: Int

    static var shared: ServedCluster {
        guard let current else { preconditionFailure("the suite has no cluster: give it the trait .cluster()") }
        return current
    }

    var client: BookingClient { BookingClient(port: self.port) }
    var operatorClient: BookingClient { BookingClient(port: self.operatorPort) }

    func stats() throws -> ClusterStats {
        let json = try StatsCommand.text(self.state, json: true)
        return try JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8))
    }

    func file() throws -> ClusterFile { try ClusterFile.read(self.state) }
}
