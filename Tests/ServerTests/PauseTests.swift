import Booking
import Foundation
import Glibc
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// The death of a process is a pause: with a journal on the disk, nobody hears an error, and nothing is done twice.
@Suite(.serialized) struct PauseTests {
    private static let arguments = [
        "--set", "journal.kind=sqlite", "--set", "booking.admissionsPerSecond=1000", "--set",
        "gateway.replyTimeoutMilliseconds=30000",
        // One user takes a seat for every third request.
        "--set", "booking.heldSeatsPerUserMax=1000",
    ]

    @Test func `shards that are killed under load cost nobody an error, and no change is done twice`() throws {
        let cluster = try TestCluster(arguments: Self.arguments)
        try cluster.waitUntilUp()
        let port = try cluster.file().port
        var tokens: [String] = []
        for concert in 1...8 { tokens.append(try BookingClient(port: port).enter(concert, concert)) }
        let rounds = 6
        let perRound = 40
        for round in 0..<rounds {
            // Charges, seats and questions, pipelined: in flight when the shards die, or sent while they are away.
            let connections = try (1...8).map { _ in try TestConnection(port: port) }
            let send = { (step: Range<Int>) in
                for (index, connection) in connections.enumerated() {
                    for number in step {
                        try connection.send(Self.request(index + 1, round * perRound + number, tokens[index]))
                    }
                }
            }
            try send(0..<perRound / 2)
            for pid in try cluster.file().shards.filter({ $0 > 0 }) { kill(pid, SIGKILL) }
            try send(perRound / 2..<perRound)
            for (index, connection) in connections.enumerated() {
                for number in 0..<perRound {
                    let answer = try connection.answer()
                    #expect(answer.status == 200, "round \(round), user \(index + 1), number \(number): \(answer)")
                }
            }
        }
        // Each user: a third of the numbers charged 10 each; a third of them took a seat of their own.
        let count = rounds * perRound
        let charges = (0..<count).count { $0 % 3 == 0 }
        let seats = (0..<count).count { $0 % 3 == 1 }
        let client = BookingClient(port: port)
        for user in 1...8 {
            #expect(try client.balance(user).json["balance"] == .whole(Int64(charges * 10)))
            #expect(try client.reservations(user, user).json.list.count == seats)
        }
        let stats = try JSONDecoder().decode(
            ClusterStats.self,
            from: Data(try StatsCommand.text(cluster.state, json: true).utf8)
        )
        #expect(stats.discrepancies == [])
        #expect(stats.gateways.allSatisfy { $0.answers.serverError == 0 })
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    /// Each number is another request, so that one done twice would show.
    @Test func `a gateway that starts again while a shard is away serves the others`() throws {
        let cluster = try TestCluster(arguments: ["--shards", "2", "--set", "gateway.replyTimeoutMilliseconds=300"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let slots = SlotMap(shardCount: 2)
        let served = (1...8).first { slots.shard(of: Slot(of: ConcertID(UInt64($0)))) == 1 }!
        kill(file.shards[0], SIGSTOP)
        defer { kill(file.shards[0], SIGCONT) }
        kill(file.gateways[0], SIGKILL)
        try TestCluster.eventually("the next gateway serves") {
            (try? BookingClient(port: file.port).schedules(served).status) == 200
        }
    }

    private static func request(_ user: Int, _ number: Int, _ token: String) -> String {
        switch number % 3 {
        case 0: return BookingClient.request("POST", "/api/v1/point/charge?userId=\(user)&amount=10")
        case 1:
            let schedule = (user - 1) * 240 + 1 + number / 3 / 50
            let body = #"{"concertId":\#(user),"concertScheduleId":\#(schedule),"seatIds":[\#(number / 3 % 50 + 1)]}"#
            return BookingClient.request("POST", "/api/v1/reservation", token: token, body: body)
        default: return BookingClient.request("GET", "/api/v1/waiting?concertId=\(user)", token: token)
        }
    }

    @Test func `a key is answered the same after every process has died`() throws {
        let cluster = try TestCluster(arguments: Self.arguments)
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let calls = (1...8).map { "/api/v1/point/charge?userId=\($0)&amount=\($0)00" }
        let key = ["Idempotency-Key: once"]
        let first = try calls.map { try BookingClient(port: file.port).call("POST", $0, key) }
        #expect(first.allSatisfy { $0.status == 200 })
        for pid in file.shards + file.gateways { kill(pid, SIGKILL) }
        let client = BookingClient(port: file.port)
        try TestCluster.eventually("a new gateway serves") {
            try cluster.file().gateways != file.gateways && (try? client.balance(1)) != nil
        }
        #expect(try calls.map { try client.call("POST", $0, key).text } == first.map(\.text))
        for user in 1...8 { #expect(try client.balance(user).json["balance"] == .whole(Int64(user * 100))) }
        let reused = try client.call("POST", "/api/v1/point/charge?userId=1&amount=101", key)
        #expect(reused.status == 422 && reused.code == "IDEMPOTENCY_KEY_REUSED")
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `what is held too long is answered 503, what is too much at once, and the gateway says so`() throws {
        let cluster = try TestCluster(arguments: [
            "--set", "gateway.replyTimeoutMilliseconds=300", "--set", "gateway.inFlightPerShardMax=10", "--gateways",
            "1",
        ])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        kill(file.supervisor, SIGSTOP)
        defer { kill(file.supervisor, SIGCONT) }
        for pid in file.shards { kill(pid, SIGKILL) }
        let operatorClient = BookingClient(port: file.operatorPort)
        try TestCluster.eventually("the gateway is not ready") {
            try operatorClient.call("GET", "/readyz").status == 503
        }
        #expect(
            try operatorClient.call("GET", "/readyz").message == "Shards that can't be reached: 0, 1."
        )
        let connection = try TestConnection(port: file.port)
        let join = BookingClient.request("POST", "/api/v1/waiting", body: #"{"concertId":1,"userId":1}"#)
        try connection.send(String(repeating: join, count: 8))
        var codes: [String] = []
        for _ in 0..<8 {
            let answer = try connection.answer()
            #expect(answer.status == 503 && answer["Retry-After"] == "1")
            codes.append(answer.code ?? "")
        }
        #expect(codes == Array(repeating: "UNAVAILABLE", count: 5) + Array(repeating: "OVERLOADED", count: 3))
        kill(file.supervisor, SIGCONT)
        try TestCluster.eventually("the shard serves again") {
            try BookingClient(port: file.port).join(1, 1).status == 200
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
