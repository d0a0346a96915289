import Booking
import Dispatch
import Foundation
import Glibc
import Journal
import JournalSQLite
import Testing
import Wire

@testable import Configuration
@testable import JournalHistory

/// Load over 8 concerts with a kill -9 every two seconds, and what it did to the fans. In `make test` for a few seconds;
/// `make kills` runs it for a minute, with a long history to take in after each death, and prints the table.
///
/// From the environment: KILLS_SECONDS, KILLS_FACTS (of each shard's history), KILLS_SEED.
@Suite(.serialized) struct KillsTests {
    private static let seconds = Self.setting("KILLS_SECONDS") ?? 8
    private static let factsBefore = Self.setting("KILLS_FACTS") ?? 2_000
    private static let isFull = Self.seconds >= 60
    private static let shards = 8
    private static let fans = Self.isFull ? 32 : 12
    private static let secondsBetweenKills = 2
    private static let pauseMillisecondsMax = 1_000
    private static let firstOldUser: UInt64 = 5_000_000_000_000

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    @Test func `nobody loses anything while processes are killed again and again`() throws {
        let seed = Self.setting("KILLS_SEED").map { UInt64($0) } ?? .random(in: 0...UInt64(Int.max))
        print("kills: seed \(seed); \(Self.factsBefore) facts in each of \(Self.shards) journals before")
        let state = TestCluster.freshState()
        try state.prepare()
        // All of them first: a shard does not begin where another has facts already.
        for shard in 0..<Self.shards { _ = try Self.journal(state, shard) {} }
        for shard in 0..<Self.shards { try Self.writeHistory(state, shard: shard) }
        let cluster = try TestCluster(
            in: state,
            arguments: [
                "--shards", "\(Self.shards)", "--gateways", "2", "--set", "journal.kind=sqlite",
                "--set", "booking.admissionsPerSecond=1000", "--set", "booking.holdTimeSeconds=3600",
                "--set", "booking.admittedLifetimeSeconds=3600",
            ] + (Self.isFull ? [] : ["--set", "gateway.replyTimeoutMilliseconds=60000"])
        )
        try cluster.waitUntilUp()
        let port = try cluster.file().port
        let crowd = Crowd(port: port, fans: Self.fans, seed: seed)
        var troubles = Troubles(state, seed: seed)
        let begun = Fan.now
        for kill in 1..<max(2, Self.seconds / Self.secondsBetweenKills) {
            let due = begun + UInt64(kill * Self.secondsBetweenKills) * 1_000_000_000
            let now = Fan.now
            if due > now { usleep(UInt32((due - now) / 1_000)) }
            // A gateway for every three shards.
            let done = try troubles.strike(kill % 4 == 2 ? [.killGateway] : [.killShard])
            print("kills: \((Fan.now - begun) / 1_000_000_000) s: \(done)")
        }
        let end = begun + UInt64(Self.seconds) * 1_000_000_000
        if end > Fan.now { usleep(UInt32((end - Fan.now) / 1_000)) }
        let tally = crowd.leave()
        print("kills: checking the books of \(tally.visits.count) fans")
        try FaultsTests.waitUntilServed(cluster)
        let books = try FanBooks(tally, port: port)
        print(Self.table(tally, books, troubles))

        let problems = (tally.surprises + books.problems).prefix(20).joined(separator: "\n")
        #expect(problems.isEmpty, "seed \(seed): \(problems)\n\(cluster.errorText.suffix(4_000))")
        #expect(books.sold > 0, "seed \(seed)")
        #expect(tally.errors == [:], "seed \(seed)")
        // The journal proves the order of every line, through all of it.
        for concert in 1...8 as ClosedRange<UInt64> {
            #expect(throws: Never.self, "seed \(seed)") {
                try LineAuditor.run(cluster.state, concert: concert, form: .summary, published: nil) { _ in }
            }
        }
        if Self.isFull {
            #expect(troubles.counts.values.reduce(0, +) >= 25)
            #expect(tally.longestPause <= UInt64(Self.pauseMillisecondsMax) * 1_000_000)
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    private static func table(_ tally: Fan.Tally, _ books: FanBooks, _ troubles: Troubles) -> String {
        let errors = tally.errors.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        let rows = [
            ("kills of shards", "\(troubles.counts[.killShard] ?? 0)"),
            ("kills of gateways", "\(troubles.counts[.killGateway] ?? 0)"),
            ("acknowledged operations", "\(tally.acknowledged)"),
            ("of these lost", "\(books.lost)"),
            ("seats sold", "\(books.sold)"),
            ("seats sold twice", "\(books.soldTwice)"),
            ("balances that do not add up", "\(books.balancesWrong) of \(tally.visits.count)"),
            ("answers with an error", errors.isEmpty ? "0" : errors),
            ("connections broken by a gateway's death", "\(tally.broken)"),
            ("requests sent again, with their keys", "\(tally.repeated)"),
            ("longest pause", "\(tally.longestPause / 1_000_000) ms"),
        ]
        return "\n" + rows.map { "  \($0.0.padding(toLength: 42, withPad: " ", startingAt: 0))\($0.1)\n" }.joined()
    }

    // MARK: A history

    private static func journal(
        _ state: StateDirectory,
        _ index: Int,
        wake: @escaping @Sendable () -> Void
    ) throws(JournalError) -> SQLiteJournal {
        try SQLiteJournal(
            JournalFiles(state: state.path, shard: index),
            origin: JournalOrigin(
                shard: index,
                shardCount: Self.shards,
                slotMapVersion: SlotMap(shardCount: Self.shards).version
            ),
            policy: .none,
            wake: wake
        )
    }

    /// A journal with charges of people whom nobody else knows: what a restart has to take in.
    private static func writeHistory(_ state: StateDirectory, shard index: Int) throws {
        let slots = SlotMap(shardCount: Self.shards)
        var shard = Shard(index: index, slots: slots, catalogue: .original(), hashSeed: 7)
        let woken = DispatchSemaphore(value: 0)
        let journal = try Self.journal(state, index) { woken.signal() }
        try journal.begin()
        let users = (0...).lazy.map { UserID(Self.firstOldUser + $0) }.filter { slots.shard(of: Slot(of: $0)) == index }
            .prefix(1_000)
        let old = Array(users)
        let start = Timestamp.now
        for first in stride(from: 0, to: Self.factsBefore, by: 64) {
            var bytes = FrameBytes()
            var count: UInt32 = 0
            for number in first..<min(first + 64, Self.factsBefore) {
                let origin = Shard.Origin(link: 1, request: UInt64(number))
                _ = shard.decide(.charge(old[number % old.count], Won(1_000), .free), from: origin, at: start)
            }
            shard.drain(
                facts: { fact in
                    fact.encode(into: &bytes)
                    count += 1
                },
                transfers: { _ in },
                lateReplies: { _ in }
            )
            var result: Result<Void, JournalError>?
            let sequence = journal.nextSequence
            journal.append(JournalBatch(firstSequence: sequence, count: count, time: start, bytes: bytes.array)) {
                result = $0
            }
            while result == nil {
                journal.drain()
                if result == nil { woken.wait() }
            }
            try result?.get()
        }
        try journal.close()
    }
}
