import Testing

@testable import Statistics

/// Behind proxies on 127.0.0.1, of clients that each have twenty requests and then one a second.
enum ProxiedClients {
    /// The settings, but which word counts.
    static let limits: [String] = [
        "--shards", "1", "--set", "gateway.requestsPerAddressPerSecond=1", "--set",
        "gateway.requestsPerAddressBurst=20", "--set", "gateway.trustedAddresses=127.0.0.1, 10.0.0.0/8", "--set",
        "gateway.connectionsPerAddressMax=5",
    ]

    static func refusals() throws -> GatewayStats.Refusals {
        try #require(try ServedCluster.shared.stats().gateways.first).refusals
    }

    /// Asks up to `count` times; how many passed before one was answered 429.
    static func ask(_ count: Int, on connection: TestConnection, _ headers: [String] = []) throws -> Int {
        for passed in 0..<count {
            try connection.send(BookingClient.request("GET", "/api/v1/concerts", headers))
            let answer = try connection.answer()
            guard answer.status == 200 else {
                #expect(answer.code == "TOO_MANY_REQUESTS", "\(answer)")
                return passed
            }
        }
        return count
    }
}

@Suite(.cluster(ProxiedClients.limits + ["--set", "gateway.clientAddress=proxy"])) struct ProxyProtocolTests {
    private var port: Int { ServedCluster.shared.port }

    private func connect(_ header: String, host: UInt8 = 1) throws -> TestConnection {
        let connection = try TestConnection(port: self.port, host: host)
        try connection.send(header)
        return connection
    }

    private func line(_ client: String) -> String { "PROXY TCP4 \(client) 127.0.0.1 56324 443\r\n" }

    @Test func `the client counts, not the proxy`() throws {
        #expect(try ProxiedClients.ask(1_000, on: try self.connect(self.line("192.0.2.1"))) < 1_000)
        #expect(try ProxiedClients.ask(20, on: try self.connect(self.line("192.0.2.2"))) == 20)
        // A client whose address is trusted is left alone, and so is a proxy that speaks for itself.
        #expect(try ProxiedClients.ask(100, on: try self.connect(self.line("10.0.0.1"))) == 100)
        #expect(try ProxiedClients.ask(100, on: try self.connect("PROXY UNKNOWN\r\n")) == 100)
    }

    @Test func `version 2 counts as well, in any pieces`() throws {
        let header: [UInt8] =
            [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 12]
            + [192, 0, 2, 3, 127, 0, 0, 1, 0xDC, 0x04, 0x01, 0xBB]
        let connection = try TestConnection(port: self.port)
        for byte in header { try connection.send([byte]) }
        #expect(try ProxiedClients.ask(1_000, on: connection) < 1_000)
        #expect(try ProxiedClients.ask(1, on: try self.connect(self.line("192.0.2.3"))) == 0)
        let local = try TestConnection(port: self.port)
        try local.send([13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x20, 0, 0, 0])
        #expect(try ProxiedClients.ask(100, on: local) == 100)
    }

    @Test(arguments: [
        "GET /api/v1/concerts HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY TCP4 192.0.2.1\r\n",
        "PROXY TCP9 192.0.2.1 1.2.3.4 1 2\r\n", "\0",
    ])
    func `a proxy's connection without its header is closed without a word`(start: String) throws {
        let before = try ProxiedClients.refusals().proxyHeaders
        let connection = try self.connect(start)
        #expect(try connection.drain() == 0)
        #expect(try ProxiedClients.refusals().proxyHeaders > before)
    }

    @Test func `who is no proxy of ours can't say who it is`() throws {
        #expect(try ProxiedClients.ask(20, on: try TestConnection(port: self.port, host: 9)) == 20)
        let liar = try self.connect(self.line("192.0.2.99"), host: 9)
        #expect(try liar.answer().code == "METHOD_UNKNOWN")
    }

    @Test func `a client's connections count over all its proxy brings`() throws {
        let connections = try (0..<5).map { _ in try self.connect(self.line("192.0.2.50")) }
        for connection in connections { #expect(try ProxiedClients.ask(1, on: connection) == 1) }
        let refused = try self.connect(self.line("192.0.2.50") + BookingClient.request("GET", "/api/v1/concerts"))
        let answer = try refused.answer()
        ContractTests.expect(answer, 429, "TOO_MANY_CONNECTIONS_OF_ADDRESS")
        refused.closeWriting()
        #expect(try refused.endsClean())
        #expect(try ProxiedClients.ask(1, on: try self.connect(self.line("192.0.2.51"))) == 1)
        for connection in connections { connection.close() }
        try TestCluster.eventually("there is room again") {
            let connection = try self.connect(self.line("192.0.2.50"))
            try connection.send(BookingClient.request("GET", "/api/v1/concerts"))
            return try connection.answer().code != "TOO_MANY_CONNECTIONS_OF_ADDRESS"
        }
    }
}

@Suite(.cluster(ProxiedClients.limits + ["--set", "gateway.clientAddress=x-forwarded-for"]))
struct ForwardedForServerTests {
    private var port: Int { ServedCluster.shared.port }

    @Test func `each request on a proxy's connection is its client's`() throws {
        let proxy = try TestConnection(port: self.port)
        #expect(try ProxiedClients.ask(1_000, on: proxy, ["X-Forwarded-For: 192.0.2.1"]) < 1_000)
        #expect(try ProxiedClients.ask(20, on: proxy, ["X-Forwarded-For: 192.0.2.2, 10.0.0.1"]) == 20)
        // What the client itself sent stands left of what the proxy wrote.
        #expect(try ProxiedClients.ask(1, on: proxy, ["X-Forwarded-For: 198.51.100.1, 192.0.2.1"]) == 0)
        // Nor does the other header count.
        #expect(try ProxiedClients.ask(1, on: proxy, ["Forwarded: for=192.0.2.77", "X-Forwarded-For: 192.0.2.1"]) == 0)
        #expect(try ProxiedClients.ask(100, on: proxy) == 100)
    }

    @Test func `who is no proxy of ours can't say who it is`() throws {
        let liar = try TestConnection(port: self.port, host: 9)
        var passed = 0
        while passed < 1_000 {
            guard try ProxiedClients.ask(1, on: liar, ["X-Forwarded-For: 192.0.3.\(passed % 250)"]) == 1 else { break }
            passed += 1
        }
        #expect(passed < 1_000)
    }
}

@Suite(.cluster(ProxiedClients.limits + ["--set", "gateway.clientAddress=forwarded"])) struct ForwardedServerTests {
    private var port: Int { ServedCluster.shared.port }

    @Test func `each request on a proxy's connection is its client's`() throws {
        let proxy = try TestConnection(port: self.port)
        #expect(try ProxiedClients.ask(1_000, on: proxy, ["Forwarded: for=\"192.0.2.1:4711\";proto=https"]) < 1_000)
        #expect(try ProxiedClients.ask(20, on: proxy, ["Forwarded: for=\"[2001:db8::1]\""]) == 20)
        // All of a client's /64 is one client.
        #expect(try ProxiedClients.ask(1_000, on: proxy, ["Forwarded: for=\"[2001:db8::ffff]\""]) < 20)
        #expect(try ProxiedClients.ask(1, on: proxy, ["X-Forwarded-For: 192.0.2.77", "Forwarded: for=192.0.2.1"]) == 0)
    }

    @Test func `a header that can't be read is refused, and the connection lives on`() throws {
        let before = try ProxiedClients.refusals().forwardedHeaders
        let proxy = try TestConnection(port: self.port)
        try proxy.send(BookingClient.request("GET", "/api/v1/concerts", ["Forwarded: for=\", for=192.0.2.1"]))
        let answer = try proxy.answer()
        ContractTests.expect(answer, 400, "FORWARDED_INVALID", "Forwarded 헤더 값이 올바르지 않습니다.")
        #expect(!answer.closes)
        #expect(try ProxiedClients.ask(1, on: proxy) == 1)
        #expect(try ProxiedClients.refusals().forwardedHeaders > before)
    }
}
