import Foundation
import Glibc
import Seeded
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// Real processes under load, while they are killed, frozen and cut off from one another: what was answered is so.
@Suite(.serialized) struct FaultsTests {
    private static let arguments = [
        "--shards", "3", "--gateways", "2", "--set", "journal.kind=sqlite", "--set", "booking.admissionsPerSecond=1000",
        "--set", "booking.holdTimeSeconds=3600", "--set", "booking.admittedLifetimeSeconds=3600",
        "--set", "gateway.replyTimeoutMilliseconds=60000",
    ]
    private static let fans = 12

    static func waitUntilServed(_ cluster: TestCluster) throws {
        try TestCluster.eventually("all shards serve") {
            let json = try? StatsCommand.text(cluster.state, json: true)
            guard let json, let stats = try? JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8)) else {
                return false
            }
            return stats.missing.isEmpty && stats.shards.allSatisfy { $0.payments.open == 0 }
        }
    }

    /// The fans' books, and the cluster's own.
    private static func check(_ tally: Fan.Tally, _ cluster: TestCluster, port: Int, seed: UInt64) throws {
        try Self.waitUntilServed(cluster)
        let books = try FanBooks(tally, port: port)
        let problems = (tally.surprises + books.problems).prefix(20).joined(separator: "\n")
        #expect(problems.isEmpty, "seed \(seed): \(problems)\n\(cluster.errorText.suffix(4_000))")
        #expect(books.sold > 0 && tally.visits.count > Self.fans, "seed \(seed)")
        let json = try StatsCommand.text(cluster.state, json: true)
        let stats = try JSONDecoder().decode(ClusterStats.self, from: Data(json.utf8))
        #expect(stats.discrepancies == [], "seed \(seed)")
        let sold = stats.shards.flatMap(\.concerts).reduce(0) { $0 + Int($1.sold) }
        #expect(sold == books.sold, "seed \(seed)")
    }

    @Test func `nothing is lost while shards and gateways are killed, frozen and cut off`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("faults: seed \(seed)")
        let cluster = try TestCluster(arguments: Self.arguments)
        try cluster.waitUntilUp()
        let port = try cluster.file().port
        let crowd = Crowd(port: port, fans: Self.fans, seed: seed)
        var troubles = Troubles(cluster.state, seed: seed)
        var random = SeededRandom(seed: seed)
        // Each kind for sure, then any of them.
        for round in 0..<20 {
            usleep(.random(in: 300_000...1_000_000, using: &random))
            let kinds = Troubles.Kind.allCases
            let done = try troubles.strike(round < kinds.count ? [kinds[round]] : kinds)
            print("faults: \(done)")
        }
        let tally = crowd.leave()
        print("faults: \(tally.acknowledged) acknowledged, errors \(tally.errors), \(tally.broken) connections broken")
        try Self.check(tally, cluster, port: port, seed: seed)
        #expect(tally.errors == [:], "seed \(seed)")
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a killed supervisor's children stop, and the next one finds everything that was answered`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("faults: seed \(seed)")
        // What waits for a shard that won't come back holds its gateway up for no longer than this.
        let arguments = Self.arguments + ["--set", "cluster.drainTimeoutSeconds=2"]
        var cluster = try TestCluster(arguments: arguments)
        try cluster.waitUntilUp()
        let port = try cluster.file().port
        let crowd = Crowd(port: port, fans: Self.fans, seed: seed)
        var random = SeededRandom(seed: seed)
        for round in 0..<4 {
            usleep(.random(in: 500_000...2_000_000, using: &random))
            let file = try cluster.file()
            // Sometimes one of the others goes first, so that the supervisor dies while it starts one again.
            if random.once(in: 2) { kill(random.pick(file.shards.filter { $0 > 0 }), SIGKILL) }
            cluster.signal(SIGKILL)
            _ = cluster.waitUntilOver()
            if round % 2 == 0 {
                try TestCluster.eventually("its children stop") {
                    (file.shards + file.gateways).allSatisfy { $0 <= 0 || TestCluster.isGone($0) }
                }
            }
            let next = try TestCluster(in: cluster.state, arguments: arguments + ["--port", "\(port)"])
            cluster.forget()
            cluster = next
            try cluster.waitUntilUp()
            #expect(Self.holders(of: cluster.state).isSubset(of: Set(try cluster.file().shards)), "seed \(seed)")
        }
        let tally = crowd.leave()
        try Self.check(tally, cluster, port: port, seed: seed)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(Self.holders(of: cluster.state) == [])
    }

    /// The processes that have a file of a journal open.
    private static func holders(of state: StateDirectory) -> Set<Int32> {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let pids = names.compactMap { Int32($0) }
        return Set(
            pids.filter { pid in
                let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
                return files.contains { file in
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(file)")
                    return target?.hasPrefix("\(state.path)/journal/") == true
                }
            }
        )
    }
}
