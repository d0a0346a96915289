import Foundation
import Glibc
import TestSupport
import Testing

@testable import Configuration

@Suite struct DescriptorBudgetTests {
    private static func configuration(_ connections: Int, shards: Int = 4, operators: Int = 64) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.gateway.connectionsMax = connections
        configuration.operatorConnectionsMax = operators
        configuration.cluster.shards = shards
        return configuration
    }

    @Test func `where there is room nothing is lowered`() {
        let configuration = ServerConfiguration()
        #expect(DescriptorBudget(allowed: 20_000).fit(configuration) == configuration)
    }

    @Test func `few descriptors are few connections, but one at least`() {
        let fitting = DescriptorBudget(allowed: 64).fit(Self.configuration(16_000))
        #expect(fitting.gateway.connectionsMax == 64 - 24 - 10 - 8 - 8)
        #expect(fitting.operatorConnectionsMax == 8)
        #expect(DescriptorBudget(allowed: 8).fit(Self.configuration(16_000)).gateway.connectionsMax == 1)
    }

    @Test func `what is said to be needed is enough, and no more than it has to be`() {
        for connections in [10, 100, 999, 7_000, 13_899, 13_900, 16_000, 1_000_000] {
            for (shards, operators) in [(1, 1), (4, 64), (256, 1_000)] {
                let configuration = Self.configuration(connections, shards: shards, operators: operators)
                let needed = DescriptorBudget.needed(by: configuration)
                #expect(DescriptorBudget(allowed: needed).fit(configuration) == configuration, "\(connections)")
                let fewer = DescriptorBudget(allowed: needed - needed / 100 - 3).fit(configuration)
                #expect(fewer != configuration, "\(connections) \(shards)")
            }
        }
    }

    @Test func `a gateway with few descriptors says so, and tells those that are too many`() throws {
        // A shell lowers the limit, and becomes the cluster.
        let script = try TemporaryFile("#!/bin/sh\nulimit -n 64\nexec \(TestCluster.executable) \"$@\"\n")
        chmod(script.path, 0o700)
        let cluster = try TestCluster(executable: script.path)
        defer { withExtendedLifetime(script) {} }
        try cluster.waitUntilUp()
        try cluster.logged(
            "fewer connections served than gateway.connectionsMax: raise the limit of open files (ulimit -n, "
                + "LimitNOFILE)  connections_max=16000 open_files=64 open_files_needed=18094 served=18"
        )
        let port = try cluster.file().port
        let open = try (0..<18).map { _ in try TestConnection(port: port) }
        for connection in open {
            try connection.send(BookingClient.request("GET", "/api/v1/concerts"))
            #expect(try connection.answer().status == 200)
        }
        for _ in 0..<4 { #expect(try TestConnection(port: port).answer().code == "TOO_MANY_CONNECTIONS") }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
