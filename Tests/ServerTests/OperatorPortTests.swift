import Foundation
import Testing

@testable import Server

/// The operator's port with more callers than it has room for.
@Suite struct OperatorPortTests {
    @Test func `idle connections make room for a health check`() throws {
        let cluster = try TestCluster(arguments: ["--set", "operator.connectionsMax=3"])
        try cluster.waitUntilUp()
        let port = try cluster.file().operatorPort
        let idle = try (0..<3).map { _ in try TestConnection(port: port) }
        // Those are taken in before this one is.
        let refused = try TestConnection(port: port)
        #expect(try refused.answer().code == "TOO_MANY_CONNECTIONS")
        for connection in idle { #expect(try connection.endsClean()) }
        #expect(try BookingClient(port: port).call("GET", "/healthz").status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
