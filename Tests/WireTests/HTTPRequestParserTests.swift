import Seeded
import TestSupport
import Testing
import Wire

@Suite struct HTTPRequestParserTests {
    /// Well-formed input, in streams of one or more requests.
    static let goodStreams: [String] = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /api/v1/waiting?concertId=1 HTTP/1.1\r\nHost: a.example:8080\r\n"
            + "X-Concert-Token: abc_-9\r\nAccept: */*\r\n\r\n",
        "HEAD /x?y HTTP/1.1\r\nhost:a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "OPTIONS /a HTTP/1.1\r\nHost: a:\r\n\r\n",
        "GET http://b.example/p?q=1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET HTTPS://b:443?q HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n\u{16}\u{03}\u{01}",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\nGET /never HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE ,y\r\nConnection: keep-alive\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n"
            + "Content-Length: 03\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n"
            + "abcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tCHUNKED \r\n\r\n3\r\nabc\r\n00A\r\n"
            + "0123456789\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "1;x=\"y z\"\r\na\r\n2 ; b\r\nbc\r\n0;last\r\nX-Check: 1\r\nContent-Length: 9\r\n\r\n"
            + "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a%20b/%EA%B3%B5?x=[1]&y=%2F HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\nSpaces: \t \r\nInner:  a \t b  \r\n"
            + "Latin: \u{E9}\u{FF}\r\n!#$%&'*+-.^_`|~: odd\r\n\r\n",
        "DELETE /api/v1/waiting?concertId=9 HTTP/1.1\r\nHost: a\r\nIdempotency-Key: k\r\n"
            + "If-None-Match: \"1\"\r\n\r\n",
        "PUT /a HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 1\r\nX-Forwarded-For: 2\r\n\r\n"
            + "PATCH /b HTTP/1.1\r\nHost: a_b~c\r\n\r\nTRACE /c HTTP/1.1\r\nHost: a\r\n\r\n",
    ]

    /// Truncated input, and input that is refused after a good request.
    static let mixedStreams: [String] = [
        "", "G", "\r", "GET / HTTP/1.1\r\nHost: a\r\n\r",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost : a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcd / HTTP/1.1\r\n\r\n",
    ]

    // MARK: Any split

    @Test(arguments: goodStreams + mixedStreams)
    func `any split of good input gives the same requests`(stream: String) {
        Self.checkSplits(HTTPDriver.bytes(stream))
    }

    @Test(arguments: HostileRequest.all)
    func `any split of hostile input gives the same refusal`(hostile: HostileRequest) {
        Self.checkSplits(hostile.bytes)
    }

    /// Every split in two (for long input only near its start, its end, and the limits' edges), byte by byte, and with
    /// the parser made to release its input after every event.
    private static func checkSplits(_ bytes: [UInt8]) {
        let whole = HTTPDriver.run([bytes[...]])
        let cuts =
            bytes.count < 600
            ? Array(0...bytes.count) : Array(0...60) + Array(bytes.count - 60...bytes.count) + [8_192, 8_196, 8_197]
        for cut in cuts where cut <= bytes.count {
            let halves = [bytes[..<cut], bytes[cut...]]
            #expect(HTTPDriver.run(halves) == whole, "cut at \(cut)")
            if bytes.count < 600 {
                #expect(HTTPDriver.run(halves, suspending: true) == whole, "suspended, cut at \(cut)")
            }
        }
        if bytes.count < 2_000 {
            #expect(HTTPDriver.run(bytes.indices.map { bytes[$0...$0] }) == whole, "byte by byte")
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `random cuts of many requests on one connection give the same events`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var stream: [UInt8] = []
        let persistent = Self.goodStreams.filter { stream in
            !["HTTP/1.0", "close", "CLOSE", "CONNECT"].contains { stream.contains($0) }
        }
        for _ in 0..<20 { stream += HTTPDriver.bytes(persistent.randomElement(using: &random)!) }
        if Bool.random(using: &random) { stream += HostileRequest.all.randomElement(using: &random)!.bytes }
        let whole = HTTPDriver.run([stream[...]])
        #expect(whole.count >= 20)
        for _ in 0..<20 {
            let pieces = Self.cut(stream, maximum: Int.random(in: 1...400, using: &random), &random)
            let suspending = Bool.random(using: &random)
            #expect(HTTPDriver.run(pieces, suspending: suspending) == whole, "seed \(seed)")
        }
    }

    /// Nothing traps: good input with bytes changed, dropped, doubled, and nonsense of the same letters.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `spoilt input is answered the same in any split`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let sources = Self.goodStreams.map(HTTPDriver.bytes) + HostileRequest.all.map(\.bytes).filter { $0.count < 600 }
        for _ in 0..<200 {
            var bytes = sources.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let at = bytes.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes[at] = bytes.randomElement(using: &random)!
                case 2: bytes.remove(at: at)
                default: bytes.insert(contentsOf: bytes[at...].prefix(8), at: at)
                }
            }
            let whole = HTTPDriver.run([bytes[...]])
            let pieces = Self.cut(bytes, maximum: Int.random(in: 1...60, using: &random), &random)
            #expect(HTTPDriver.run(pieces, suspending: Bool.random(using: &random)) == whole, "seed \(seed) \(bytes)")
        }
    }

    /// With each of its bytes changed to any other: known in either case and in no other form, on both paths.
    @Test(
        arguments: [
            ("Host", .host), ("X-Concert-Token", .concertToken), ("Content-Length", .contentLength),
            ("Content-Type", .contentType), ("Connection", .connection), ("Authorization", .authorization),
        ] as [(String, HTTPHeaders.Known)]
    )
    func `a known name is told by every byte of it`(name: String, known: HTTPHeaders.Known) {
        let tokens = Set("!#$%&'*+-.^_`|~0123456789".utf8).union(UInt8(ascii: "a")...UInt8(ascii: "z"))
            .union(UInt8(ascii: "A")...UInt8(ascii: "Z"))
        for at in 0...name.utf8.count {
            for byte in UInt8.min ... .max {
                var line = Array("\(name): 0".utf8)
                line[at] = byte
                let colon = line.firstIndex(of: UInt8(ascii: ":"))
                let isValid = colon.map { $0 > 0 && line[..<$0].allSatisfy(tokens.contains) } ?? false
                let isSame = String(decoding: line, as: UTF8.self).lowercased() == "\(name.lowercased()): 0"
                for padding in ["", "X: 0123456789ABCDEF\r\n"] {
                    var parser = HTTPRequestParser()
                    let bytes = Array("GET / HTTP/1.0\r\n".utf8) + line + Array("\r\n\(padding)\r\n".utf8)
                    bytes.withUnsafeBytes { bytes in
                        parser.feed(bytes)
                        switch parser.next() {
                        case .request(let request):
                            #expect(isValid && (request[known] != nil) == isSame, "\(line) \(padding)")
                        case .refused: #expect(!isValid, "\(line) \(padding)")
                        case .continueExpected, .needsMore: Issue.record("neither read nor refused: \(line)")
                        }
                    }
                }
            }
        }
    }

    private static func cut(
        _ bytes: [UInt8],
        maximum: Int,
        _ random: inout SeededRandom
    ) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...maximum, using: &random))
            pieces.append(bytes[start..<end])
            start = end
        }
        return pieces
    }

    // MARK: Refusals

    @Test(arguments: HostileRequest.all)
    func `a hostile request gets its refusal, and nothing after it is read`(hostile: HostileRequest) {
        let refused = [Outcome.refused(status: hostile.status, code: hostile.code)]
        #expect(HTTPDriver.run([hostile.bytes[...]]) == refused)
        let more = HTTPDriver.bytes(Self.goodStreams[0])
        #expect(HTTPDriver.run([(hostile.bytes + more)[...], more[...]]) == refused)
    }

    @Test(arguments: [
        ("", [false]), ("\r\n", [true]), ("GET", [true]), ("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", [true, false]),
        ("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcG", [true, true]),
    ])
    func `it knows whether more has come behind a request`(rest: String, expected: [Bool]) {
        let bytes = HTTPDriver.bytes("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + rest)
        var found: [Bool] = []
        bytes.withUnsafeBytes {
            var parser = HTTPRequestParser()
            parser.feed($0)
            while case .request = parser.next() { found.append(parser.hasMore) }
            found.append(parser.hasMore)  // the request is not valid any more
        }
        #expect(found == expected + [false])
    }

    @Test func `the list of hostile requests is long, its names differ, and it meets every refusal`() {
        #expect(HostileRequest.all.count >= 120)
        #expect(Set(HostileRequest.all.map(\.name)).count == HostileRequest.all.count)
        #expect(Set(HostileRequest.all.map(\.code)) == Set(HTTPRefusal.allCases.map(\.code.description)))
    }

    // MARK: What is seen

    @Test func `a poll is seen with path, query, host and token`() {
        #expect(
            HTTPDriver.run(Self.goodStreams[1]) == [
                .request(
                    Outcome.Seen(
                        method: .get,
                        form: .origin,
                        path: "/api/v1/waiting",
                        query: "concertId=1",
                        host: "a.example:8080",
                        body: "",
                        connection: .keep,
                        headers: ["Host: a.example:8080", "X-Concert-Token: abc_-9", "Accept: */*"],
                        token: "abc_-9"
                    )
                )
            ]
        )
    }

    private func requests(_ stream: String) -> [Outcome.Seen] {
        HTTPDriver.run(stream).compactMap { if case .request(let seen) = $0 { seen } else { nil } }
    }

    @Test func `an absolute target gives its own host, and an empty path is a slash`() {
        let seen = self.requests(Self.goodStreams[5...7].joined())
        #expect(seen.map(\.host) == ["b.example", "b:443", "b"])
        #expect(seen.map(\.path) == ["/p", "/", "/"])
        #expect(seen.map(\.query) == ["q=1", "q", ""])
        #expect(seen.allSatisfy { $0.form == .absolute })
    }

    @Test func `CONNECT is handed to the router, and the bytes after it are not read`() {
        let seen = self.requests(Self.goodStreams[8])
        #expect(seen.map(\.form) == [.authority])
        #expect(seen.map(\.host) == ["a.example:443"])
        #expect(seen.map(\.connection) == [.close])
    }

    @Test func `HTTP 1.0 closes unless it asks to keep`() {
        let seen = self.requests(Self.goodStreams[10])
        #expect(seen.map(\.path) == ["/", "/b"])
        #expect(seen.map(\.connection) == [.keepAliveExplicit, .close])
    }

    @Test func `close in any Connection line wins, and what follows is not read`() {
        #expect(self.requests(Self.goodStreams[12]).map(\.connection) == [.close])
        #expect(self.requests(Self.goodStreams[13]).map(\.connection) == [.close])
    }

    @Test func `a request that waits is told to go on before its body`() {
        let outcomes = HTTPDriver.run(Self.goodStreams[18])
        #expect(outcomes.count == 3)
        #expect(outcomes.first == .continueExpected)
        #expect(self.requests(Self.goodStreams[18]).map(\.body) == ["abc", ""])
        #expect(HTTPDriver.run(Self.goodStreams[19]).count == 1, "no body, nothing to wait for")
        #expect(HTTPDriver.run(Self.goodStreams[20]).count == 1, "HTTP/1.0 can't mean it")
    }

    @Test func `chunks are put together, extensions and trailers are dropped`() {
        #expect(self.requests(Self.goodStreams[22]).map(\.body) == ["abc0123456789", ""])
        let seen = self.requests(Self.goodStreams[23])
        #expect(seen.map(\.body) == ["abc", ""])
        #expect(seen[0].headers == ["Host: a", "Expect: 100-continue", "Transfer-Encoding: chunked"])
    }

    @Test func `values lose the spaces around them only`() {
        let headers = self.requests(Self.goodStreams[25])[0].headers
        #expect(
            headers == [
                "Host: a", "Empty: ", "Spaces: ", "Inner: a \t b", "Latin: \u{E9}\u{FF}", "!#$%&'*+-.^_`|~: odd",
            ]
        )
    }

    @Test func `of a list header in several lines the last is found`() {
        var parser = HTTPRequestParser()
        let bytes = HTTPDriver.bytes(Self.goodStreams[27])
        bytes.withUnsafeBytes { buffer in
            parser.feed(buffer)
            guard case .request(let request) = parser.next() else { return #expect(Bool(false), "no request") }
            #expect(request[.forwardedFor]?.text == "2")
            #expect(request[.authorization] == nil)
            #expect(request.headers.count == 3)
        }
    }

    // MARK: Limits

    @Test func `as much as the limits say is taken, and not a byte more`() {
        var limits = HTTPLimits()
        limits.targetBytesMax = 4
        limits.headerBytesMax = 20
        limits.headerCountMax = 2
        limits.bodyBytesMax = 3
        limits.chunkExtensionBytesMax = 2
        limits.emptyLinesMax = 1
        func codes(_ stream: String) -> [String] {
            HTTPDriver.run(stream, limits: limits).map { if case .refused(_, let code) = $0 { code } else { "ok" } }
        }
        #expect(codes("\r\nGET /abc HTTP/1.1\r\nHost: a\r\n\r\n") == ["ok"])
        #expect(codes("\r\n\r\nGET /abc HTTP/1.1\r\nHost: a\r\n\r\n") == ["TOO_MANY_EMPTY_LINES"])
        #expect(codes("GET /abcd HTTP/1.1\r\nHost: a\r\n\r\n") == ["TARGET_TOO_LONG"])
        #expect(codes("GET / HTTP/1.1\r\nHost: a\r\nX: 3456\r\n\r\n") == ["ok"])
        #expect(codes("GET / HTTP/1.1\r\nHost: a\r\nX: 34567\r\n\r\n") == ["HEADERS_TOO_LARGE"])
        #expect(codes("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY:\r\n\r\n") == ["HEADERS_TOO_MANY"])
        limits.headerBytesMax = 60
        #expect(codes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc") == ["ok"])
        #expect(codes("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n") == ["BODY_TOO_LARGE"])
        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(codes(chunked + "1;\r\na\r\n2;\r\nbc\r\n0\r\n\r\n") == ["ok"])
        #expect(codes(chunked + "1;\r\na\r\n2;\r\nbc\r\n0;\r\n\r\n") == ["CHUNK_EXTENSION_TOO_LONG"])
        #expect(codes(chunked + "1\r\na\r\n3\r\n") == ["BODY_TOO_LARGE"])
    }

    @Test func `the phase follows the request, for the shell's time limits`() {
        var parser = HTTPRequestParser()
        func phase(after text: String) -> HTTPRequestParser.Phase {
            let bytes = HTTPDriver.bytes(text)
            return bytes.withUnsafeBytes { buffer in
                parser.feed(buffer)
                while true { if case .needsMore = parser.next() { return parser.phase } }
            }
        }
        #expect(parser.phase == .idle)
        #expect(phase(after: "\r\n") == .idle)
        #expect(phase(after: "PO") == .head)
        #expect(phase(after: "ST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n") == .head)
        #expect(phase(after: "\r\n") == .body)
        #expect(phase(after: "a") == .body)
        #expect(phase(after: "b") == .idle)
        #expect(phase(after: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") == .finished)
    }

    @Test func `each refusal has its own code and an error status`() {
        let refusals = HTTPRefusal.allCases
        #expect(Set(refusals.map(\.code.description)).count == refusals.count)
        for refusal in refusals {
            #expect((400...599).contains(refusal.status.rawValue))
            #expect(refusal.reason.description.hasSuffix("."))
        }
    }
}
