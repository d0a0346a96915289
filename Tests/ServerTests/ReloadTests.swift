import Foundation
import Glibc
import Logging
import Testing

@testable import Configuration

@Suite struct ReloadedTests {
    @Test func `live settings are taken over, others named`() {
        let running = ServerConfiguration()
        var read = running
        read.gateway.idleTimeoutSeconds = 5
        read.log.level = "debug"
        read.gateway.port = 1
        read.booking.holdTimeSeconds = 7
        let reloaded = Reloaded(running: running, read: read)
        #expect(reloaded.changed == ["gateway.idleTimeoutSeconds=5", "log.level=debug"])
        #expect(reloaded.waiting == ["gateway.port", "booking.holdTimeSeconds"])
        #expect(
            reloaded.text == "Changed: gateway.idleTimeoutSeconds=5, log.level=debug. "
                + "Needs a restart: gateway.port, booking.holdTimeSeconds."
        )
        var expected = running
        expected.gateway.idleTimeoutSeconds = 5
        expected.log.level = "debug"
        #expect(reloaded.configuration == expected)

        var withPorts = running
        withPorts.gateway.port = 4_711
        reloaded.apply(to: &withPorts)
        expected.gateway.port = 4_711
        #expect(withPorts == expected)
    }

    @Test func `nothing new is said to be nothing`() {
        let reloaded = Reloaded(running: ServerConfiguration(), read: ServerConfiguration())
        #expect(reloaded.text == "No setting that can change now has changed.")
        #expect(reloaded.words == ["changed": "nothing"])
    }

    @Test func `a logger of the process goes over to another level, one with its own does not`() {
        var log = ServerConfiguration.Log()
        let own = Logs(label: "own", level: .error, format: .text)
        let shared = Logger(label: "shared") { _ in Logs(label: "shared", level: nil, format: .text) }
        log.level = "critical"
        Logs.use(log)
        #expect(shared.logLevel == .critical && own.logLevel == .error)
        log.level = "info"
        Logs.use(log)
        #expect(shared.logLevel == .info && own.logLevel == .error)
    }
}

/// A running cluster is told to read its settings again.
@Suite struct ReloadTests {
    @Test func `it takes over what is live, says what needs a restart, and a mistake changes nothing`() throws {
        let file = "/tmp/usher-c\(UInt32.random(in: 0 ... .max)).json"
        func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write(#"{"gateway": {"bodyBytesMax": 2048}}"#)
        let cluster = try TestCluster(arguments: ["--config", file])
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        let body = "{\(String(repeating: " ", count: 3_000))"
        #expect(try client.call("POST", "/api/v1/waiting", body: body).status == 413)

        // By the signal.
        try write(#"{"gateway": {"bodyBytesMax": 4096}, "booking": {"maxActive": 7}, "log": {"level": "debug"}}"#)
        cluster.signal(SIGHUP)
        try TestCluster.eventually("it says what it did") {
            cluster.errorText.contains(
                "changed=\"gateway.bodyBytesMax=4096, log.level=debug\" needs_restart=booking.maxActive"
            )
        }
        try TestCluster.eventually("the gateway has taken it over") {
            try client.call("POST", "/api/v1/waiting", body: body).status == 400
        }
        let limits = try client.call("GET", "/openapi.json").json["x-limits"]
        #expect(limits["gateway.bodyBytesMax"]["value"] == 4_096)
        try TestCluster.eventually("a shard has, too") {
            cluster.errorText.contains("debug shard 0: settings reloaded")
        }

        // A mistake, by the command.
        try write(#"{"gateway": {"bodyBytesMax": 1, "prot": 2}}"#)
        let refused = try UsherCommand.run("reload", cluster.state)
        #expect(refused.status == 1)
        for part in ["gateway.bodyBytesMax is 1, which is out of range", "there is no setting gateway.prot"] {
            #expect(refused.errors.contains(part), "\(refused.errors)")
            try TestCluster.eventually("the log has it as well") { cluster.errorText.contains(part) }
        }
        #expect(try client.call("POST", "/api/v1/waiting", body: body).status == 400)

        // Who starts later has it as well.
        try write(#"{"gateway": {"bodyBytesMax": 2048}}"#)
        let done = try UsherCommand.run("reload", cluster.state)
        #expect(done.status == 0)
        #expect(done.output == "Changed: gateway.bodyBytesMax=2048, log.level=info.\n")
        let before = try cluster.file().gateways
        kill(before[0], SIGKILL)
        try TestCluster.eventually("the next gateway answers by it") {
            guard try cluster.file().gateways != before else { return false }
            return try client.call("POST", "/api/v1/waiting", body: body).status == 413
        }
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a cluster that is not there can't be told`() throws {
        let state = TestCluster.freshState()
        for command in ["reload", "restart"] {
            let tool = try UsherCommand.run(command, state, "--rolling")
            #expect(tool.status != 0)
        }
        let tool = try UsherCommand.run("reload", state)
        #expect(tool.status == 1)
        #expect(tool.errors.hasPrefix("Error: no cluster is up in \(state.path)"), "\(tool.errors)")
    }

    /// Connections that are there already, too. Rates are of one a second, so that a slow machine sees them as well.
    @Test func `limits by address and by user change while clients are connected`() throws {
        let file = "/tmp/usher-c\(UInt32.random(in: 0 ... .max)).json"
        func write(_ gateway: String) throws {
            try #"{"gateway": {\#(gateway)}}"#.write(toFile: file, atomically: true, encoding: .utf8)
        }
        defer { try? FileManager.default.removeItem(atPath: file) }
        let none =
            #""trustedAddresses": "", "connectionsPerAddressMax": 0, "requestsPerAddressPerSecond": 0, "#
            + #""requestsPerUserPerSecond": 0"#
        try write(none)
        let cluster = try TestCluster(arguments: ["--config", file])
        try cluster.waitUntilUp()
        let port = try cluster.file().port
        func ask(_ connection: TestConnection, _ target: String = "/api/v1/concerts") throws -> Answer {
            try connection.send(BookingClient.request("GET", target))
            return try connection.answer()
        }
        func passes(_ connection: TestConnection, _ count: Int, _ target: String = "/api/v1/concerts") throws -> Int {
            try (0..<count).count { _ in try ask(connection, target).status == 200 }
        }
        let first = try TestConnection(port: port, host: 30)
        #expect(try passes(first, 200) == 200)

        // Fewer than may come at once, by address.
        try write(
            #""trustedAddresses": "127.0.0.99", "connectionsPerAddressMax": 2, "requestsPerAddressPerSecond": 1, "#
                + #""requestsPerAddressBurst": 5, "requestsPerUserPerSecond": 0"#
        )
        #expect(try UsherCommand.run("reload", cluster.state).status == 0)
        try TestCluster.eventually("a connection that was there is counted") {
            try ask(first).code == "TOO_MANY_REQUESTS"
        }
        let others = try (0..<2).map { _ in try TestConnection(port: port, host: 31) }
        for other in others { #expect(try ask(other).status == 200) }
        #expect(try TestConnection(port: port, host: 31).answer().code == "TOO_MANY_CONNECTIONS_OF_ADDRESS")
        let trusted = try (0..<3).map { _ in try TestConnection(port: port, host: 99) }
        for connection in trusted { #expect(try passes(connection, 20) == 20) }

        // What is wrong changes nothing.
        try write(#""trustedAddresses": "127.0.0.0/8, nowhere", "requestsPerAddressPerSecond": 0"#)
        let refused = try UsherCommand.run("reload", cluster.state)
        #expect(refused.status == 1 && refused.errors.contains("nowhere"), "\(refused.errors)")
        #expect(try passes(first, 50) < 50)
        #expect(try TestConnection(port: port, host: 31).answer().code == "TOO_MANY_CONNECTIONS_OF_ADDRESS")

        // By user, and with an end for each connection.
        try write(
            #""trustedAddresses": "", "connectionsPerAddressMax": 0, "requestsPerAddressPerSecond": 0, "#
                + #""requestsPerUserPerSecond": 1, "requestsPerUserBurst": 3"#
        )
        #expect(try UsherCommand.run("reload", cluster.state).status == 0)
        try TestCluster.eventually("a user is counted") {
            try ask(first, "/api/v1/point?userId=7").code == "TOO_MANY_REQUESTS_OF_USER"
        }
        #expect(try passes(first, 50) == 50)
        _ = try (0..<3).map { _ in try ask(try TestConnection(port: port, host: 31)) }

        try write(none + #", "requestsPerConnectionMax": 10"#)
        #expect(try UsherCommand.run("reload", cluster.state).status == 0)
        try TestCluster.eventually("a connection that has brought more is closed") { try ask(first).closes }
        let last = try TestConnection(port: port, host: 30)
        let answers = try (0..<10).map { _ in try ask(last, "/api/v1/point?userId=7") }
        #expect(
            answers.allSatisfy { $0.status == 200 }
                && answers.map(\.closes) == Array(repeating: false, count: 9) + [true]
        )
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}
