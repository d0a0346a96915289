import Foundation
import TestSupport
import Testing
import Wire

@testable import Configuration
@testable import Edge

/// Pages of other origins, as their browsers ask: against a gateway that knows two origins, and sheds and limits soon.
@Suite(
    .cluster(
        "--set",
        "gateway.corsOrigins=https://shop.example, http://localhost:3000",
        "--set",
        "gateway.trustedAddresses=127.0.0.1",
        "--set",
        "gateway.requestsPerAddressPerSecond=1",
        "--set",
        "gateway.requestsPerAddressBurst=8"
    )
) struct CrossOriginTests {
    private static let shop = "https://shop.example"
    private static let readable = [
        "Access-Control-Allow-Origin: https://shop.example", "Access-Control-Allow-Credentials: true",
        "Access-Control-Expose-Headers: Accept-Encoding, Age, Allow, Date, ETag, Retry-After, WWW-Authenticate",
        "Vary: Origin",
    ]

    private var client: BookingClient { ServedCluster.shared.client }

    /// The lines of an answer that are about origins.
    private static func lines(_ answer: Answer) -> [String] {
        answer.headers.filter { $0.name.hasPrefix("Access-Control-") || $0.name == "Vary" }.map {
            "\($0.name): \($0.value)"
        }
    }

    private static func preflight(_ path: String, _ method: String, from origin: String = Self.shop) -> String {
        let lines = [
            "Origin: \(origin)", "Access-Control-Request-Method: \(method)",
            "Access-Control-Request-Headers: content-type,x-concert-token",
        ]
        return BookingClient.request("OPTIONS", path, lines)
    }

    @Test(
        arguments: [
            ("GET", "/api/v1/concerts", nil, 200), ("HEAD", "/api/v1/concerts", nil, 200),
            ("GET", "/api/v1/concert/schedules?concertId=2", nil, 200), ("GET", "/openapi.json", nil, 200),
            ("GET", "/api/v1/concert/schedules?concertId=99", nil, 400), ("GET", "/nothing", nil, 404),
            ("PUT", "/api/v1/waiting", nil, 405), ("POST", "/api/v1/waiting", #"{"concertId":1,"userId":5000}"#, 200),
            ("POST", "/api/v1/waiting", "{", 400), ("GET", "/api/v1/waiting?concertId=1", nil, 400),
            ("POST", "/api/v1/payment", "{}", 401), ("OPTIONS", "/api/v1/waiting", nil, 204),
            ("OPTIONS", "*", nil, 204),
        ] as [(String, String, String?, Int)]
    )
    func `an answer of any kind may be read by pages of a listed origin, by no others`(
        method: String,
        target: String,
        body: String?,
        status: Int
    ) throws {
        func call(_ origin: String?) throws -> Answer {
            try self.client.call(method, target, body: body, origin.map { ["Origin: \($0)"] } ?? [])
        }
        let listed = try call(Self.shop)
        #expect(listed.status == status && Self.lines(listed) == Self.readable, "\(listed)")
        for origin in [nil, "https://evil.example", "null", "https://shop.example:8443", "http://shop.example", ""] {
            let answer = try call(origin)
            #expect(answer.status == status && Self.lines(answer) == ["Vary: Origin"], "\(answer)")
        }
        #expect(try call("http://localhost:3000")["Access-Control-Allow-Origin"] == "http://localhost:3000")
    }

    @Test func `304 and 415 may be read, too`() throws {
        let tag = try #require(try self.client.call("GET", "/openapi.json")["ETag"])
        let known = try self.client.call("GET", "/openapi.json", ["If-None-Match: \(tag)", "Origin: \(Self.shop)"])
        #expect(known.status == 304 && Self.lines(known) == Self.readable)
        let other = try self.client.call("GET", "/openapi.json", ["If-None-Match: \(tag)"])
        #expect(other.status == 304 && Self.lines(other) == ["Vary: Origin"])
        let coded = try self.client.call("POST", "/x", ["Content-Encoding: br", "Origin: \(Self.shop)"])
        #expect(coded.status == 415 && Self.lines(coded) == Self.readable)
    }

    @Test(arguments: ["/api/v1/waiting", "/api/v1/payment", "/api/v1/point/charge?userId=1&amount=1", "/nothing"])
    func `a preflight is told what may be sent, whatever the path`(path: String) throws {
        let connection = try TestConnection(port: ServedCluster.shared.port)
        for method in ["GET", "POST", "DELETE", "PATCH"] {
            try connection.send(Self.preflight(path, method))
            let answer = try connection.answer()
            #expect(answer.status == 204 && Array(Self.lines(answer)[..<4]) == Self.readable)
            #expect(answer["Access-Control-Allow-Methods"] == "GET, HEAD, POST, DELETE, OPTIONS")
            let names = Set((answer["Access-Control-Allow-Headers"] ?? "").split(separator: ", ").map(String.init))
            #expect(
                names == [
                    "accept-language", "authorization", "content-type", "idempotency-key", "if-none-match",
                    "x-concert-token",
                ]
            )
            #expect(answer["Access-Control-Max-Age"] == "7200" && answer["Date"] != nil)
        }
        try connection.send(Self.preflight(path, "POST", from: "https://evil.example"))
        let unlisted = try connection.answer()
        #expect(Self.lines(unlisted) == ["Vary: Origin"] && unlisted.status == (path == "/nothing" ? 404 : 204))
    }

    @Test func `what is refused as no HTTP may be read, as far as its origin was`() throws {
        let head = "POST /a HTTP/1.1\r\nHost: a\r\nOrigin: \(Self.shop)\r\n"
        for rest in [
            "Transfer-Encoding: gzip\r\n\r\n", "Content-Length: 99999999\r\n\r\n", "X : y\r\n", "Expect: z\r\n\r\n",
        ] {
            let connection = try TestConnection(port: ServedCluster.shared.port)
            try connection.send(BookingClient.request("GET", "/nothing") + head)
            try connection.send(rest)
            #expect(try Self.lines(connection.answer()) == ["Vary: Origin"])
            let answer = try connection.answer()
            #expect(answer.closes && Self.lines(answer) == Self.readable, "\(rest): \(answer)")
            #expect(try connection.endsClean())
        }
        let connection = try TestConnection(port: ServedCluster.shared.port)
        try connection.send("BREW / HTTP/1.1\r\nOrigin: \(Self.shop)\r\n\r\n")
        #expect(try Self.lines(connection.answer()) == ["Vary: Origin"])
    }

    @Test func `two origins are none`() throws {
        let answer = try self.client.call("GET", "/nothing", ["Origin: \(Self.shop)", "origin: http://localhost:3000"])
        #expect(answer.code == "HEADER_REPEATED" && answer.closes)
    }

    @Test func `answers that come before their turn have the lines as well`() throws {
        let connection = try TestConnection(port: ServedCluster.shared.port)
        let origins = [Self.shop, "https://evil.example", "http://localhost:3000"]
        try connection.send(
            (0..<300).map { number in
                // Some ask a shard, and some are answered at once.
                let target = number % 2 == 0 ? "/api/v1/point?userId=\(number + 1)" : "/nothing"
                return BookingClient.request("GET", target, ["Origin: \(origins[number % 3])"])
            }.joined()
        )
        for number in 0..<300 {
            let answer = try connection.answer()
            #expect(answer.status == (number % 2 == 0 ? 200 : 404))
            let expected = number % 3 == 1 ? nil : origins[number % 3]
            #expect(answer["Access-Control-Allow-Origin"] == expected, "\(number): \(answer)")
        }
    }

    @Test func `preflights are charged like other requests, and a page may read that it is too many`() throws {
        let connection = try TestConnection(port: ServedCluster.shared.port, host: 77)
        var statuses: [Int] = []
        for _ in 0..<40 {
            try connection.send(Self.preflight("/api/v1/waiting", "GET"))
            let answer = try connection.answer()
            statuses.append(answer.status)
            #expect(Array(Self.lines(answer)[..<4]) == Self.readable, "\(answer)")
        }
        #expect(statuses[..<8].allSatisfy { $0 == 204 } && statuses.contains(429))
    }
}

@Suite struct CrossOriginSettingsTests {
    @Test(arguments: ["https://shop.example/", "*", "shop.example"])
    func `what is no origin stops a start, in words`(value: String) {
        let loaded = LoadedConfiguration(flags: [("gateway.corsOrigins", value)], environment: [:])
        let words = loaded.mistakes.first.map { "\($0)" } ?? ""
        #expect(words.hasPrefix("flag: gateway.corsOrigins has '\(value)', which "), "\(words)")
        #expect(words.hasSuffix("it must be \(Settings["gateway.corsOrigins"]!.allowed)"), "\(words)")
    }

    /// A request's answer is found by its number, whatever the list has become.
    @Test func `a list may change while requests are under way`() throws {
        func note(_ crossOrigin: CrossOrigin, _ origin: String) -> UInt32 {
            Array(origin.utf8).withUnsafeBytes { crossOrigin.note(ByteView($0)) }
        }
        func text(_ crossOrigin: CrossOrigin, _ note: UInt32) -> String {
            String(decoding: crossOrigin.lines(note), as: UTF8.self)
        }
        var crossOrigin = CrossOrigin(OriginList())
        #expect(crossOrigin.note(nil) == 0 && note(crossOrigin, "https://a.example") == 0 && CrossOrigin.isNone(0))
        crossOrigin.use(try OriginList("https://a.example"))
        let first = note(crossOrigin, "https://a.example")
        crossOrigin.use(try OriginList("https://b.example, https://c.example"))
        #expect(text(crossOrigin, first).hasPrefix("Access-Control-Allow-Origin: https://a.example\r\n"))
        #expect(text(crossOrigin, note(crossOrigin, "https://a.example")) == "Vary: Origin\r\n")
        #expect(text(crossOrigin, crossOrigin.note(nil)) == "Vary: Origin\r\n")
        #expect(text(crossOrigin, note(crossOrigin, "https://c.example")).contains("https://c.example\r\n"))
        crossOrigin.use(try OriginList("https://a.example"))
        #expect(note(crossOrigin, "https://a.example") == first)
        crossOrigin.use(OriginList())
        #expect(crossOrigin.note(nil) == 0 && note(crossOrigin, "https://a.example") == 0)
    }

    @Test func `what a request says of its answer stands beside the origin's number`() {
        for method in HTTPMethod.allCases {
            for language in [Language.korean, .english] {
                let options = AnswerWriter.ResponseOptions(
                    method: method,
                    connection: .keepAliveExplicit,
                    language: language
                )
                for number: UInt32 in [0, 1, 1 << 15 - 1] {
                    let again = AnswerWriter.ResponseOptions(bits: options.bits | number << 17)
                    #expect(
                        again.method == method && again.connection == .keepAliveExplicit && again.language == language
                    )
                }
            }
        }
    }
}

/// Without the setting nothing is said to pages, whatever they send; with it, from the moment it is read.
@Suite struct CrossOriginReloadTests {
    @Test func `no byte differs until an origin is listed`() throws {
        let file = try TemporaryFile("{}")
        let cluster = try TestCluster(arguments: ["--config", file.path])
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        let origin = "Origin: https://shop.example"
        func withoutDate(_ answer: Answer) -> Answer {
            var answer = answer
            answer.headers.removeAll { $0.name == "Date" }
            return answer
        }
        for (method, target) in [("GET", "/openapi.json"), ("GET", "/nothing"), ("OPTIONS", "/api/v1/waiting")] {
            let plain = try client.call(method, target)
            let paged = try client.call(method, target, [origin, "Access-Control-Request-Method: GET"])
            #expect(withoutDate(paged) == withoutDate(plain))
            #expect(plain["Vary"] == nil)
        }
        try #"{"gateway": {"corsOrigins": "https://shop.example"}}"#
            .write(toFile: file.path, atomically: false, encoding: .utf8)
        #expect(try UsherCommand.run("reload", cluster.state).status == 0)
        try TestCluster.eventually("the gateway knows the shop") {
            try client.call("GET", "/nothing", [origin])["Access-Control-Allow-Origin"] == "https://shop.example"
        }
        #expect(try client.call("OPTIONS", "/nothing", [origin, "Access-Control-Request-Method: GET"]).status == 204)
    }
}
