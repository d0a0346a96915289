import Testing

/// What all calls have in common: methods, languages, caching, connections.
extension ContractTests {
    static let paths: [(path: String, allow: String)] = [
        ("/api/v1/waiting", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("/api/v1/reservation", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("/api/v1/concerts", "GET, HEAD, OPTIONS"), ("/api/v1/concert/schedules", "GET, HEAD, OPTIONS"),
        ("/api/v1/concert/seats", "GET, HEAD, OPTIONS"), ("/api/v1/point", "GET, HEAD, OPTIONS"),
        ("/api/v1/point-history", "GET, HEAD, OPTIONS"), ("/api/v1/payment", "POST, OPTIONS"),
        ("/api/v1/reservation/cancel", "POST, OPTIONS"),
        ("/api/v1/point/charge", "POST, OPTIONS"), ("/api/v1/point/use", "POST, OPTIONS"),
    ]

    @Test(arguments: Self.paths)
    func `other methods are refused with those allowed, and OPTIONS tells them`(path: String, allow: String) throws {
        let client = try BookingClient.keeping(port: Self.cluster.port)
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE"] where !allow.contains(method) {
            let answer = try client.call(method, path)
            #expect(answer.status == 405 && answer["Allow"] == allow, "\(method) \(answer)")
            if method != "HEAD" { #expect(answer.code == "METHOD_NOT_ALLOWED") }
        }
        let options = try client.call("OPTIONS", path)
        #expect(options.status == 204 && options["Allow"] == allow && options["Content-Length"] == nil)
        #expect(try client.call("OPTIONS", "*").status == 204)
    }

    @Test(arguments: [
        "/", "/api/v1", "/api/v1/waiting/", "/api/v1/Waiting", "//api/v1/waiting", "/api/v1/./waiting",
        "/api/v1/%77aiting", "/api/v1/point/", "/api/v1/waiting%00", "/stats", "/readyz", "/api/v2/waiting",
    ])
    func `a path that is none is not found`(path: String) throws {
        Self.expect(try Self.client.call("GET", path), 404, "NOT_FOUND", "존재하지 않는 경로입니다.")
        Self.expect(try Self.client.call("POST", path, body: "{}"), 404, "NOT_FOUND")
    }

    @Test func `HEAD gives the head of GET, and no body`() throws {
        let token = try Self.client.enter(1, 4_000)
        let targets = [
            "/api/v1/concerts", "/api/v1/concert/seats?concertId=1&concertScheduleId=200", "/api/v1/point?userId=4001",
            "/api/v1/point-history?userId=4001", "/api/v1/waiting?concertId=1",
            "/api/v1/reservation?concertId=1&userId=4001",
            "/api/v1/concert/seats", "/api/v1/nothing",
        ]
        let client = try BookingClient.keeping(port: Self.cluster.port)
        for target in targets {
            let get = try client.call("GET", target, token: token)
            let head = try client.call("HEAD", target, token: token)
            #expect(head.status == get.status && head.body.isEmpty)
            #expect(head["Content-Length"] == "\(get.body.count)", "\(target)")
            #expect(head.headers.map(\.name) == get.headers.map(\.name))
        }
    }

    @Test func `messages are English for those who like it better`() throws {
        func message(_ languages: String?) throws -> String? {
            let headers = languages.map { ["Accept-Language: \($0)"] } ?? []
            return try Self.client.call("POST", "/api/v1/point/charge?userId=1&amount=0", headers).message
        }
        let (korean, english) = ("0 이하의 금액을 충전할 수 없습니다.", "amount must be at least 1.")
        for languages in [nil, "ko", "fr", "", "*", "ko-KR,ko;q=0.9,en;q=0.8", "en;q=0.1, ko;q=0.2", "en;q=0"] {
            #expect(try message(languages) == korean, "\(languages ?? "none")")
        }
        for languages in ["en", "en-US,en;q=0.9", "EN", "fr, en;q=0.5", "ko;q=0.1,en;q=0.2", "en ; q=1"] {
            #expect(try message(languages) == english, "\(languages)")
        }
        let gone = try Self.client.call("GET", "/api/v1/waiting?concertId=1", token: "x", ["Accept-Language: en"])
        #expect(gone.message == "There is no token tokenId=x. Join the line again with POST /api/v1/waiting.")
        #expect(try Self.client.call("GET", "/nothing", ["Accept-Language: en"]).message?.hasPrefix("There is") == true)
    }

    @Test(arguments: ["/api/v1/concerts", "/api/v1/concert/schedules?concertId=5"])
    func `answers that may be cached have a tag, and 304 for those who have them`(target: String) throws {
        let first = try Self.client.call("GET", target)
        let tag = try #require(first["ETag"])
        #expect(first["Cache-Control"] == "public, max-age=1")
        // The seats of concert 5 are nobody's here, so that the list never changes.
        for sent in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
            let known = try Self.client.call("GET", target, ["If-None-Match: \(sent)"])
            #expect(known.status == 304 && known["ETag"] == tag && known["Cache-Control"] == "public, max-age=1")
        }
        for sent in ["\"x\"", "", tag.replacing("\"", with: "")] {
            let answer = try Self.client.call("GET", target, ["If-None-Match: \(sent)"])
            #expect(answer.status == 200 && answer.body == first.body, "\(sent)")
        }
    }

    @Test func `a connection is kept by default, and closed when that is asked for`() throws {
        let kept = try TestConnection(port: Self.cluster.port)
        for _ in 0..<3 {
            try kept.send(BookingClient.request("GET", "/api/v1/point?userId=1"))
            let answer = try kept.answer()
            #expect(answer.status == 200 && answer["Connection"] == nil)
            #expect(answer["Date"]?.hasSuffix(" GMT") == true)
        }
        try kept.send(BookingClient.request("GET", "/api/v1/point?userId=1", ["Connection: close"]))
        #expect(try kept.answer().closes)
        #expect(try kept.endsClean())

        let old = try TestConnection(port: Self.cluster.port)
        try old.send("GET /api/v1/point?userId=1 HTTP/1.0\r\n\r\n")
        #expect(try old.answer().closes)
        #expect(try old.endsClean())

        let oldKept = try TestConnection(port: Self.cluster.port)
        for _ in 0..<2 {
            try oldKept.send("GET /api/v1/point?userId=1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            #expect(try oldKept.answer()["Connection"] == "keep-alive")
        }
    }

    @Test func `an absolute target is served like its path`() throws {
        let connection = try TestConnection(port: Self.cluster.port)
        try connection.send("GET http://tickets.example/api/v1/point?userId=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try connection.answer().status == 200)
    }

    @Test func `a whole booking, over one connection and over many`() throws {
        for (client, user) in [(Self.client, 4_100), (try BookingClient.keeping(port: Self.cluster.port), 4_101)] {
            #expect(try client.schedules(6).json.list.count == 240)
            let token = try client.enter(6, user)
            let ids = try client.reserve(6, 1_201, [user - 4_099], token).json.eachWhole("reservationId")
            #expect(try client.charge(user, 170_000).status == 200)
            #expect(try client.history(user, "&transactionType=CHARGE").json.list.count == 1)
            #expect(try client.pay(6, ids, token).json["pointBalance"] == 0)
            #expect(try client.reservations(6, user).json.each("reservationStatus") == ["SUCCESS"])
        }
    }
}
