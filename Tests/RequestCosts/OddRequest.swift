/// One request as the client's bytes, and its oddity.
public struct OddRequest: Sendable, CustomStringConvertible {
    public let name: String
    public let bytes: [UInt8]

    init(_ name: String, _ head: String, _ body: [UInt8] = []) {
        self.name = name
        self.bytes = Array(head.utf8) + body
    }

    public var description: String { self.name }

    /// The reference for all others: a poll.
    public static func plain(token: String) -> OddRequest {
        self.request("a poll", "GET", "/api/v1/waiting?concertId=1", ["X-Concert-Token: \(token)"])
    }

    /// Every header, query part and body part long, repeated, escaped and nested; every path with every method; and the
    /// most expensive valid requests. `token` is that of an admitted user.
    public static func all(token: String) -> [OddRequest] {
        self.calls(token) + self.headers(token) + self.queries() + self.bodies(token) + self.chunked() + self.heads()
    }

    private static let paths = [
        "/api/v1/concerts", "/api/v1/concert/schedules", "/api/v1/concert/seats", "/api/v1/waiting",
        "/api/v1/reservation",
        "/api/v1/reservation/cancel", "/api/v1/payment", "/api/v1/point/charge", "/api/v1/point/use", "/api/v1/point",
        "/api/v1/point-history", "/openapi.json", "/x",
    ]

    private static func request(
        _ name: String,
        _ method: String,
        _ target: String,
        _ headers: [String] = [],
        _ body: [UInt8] = []
    ) -> OddRequest {
        let length = body.isEmpty ? [] : ["Content-Length: \(body.count)"]
        let lines = ["\(method) \(target) HTTP/1.1", "Host: a"] + headers + length
        return OddRequest(name, lines.joined(separator: "\r\n") + "\r\n\r\n", body)
    }

    /// `unit` repeated, up to `bytes` bytes.
    private static func filled(_ unit: String, _ bytes: Int) -> String {
        String(repeating: unit, count: bytes / unit.utf8.count)
    }

    // MARK: What may be asked

    private static func calls(_ token: String) -> [OddRequest] {
        let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]
        var all: [OddRequest] = []
        for path in self.paths {
            for method in methods {
                all.append(self.request("\(method) \(path)", method, path, ["X-Concert-Token: \(token)"]))
            }
        }
        let heavy = [
            "/api/v1/concert/seats?concertId=1&concertScheduleId=1", "/api/v1/concert/schedules?concertId=2",
            "/api/v1/concerts", "/openapi.json", "/api/v1/reservation?concertId=1&userId=7",
            "/api/v1/point-history?userId=7&size=100", "/api/v1/point-history?userId=7&size=100&page=150",
            "/api/v1/point-history?userId=7&size=100&page=10000000",
            "/api/v1/point-history?userId=7&size=100&transactionType=USE",
            "/api/v1/point-history?userId=7&size=100&page=100&transactionType=USE",
            "/api/v1/point-history?userId=7&size=1&page=15000&transactionType=CHARGE",
        ]
        for target in heavy {
            for method in ["GET", "HEAD"] { all.append(self.request("heavy \(method) \(target)", method, target)) }
        }
        return all
    }

    // MARK: Headers

    private static let names = [
        "Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
        "Access-Control-Request-Method",
        "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Type", "Cookie", "Expect",
        "Forwarded",
        "Host", "Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
        "Origin", "Range", "TE", "Transfer-Encoding", "Upgrade", "User-Agent", "Via", "X-Concert-Token",
        "X-Forwarded-For", "X",
    ]

    private static let fillers = [
        ",", "a,", "en;q=0.1,", "fr;q=0.999;a=b,", "ko-KR,", ";", "en;;;;", "\"a\",", "W/\"0123456789abcdef\", ", "\"",
        "192.0.2.1,", "10.0.0.1,", "unknown,", "[2001:db8::1]:4711,", "for=192.0.2.1,", "for=10.0.0.1;by=a,", "a=b;",
        "for=\"[2001:db8::1]:1\",", "a=\"\\\"\\\"\";", "keep-alive,", "chunked,", "gzip, ", "bytes=0-1,", "a.b.c", "a",
        "-", "9",
        " ", "\t", " \t", "a\t", "%41", "\\u0041", "=",
    ]

    private static func headers(_ token: String) -> [OddRequest] {
        var all: [OddRequest] = []
        for name in self.names {
            for filler in self.fillers {
                let value = (name == "Authorization" ? "Bearer " : "") + self.filled(filler, 15_000)
                all.append(self.request("\(name) of \(filler)", "GET", "/api/v1/concerts", ["\(name): \(value)"]))
            }
            let lines = [String](repeating: "\(name): \(self.filled("a,", 140))", count: 95)
            all.append(self.request("95 lines of \(name)", "GET", "/api/v1/concerts", lines))
        }
        let lengths = [67, 68, 80, 81, 15_000]
        for length in lengths {
            let headers = ["X-Concert-Token: \(self.filled("\"", length))"]
            for (method, target) in [("GET", "/api/v1/waiting?concertId=1"), ("POST", "/api/v1/payment")] {
                all.append(self.request("\(method) with a token of \(length) quotes", method, target, headers))
            }
        }
        for size in [255, 256, 15_000] {
            let headers = ["Idempotency-Key: \(self.filled("k", size))"]
            let target = "/api/v1/point/charge?userId=7&amount=0"
            all.append(self.request("a key of \(size) bytes", "POST", target, headers))
        }
        let lines = (0..<99).map { "X-\($0): \(self.filled("a", 100))" }
        all.append(self.request("99 headers", "GET", "/x", lines))
        all.append(self.request("98 headers without a value", "GET", "/x", [String](repeating: "a:", count: 98)))
        return all + self.logins()
    }

    /// Login tokens of the maximum length, with odd claims.
    private static func logins() -> [OddRequest] {
        let claims = [
            self.filled("[", 5_000), "{" + self.filled("\"a\":{", 5_000),
            "{\"aud\":[" + self.filled("\"a\",", 5_000) + "\"b\"]}",
            "{\"exp\":9999999999,\"sub\":7,\"aud\":[" + self.filled("\"\\u0041\",", 3_000) + "\"b\"]}",
            "{\"sub\":\"" + self.filled("\\u0041", 5_000) + "\"}", "{\"sub\":" + self.filled("9", 5_000) + "}",
            self.similarNames(5_000, escaped: true), "{\"exp\":9999999999,\"sub\":7}",
        ]
        let header = self.base64url(#"{"alg":"HS256"}"#)
        return claims.enumerated().map { number, claims in
            let token = "\(header).\(self.base64url(claims)).\(self.base64url("signature"))"
            return self.request(
                "a login of claims \(number)",
                "GET",
                "/api/v1/point",
                ["Authorization: Bearer \(token)"]
            )
        }
    }

    private static func base64url(_ text: String) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var code = ""
        var bits = 0
        var count = 0
        for byte in text.utf8 {
            bits = (bits << 8 | Int(byte)) & 0xFFFF
            count += 8
            while count >= 6 {
                count -= 6
                code.append(digits[bits >> count & 63])
            }
        }
        if count > 0 { code.append(digits[bits << (6 - count) & 63]) }
        return code
    }

    // MARK: Queries

    private static func queries() -> [OddRequest] {
        let fillers = [
            "a=1&", "&", "=", "%61=1&", "concertId=1&", "%63oncertId=1&", "%zz", "%", "+", "a", "9", "%39", "%ed%95%9c",
            "?", "/",
        ]
        let values = ["userId=7&amount=", "userId=7&transactionType=", "concertId=", "userId=%37&page=", "userId="]
        var all: [OddRequest] = []
        for path in ["/api/v1/point-history", "/api/v1/point/charge", "/api/v1/waiting", "/api/v1/concert/seats"] {
            for filler in fillers {
                for value in [""] + values {
                    let method = path.hasSuffix("charge") ? "POST" : "GET"
                    let target = "\(path)?\(value)\(self.filled(filler, 8_000))"
                    all.append(self.request("\(path)?\(value)\(filler)...", method, target))
                }
            }
        }
        all.append(
            self.request(
                "99 parameters",
                "GET",
                "/api/v1/point-history?userId=7" + self.filled("&\(self.filled("b", 70))=1", 7_100)
            )
        )
        return all
    }

    // MARK: Bodies

    private static func bodies(_ token: String) -> [OddRequest] {
        let units = [
            "[", "{\"a\":", "0,", "\"\",", "{},", "[],", "{\"a\":0},", "\"a\":0,", " ", "\\u0041", "\"\\u0041\",", "9",
            "a", "\n",
            "null,", "true,", "-1e9,", "\u{D55C}", "\\", "\"",
        ]
        var bodies: [(String, String)] = units.map { ("\($0)...", self.filled($0, 64_000)) }
        for unit in units {
            bodies.append(
                ("a list of \(unit)...", #"{"concertId":1,"userId":7,"x":["# + self.filled(unit, 60_000) + "0]}")
            )
        }
        for unit in ["a", "\\u0041", "\u{D55C}", "9"] {
            bodies.append(
                ("a text of \(unit)...", #"{"concertId":1,"userId":7,"x":""# + self.filled(unit, 60_000) + "\"}")
            )
        }
        bodies.append(("names that differ in the end", self.similarNames(60_000, escaped: false)))
        bodies.append(("escaped names that differ in the end", self.similarNames(60_000, escaped: true)))
        let object = "{" + (0..<31).map { "\"n\($0)\":0" }.joined(separator: ",") + "}"
        bodies.append(
            (
                "many objects of 31 members",
                #"{"concertId":1,"userId":7,"x":["# + self.filled(object + ",", 60_000) + "0]}"
            )
        )
        let ids = (0..<100).map { "\(9_007_199_254_740_000 + $0)" }.joined(separator: ",")
        bodies.append(
            (
                "100 ids",
                #"{"concertId":1,"concertScheduleId":1,"seatIds":[\#(ids)],"reservationIds":[\#(ids)],"userId":7}"#
            )
        )
        let seats = (1...100).map(String.init).joined(separator: ",")
        bodies.append(("100 seats", #"{"concertId":1,"concertScheduleId":1,"seatIds":[\#(seats)]}"#))
        return bodies.flatMap { name, body in
            [
                "/api/v1/waiting", "/api/v1/reservation", "/api/v1/reservation/cancel",
                "/api/v1/point/charge?userId=7&amount=0",
            ].map {
                self.request("\($0) with \(name)", "POST", $0, ["X-Concert-Token: \(token)"], Array(body.utf8))
            }
        }
    }

    /// An object of 31 members whose names are as long as fits, and differ in their last byte.
    private static func similarNames(_ bytes: Int, escaped: Bool) -> String {
        let start = self.filled(escaped ? "\\u0061" : "a", bytes / 31 - 12)
        return "{" + (0..<31).map { "\"\(start)\(UnicodeScalar(UInt8(65 + $0)))x\":0" }.joined(separator: ",") + "}"
    }

    private static func chunked() -> [OddRequest] {
        let chunks = [
            self.filled("1\r\n \r\n", 6_000), self.filled("1\r\n \r\n", 300_000),
            self.filled("0001;a=\"b\"\r\n \r\n", 1_000),
            self.filled("f;\(self.filled("a", 30))\r\n               \r\n", 1_000),
            self.filled("10\r\n                \r\n", 20_000),
        ]
        return chunks.enumerated().map { number, chunks in
            let head = "POST /api/v1/waiting HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            let trailers = number == 0 ? self.filled("a: b\r\n", 500) : ""
            return OddRequest("chunks \(number)", head + chunks + "0\r\n" + trailers + "\r\n")
        }
    }

    // MARK: Heads

    private static func heads() -> [OddRequest] {
        [
            OddRequest("four empty lines", "\r\n\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
            OddRequest("HTTP/1.0", "GET /x HTTP/1.0\r\n\r\n"),
            self.request("a long path", "GET", "/" + self.filled("a", 8_000)),
            self.request("a path of escapes", "GET", "/" + self.filled("%41", 8_000)),
            self.request("a path of slashes", "GET", self.filled("/", 8_000)),
            self.request("an absolute target", "GET", "http://\(self.filled("a", 4_000))/x"),
            self.request("a target of colons", "GET", "http://[\(self.filled(":", 4_000))]/x"),
            OddRequest("a host of letters", "GET /x HTTP/1.1\r\nHost: \(self.filled("a.", 15_000))\r\n\r\n"),
            OddRequest("a method without an end", self.filled("A", 8_000)),
        ]
    }
}
