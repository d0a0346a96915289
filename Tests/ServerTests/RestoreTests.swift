import Booking
import Foundation
import Testing

@testable import Configuration

/// Journals that come back from copies: one shard's beside newer ones, and those of a whole cluster that was copied while it ran.
@Suite(.serialized) struct RestoreTests {
    private static let arguments = ["--set", "journal.kind=sqlite"]
    private static let slots = SlotMap(shardCount: 2)
    private static let concert = 1
    private static let schedule = 1
    private static let home = Self.slots.shard(of: Slot(of: ConcertID(1)))
    /// Users who do not live on the concert's shard.
    private static let users = (1_000...2_000).filter {
        Self.slots.shard(of: Slot(of: UserID(UInt64($0)))) != Self.home
    }

    private static func files(of shard: Int, in state: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(state)/journal").filter {
            $0.hasPrefix("shard-\(shard).") && !$0.hasSuffix(".lock")
        }.map { "\(state)/journal/\($0)" }
    }

    private static func copy(_ shard: Int, from state: String, to other: String) throws {
        try FileManager.default.createDirectory(atPath: "\(other)/journal", withIntermediateDirectories: true)
        for file in try Self.files(of: shard, in: other) { try FileManager.default.removeItem(atPath: file) }
        for file in try Self.files(of: shard, in: state) {
            let name = URL(filePath: file).lastPathComponent
            try FileManager.default.copyItem(atPath: file, toPath: "\(other)/journal/\(name)")
        }
    }

    private struct Bought {
        let user: Int
        let reservation: Int64
        let price: Int
    }

    private static func buy(_ client: BookingClient, _ user: Int, seat: Int) throws -> Bought {
        let token = try client.enter(Self.concert, user)
        let held = try client.reserve(Self.concert, Self.schedule, [seat], token).json
        let reservation = try #require(held.eachWhole("reservationId").first)
        let price = Int(try #require(held.eachWhole("seatPrice").first))
        #expect(try client.charge(user, price).status == 200)
        let paid = try client.pay(Self.concert, [reservation], token)
        #expect(paid.status == 200, "\(paid.text)")
        return Bought(user: user, reservation: reservation, price: price)
    }

    private static func start(_ state: StateDirectory) throws -> (TestCluster, BookingClient) {
        let cluster = try TestCluster(in: state, arguments: Self.arguments)
        cluster.forget()
        try cluster.waitUntilUp()
        return (cluster, BookingClient(port: try cluster.file().port))
    }

    private static func stop(_ cluster: TestCluster) {
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    /// A payment moves its points, and a cancellation brings them back; who has none gets nothing.
    private static func checkMoney(_ client: BookingClient, seats: [Int], users: [Int]) throws {
        let token = try client.enter(Self.concert, users[0])
        let poor = try client.reserve(Self.concert, Self.schedule, [seats[0]], token).json.eachWhole("reservationId")
        let refused = try client.pay(Self.concert, poor, token)
        #expect(refused.code == "INSUFFICIENT_POINTS", "\(refused.text)")
        for (seat, user) in zip(seats.dropFirst(), users.dropFirst()) {
            let before = try #require(try client.balance(user).json["balance"].whole)
            let bought = try Self.buy(client, user, seat: seat)
            #expect(try client.balance(user).json["balance"].whole == before)
            let cancelled = try client.cancel(Self.concert, user, [bought.reservation])
            #expect(cancelled.status == 200, "\(cancelled.text)")
            #expect(try client.balance(user).json["balance"].whole == before + Int64(bought.price))
        }
    }

    @Test(arguments: [true, false]) func `one shard's journal comes back from a copy`(isConcerts: Bool) throws {
        let state = TestCluster.freshState()
        let saved = "\(state.path)-saved"
        defer { for path in [state.path, saved] { try? FileManager.default.removeItem(atPath: path) } }
        let shard = isConcerts ? Self.home : 1 - Self.home
        var (cluster, client) = try Self.start(state)
        _ = try Self.buy(client, Self.users[0], seat: 1)
        Self.stop(cluster)
        try Self.copy(shard, from: state.path, to: saved)
        (cluster, client) = try Self.start(state)
        let sold = try (1...3).map { try Self.buy(client, Self.users[$0], seat: 1 + $0) }
        #expect(try client.cancel(Self.concert, sold[0].user, [sold[0].reservation]).status == 200)
        Self.stop(cluster)

        try Self.copy(shard, from: saved, to: state.path)
        (cluster, client) = try Self.start(state)
        #expect(cluster.errorText.contains("this journal is a copy"), "\(cluster.errorText)")
        let words =
            isConcerts
            ? "this shard's journal is older than what another shard has seen of it"
            : "another shard's journal is older than what it has answered this one"
        try TestCluster.eventually("the loss is told") { cluster.errorText.contains(words) }
        if !isConcerts {
            #expect(cluster.errorText.contains("payments_without_debit=3"), "\(cluster.errorText)")
            #expect(cluster.errorText.contains("cancellations_without_credit=1"))
        }
        try Self.checkMoney(client, seats: [20, 21, 22, 23], users: Array(Self.users[10...13]))
        let token = try client.enter(Self.concert, Self.users[30])
        let held = try client.reserve(Self.concert, Self.schedule, [30], token).json.eachWhole("reservationId")
        #expect(
            !held.isEmpty
                && held.allSatisfy { isConcerts ? $0 > sold[2].reservation + 1_000_000 : $0 > sold[2].reservation }
        )
        // It is a copy no more: the next start says nothing of it.
        Self.stop(cluster)
        (cluster, client) = try Self.start(state)
        #expect(!cluster.errorText.contains("this journal is a copy"), "\(cluster.errorText)")
        try Self.checkMoney(client, seats: [40, 41, 42], users: Array(Self.users[20...22]))
        Self.stop(cluster)
    }

    @Test
    func `a running cluster is copied as the operations page says, and the copy starts with all that was answered`()
        throws
    {
        let state = TestCluster.freshState()
        let copy = StateDirectory(path: "\(state.path)-copy")
        defer { for path in [state.path, copy.path] { try? FileManager.default.removeItem(atPath: path) } }
        var (cluster, client) = try Self.start(state)
        let bought = try Self.buy(client, Self.users[0], seat: 1)
        for user in 1...50 { #expect(try client.charge(user, 1_000 + user).status == 200) }
        // More is answered while it is copied.
        let paper = try String(contentsOfFile: "docs/operations.md", encoding: .utf8)
        let start = try #require(paper.range(of: "umask 077; mkdir -p COPY/journal"))
        let end = try #require(paper[start.lowerBound...].range(of: "```"))
        let commands = paper[start.lowerBound..<end.lowerBound].replacing(".usher/", with: "\(state.path)/")
            .replacing("COPY", with: copy.path).split(separator: "\n").filter { !$0.hasPrefix("usher ") }
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-ec", commands.joined(separator: "\n")]
        try shell.run()
        var late = 0
        repeat {
            late += 1
            #expect(try client.charge(100_000 + late, 7).status == 200)
        } while shell.isRunning
        #expect(shell.terminationStatus == 0)
        let verified = try UsherCommand.run(["journal", "verify", "--state", copy.path])
        #expect(verified.status == 0, "\(verified.errors)")
        #expect(verified.output.contains("copy       whole up to that fact"), "\(verified.output)")
        Self.stop(cluster)

        (cluster, client) = try Self.start(copy)
        for user in 1...50 { #expect(try client.balance(user).json["balance"].whole == Int64(1_000 + user)) }
        let own = try client.reservations(Self.concert, bought.user).json.eachWhole("reservationId")
        #expect(own == [bought.reservation])
        try Self.checkMoney(client, seats: [20, 21, 22], users: Array(Self.users[10...12]))
        Self.stop(cluster)
    }

    @Test func `a torn copy is told from a loss, and what to do about it`() throws {
        let state = TestCluster.freshState()
        let copy = StateDirectory(path: "\(state.path)-copy")
        defer { for path in [state.path, copy.path] { try? FileManager.default.removeItem(atPath: path) } }
        let (cluster, client) = try Self.start(state)
        for user in 1...20 { #expect(try client.charge(user, 1_000).status == 200) }
        for shard in 0..<2 { try Self.copy(shard, from: state.path, to: copy.path) }
        try FileManager.default.copyItem(atPath: state.keyFile, toPath: copy.keyFile)
        chmod(copy.path, 0o700)
        Self.stop(cluster)
        // As if it had been left out.
        try FileManager.default.removeItem(atPath: "\(copy.path)/journal/shard-0.sqlite-wal")
        let torn = try TestCluster(in: copy, arguments: Self.arguments)
        torn.forget()
        #expect(torn.waitUntilOver() == 1)
        #expect(torn.errorText.contains("belongs to a torn copy"), "\(torn.errorText)")
        #expect(torn.errorText.contains("of each shard first the .sqlite file, then its -wal"), "\(torn.errorText)")
        let verified = try UsherCommand.run(["journal", "verify", "--state", copy.path])
        #expect(verified.status == 1 && verified.errors.contains("belongs to a torn copy"), "\(verified.errors)")
    }
}
