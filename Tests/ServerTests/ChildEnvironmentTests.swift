import Foundation
import Testing

@testable import Configuration
@testable import Supervisor

@Suite struct ChildEnvironmentTests {
    @Test func `settings stay out, and a trap is told at once, without registers`() {
        let own = ["PATH=/bin", "USHER_GATEWAY_PORT=1", "HOME=/"]
        #expect(ChildEnvironment.made(from: own) == ["PATH=/bin", "HOME=/", ChildEnvironment.backtrace])
        #expect(ChildEnvironment.backtrace.contains("registers=none"))
        #expect(ChildEnvironment.backtrace.contains("symbolicate=off"))
    }

    @Test func `what the operator says of traps holds`() {
        let own = ["SWIFT_BACKTRACE=enable=no"]
        #expect(ChildEnvironment.made(from: own) == own)
    }

    @Test func `the processes of a cluster have it`() throws {
        let wanted = "SWIFT_BACKTRACE=enable=yes,registers=none"
        let cluster = try TestCluster(environment: ["SWIFT_BACKTRACE": String(wanted.dropFirst(16))])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        for pid in file.shards + file.gateways {
            let bytes = try Data(contentsOf: URL(filePath: "/proc/\(pid)/environ"))
            let variables = String(decoding: bytes, as: UTF8.self).split(separator: "\0")
            #expect(variables.filter { $0.hasPrefix("SWIFT_BACKTRACE=") } == [wanted[...]])
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
