import Foundation
import Glibc
import Testing

@testable import Configuration
@testable import JournalHistory
@testable import Operator
@testable import Statistics

/// A cluster whose disk is full for a while: it refuses changes, answers reads with what is durable, and goes on by itself.
@Suite(.serialized, .enabled(if: SmallDisk.refusal == nil, "\(SmallDisk.refusal ?? "")")) struct FullDiskTests {
    private static let arguments = ["--set", "journal.kind=sqlite"]
    private let disk: SmallDisk

    init() throws { self.disk = try SmallDisk(mebibytes: 8) }

    /// Charges users 1 to 8 in turn until each was refused for want of room, and gives what each was acknowledged.
    private static func charge(_ client: BookingClient, untilRefused users: ClosedRange<Int>) throws -> [Int: Int64] {
        var charged: [Int: Int64] = [:]
        var waiting = Set(users)
        for _ in 0..<1_000 where !waiting.isEmpty {
            for user in waiting.sorted() {
                let answer = try client.charge(user, 1)
                switch (answer.status, answer.code) {
                case (200, _): charged[user, default: 0] += 1
                // The batch that the disk refused: nobody knows what came of it, though nothing did.
                case (503, "UNAVAILABLE"): break
                case (503, "STORAGE_UNAVAILABLE"): waiting.remove(user)
                default: Issue.record("user \(user): \(answer.status) \(answer.text)")
                }
            }
        }
        #expect(waiting.isEmpty, "these could charge for ever: \(waiting)")
        return charged
    }

    @Test func `a full disk refuses changes, serves reads, and all goes on when there is room`() throws {
        let state = StateDirectory(path: "\(self.disk.path)/s")
        let first = try TestCluster(in: state, arguments: Self.arguments)
        try first.waitUntilUp()
        let file = try first.file()
        let client = BookingClient(port: file.port)
        for user in 1...8 { #expect(try client.charge(user, 500_000).status == 200) }
        let token = try client.enter(1, 1)
        let held = try client.reserve(1, 1, [1, 2], token).json.eachWhole("reservationId")
        #expect(held.count == 2)

        try self.disk.fill()
        let charged = try Self.charge(client, untilRefused: 1...8)

        // Reads say what is durable, from both shards.
        func isAsAcknowledged() throws {
            for user in 1...8 {
                let balance = try client.balance(user).json["balance"].whole
                #expect(balance == 500_000 + charged[user, default: 0], "user \(user)")
            }
        }
        try isAsAcknowledged()
        #expect(try client.poll(1, token).status == 200)
        #expect(try client.reservations(1, 1).json.eachWhole("reservationId") == held)
        for concert in 1...8 { #expect(try client.seats(concert, (concert - 1) * 240 + 1).status == 200) }

        // Changes are refused, in so many words; also those that would change nothing but by the clock.
        let refused = [
            try client.join(1, 77), try client.reserve(1, 1, [3], token), try client.pay(1, held, token),
            try client.release(1, held, token), try client.leave(1, token), try client.use(2, 1),
        ]
        for answer in refused {
            #expect(answer.status == 503 && answer.code == "STORAGE_UNAVAILABLE", "\(answer.text)")
            #expect(answer["Retry-After"] == "5")
        }
        let served = ServedCluster(state: state, port: file.port, operatorPort: file.operatorPort)
        for shard in try served.stats().shards {
            #expect(shard.journal.troubleSince != nil && shard.journal.troubles == 1)
            #expect(shard.journal.troubleReason?.contains("the disk is full") == true)
        }
        #expect(try StatsCommand.text(state, json: false).contains("shard 0 can't write since"))
        #expect(try served.operatorClient.call("GET", "/readyz").status == 200)

        self.disk.makeRoom()
        try TestCluster.eventually("changes are taken again") {
            try (1...8).allSatisfy { try client.use($0, 499_000 + Int(charged[$0, default: 0])).status != 503 }
        }
        // Nobody died of it, and what was held is still there to be paid.
        #expect(try first.file().shards == file.shards)
        for user in 1...8 { #expect(try client.balance(user).json["balance"] == 1_000) }
        #expect(try client.charge(1, 500_000).status == 200)
        #expect(try client.pay(1, held, token).status == 200)
        #expect(try served.stats().discrepancies == [])
        for shard in try served.stats().shards {
            #expect(shard.journal.troubleSince == nil && shard.journal.commitP50Microseconds > 0)
            #expect(shard.journal.factsPerCommitP50 >= 1)
        }
        let seats = try client.seats(1, 1).text
        first.signal(SIGTERM)
        #expect(first.waitUntilOver() == 0)
        #expect(first.errorText.contains("the journal can't write: changes are refused until it can"))
        #expect(first.errorText.contains("the journal can write again: changes are accepted"))

        for shard in 0..<2 { #expect(try JournalCommand.verify(state, shard: shard).hasSuffix("whole")) }
        let second = try TestCluster(in: state, arguments: Self.arguments)
        try second.waitUntilUp()
        #expect(try BookingClient(port: try second.file().port).seats(1, 1).text == seats)
        second.signal(SIGTERM)
        #expect(second.waitUntilOver() == 0)
    }

    @Test func `shards that are killed on a full disk come back when there is room`() throws {
        let state = StateDirectory(path: "\(self.disk.path)/s")
        let cluster = try TestCluster(in: state, arguments: Self.arguments)
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        for user in 1...8 { #expect(try client.charge(user, 1_000).status == 200) }
        try self.disk.fill()
        let charged = try Self.charge(client, untilRefused: 1...8)
        for pid in try cluster.file().shards { kill(pid, SIGKILL) }
        self.disk.makeRoom()
        try TestCluster.eventually("all balances are there") {
            try (1...8).allSatisfy { try client.balance($0).status == 200 }
        }
        for user in 1...8 {
            #expect(try client.balance(user).json["balance"].whole == 1_000 + charged[user, default: 0])
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `who runs is written down once there is room`() throws {
        let state = StateDirectory(path: "\(self.disk.path)/s")
        let cluster = try TestCluster(in: state)
        try cluster.waitUntilUp()
        let before = try cluster.file()
        try self.disk.fill()
        kill(before.shards[0], SIGKILL)
        try TestCluster.eventually("it can't be written") { cluster.errorText.contains("cluster file not written") }
        #expect(try cluster.file() == before)
        self.disk.makeRoom()
        let served = ServedCluster(state: state, port: before.port, operatorPort: before.operatorPort)
        try TestCluster.eventually("it is written") { try cluster.file().shards != before.shards }
        #expect(try cluster.file().shards == served.stats().shards.map { Int32($0.process.pid) })
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a shard that starts on a full disk serves what is on it, and all goes on when there is room`() throws {
        let state = StateDirectory(path: "\(self.disk.path)/s")
        let cluster = try TestCluster(in: state, arguments: Self.arguments + ["--shards", "1"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let client = BookingClient(port: file.port)
        for user in 1...8 { #expect(try client.charge(user, 1_000).status == 200) }
        let token = try client.enter(1, 1)
        try self.disk.fill()
        kill(file.shards[0], SIGKILL)
        try TestCluster.eventually("the shard is read again") { try client.balance(1).status == 200 }
        for user in 1...8 { #expect(try client.balance(user).json["balance"] == 1_000) }
        #expect(try client.poll(1, token).status == 200)
        let refused = try client.charge(1, 1)
        #expect(refused.status == 503 && refused.code == "STORAGE_UNAVAILABLE", "\(refused.text)")
        let served = ServedCluster(state: state, port: file.port, operatorPort: file.operatorPort)
        let journal = try served.stats().shards[0].journal
        #expect(journal.troubles == 1 && journal.troubleReason?.contains("the disk is full") == true)
        // Also when it dies again.
        kill(try served.stats().shards[0].process.pid, SIGKILL)
        try TestCluster.eventually("the shard is read again") { try client.balance(1).status == 200 }

        self.disk.makeRoom()
        try TestCluster.eventually("changes are taken again") { try client.charge(1, 1).status == 200 }
        #expect(try client.balance(1).json["balance"] == 1_001)
        #expect(try client.reserve(1, 1, [1], token).status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(try JournalCommand.verify(state, shard: 0).hasSuffix("whole"))
    }
}
