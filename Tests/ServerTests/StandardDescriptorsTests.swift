import Foundation
import Glibc
import Reactor
import TestSupport
import Testing

@testable import Configuration

/// A cluster that is started with some of its standard descriptors closed, as init scripts and cron do.
@Suite struct StandardDescriptorsTests {
    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func `it serves and stops, and nothing of its own takes their numbers`(closed: String) throws {
        let script = try TemporaryFile("#!/bin/sh\nexec \(TestCluster.executable) \"$@\" \(closed)\n")
        chmod(script.path, 0o700)
        let cluster = try TestCluster(executable: script.path)
        try TestCluster.eventually("it is up") { (try? cluster.file()) != nil || !cluster.isRunning }
        let file = try cluster.file()
        #expect(try BookingClient(port: file.port).call("GET", "/api/v1/concerts").status == 200)
        for pid in [file.supervisor] + file.shards + file.gateways {
            for number in 0...2 {
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(number)")
                #expect(
                    !target.hasPrefix(cluster.state.path) && !target.hasPrefix("anon_inode"),
                    "\(pid) \(number) \(target)"
                )
            }
        }
        #expect(try String(contentsOfFile: cluster.state.lockFile, encoding: .utf8) == "\(file.supervisor)\n")
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(cluster.leftBehind == ClusterLifecycleTests.kept)
    }
}
