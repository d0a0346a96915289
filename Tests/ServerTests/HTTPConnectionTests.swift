import Testing

/// How connections behave, with a gateway of generous timeouts: pipelining, splits, half-closed and dying clients.
@Suite(.cluster("--shards", "4")) struct HTTPConnectionTests {
    private var port: Int { ServedCluster.shared.port }

    /// A question whose answer names `user`, and whose shard is that of the user.
    private static func question(_ user: Int) -> String { BookingClient.request("GET", "/api/v1/point?userId=\(user)") }

    private static func expect(_ connection: TestConnection, answers users: some Sequence<Int>) throws {
        for user in users {
            let answer = try connection.answer()
            guard answer.json["userId"] == .whole(Int64(user)) else {
                Issue.record("instead of the answer to \(user): \(answer)")
                return
            }
        }
    }

    /// The gateway has read all that was sent before: it has answered something sent later, elsewhere.
    private func barrier() throws { _ = try ServedCluster.shared.client.balance(1) }

    // MARK: Pipelining

    @Test func `answers come in the order of requests, whichever shard is faster`() throws {
        let connection = try TestConnection(port: self.port)
        // Some are answered by the gateway itself, at once; some by the shards; some are refused.
        let requests: [(String, status: Int)] = (1...400).map { number in
            switch number % 7 {
            case 0: (BookingClient.request("GET", "/api/v1/concerts"), 200)
            case 1: (BookingClient.request("GET", "/nothing"), 404)
            case 2: (BookingClient.request("PUT", "/api/v1/payment"), 405)
            case 3: (BookingClient.request("GET", "/api/v1/concert/schedules?concertId=\(number % 8 + 1)"), 200)
            case 4: (BookingClient.request("POST", "/api/v1/point/use?userId=\(number)&amount=1"), 400)
            default: (Self.question(number), 200)
            }
        }
        try connection.send(requests.map(\.0).joined())
        for (number, request) in zip(1..., requests) {
            let answer = try connection.answer()
            #expect(answer.status == request.status, "\(number): \(answer)")
            if number % 7 > 4 { #expect(answer.json["userId"] == .whole(Int64(number)), "\(number)") }
        }
    }

    @Test func `reading pauses with 64 requests unanswered, and goes on`() throws {
        let connection = try TestConnection(port: self.port)
        let users = 1...5_000
        try connection.sendWhileReading(Array(users.map(Self.question).joined().utf8))
        try Self.expect(connection, answers: users)
    }

    @Test func `a client that reads late gets every answer`() throws {
        // Answers of 13 kB: far more than the gateway keeps, so it has to stop reading, and go on.
        let connection = try TestConnection(port: self.port, receiveBuffer: 4_096)
        let request = BookingClient.request("GET", "/api/v1/concert/schedules?concertId=7")
        try connection.send(String(repeating: request, count: 300) + Self.question(9))
        try self.barrier()
        let first = try connection.answer()
        #expect(first.json.list.count == 240)
        for _ in 1..<300 { #expect(try connection.answer().body == first.body) }
        try Self.expect(connection, answers: [9])
    }

    @Test func `nothing is read after a request that asks to close`() throws {
        let connection = try TestConnection(port: self.port)
        let last = BookingClient.request("GET", "/api/v1/point?userId=3", ["Connection: close"])
        try connection.send(Self.question(1) + Self.question(2) + last + Self.question(4))
        try Self.expect(connection, answers: 1...3)
        #expect(try connection.endsClean())
    }

    @Test func `a refusal waits for the answers before it`() throws {
        let connection = try TestConnection(port: self.port)
        try connection.send((1...40).map(Self.question).joined() + "BREW / HTTP/1.1\r\n\r\n" + Self.question(41))
        try Self.expect(connection, answers: 1...40)
        #expect(try connection.answer().code == "METHOD_UNKNOWN")
        #expect(try connection.endsClean())
    }

    // MARK: Splits

    @Test func `a request that drips in byte by byte is read`() throws {
        let connection = try TestConnection(port: self.port)
        let body = #"{"concertId":1,"userId":71}"#
        for byte in Array(BookingClient.request("POST", "/api/v1/waiting", body: body).utf8) {
            try connection.send([byte])
        }
        try Self.expect(connection, answers: [71])
    }

    @Test(arguments: [
        BookingClient.request("POST", "/api/v1/waiting", body: #"{"concertId":1,"userId":72}"#),
        BookingClient.request("POST", "/api/v1/waiting", ["Transfer-Encoding: chunked"])
            + "A;x=y\r\n{\"concertI\r\n11\r\nd\":1,\"userId\":72}\r\n0\r\nTrailer: z\r\n\r\n",
        BookingClient.request(
            "GET",
            "/api/v1/point?userId=72",
            ["Accept-Language: en", "X-Long: \(String(repeating: "a", count: 40))"]
        ),
    ])
    func `a request may be cut anywhere`(request: String) throws {
        let bytes = Array(request.utf8)
        let connection = try TestConnection(port: self.port)
        let other = try BookingClient.keeping(port: self.port)
        for cut in 1..<bytes.count {
            try connection.send(Array(bytes[..<cut]))
            _ = try other.balance(1)
            try connection.send(Array(bytes[cut...]))
            try Self.expect(connection, answers: [72])
        }
    }

    // MARK: Expect: 100-continue

    private static let waiting = #"{"concertId":1,"userId":73}"#
    private static let expecting =
        BookingClient.request(
            "POST",
            "/api/v1/waiting",
            ["Content-Length: \(waiting.utf8.count)", "Expect: 100-continue"]
        )

    @Test func `who waits for 100 gets it, then the answer`() throws {
        let connection = try TestConnection(port: self.port)
        for _ in 0..<2 {
            try connection.send(Self.expecting)
            let interim = try connection.answer()
            #expect(interim.status == 100 && interim.headers.isEmpty)
            try connection.send(Self.waiting)
            try Self.expect(connection, answers: [73])
        }
    }

    @Test func `100 comes behind the answers to requests before it`() throws {
        let connection = try TestConnection(port: self.port)
        try connection.send((1...10).map(Self.question).joined() + Self.expecting)
        try Self.expect(connection, answers: 1...10)
        #expect(try connection.answer().status == 100)
        try connection.send(Self.waiting)
        try Self.expect(connection, answers: [73])
    }

    @Test func `who does not wait for 100 need not get it`() throws {
        let connection = try TestConnection(port: self.port)
        try connection.send(Self.expecting + Self.waiting)
        try Self.expect(connection, answers: [73])
    }

    @Test func `a body that is too large is refused before it is sent`() throws {
        let connection = try TestConnection(port: self.port)
        try connection.send(
            BookingClient.request("POST", "/api/v1/waiting", ["Content-Length: 70000", "Expect: 100-continue"])
        )
        #expect(try connection.answer().code == "BODY_TOO_LARGE")
        #expect(try connection.endsClean())
    }

    // MARK: Clients that end

    @Test func `a client that has ended its side gets all its answers, then the end`() throws {
        for count in [1, 64, 65, 300] {
            let connection = try TestConnection(port: self.port)
            try connection.send((1...count).map(Self.question).joined())
            connection.closeWriting()
            try Self.expect(connection, answers: 1...count)
            #expect(try connection.endsClean())
        }
    }

    @Test(arguments: [
        "", "GET", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
    ])
    func `a request that is cut off by the client's end is dropped`(rest: String) throws {
        let connection = try TestConnection(port: self.port)
        try connection.send(Self.question(5) + rest)
        connection.closeWriting()
        try Self.expect(connection, answers: [5])
        #expect(try connection.endsClean())
    }

    @Test func `clients that reset, with requests under way or without, harm nobody`() throws {
        let steady = try BookingClient.keeping(port: self.port)
        for round in 0..<300 {
            let connection = try TestConnection(port: self.port)
            switch round % 4 {
            case 0: break
            case 1: try connection.send("GET / HT")
            case 2: try connection.send((1...100).map(Self.question).joined())
            default:
                try connection.send(
                    BookingClient.request("POST", "/api/v1/point/charge?userId=\(80_000 + round)&amount=1")
                )
            }
            connection.reset()
            if round % 50 == 0 { #expect(try steady.balance(round + 1).status == 200) }
        }
        #expect(try steady.balance(7).status == 200)
    }

    @Test func `a refused client that sends on gets its refusal all the same`() throws {
        for _ in 0..<20 {
            let connection = try TestConnection(port: self.port)
            // More than what the kernel would take in after a close without a reset.
            try connection.send("BREW / HTTP/1.1\r\n" + String(repeating: "x", count: 60_000))
            #expect(try connection.answer().code == "METHOD_UNKNOWN")
        }
    }
}
