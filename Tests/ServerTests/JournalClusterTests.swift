import Foundation
import Glibc
import Reactor
import Testing

@testable import Configuration
@testable import JournalHistory
@testable import Links
@testable import Statistics

/// A cluster that writes its facts down: what it answered is still so after any of its processes died, and after a stop.
@Suite(.serialized) struct JournalClusterTests {
    private static let arguments = ["--set", "journal.kind=sqlite"]

    private static func client(_ cluster: TestCluster) throws -> BookingClient {
        BookingClient(port: try cluster.file().port)
    }

    /// Everything that a client can see of two users and their bookings.
    private static func view(_ client: BookingClient, tokens: [String]) throws -> [String] {
        var answers: [Answer] = []
        for user in 1...2 { answers += [try client.balance(user), try client.history(user)] }
        for concert in 1...2 {
            answers.append(try client.seats(concert, (concert - 1) * 240 + 1))
            for user in 1...2 { answers.append(try client.reservations(concert, user)) }
        }
        for (index, token) in tokens.enumerated() { answers.append(try client.poll(1 + index % 2, token)) }
        return answers.map { "\($0.status) \($0.text)" }
    }

    private static func waitUntilServed(_ cluster: TestCluster) throws {
        let client = try Self.client(cluster)
        try TestCluster.eventually("all shards serve") {
            try (1...40).allSatisfy { try client.balance($0).status == 200 }
                && (1...8).allSatisfy { try client.seats($0, ($0 - 1) * 240 + 1).status == 200 }
        }
    }

    @Test func `what was answered is so after kills, and after a stop and a start`() throws {
        let first = try TestCluster(arguments: Self.arguments)
        try first.waitUntilUp()
        let client = try Self.client(first)
        var tokens: [String] = []
        for (concert, user) in [(1, 1), (2, 2), (1, 2), (2, 1)] { tokens.append(try client.enter(concert, user)) }
        #expect(try client.charge(1, 1_000_000).status == 200)
        let bought = try client.reserve(1, 1, [1, 2], tokens[0]).json.eachWhole("reservationId")
        #expect(bought.count == 2)
        #expect(try client.pay(1, bought, tokens[0]).status == 200)
        #expect(try client.reserve(2, 241, [7], tokens[1]).status == 200)
        let before = try Self.view(client, tokens: tokens)

        for round in 0..<4 {
            let shards = try first.file().shards.filter { $0 > 0 }
            for pid in shards.prefix(round % 2 + 1) { kill(pid, SIGKILL) }
            try Self.waitUntilServed(first)
            #expect(try Self.view(client, tokens: tokens) == before, "after kill \(round)")
        }
        // Nobody is let in twice, and a receipt is given again.
        #expect(try client.join(1, 2).json["tokenId"].string == tokens[2])
        #expect(try client.pay(1, bought, tokens[0]).status == 200)

        for shard in 0..<2 {
            #expect(try JournalCommand.verify(first.state, shard: shard).hasSuffix("whole"))
            #expect(try JournalCommand.stat(first.state, shard: shard).contains("journal    shard \(shard) of 2"))
        }
        first.signal(SIGTERM)
        #expect(first.waitUntilOver() == 0)

        var configuration = ServerConfiguration()
        configuration.cluster.state = first.state.path
        for shard in 0..<2 { _ = try JournalCommand.compact(configuration, shard: shard) }
        let second = try TestCluster(in: first.state, arguments: Self.arguments)
        try second.waitUntilUp()
        #expect(
            try Self.view(try Self.client(second), tokens: tokens) == before,
            "after a stop, a compaction and a start"
        )
        second.signal(SIGTERM)
        #expect(second.waitUntilOver() == 0)
    }

    @Test func `a cluster does not start on another number of shards' journals, nor on damaged ones`() throws {
        let first = try TestCluster(arguments: Self.arguments)
        try first.waitUntilUp()
        #expect(try Self.client(first).charge(1, 1_000).status == 200)
        for user in 2...20 { _ = try Self.client(first).charge(user, 1_000) }
        first.signal(SIGTERM)
        #expect(first.waitUntilOver() == 0)

        let wider = try TestCluster(in: first.state, arguments: Self.arguments + ["--shards", "3"])
        #expect(wider.waitUntilOver() == 1)
        #expect(wider.errorText.contains("start with the number of shards that it was written with"))

        let path = "\(first.state.path)/journal/shard-0.sqlite"
        let whole = try Data(contentsOf: URL(filePath: path))
        try whole.prefix(whole.count - 4_096).write(to: URL(filePath: path))
        let damaged = try TestCluster(in: first.state, arguments: Self.arguments)
        #expect(damaged.waitUntilOver() == 1)
        #expect(
            damaged.errorText.contains("usher journal verify --state \(first.state.path) --shard 0 tells more"),
            "\(damaged.errorText)"
        )
        #expect(throws: StartError.self) { try JournalCommand.verify(first.state, shard: 0) }

        try whole.write(to: URL(filePath: path))
        let again = try TestCluster(in: first.state, arguments: Self.arguments)
        try again.waitUntilUp()
        #expect(try Self.client(again).balance(1).json["balance"] == 1_000)
        again.signal(SIGTERM)
        #expect(again.waitUntilOver() == 0)
    }

    /// Runs `usher journal` and gives its status and all it said.
    private static func run(_ arguments: String...) throws -> (status: Int32, text: String) {
        let journal = try UsherCommand.run(["journal"] + arguments)
        return (journal.status, journal.output + journal.errors)
    }

    private static func removeJournal(of shard: Int, in state: StateDirectory) throws {
        let folder = "\(state.path)/journal"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("shard-\(shard).")
        {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    @Test func `a cluster does not start without one of its journals, nor with none beside them`() throws {
        let first = try TestCluster(arguments: Self.arguments)
        first.forget()
        try first.waitUntilUp()
        #expect(try Self.client(first).charge(1, 1_000).status == 200)
        let state = first.state
        first.signal(SIGTERM)
        #expect(first.waitUntilOver() == 0)

        let forgetful = try TestCluster(in: state)
        forgetful.forget()
        #expect(forgetful.waitUntilOver() == 1)
        #expect(forgetful.errorText.contains("journal.kind is memory, but there are journals in \(state.path)/journal"))

        for shard in 0..<2 {
            try Self.removeJournal(of: shard, in: state)
            let refused = try TestCluster(in: state, arguments: Self.arguments)
            refused.forget()
            #expect(refused.waitUntilOver() == 1)
            let words = "the journal of shard \(shard) is missing: \(state.path)/journal/shard-\(shard).sqlite"
            #expect(refused.errorText.contains(words), "\(refused.errorText)")
            let command = "journal begin --state \(state.path) --shard \(shard) --accept-loss"
            #expect(refused.errorText.contains("usher \(command)"))

            #expect(try Self.run("begin", "--state", state.path, "--shard", "\(shard)").status != 0)
            let begun = try Self.run(
                "begin",
                "--state",
                state.path,
                "--shard",
                "\(shard)",
                "--accept-loss"
            )
            #expect(begun.status == 0, "\(begun.text)")
        }
        let again = try TestCluster(in: state, arguments: Self.arguments)
        try again.waitUntilUp()
        let client = try Self.client(again)
        #expect(try client.balance(1).json["balance"] == 0)
        // No id is given a second time.
        let token = try client.enter(1, 1)
        let held = try client.reserve(1, 1, [1], token).json.eachWhole("reservationId")
        #expect(held.allSatisfy { $0 & (1 << 38 - 1) > 100_000_000_000 }, "\(held)")
        again.signal(SIGTERM)
        #expect(again.waitUntilOver() == 0)
    }

    @Test func `the program looks at the journals of its state folder`() throws {
        let cluster = try TestCluster(arguments: Self.arguments)
        try cluster.waitUntilUp()
        #expect(try Self.client(cluster).charge(1, 1_000).status == 200)
        for command in ["verify", "stat", "compact"] {
            let journal = try UsherCommand.run(["journal", command, "--state", cluster.state.path])
            let text = journal.output
            #expect(journal.status == 0, "\(command): \(text)")
            for shard in 0..<2 { #expect(text.contains("shard-\(shard).sqlite"), "\(command): \(text)") }
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a journal that is missing is told by whoever looks at journals, and what to do next`() throws {
        let cluster = try TestCluster(arguments: Self.arguments)
        try cluster.waitUntilUp()
        #expect(try Self.client(cluster).charge(1, 1_000).status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        let state = cluster.state.path
        #expect(try Self.run("verify", "--state", state).status == 0)
        let beyond = try Self.run("verify", "--state", state, "--shard", "7")
        #expect(
            beyond.status == 1 && beyond.text.contains("name one from 0 to 1")
        )

        let kept = try Data(contentsOf: URL(filePath: "\(state)/journal/shard-0.sqlite"))
        try Data(kept.dropLast(4_096)).write(to: URL(filePath: "\(state)/journal/shard-0.sqlite"))
        let damaged = try Self.run("verify", "--state", state)
        #expect(damaged.status == 1 && damaged.text.contains("put all files of this shard back from one backup"))
        #expect(!damaged.text.contains("usher journal verify"), "\(damaged.text)")

        try Self.removeJournal(of: 0, in: cluster.state)
        for command in ["verify", "stat", "compact"] {
            let told = try Self.run(command, "--state", state)
            #expect(told.status == 1, "\(command): \(told.text)")
            #expect(told.text.contains("shard-1.sqlite\n"), "\(command): \(told.text)")
            #expect(told.text.contains("the journal of shard 0 is missing"), "\(command): \(told.text)")
        }
        try FileManager.default.copyItem(
            atPath: "\(state)/journal/shard-1.sqlite",
            toPath: "\(state)/journal/shard-0.sqlite"
        )
        let misnamed = try Self.run("verify", "--state", state, "--shard", "0")
        #expect(misnamed.status == 1 && misnamed.text.contains("under the name of shard 0's"), "\(misnamed.text)")
    }

    @Test func `a compaction by hand takes the settings and the catalogue that its cluster was started with`() throws {
        let state = TestCluster.freshState()
        let catalogue = "\(state.path).json"
        defer { try? FileManager.default.removeItem(atPath: catalogue) }
        try FileManager.default.copyItem(atPath: "deploy/catalogue.example.json", toPath: catalogue)
        let cluster = try TestCluster(
            in: state,
            arguments: Self.arguments + ["--catalogue", catalogue, "--set", "journal.archive=off"]
        )
        try cluster.waitUntilUp()
        #expect(try Self.client(cluster).charge(1, 1_000).status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        let path = cluster.state.configurationFile
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let compacted = try Self.run("compact", "--state", state.path)
        #expect(compacted.status == 0, "\(compacted.text)")
        #expect(!FileManager.default.fileExists(atPath: "\(state.path)/journal/shard-0.archive"))
        try FileManager.default.removeItem(atPath: catalogue)
        let kept = try Self.run("compact", "--state", state.path)
        #expect(kept.status == 0, "\(kept.text)")
        try FileManager.default.removeItem(atPath: cluster.state.catalogueFile)
        let without = try Self.run("compact", "--state", state.path)
        #expect(without.status == 1 && without.text.contains(cluster.state.catalogueFile), "\(without.text)")
    }

    @Test func `a journal that has grown is compacted while its shard serves, and what fails is told`() throws {
        let cluster = try TestCluster(
            arguments: Self.arguments + ["--shards", "1", "--set", "journal.compactBytes=65536"]
        )
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let client = try BookingClient.keeping(port: file.port)
        let served = ServedCluster(state: cluster.state, port: file.port, operatorPort: file.operatorPort)
        var charged = 0
        func chargeUntil(_ text: String) throws {
            for _ in 0..<100_000 where !cluster.errorText.contains(text) {
                for user in 1...100 {
                    #expect(try client.charge(user, 1).status == 200)
                    charged += 1
                }
            }
        }
        try chargeUntil("journal compacted")
        #expect(cluster.errorText.contains("facts 1 to "))
        let journal = try served.stats().shards[0].journal
        #expect(journal.compactedAt != nil && journal.snapshotBytes ?? 0 > 0)

        // Somebody else compacts, as it seems.
        let lock = open("\(cluster.state.path)/journal/shard-0.compacting", O_RDWR | O_CREAT, 0o600)
        #expect(lock >= 0 && flock(lock, LOCK_EX) == 0)
        try chargeUntil("compaction failed; the journal grows, and the cluster serves on")
        let command = "usher journal compact --config \(cluster.state.path)/config.json --shard 0"
        #expect(cluster.errorText.contains(command))
        close(lock)

        kill(file.shards[0], SIGKILL)
        try TestCluster.eventually("the shard serves again") {
            try BookingClient(port: file.port).balance(1).status == 200
        }
        let balances = try (1...100).map { try BookingClient(port: file.port).balance($0).json["balance"].whole ?? 0 }
        #expect(balances.reduce(0, +) == charged)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a compaction that a supervisor starts says what came of it, and ends`() throws {
        let state = TestCluster.freshState()
        let cluster = try TestCluster(in: state, arguments: Self.arguments)
        try cluster.waitUntilUp()
        #expect(try Self.client(cluster).charge(1, 1_000).status == 200)
        let loop = try EventLoop()
        var exit: ChildProcess.Exit?
        let child = try ChildProcess(
            on: loop,
            executable: TestCluster.executable,
            arguments: ["journal", "compact", "--shard", "0", "--config", state.configurationFile, "--supervised"],
            hasControlPipe: true
        ) { exit = $0 }
        child.controlPipe?.onEnd = { [unowned child] _ in child.controlPipe?.close() }
        var said = ""
        child.controlPipe?.onRead = { said += String(decoding: $0, as: UTF8.self) }
        child.controlPipe?.startReading()
        loop.run()
        loop.close()
        #expect(exit == .status(0))
        guard case .compacted = SupervisorChannel.Message(line: said.dropLast()) else {
            Issue.record("it said \(said)")
            return
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a journal in SQLite is the default, and policies that may lose answers say so`() throws {
        #expect(ServerConfiguration().journal.kind == "sqlite" && ServerConfiguration().journal.policy == "commit")
        let risky = try TestCluster(arguments: Self.arguments + ["--set", "journal.policy=none"])
        try risky.waitUntilUp()
        let line = try risky.logged("journal.policy can lose answered changes")
        #expect(line.contains("confirmed bookings are lost when the machine or its power fails"))
        risky.signal(SIGTERM)
        #expect(risky.waitUntilOver() == 0)
    }

    @Test func `a second owner is refused while the first serves`() throws {
        let cluster = try TestCluster(arguments: Self.arguments)
        try cluster.waitUntilUp()
        let shard = Process()
        let errors = Pipe()
        shard.executableURL = URL(filePath: TestCluster.executable)
        shard.arguments = ["shard", "--index", "0", "--shards", "2", "--state", cluster.state.path] + Self.arguments
        shard.standardError = errors
        try shard.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shard.waitUntilExit()
        #expect(shard.terminationStatus == 1)
        #expect(text.contains("is in use by process \(try cluster.file().shards[0])"), "\(text)")
        try Self.waitUntilServed(cluster)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
