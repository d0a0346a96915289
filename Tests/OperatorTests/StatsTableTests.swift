import FoundationEssentials
import Testing
import Wire

@testable import Operator
@testable import Statistics

@Suite struct StatsTableTests {
    private static func stats() -> ClusterStats {
        var shard = ShardStats(shard: 0, slots: .init(first: 0, last: 16_383))
        for id: UInt64 in [1, 2] {
            var concert = ShardStats.Concert(concertId: id)
            concert.joined = 10
            concert.waiting = 5
            concert.admitted = 2
            concert.gone.left = 1
            concert.gone.usedUp = 2
            concert.held = 1
            concert.sold = 2
            concert.free = 47
            shard.concerts.append(concert)
        }
        var join = RequestStats(kind: "join")
        join.count = 20
        join.p50Microseconds = 3
        join.p99Microseconds = 40
        var poll = RequestStats(kind: "poll")
        poll.count = 1_000
        poll.p50Microseconds = 5
        poll.p99Microseconds = 20
        shard.requests = [join, poll]
        shard.journal.sequence = 77
        shard.process.residentBytes = 30 << 20
        shard.process.cpuUserSeconds = 1.26
        shard.points.charged = 300
        shard.points.balances = 200
        shard.points.used = 100
        var stats = ClusterStats()
        stats.shards = [shard]
        stats.missing = ["gateway 0: no answer within 2 s"]
        return stats
    }

    @Test func `a table lines up, adds up, and names who is missing`() {
        let columns =
            "CONCERTS  WAITING  ADMITTED  GONE  HELD  SOLD  FREE  REQUESTS  P50 µs  P99 µs  JOURNAL  MEMORY  CPU s"
        let values =
            "       2       10         4     6     2     4    94      1020       5      40       77  30 MiB    1.3"
        #expect(
            StatsTable.text(Self.stats()) == """
                SHARD    SLOTS  \(columns)
                0      0-16383  \(values)
                all             \(values)

                gateway 0: no answer within 2 s
                """
        )
    }

    @Test func `of thousands of concerts the busiest are told one by one, and all fit a frame`() throws {
        var shard = ShardStats(shard: 0, slots: .init(first: 0, last: 16_383))
        let most = UInt64(1) << 48
        shard.fill(
            (1...20_000).map { number in
                var concert = ShardStats.Concert(concertId: most - 20_000 + UInt64(number))
                concert.joined = most + UInt64(number)
                concert.waiting = most
                concert.gone.left = UInt64(number)
                (concert.held, concert.sold, concert.free, concert.takings) = (most, most, most, 1)
                concert.admitted = number % 10 == 0 ? 1 : 0
                return concert
            }
        )
        #expect(shard.concerts.count == 2_000 && shard.concertCount == 20_000)
        #expect(shard.concerts.allSatisfy { $0.admitted == 1 })
        #expect(zip(shard.concerts, shard.concerts.dropFirst()).allSatisfy { $0.concertId < $1.concertId })
        #expect(shard.concertsAndOthers.reduce(0) { $0 + $1.takings } == 20_000)
        let json = shard.json
        #expect(json.utf8.count < FrameLimits.bytesMax)
        #expect(try JSONDecoder().decode(ShardStats.self, from: Data(json.utf8)) == shard)
    }

    @Test func `a table ends with the shards that can't write`() {
        var stats = Self.stats()
        stats.shards[0].journal.troubleSince = 1_800_000_000
        stats.shards[0].journal.troubleReason = "x can't grow: the disk is full"
        #expect(
            StatsTable.text(stats).hasSuffix(
                "shard 0 can't write since 2027-01-15T08:00:00.000000000Z: x can't grow: the disk is full"
            )
        )
    }

    @Test func `a table ends with the shards that do not believe the clock`() {
        var stats = Self.stats()
        stats.shards[0].clockSuspendedSince = 1_800_000_000
        stats.shards[0].clockAheadSeconds = 86_400 * 3_650 + 7
        #expect(
            StatsTable.text(stats).hasSuffix(
                "shard 0 refuses changes since 2027-01-15T08:00:00.000000000Z: the wall clock is 3650 days ahead; "
                    + "set it, or run usher cluster trust-clock if it is right"
            )
        )
    }

    @Test func `the requests of a gateway are all that it has answered, also without a shard`() {
        var gateway = GatewayStats(gateway: 0)
        gateway.port = 8_080
        gateway.answers.success = 10
        gateway.answers.redirect = 1
        gateway.answers.clientError = 3
        gateway.answers.serverError = 2
        gateway.requests = [RequestStats(kind: "join")]
        var stats = ClusterStats()
        stats.gateways = [gateway]
        let line = StatsTable.text(stats).split(separator: "\n").first { $0.hasPrefix("0 ") }
        let cells = (line ?? "").split(separator: " ").map(String.init)
        #expect(Array(cells.prefix(8)) == ["0", "8080", "0", "16", "10", "3", "2", "0"])
    }

    @Test func `books that do not add up are named`() {
        var stats = Self.stats()
        #expect(stats.discrepancies == [])
        stats.shards[0].concerts[1].joined = 11
        stats.shards[0].points.used = 99
        #expect(
            stats.discrepancies == [
                "concert 2: 11 joined, but 10 are waiting, inside or gone",
                "shard 0: 300 points charged, but 200 left and 99 used",
            ]
        )
    }

    @Test func `the seats sold cost what payments took and cancellations did not give back`() {
        var stats = Self.stats()
        stats.missing = []
        stats.shards[0].points.debited = 90
        stats.shards[0].points.credited = 30
        stats.shards[0].concerts[1].takings = 60
        #expect(stats.discrepancies == [])
        stats.shards[0].concerts[1].takings = 59
        let said = "payments took 90 points and cancellations gave 30 back, but the seats sold cost 59"
        #expect(stats.discrepancies == [said])
        // Not known yet, or not known at all.
        stats.shards[0].cancellations.open = 1
        #expect(stats.discrepancies == [])
        stats.shards[0].cancellations.open = 0
        stats.missing = ["shard 1: no answer within 2 s"]
        #expect(stats.discrepancies == [])
    }
}
