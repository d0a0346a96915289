import Foundation
import Glibc
import Synchronization
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// Processes are replaced while they serve, and nobody hears of it.
@Suite(.serialized) struct RollingRestartTests {
    private static let durable = [
        "--set", "journal.kind=sqlite", "--set", "booking.admissionsPerSecond=1000", "--set",
        "gateway.replyTimeoutMilliseconds=30000",
    ]

    // MARK: A gateway that hands over

    @Test func `who hands over answers what is under way, and one more request of who rests`() throws {
        let cluster = try TestCluster(arguments: ["--shards", "1", "--set", "cluster.drainTimeoutSeconds=60"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let resting = try TestConnection(port: file.port)
        try resting.send(BookingClient.request("GET", "/api/v1/point?userId=1"))
        #expect(try !resting.answer().closes)
        let fresh = try TestConnection(port: file.port)
        let halfway = try TestConnection(port: file.port)
        try halfway.send("GET /api/v1/point?userId=9 HTTP/1.1\r\nHost:")
        let busy = try TestConnection(port: file.port)
        _ = try BookingClient(port: file.port).balance(1)
        // The shard keeps the gateway waiting, for as long as it takes to see that it hands over.
        kill(file.shards[0], SIGSTOP)
        defer { kill(file.shards[0], SIGCONT) }
        try busy.send((1...10).map { BookingClient.request("GET", "/api/v1/point?userId=\($0)") }.joined())
        #expect(try BookingClient(port: file.port).call("GET", "/api/v1/concerts").status == 200)

        // Alone, so nobody else is there for who comes meanwhile; another one starts when this one has ended.
        kill(file.gateways[0], SIGTERM)
        try TestCluster.eventually("the gateway hands over") { cluster.errorText.contains("gateway 0: stopping") }
        let late = try TestConnection(port: file.port)
        try late.send(BookingClient.request("GET", "/api/v1/concerts"))
        let only = try late.answer()
        #expect(only.status == 200 && only.closes)
        #expect(try late.endsClean())
        late.close()
        kill(file.shards[0], SIGCONT)
        for user in 1...10 {
            let answer = try busy.answer()
            #expect(answer.json["userId"] == .whole(Int64(user)) && !answer.closes)
        }
        try halfway.send(" x\r\n\r\n")
        let last = try halfway.answer()
        #expect(last.json["userId"] == .whole(9) && last.closes)
        #expect(try halfway.endsClean())
        // Three that come together: the last of them is the last.
        let together = (2...4).map { BookingClient.request("GET", "/api/v1/point?userId=\($0)") }.joined()
        for connection in [resting, fresh, busy] { try connection.send(together) }
        for connection in [resting, fresh, busy] {
            for user in 2...4 {
                let answer = try connection.answer()
                #expect(answer.json["userId"] == .whole(Int64(user)) && answer.closes == (user == 4))
            }
            #expect(try connection.endsClean())
            connection.close()
        }
        halfway.close()
        try TestCluster.eventually("the next gateway") { try cluster.file().gateways[0] != file.gateways[0] }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `who rests for too long is let go when the time is over, with an end and no reset`() throws {
        let cluster = try TestCluster(arguments: ["--set", "cluster.drainTimeoutSeconds=1"])
        try cluster.waitUntilUp()
        let resting = try TestConnection(port: try cluster.file().port)
        try resting.send(BookingClient.request("GET", "/api/v1/concerts"))
        #expect(try resting.answer().status == 200)
        let tool = try UsherCommand.run("restart", cluster.state, "--rolling", "--only", "gateways")
        #expect(tool.status == 0, "\(tool.errors)")
        #expect(try resting.endsClean())
        #expect(!cluster.errorText.contains("killed"))
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `connections that wait for a gateway that is killed are served by the next one`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let file = try cluster.file()
        kill(file.gateways[0], SIGSTOP)
        let waiting = try (1...20).map { _ in try TestConnection(port: file.port) }
        for (user, connection) in zip(1..., waiting) {
            try connection.send(BookingClient.request("GET", "/api/v1/point?userId=\(user)"))
        }
        kill(file.gateways[0], SIGKILL)
        for (user, connection) in zip(1..., waiting) {
            #expect(try connection.answer().json["userId"] == .whole(Int64(user)))
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    // MARK: All, under load

    @Test func `under load all are replaced again and again, and no request fails`() throws {
        let cluster = try TestCluster(arguments: Self.durable + ["--gateways", "2"])
        try cluster.waitUntilUp()
        let before = try cluster.file()
        let load = SteadyLoad(port: before.port)
        for round in 1...3 {
            let file = try cluster.file()
            let tool = try UsherCommand.run("restart", cluster.state, "--rolling")
            #expect(tool.status == 0, "round \(round): \(tool.errors)")
            let after = try cluster.file()
            #expect(after.supervisor == file.supervisor)
            for (old, new) in zip(file.gateways + file.shards, after.gateways + after.shards) {
                #expect(old != new && TestCluster.isGone(old) && !TestCluster.isGone(new))
            }
            #expect(tool.output.contains("shard 1: process \(after.shards[1]) serves"), "\(tool.output)")
        }
        let tally = load.end()
        #expect(tally.failures == [])
        #expect(tally.answered > 100)
        // Each charge was done once.
        let client = BookingClient(port: before.port)
        for (user, charges) in tally.charges {
            #expect(try client.balance(user).json["balance"] == .whole(Int64(charges * 10)))
        }
        let json = try StatsCommand.text(cluster.state, json: true)
        let stats = try JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8))
        #expect(stats.discrepancies == [] && stats.missing == [])
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(
            cluster.leftBehind == [
                "catalogue.running.json", "clock.json", "config.json", "journal", "token.keys", "usher.lock",
            ]
        )
    }

    @Test func `a program that does not start leaves the old one serving, and says why`() throws {
        let folder = "/tmp/usher-p\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let program = "\(folder)/usher"
        try FileManager.default.copyItem(atPath: TestCluster.executable, toPath: program)
        let cluster = try TestCluster(arguments: Self.durable, executable: program)
        try cluster.waitUntilUp()
        let before = try cluster.file()
        let client = BookingClient(port: before.port)
        #expect(try client.charge(1, 10).status == 200)

        func put(_ script: String) throws {
            let next = "\(folder)/next"
            try script.write(toFile: next, atomically: false, encoding: .utf8)
            chmod(next, 0o700)
            rename(next, program)
        }
        // One that ends at once, as gateway and as shard.
        try put("#!/bin/sh\nexit 3\n")
        let gateways = try UsherCommand.run("restart", cluster.state, "--rolling")
        #expect(gateways.status == 1)
        #expect(gateways.errors.contains("gateway 0 of the new program ended with status 3"), "\(gateways.errors)")
        #expect(try cluster.file() == before)
        let shards = try UsherCommand.run("restart", cluster.state, "--rolling", "--only", "shards")
        #expect(shards.status == 1)
        #expect(shards.output.contains("rolled back to the former program"), "\(shards.output)")
        #expect(shards.errors.contains("shard 0 of the new program ended with status 3"), "\(shards.errors)")
        #expect(try client.balance(1).json["balance"] == .whole(10))
        #expect(try cluster.file().shards[1] == before.shards[1])
        // One that says that it can't.
        try put("#!/bin/sh\necho 'failed {\"reason\":\"too old for this machine\"}' >&3\nexit 1\n")
        let told = try UsherCommand.run("restart", cluster.state, "--rolling")
        #expect(told.errors.contains("(too old for this machine)"), "\(told.errors)")
        // None at all.
        unlink(program)
        let none = try UsherCommand.run("restart", cluster.state, "--rolling")
        #expect(none.status == 1 && none.errors.contains("can't be run: No such file"), "\(none.errors)")
        // Who dies now is started again from the program that it had.
        kill(try cluster.file().gateways[0], SIGKILL)
        try TestCluster.eventually("a new gateway") {
            try cluster.file().gateways != before.gateways && (try? client.balance(1).status) == 200
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a gateway that a shard refuses is no successor`() throws {
        // Two shards in its settings, where the cluster has one more: to the shards it is as one of another version.
        let folder = "/tmp/usher-p\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let program = "\(folder)/usher"
        try FileManager.default.copyItem(atPath: TestCluster.executable, toPath: program)
        let cluster = try TestCluster(arguments: ["--shards", "3"], executable: program)
        try cluster.waitUntilUp()
        let before = try cluster.file()
        try """
        #!/bin/sh
        exec \(TestCluster.executable) "$@" --shards 2

        """.write(toFile: "\(folder)/next", atomically: false, encoding: .utf8)
        chmod("\(folder)/next", 0o700)
        rename("\(folder)/next", program)
        let tool = try UsherCommand.run("restart", cluster.state, "--rolling", "--only", "gateways")
        #expect(tool.status == 1)
        #expect(tool.errors.contains("refused it: this process knows 3 shards"), "\(tool.errors)")
        #expect(try cluster.file() == before)
        #expect(try BookingClient(port: before.port).balance(1).status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `shards that keep nothing are not replaced`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let before = try cluster.file()
        let tool = try UsherCommand.run("restart", cluster.state, "--rolling")
        #expect(tool.status == 1)
        #expect(tool.errors.contains("loses everything"))
        #expect(try cluster.file() == before)
        let plain = try UsherCommand.run("restart", cluster.state)
        #expect(plain.status != 0 && plain.errors.contains("add --rolling"))
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `processes that are killed meanwhile are started again, and it goes on`() throws {
        let cluster = try TestCluster(arguments: Self.durable + ["--gateways", "2"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        // Nobody may end it: the first gateway's successor waits for this shard.
        kill(file.shards[1], SIGSTOP)
        let state = cluster.state
        let restart = ControlThread { try UsherCommand.run("restart", state, "--rolling") }
        try TestCluster.eventually("a successor has started") { cluster.children(named: "usher/gateway0") == 2 }
        kill(file.gateways[1], SIGKILL)
        kill(file.shards[1], SIGKILL)
        let tool = try restart.wait()
        #expect(tool.status == 0, "\(tool.errors)")
        let after = try cluster.file()
        for (old, new) in zip(file.gateways + file.shards, after.gateways + after.shards) { #expect(old != new) }
        #expect(try BookingClient(port: file.port).balance(1).status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a supervisor that is killed meanwhile takes both of a gateway with it`() throws {
        let cluster = try TestCluster(arguments: Self.durable)
        try cluster.waitUntilUp()
        let file = try cluster.file()
        kill(file.shards[0], SIGSTOP)
        let state = cluster.state
        let restart = ControlThread { try UsherCommand.run("restart", state, "--rolling") }
        try TestCluster.eventually("a successor has started") { cluster.children(named: "usher/gateway0") == 2 }
        let gateways = cluster.childIDs(named: "usher/gateway0")
        cluster.signal(SIGKILL)
        kill(file.shards[0], SIGCONT)
        let tool = try restart.wait()
        #expect(tool.status == 1)
        #expect(tool.errors.contains("the supervisor"), "\(tool.errors)")
        for pid in gateways + file.shards {
            try TestCluster.eventually("process \(pid) is gone") { TestCluster.isGone(pid) }
        }
        _ = cluster.waitUntilOver()
        let next = try TestCluster(in: cluster.state, arguments: Self.durable)
        cluster.forget()
        try next.waitUntilUp()
        next.signal(SIGTERM)
        #expect(next.waitUntilOver() == 0)
    }
}

/// Runs a tool on a thread of its own.
private final class ControlThread: Sendable {
    private let result = Mutex<Result<UsherCommand, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () throws -> UsherCommand) {
        Thread { [self] in
            let outcome = Result { try body() }
            self.result.withLock { $0 = outcome }
            self.done.signal()
        }.start()
    }

    func wait() throws -> UsherCommand {
        self.done.wait()
        return try self.result.withLock { $0! }.get()
    }
}

/// Clients that never stop: some keep their connection and go to a new one when told `Connection: close`, some make a new
/// one for each request, some send many at a time. Nothing is sent again but what was behind a `Connection: close`.
private final class SteadyLoad: Sendable {
    struct Tally: Sendable {
        var answered = 0
        var failures: [String] = []
        /// By user: how often 10 points were paid in.
        var charges: [Int: Int] = [:]
    }

    private let isOver = Atomic(false)
    private let tally = Mutex(Tally())
    private let left = DispatchGroup()

    init(port: Int) {
        for client in 0..<12 {
            self.left.enter()
            Thread { [self] in
                defer { self.left.leave() }
                do {
                    switch client % 3 {
                    case 0: try self.keepConnections(port, user: client + 1)
                    case 1: try self.makeConnections(port, user: client + 1)
                    default: try self.sendMany(port, user: client + 1)
                    }
                } catch {
                    self.tally.withLock { $0.failures.append("client \(client): \(error)") }
                }
            }.start()
        }
    }

    func end() -> Tally {
        self.isOver.store(true, ordering: .relaxed)
        self.left.wait()
        return self.tally.withLock { $0 }
    }

    private func note(_ answer: Answer, _ user: Int, isCharge: Bool) {
        self.tally.withLock {
            $0.answered += 1
            if answer.status != 200 { $0.failures.append("user \(user): \(answer)") }
            if isCharge { $0.charges[user, default: 0] += 1 }
        }
    }

    private func keepConnections(_ port: Int, user: Int) throws {
        var connection: TestConnection?
        while !self.isOver.load(ordering: .relaxed) {
            let current = try connection ?? TestConnection(port: port)
            try current.send(BookingClient.request("POST", "/api/v1/point/charge?userId=\(user)&amount=10"))
            let answer = try current.answer()
            self.note(answer, user, isCharge: true)
            connection = answer.closes ? nil : current
        }
    }

    private func makeConnections(_ port: Int, user: Int) throws {
        while !self.isOver.load(ordering: .relaxed) {
            self.note(try BookingClient(port: port).charge(user, 10), user, isCharge: true)
        }
    }

    private func sendMany(_ port: Int, user: Int) throws {
        let ask = BookingClient.request("GET", "/api/v1/point?userId=\(user)")
        while !self.isOver.load(ordering: .relaxed) {
            let connection = try TestConnection(port: port)
            var closes = false
            while !closes && !self.isOver.load(ordering: .relaxed) {
                try connection.send(String(repeating: ask, count: 20))
                for _ in 0..<20 where !closes {
                    let answer = try connection.answer()
                    self.note(answer, user, isCharge: false)
                    closes = answer.closes
                }
            }
        }
    }
}
