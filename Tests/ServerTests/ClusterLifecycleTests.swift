import Foundation
import Glibc
import Reactor
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics
@testable import Supervisor

@Suite(.serialized) struct ClusterLifecycleTests {
    /// What a stop leaves: the keys, which tokens need, and the lock's file.
    static let kept = ["catalogue.running.json", "clock.json", "config.json", "token.keys", "usher.lock"]

    @Test(arguments: [SIGTERM, SIGINT]) func `it starts, answers statistics, and a stop leaves nothing`(signal: Int32)
        throws
    {
        let cluster = try TestCluster(arguments: ["--gateways", "2"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        #expect(file.supervisor == cluster.processID)
        #expect(file.shards.count == 2 && file.gateways.count == 2)
        #expect(cluster.outputText.contains("http://127.0.0.1:\(file.port)"))
        #expect(FileStatus(cluster.state.path)?.mode == 0o700)
        for path in [cluster.state.configurationFile, cluster.state.keyFile, cluster.state.shardSocket(0)] {
            #expect(FileStatus(path)?.mode == 0o600, "\(path)")
        }

        let json = try StatsCommand.text(cluster.state, json: true)
        let stats = try JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8))
        #expect(stats.missing == [] && stats.discrepancies == [])
        #expect(stats.shards.map(\.process.pid) == file.shards)
        #expect(stats.gateways.map(\.process.pid) == file.gateways)
        #expect(stats.shards.map { [$0.slots.first, $0.slots.last] } == [[0, 8_191], [8_192, 16_383]])

        cluster.signal(signal)
        #expect(cluster.waitUntilOver() == 0)
        #expect(cluster.leftBehind == Self.kept)
        for pid in file.shards + file.gateways { #expect(TestCluster.isGone(pid)) }
    }

    @Test func `what dies is started again, on the same port`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let before = try cluster.file()
        kill(before.shards[1], SIGKILL)
        try TestCluster.eventually("a new shard") { try cluster.file().shards[1] != before.shards[1] }
        kill(before.gateways[0], SIGKILL)
        try TestCluster.eventually("a new gateway") { try cluster.file().gateways[0] != before.gateways[0] }
        try TestCluster.eventually("statistics of all") {
            let json = try StatsCommand.text(cluster.state, json: true)
            return try JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8)).missing.isEmpty
        }
        let after = try cluster.file()
        #expect(after.port == before.port)
        #expect(after.shards[0] == before.shards[0])
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(cluster.leftBehind == Self.kept)
    }

    @Test func `the table on the screen ends when nobody reads it any more`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let top = Process()
        let output = Pipe()
        top.executableURL = URL(filePath: "/usr/bin/env")
        top.arguments = ["--default-signal=PIPE", TestCluster.executable, "top", "--state", cluster.state.path]
        top.standardOutput = output
        try top.run()
        defer { top.terminate() }
        #expect(output.fileHandleForReading.availableData.count > 0)
        try output.fileHandleForReading.close()
        try TestCluster.eventually("top ends") { !top.isRunning }
        #expect(top.terminationReason == .uncaughtSignal && top.terminationStatus == SIGPIPE)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a second start in the same folder is refused, and the first goes on`() throws {
        let first = try TestCluster()
        try first.waitUntilUp()
        let before = try first.file()
        let second = try TestCluster(in: first.state)
        #expect(second.waitUntilOver() == 1)
        #expect(
            second.errorText == "Error: a cluster is running in \(first.state.path), under process \(first.processID); "
                + "stop it (kill \(first.processID)), or choose another folder with --state\n"
        )
        #expect(try first.file() == before)
        first.signal(SIGTERM)
        #expect(first.waitUntilOver() == 0)
    }

    @Test func `children of a killed supervisor stop, and the next start cleans up`() throws {
        let first = try TestCluster()
        try first.waitUntilUp()
        let file = try first.file()
        first.signal(SIGKILL)
        _ = first.waitUntilOver()
        let second = try TestCluster(in: first.state, arguments: ["--shards", "1"])
        try second.waitUntilUp()
        for pid in file.shards + file.gateways { #expect(TestCluster.isGone(pid)) }
        #expect(!second.leftBehind.contains("shard-1.sock"))
        #expect(try second.file().supervisor == second.processID)
        second.signal(SIGTERM)
        #expect(second.waitUntilOver() == 0)
        #expect(second.leftBehind == Self.kept)
    }

    @Test func `a port in use is named, and nothing stays`() throws {
        let loop = try EventLoop()
        let taken = try TCPListener(on: loop, address: .loopback(), sharesPort: true)
        defer {
            taken.close()
            loop.close()
        }
        let cluster = try TestCluster(arguments: ["--port", "\(taken.port)"])
        #expect(cluster.waitUntilOver() == 1)
        #expect(
            cluster.errorText == "Error: port \(taken.port) of 127.0.0.1 is in use by another program or cluster; "
                + "stop that one, or set gateway.port to another port\n"
        )
        #expect(cluster.leftBehind == ["usher.lock"])
    }

    @Test(arguments: [0, 1]) func `of two clusters that start on one port at the same moment one comes up`(which: Int)
        throws
    {
        // The clients' port, or the operators'.
        let port = try PortReservation(host: "127.0.0.1", port: 0, setting: "gateway.port", count: 1).port
        let flags = [which == 0 ? "--port" : "--operator-port", "\(port)"]
        let clusters = try [TestCluster(arguments: flags), TestCluster(arguments: flags)]
        let up = clusters.map { cluster in (try? cluster.waitUntilUp()) != nil }
        #expect(up.count { $0 } == 1)
        for (cluster, isUp) in zip(clusters, up) {
            if isUp { cluster.signal(SIGTERM) }
            #expect(cluster.waitUntilOver() == (isUp ? 0 : 1))
            #expect(isUp || cluster.errorText.contains("is in use by another program or cluster; stop that one"))
        }
    }

    @Test func `a gateway that runs alone shares no port, whoever else has it`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let shards = "\(file.shards.count)"
        for (port, operatorPort) in [(file.port, 0), (0, file.operatorPort)] {
            let run = try UsherCommand.run([
                "gateway", "--index", "1", "--gateways", "2", "--shards", shards, "--state", cluster.state.path,
                "--host", "127.0.0.1", "--port", "\(port)", "--operator-port", "\(operatorPort)",
            ])
            #expect(run.status == 1)
            #expect(run.errors.contains("address already in use"), "\(run.errors)")
        }
        #expect(try BookingClient(port: file.port).charge(1, 1).status == 200)
    }

    @Test func `a child that can't start ends the start, with its reason`() throws {
        let state = TestCluster.freshState()
        try state.prepare()
        // What is no socket is never removed to make room for one.
        mkdir(state.shardSocket(1), 0o700)
        let cluster = try TestCluster(in: state)
        #expect(cluster.waitUntilOver() == 1)
        #expect(
            cluster.errorText.contains(
                "the cluster could not start: shard 1 ended with status 1 (\(state.shardSocket(1)) is served"
            ),
            "\(cluster.errorText)"
        )
        #expect(!cluster.leftBehind.contains("shard-0.sock"))
    }

    @Test func `children run with the resolved settings, not with their own reading of the environment`() throws {
        let cluster = try TestCluster(environment: ["USHER_GATEWAY_PORT": "1", "USHER_CLUSTER_SHARDS": "5"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        #expect(file.shards.count == 2)
        let json = try StatsCommand.text(cluster.state, json: true)
        let stats = try JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8))
        #expect(stats.gateways.map(\.port) == [file.port])
        #expect(stats.shards.count == 2)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a process that does not stop in time is killed, and nothing stays`() throws {
        let cluster = try TestCluster(arguments: ["--set", "cluster.drainTimeoutSeconds=1"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        kill(file.shards[0], SIGSTOP)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(cluster.errorText.contains("process not stopped in time, killed  member=\"shard 0\""))
        #expect(cluster.leftBehind == Self.kept)
        for pid in file.shards + file.gateways { #expect(TestCluster.isGone(pid)) }
    }

    @Test func `a second signal kills at once`() throws {
        let cluster = try TestCluster(arguments: ["--set", "cluster.drainTimeoutSeconds=3600"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        kill(file.gateways[0], SIGSTOP)
        cluster.signal(SIGINT)
        try TestCluster.eventually("the stop begins") { cluster.errorText.contains("supervisor: stopping") }
        cluster.signal(SIGINT)
        #expect(cluster.waitUntilOver() == 0)
        for pid in file.shards + file.gateways { #expect(TestCluster.isGone(pid)) }
    }

    @Test func `mistakes in the settings end the start before anything is made`() throws {
        let cluster = try TestCluster(arguments: ["--set", "gateway.prot=1", "--gateways", "0"])
        #expect(cluster.waitUntilOver() == 1)
        #expect(
            cluster.errorText == """
                Error: 2 mistakes:
                  flag: there is no setting gateway.prot; did you mean gateway.port?
                  flag: cluster.gateways is 0, which is out of range; it must be a whole number from 1 to 64

                """
        )
        #expect(cluster.leftBehind == [])
    }

    @Test func `statistics of a folder without a cluster are refused in plain words`() {
        let error = #expect(throws: StartError.self) { try StatsCommand.text(TestCluster.freshState(), json: false) }
        #expect(error?.problem.hasPrefix("no cluster is up in /tmp/usher-t") == true)
    }
}
