import Booking
import Foundation
import Glibc
import Logging
import Reactor
import Testing
import Wire

@testable import Configuration
@testable import Edge
@testable import Statistics

/// The lines of one gateway, and what becomes of them when the file does not take them.
@Suite struct AccessLogTests {
    private static func path() -> String { "/tmp/usher-a\(UInt32.random(in: 0 ... .max))" }

    private static func lines(_ path: String) throws -> [JSONValue] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.isEmpty || text.hasSuffix("\n"))
        return try text.split(separator: "\n").map { try JSONValue(Array($0.utf8)) }
    }

    /// Runs `body` with a log on a loop of its own, and its file's lines written to the end.
    private static func withLog(
        _ path: String,
        pollSample: Int = 1,
        _ body: (AccessLog, EventLoop) throws -> Void
    ) throws -> GatewayStats.AccessLog {
        let loop = try EventLoop()
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let log = AccessLog(path: path, gateway: 3, pollSample: pollSample, on: loop, log: quiet)
        try body(log, loop)
        log.close()
        loop.run()
        loop.close()
        return log.counts
    }

    private static func append(_ log: AccessLog, _ call: StaticString = "join", _ status: HTTPStatus = .ok) {
        let asked = AccessLog.Entry(call: call, at: Timestamp(nanoseconds: 1_000), shard: 2)
        let client = SocketAddress("192.0.2.7", port: 4_711)
        log.append(asked, status, .post, bytes: 231, client: client, at: Timestamp(nanoseconds: 813_999))
    }

    @Test func `a line tells what was asked, by whom, and what came of it`() throws {
        let path = Self.path()
        defer { unlink(path) }
        let counts = try Self.withLog(path) { log, _ in
            Self.append(log)
            let none = AccessLog.Entry(call: "none", at: Timestamp(nanoseconds: 5))
            log.append(none, .notFound, .get, bytes: 1, client: nil, at: Timestamp(nanoseconds: 0))
        }
        #expect(counts.lines == 2 && counts.dropped == 0)
        let lines = try Self.lines(path)
        #expect(
            lines[0].shape
                == "{bytes: whole, call: string, client: string, gateway: whole, method: string, shard: whole, "
                + "status: whole, time: string, us: whole}"
        )
        #expect(lines[0]["client"] == "192.0.2.7" && lines[0]["call"] == "join" && lines[0]["method"] == "POST")
        #expect(lines[0]["us"] == 812 && lines[0]["status"] == 200 && lines[0]["shard"] == 2)
        #expect(lines[0]["gateway"] == 3 && lines[0]["bytes"] == 231)
        #expect(try #require(lines[0]["time"].string).wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ/) != nil)
        #expect(lines[1]["us"] == 0 && lines[1]["status"] == 404)
        #expect(
            lines[1].shape == "{bytes: whole, call: string, gateway: whole, method: string, status: whole, time: "
                + "string, us: whole}"
        )
        #expect(try #require(FileStatus(path)?.mode) & 0o137 == 0)
    }

    @Test(arguments: [
        "192.0.2.7", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::ff", "2001:db8:0:1:1:1:1:1", "1::",
        "2001:0:0:1::1", "fe80::1:0:0:2", "1:2:3:4:5:6:7:8", "::ffff:c000:207",
    ]) func `an address is written as RFC 5952 has it`(text: String) throws {
        var output = OutputBytes()
        output.append(host: try #require(SocketAddress(text, port: 0)))
        #expect(output.view.text == text)
    }

    @Test func `one in so many polls that went well has a line, and every other answer`() throws {
        let path = Self.path()
        defer { unlink(path) }
        _ = try Self.withLog(path, pollSample: 10) { log, _ in
            for _ in 0..<100 {
                Self.append(log, "poll")
                Self.append(log, "join")
                Self.append(log, "poll", .badRequest)
            }
        }
        let lines = try Self.lines(path)
        #expect(lines.filter { $0["call"] == "poll" && $0["status"] == 200 }.count == 10)
        #expect(lines.filter { $0["call"] == "join" }.count == 100 && lines.count == 210)
    }

    @Test func `a file that was renamed is opened anew`() throws {
        let (path, old) = (Self.path(), Self.path())
        defer { for path in [path, old] { unlink(path) } }
        let counts = try Self.withLog(path) { log, loop in
            Self.append(log)
            log.handOver()
            loop.run()
            #expect(rename(path, old) == 0)
            Self.append(log, "leave")
        }
        #expect(counts.lines == 2)
        #expect(try Self.lines(old).map { $0["call"] } == ["join"] && Self.lines(path).map { $0["call"] } == ["leave"])
    }

    @Test(arguments: ["/dev/full", "/nowhere/access.log"])
    func `lines that the file does not take are counted`(path: String) throws {
        let counts = try Self.withLog(path) { log, loop in
            for _ in 0..<3 {
                Self.append(log)
                log.handOver()
                loop.run()
            }
        }
        #expect(counts.lines == 0 && counts.dropped == 3)
    }

    private static func readToEnd(_ path: String) {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while read(file, &buffer, buffer.count) > 0 {}
    }

    /// A pipe that nobody reads: opening it takes for ever.
    @Test func `a file that takes nothing never holds up the loop, and what does not fit is counted`() throws {
        let path = Self.path()
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let total = 3 * AccessLog.blockBytes / 100
        var reader: Thread?
        let counts = try Self.withLog(path) { log, _ in
            for _ in 0..<total { Self.append(log) }  // the loop does not turn meanwhile
            #expect(log.counts.dropped > 0)
            let thread = Thread { Self.readToEnd(path) }
            thread.start()
            reader = thread
        }
        #expect(counts.lines > 0 && counts.dropped > 0 && Int(counts.lines + counts.dropped) == total)
        _ = reader
    }

    @Test func `a cluster's log has each answer, and no token, key or query`() throws {
        let path = Self.path()
        defer { unlink(path) }
        let cluster = try TestCluster(arguments: ["--set", "accessLog.file=\(path)", "--gateways", "2"])
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        let token = try #require(try client.join(1, 77_123).json["tokenId"].string)
        _ = try client.poll(1, token)
        _ = try client.poll(1, token + "x")
        _ = try client.call("POST", "/api/v1/point/charge?userId=77123&amount=5", ["Idempotency-Key: a-secret-key"])
        _ = try client.call("HEAD", "/api/v1/concerts")
        _ = try client.schedules(2)
        _ = try client.call("GET", "/nothing?a=77123")
        _ = try client.call("PUT", "/api/v1/waiting")
        let connection = try TestConnection(port: client.port)
        try connection.send("GARBAGE\r\n\r\n")
        _ = try connection.answer()
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        for secret in [token, "77123", "a-secret-key", "amount"] { #expect(!text.contains(secret)) }
        let lines = try Self.lines(path)
        let seen = lines.map { "\($0["method"].string ?? "") \($0["call"].string ?? "") \($0["status"].whole ?? 0)" }
        #expect(
            seen.sorted() == [
                "GET none 404", "GET poll 200", "GET poll 400", "GET schedules 200", "GET unreadable 400",
                "HEAD concerts 200", "POST charge 200", "POST join 200", "PUT other 405",
            ]
        )
        #expect(lines.allSatisfy { $0["client"] == "127.0.0.1" && ($0["bytes"].whole ?? 0) > 50 })
        let byShard = lines.filter { $0["shard"] != .null }.compactMap { $0["call"].string }
        #expect(byShard.sorted() == ["charge", "join", "poll", "schedules"])
    }

    /// Of three clients behind one proxy, who ask all at once, each has its own line; one that asks too often has the call that
    /// was refused, and so has one whose proxy writes nonsense.
    @Test func `behind a proxy a line has the client's address, and a refusal its call`() throws {
        let path = Self.path()
        defer { unlink(path) }
        let settings = [
            "accessLog.file=\(path)", "gateway.clientAddress=forwarded", "gateway.requestsPerAddressPerSecond=1",
            "gateway.requestsPerAddressBurst=3", "gateway.requestsPerUserPerSecond=0",
        ]
        let cluster = try TestCluster(arguments: settings.flatMap { ["--set", $0] })
        try cluster.waitUntilUp()
        let proxy = try TestConnection(port: try cluster.file().port)
        func ask(_ target: String, _ forwarded: String?) -> String {
            BookingClient.request("GET", target, forwarded.map { ["Forwarded: \($0)"] } ?? [])
        }
        // Answers of the gateway itself wait for those of shards.
        let balance = "/api/v1/point?userId=77"
        let pipelined = [
            ask(balance, "for=192.0.2.1"), ask("/api/v1/concerts", "for=192.0.2.2"),
            ask(balance, "for=\"[2001:db8::7]\""), ask("/api/v1/concerts", nil), ask(balance, "for=\""),
        ]
        try proxy.send(pipelined.joined())
        for status in [200, 200, 200, 200, 400] { #expect(try proxy.answer().status == status) }
        let greedy = String(repeating: ask("/api/v1/concerts", "for=192.0.2.9"), count: 50)
        try proxy.send(greedy)
        var refused = 0
        for _ in 0..<50 { if try proxy.answer().status == 429 { refused += 1 } }
        #expect(refused > 0)
        proxy.close()
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        let lines = try Self.lines(path)
        let seen = lines.map {
            "\($0["client"].string ?? "") \($0["call"].string ?? "") \($0["status"].whole ?? 0)"
        }
        #expect(
            seen.prefix(5).sorted() == [
                "127.0.0.1 balance 400", "127.0.0.1 concerts 200", "192.0.2.1 balance 200", "192.0.2.2 concerts 200",
                "2001:db8::7 balance 200",
            ]
        )
        #expect(seen.dropFirst(5).filter { $0 == "192.0.2.9 concerts 429" }.count == refused)
        #expect(lines.count == 55)
    }
}
