import Glibc
import Testing

@testable import Configuration

/// What clients see of a stop.
@Suite struct DrainTests {
    @Test func `a stop answers what is under way, closes what rests, and takes nothing new`() throws {
        let cluster = try TestCluster(arguments: ["--shards", "1", "--set", "cluster.drainTimeoutSeconds=60"])
        try cluster.waitUntilUp()
        let file = try cluster.file()
        let resting = try TestConnection(port: file.port)
        try resting.send(BookingClient.request("GET", "/api/v1/point?userId=9"))
        #expect(try resting.answer().status == 200)
        let halfway = try TestConnection(port: file.port)
        try halfway.send("GET /api/v1/point?userId=9 HTTP/1.1\r\nHost:")
        let body = #"{"concertId":1,"userId":9}"#
        let halfBody = try TestConnection(port: file.port)
        try halfBody.send(
            BookingClient.request("POST", "/api/v1/nothing", ["Content-Length: \(body.utf8.count)"]) + "{"
        )
        let busy = try TestConnection(port: file.port)
        let client = BookingClient(port: file.port)
        _ = try client.balance(1)
        // The shard keeps the gateway waiting, for as long as it takes to see the stop.
        kill(file.shards[0], SIGSTOP)
        defer { kill(file.shards[0], SIGCONT) }
        try busy.send((1...10).map { BookingClient.request("GET", "/api/v1/point?userId=\($0)") }.joined())
        #expect(try client.call("GET", "/api/v1/concerts").status == 200)

        cluster.signal(SIGTERM)
        #expect(try resting.endsClean())
        try TestCluster.eventually("new connections are refused") {
            do {
                _ = try TestConnection(port: file.port)
                return false
            } catch { return true }
        }
        // Who has begun a request may finish it, and no other.
        try halfway.send(" x\r\n\r\n" + BookingClient.request("GET", "/api/v1/point?userId=10"))
        try halfBody.send(String(body.dropFirst()))
        let last = try halfBody.answer()
        #expect(last.status == 404 && last.closes)
        #expect(try halfBody.endsClean())
        #expect(!busy.hasInput)
        kill(file.shards[0], SIGCONT)
        for user in 1...10 { #expect(try busy.answer().json["userId"] == .whole(Int64(user))) }
        #expect(try busy.endsClean())
        #expect(try halfway.answer().json["userId"] == .whole(9))
        #expect(try halfway.endsClean())
        #expect(cluster.waitUntilOver() == 0)
    }
}
