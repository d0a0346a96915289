import Foundation
import Glibc
import Seeded
import Testing

@testable import Configuration
@testable import Statistics

/// Four shards, two gateways on one port, and 64 concerts: what is shared, what adds up, and what dies.
@Suite(.serialized, .cluster("--shards", "4", "--gateways", "2", catalogue: ClusterCatalogue.json, mayDie: true))
struct ClusterTests {
    private var cluster: ServedCluster { ServedCluster.shared }
    private var client: BookingClient { ServedCluster.shared.client }

    private func concerts() throws -> [UInt64: (shard: Int, stats: ShardStats.Concert)] {
        let pairs = try self.cluster.stats().shards.flatMap { shard in shard.concerts.map { ($0, shard.shard) } }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0.0.concertId, (shard: $0.1, stats: $0.0)) })
    }

    private func joins() throws -> [UInt64] {
        try self.cluster.stats().shards.map { shard in shard.requests.first { $0.kind == "join" }?.count ?? 0 }
    }

    // MARK: Who serves what

    @Test func `64 concerts spread over 4 shards, and each lives whole on one of them`() throws {
        let concerts = try self.concerts()
        #expect(concerts.keys.sorted() == Array(1...64))
        let counts = (0..<4).map { shard in concerts.values.filter { $0.shard == shard }.count }
        #expect(counts.allSatisfy { $0 >= 8 }, "\(counts)")
        for concert in [1, 2, 3, 64] {
            let before = try self.joins()
            for user in 1...20 { _ = try self.client.join(concert, 1_000 + user) }
            var expected = before
            expected[concerts[UInt64(concert)]!.shard] += 20
            #expect(try self.joins() == expected)
        }
    }

    @Test func `two gateways share the port, and give the same tokens`() throws {
        let tokens = try (0..<60).map { _ in try self.client.join(5, 2_000).json["tokenId"] }
        #expect(Set(tokens.map(\.string)).count == 1)
        // Each gateway was reached by some of 60 connections.
        #expect(try self.cluster.stats().gateways.allSatisfy { $0.connections.accepted > 0 })
        let token = try #require(tokens[0].string)
        for _ in 0..<20 { #expect(try self.client.poll(5, token).status == 200) }
    }

    // MARK: A burst

    @Test func `5,000 who join at once get the places 1 to 5,000, in the order of their answers`() throws {
        let connections = try (0..<20).map { _ in try TestConnection(port: self.cluster.port) }
        for (number, connection) in connections.enumerated() {
            let requests = (0..<250).map { index in
                BookingClient.request(
                    "POST",
                    "/api/v1/waiting",
                    body: #"{"concertId":60,"userId":\#(10_000 + index * 20 + number)}"#
                )
            }
            try connection.send(requests.joined())
        }
        var all: [Int64] = []
        for (number, connection) in connections.enumerated() {
            let answers = try (0..<250).map { _ in try connection.answer().json }
            #expect(answers.eachWhole("userId") == (0..<250).map { Int64(10_000 + $0 * 20 + number) })
            let places = answers.eachWhole("place")
            #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
            all += places
        }
        #expect(all.sorted() == Array(1...5_000))
        let concert = try #require(try self.concerts()[60]).stats
        #expect(concert.joined == 5_000)
    }

    // MARK: What adds up

    @Test func `after any bookings the books are right`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let client = try BookingClient.keeping(port: self.cluster.port)
        var (charged, spent, sold) = (Int64(0), Int64(0), 0)
        let before = try self.cluster.stats().shards
        for step in 0..<250 {
            let (concert, user) = (
                Int.random(in: 6...50, using: &random), 20_000 + Int.random(in: 0..<60, using: &random)
            )
            let token = try client.enter(concert, user)
            if try client.charge(user, 400_000).status == 200 { charged += 400_000 }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: _ = try client.leave(concert, token)
            case 1: if try client.use(user, 1_234).status == 200 { spent += 1_234 }
            default:
                let seats = Set((0..<3).map { _ in Int.random(in: 1...50, using: &random) }).sorted()
                let held = try client.reserve(concert, concert * 100, seats, token)
                guard held.status == 200 else {
                    #expect(held.code == "SEAT_TAKEN", "seed \(seed), step \(step): \(held)")
                    continue
                }
                let ids = held.json.eachWhole("reservationId")
                if Bool.random(using: &random) {
                    #expect(try client.release(concert, [ids[0]], token).status == 200)
                    continue
                }
                let paid = try client.pay(concert, ids, token)
                if paid.status == 200 {
                    spent += try #require(paid.json["pointAmount"].whole)
                    sold += ids.count
                    guard Bool.random(using: &random) else { continue }
                    let cancelled = try client.cancel(concert, user, [ids[0]])
                    #expect(cancelled.status == 200, "seed \(seed), step \(step): \(cancelled)")
                    charged += try #require(cancelled.json["pointAmount"].whole)
                    sold -= 1
                } else {
                    #expect(paid.code == "INSUFFICIENT_POINTS", "seed \(seed), step \(step): \(paid)")
                }
            }
        }
        let after = try self.cluster.stats()
        #expect(after.discrepancies == [], "seed \(seed)")
        for concert in after.shards.flatMap(\.concerts) {
            #expect(concert.held + concert.sold + concert.free == 100, "seed \(seed)")
            #expect(concert.joined == concert.waiting + concert.admitted + concert.gone.total, "seed \(seed)")
        }
        func sum<Number: AdditiveArithmetic>(_ value: (ShardStats) -> Number) -> Number {
            after.shards.map(value).reduce(.zero, +) - before.map(value).reduce(.zero, +)
        }
        #expect(sum(\.points.charged) == charged && sum(\.points.used) == spent, "seed \(seed)")
        #expect(sum(\.points.balances) == charged - spent, "seed \(seed)")
        #expect(sum { Int64($0.concerts.reduce(0) { $0 + $1.sold }) } == Int64(sold), "seed \(seed)")
        #expect(after.shards.allSatisfy { $0.payments.open == 0 })
    }

    // MARK: The operator's port

    @Test func `the operator's port tells health and statistics`() throws {
        let client = self.cluster.operatorClient
        #expect(try client.call("GET", "/healthz").text == #"{"status":"ok"}"#)
        #expect(try client.call("GET", "/readyz").text == #"{"status":"ready"}"#)
        let stats = try JSONDecoder().decode(ClusterStats.self, from: Data(client.call("GET", "/stats").body))
        #expect(stats.shards.count == 4 && stats.gateways.count == 2 && stats.missing == [])
        let shard = try client.call("GET", "/stats/shards/3")
        #expect(shard.json["shard"] == 3 && shard["Cache-Control"] == "no-store")
        #expect(try client.call("GET", "/stats/gateways/1").json["gateway"] == 1)
        for path in ["/stats/shards/4", "/stats/gateways/2", "/stats/shards/-1", "/stats/shards/", "/stats/x/0", "/"] {
            #expect(try client.call("GET", path).status == 404, "\(path)")
        }
        let refused = try client.call("POST", "/stats")
        #expect(refused.status == 405 && refused["Allow"] == "GET, HEAD")
        #expect(try client.call("HEAD", "/stats").status == 200)
        // The booking's calls are none of this port's.
        #expect(try client.join(1, 1).status == 404 || client.join(1, 1).status == 405)
    }

    // MARK: A shard dies. It forgets, so this stands last.

    @Test func `while a shard is away its requests wait, the others serve, and it comes back`() throws {
        let file = try self.cluster.file()
        let concerts = try self.concerts()
        let dead = try #require(concerts[10]).shard
        let other = Int(try #require(concerts.first { $0.value.shard != dead }).key)
        let token = try self.client.enter(10, 3_000)
        // The supervisor may not start it again before everything was seen.
        kill(file.supervisor, SIGSTOP)
        defer { kill(file.supervisor, SIGCONT) }
        // What is under way at the shard waits for its return.
        kill(file.shards[dead], SIGSTOP)
        let waiting = try (0..<10).map { _ in try TestConnection(port: self.cluster.port) }
        for connection in waiting {
            try connection.send(BookingClient.request("GET", "/api/v1/waiting?concertId=10", token: token))
        }
        #expect(try self.client.join(other, 3_001).status == 200)
        kill(file.shards[dead], SIGKILL)
        let late = try (0..<10).map { _ in try TestConnection(port: self.cluster.port) }
        for connection in late {
            try connection.send(BookingClient.request("GET", "/api/v1/waiting?concertId=10", token: token))
            #expect(try self.client.join(other, 3_003).status == 200)
            #expect(try self.client.call("GET", "/api/v1/concerts").status == 200)
        }
        #expect(try self.cluster.operatorClient.call("GET", "/healthz").status == 200)
        let stats = try self.cluster.operatorClient.call("GET", "/stats/shards/\(dead)")
        #expect(stats.status == 503 && stats.code == "UNAVAILABLE")
        #expect((waiting + late).allSatisfy { !$0.hasInput })

        kill(file.supervisor, SIGCONT)
        // The line of before is forgotten, and so is the token; but nobody hears of an error of the service.
        for connection in waiting + late { #expect(try connection.answer().code == "TOKEN_NOT_FOUND") }
        let again = try self.client.join(10, 3_000)
        #expect(again.status == 200 && again.json["place"] == 1)
        #expect(try self.client.poll(10, token).code == "TOKEN_NOT_FOUND")
    }
}

/// 64 concerts of two schedules, which let in as fast as they can.
enum ClusterCatalogue {
    static let json = """
        {"halls": [{"name": "h", "sections": [{"from": 1, "to": 50, "grade": "A", "price": 100000}]}],
         "concerts": [\((1...64).map(Self.concert).joined(separator: ","))]}
        """

    private static func concert(_ id: Int) -> String {
        """
        {"id": \(id), "title": "Concert \(id)", "opensAt": "2026-01-01 00:00:00", "hall": "h",
         "schedules": {"firstId": \(id * 100), "count": 2, "first": "2030-06-01 19:00:00", "everyHours": 24},
         "rules": {"admissionsPerSecond": \(id == 60 ? 1 : 1000)}}
        """
    }
}

extension [JSONValue] {
    fileprivate func eachWhole(_ name: String) -> [Int64] { self.compactMap { $0[name].whole } }
}
