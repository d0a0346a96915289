import Foundation
import Glibc
import TestSupport
import Testing

@testable import Configuration

/// Signals that come before there is anything to handle them.
@Suite struct SignalsTests {
    /// Becomes `usher` with `signal` pending: it is delivered at the first moment at which the program lets it through. A
    /// signal that comes at an unlucky moment, without luck.
    private static func script(_ signal: Int32) throws -> TemporaryFile {
        let script = try TemporaryFile(
            """
            #!/usr/bin/env python3
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_BLOCK, [\(signal)])
            os.kill(os.getpid(), \(signal))
            os.execv("\(TestCluster.executable)", ["usher", *sys.argv[1:]])

            """
        )
        chmod(script.path, 0o700)
        return script
    }

    @Test func `a SIGHUP at the very start is done when the cluster is up`() throws {
        let script = try Self.script(SIGHUP)
        let cluster = try TestCluster(executable: script.path)
        try cluster.waitUntilUp()
        try cluster.logged("settings reloaded")
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `a stop at the very start is an orderly one`(signal: Int32) throws {
        let script = try Self.script(signal)
        let cluster = try TestCluster(executable: script.path)
        #expect(cluster.waitUntilOver() == 0)
        #expect(cluster.errorText.hasSuffix("supervisor: stopped\n"), "\(cluster.errorText)")
        #expect(!cluster.leftBehind.contains { $0.hasSuffix(".sock") || $0 == "cluster.json" })
    }

    @Test(arguments: ["shard", "gateway"]) func `a process alone holds them back, too`(role: String) throws {
        let script = try Self.script(SIGTERM)
        let state = TestCluster.freshState()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let process = Process()
        process.executableURL = URL(filePath: script.path)
        process.arguments = [
            role, "--index", "0", "--state", state.path, "--shards", "1", "--set", "journal.kind=memory", "--port", "0",
            "--operator-port", "0",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    @Test func `commands that end by themselves die of them as usual`() throws {
        let script = try Self.script(SIGTERM)
        let process = Process()
        process.executableURL = URL(filePath: script.path)
        process.arguments = ["config", "reference"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGTERM)
    }
}
