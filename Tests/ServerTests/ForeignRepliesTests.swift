import Booking
import Foundation
import Glibc
import Testing
import Wire

@testable import Configuration
@testable import Statistics

/// A gateway between clients and shards that answer what they were not asked.
@Suite struct ForeignRepliesTests {
    /// A socket where a shard's would be.
    private static func listen(at path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard FrameSocket.withAddress(path, { bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 4) == 0 else {
            throw TestConnection.Failure(call: "listen at \(path)", code: errno)
        }
        return descriptor
    }

    /// Takes the gateway's link, as shard `index` of 2, or as another than that.
    private static func accept(
        _ descriptor: Int32,
        as index: Int,
        catalogue: UInt64 = Catalogue.original().digest
    ) throws -> FrameSocket {
        let socket = FrameSocket(descriptor: Glibc.accept(descriptor, nil, nil))
        guard case .hello(let hello) = try socket.next()?.control else {
            throw TestConnection.Failure(call: "no hello", code: 0)
        }
        #expect(hello.role == .gateway && hello.index == 0)
        let own = Hello(
            role: .shard,
            index: UInt16(index),
            shardCount: 2,
            slotMapVersion: hello.slotMapVersion,
            catalogue: catalogue
        )
        try socket.send { bytes throws(WireError) in try Control.helloAccepted(own).encode(into: &bytes, requestID: 0) }
        return socket
    }

    /// The first concert that is on shard 0.
    private static var concert: UInt64 {
        let slots = SlotMap(shardCount: 2)
        return (1...8).first { slots.shard(of: Slot(of: ConcertID($0))) == 0 }!
    }

    /// The first users whose points are on shard 0.
    private static func users(_ count: Int) -> [UserID] {
        let slots = SlotMap(shardCount: 2)
        return Array((1...).lazy.map { UserID($0) }.filter { slots.shard(of: Slot(of: $0)) == 0 }.prefix(count))
    }

    @Test func `a reply that nobody asked for reaches nobody`() throws {
        let state = TestCluster.freshState()
        try state.prepare()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let listeners = try (0..<2).map { try Self.listen(at: state.shardSocket($0)) }
        defer { for listener in listeners { close(listener) } }
        let gateway = Process()
        let errors = Pipe()
        gateway.executableURL = URL(filePath: TestCluster.executable)
        gateway.arguments = [
            "gateway", "--index", "0", "--state", state.path, "--host", "127.0.0.1", "--port", "0", "--operator-port",
            "0", "--shards", "2",
        ]
        gateway.standardError = errors
        try gateway.run()
        defer {
            gateway.terminate()
            gateway.waitUntilExit()
        }
        // Whoever answers as another shard than was dialled is not talked to.
        let wrong = try Self.accept(listeners[1], as: 0)
        guard case .goodbye(let reason) = try wrong.next()?.control else {
            throw TestCluster.Failure(description: "no")
        }
        #expect(reason == "shard 1 was dialled, and shard 0 answered")
        // Nor with one that goes by another catalogue.
        let strange = try Self.accept(listeners[1], as: 1, catalogue: 4_711)
        guard case .goodbye(let why) = try strange.next()?.control else { throw TestCluster.Failure(description: "no") }
        #expect(why.hasPrefix("this process has another catalogue than yours"))
        let shards = [try Self.accept(listeners[0], as: 0), try Self.accept(listeners[1], as: 1)]
        var log = ""
        while log.firstMatch(of: /ready +port=\d+\n/) == nil {
            let more = errors.fileHandleForReading.availableData
            try #require(!more.isEmpty)
            log += String(decoding: more, as: UTF8.self)
        }
        let port = try #require(Int(log.firstMatch(of: /ready +port=(\d+)\n/)!.output.1))

        let users = Self.users(2)
        let clients = try users.map { user in
            let client = try TestConnection(port: port)
            try client.send(BookingClient.request("GET", "/api/v1/point?userId=\(user.rawValue)"))
            return client
        }
        var ids: [UserID: UInt64] = [:]
        while ids.count < 2 {
            let heard = try #require(try shards[0].next())
            guard case .balance(let user) = heard.request else { continue }
            ids[user] = heard.requestID
        }
        let (first, second) = (try #require(ids[users[0]]), try #require(ids[users[1]]))
        func balance(_ won: Int64) -> Reply { .balance(Balance(balance: Won(won), updatedAt: nil)) }
        // Another shard's, for requests that it was not sent; and one that was never sent to anybody.
        try shards[1].send(balance(666), id: first)
        try shards[1].send(balance(666), id: second)
        try shards[0].send(balance(666), id: 0xFFFF_0000_0000_0000)
        // The right number, and no answer to that question.
        try shards[0].send(Reply.left, id: second)
        let refused = try clients[1].answer()
        #expect(refused.status == 503 && refused.code == "UNAVAILABLE")
        #expect(!clients[0].hasInput)
        // Too late.
        try shards[0].send(balance(667), id: second)
        try shards[0].send(balance(111), id: first)
        let answer = try clients[0].answer()
        #expect(answer.json["balance"] == 111 && answer.json["userId"] == .whole(Int64(users[0].rawValue)))
        #expect(!clients[1].hasInput)

        // Lists that are shorter or longer than the catalogue says: whose place is whose, nobody knows.
        for (target, reply) in [
            ("schedules?concertId=\(Self.concert)", Reply.schedules([1, 2, 3])),
            ("schedules?concertId=\(Self.concert)", .schedules([])),
            ("seats?concertId=\(Self.concert)&concertScheduleId=\((Self.concert - 1) * 240 + 1)", .seats([.sold])),
            (
                "seats?concertId=\(Self.concert)&concertScheduleId=\((Self.concert - 1) * 240 + 1)",
                .seats(Array(repeating: .available, count: 51))
            ),
        ] {
            try clients[0].send(BookingClient.request("GET", "/api/v1/concert/\(target)"))
            var heard = try #require(try shards[0].next())
            while heard.request == nil { heard = try #require(try shards[0].next()) }
            try shards[0].send(reply, id: heard.requestID)
            let answer = try clients[0].answer()
            #expect(answer.status == 503 && answer.code == "UNAVAILABLE", "\(target)")
        }

        let tool = Hello(role: .tool, index: 0, shardCount: 0, slotMapVersion: 0)
        let asking = try FrameSocket(to: state.gatewaySocket(0), as: tool)
        _ = try asking.next()
        try asking.send { bytes throws(WireError) in try Control.stats.encode(into: &bytes, requestID: 1) }
        guard case .statsAnswer(let json) = try asking.next()?.control else {
            throw TestCluster.Failure(description: "no statistics")
        }
        #expect(try JSONDecoder().decode(GatewayStats.self, from: Data(json.utf8)).strayReplies == 9)
    }
}
