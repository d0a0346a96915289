import Booking
import Foundation
import Glibc
import Reactor
import TestSupport
import Testing
import Wire

@testable import Configuration

/// Who may use the operator's port, against real processes.
@Suite struct OperatorTokensTests {
    private static func run(_ arguments: String...) throws -> UsherCommand { try UsherCommand.run(arguments) }

    private static func add(_ name: String, _ role: String, _ state: StateDirectory) throws -> String {
        let added = try self.run("operator-tokens", "add", name, role, "--state", state.path)
        try #require(added.status == 0, "\(added.errors)")
        return String(added.output.prefix { $0 != "\n" })
    }

    @Test func `with tokens every call but the health checks needs one, of the right role`() throws {
        let state = TestCluster.freshState()
        let view = try Self.add("grafana", "view", state)
        let operate = try Self.add("ann", "operate", state)
        let cluster = try TestCluster(in: state, arguments: ["--set", "operator.host=0.0.0.0"])
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().operatorPort)
        func call(_ method: String, _ path: String, _ token: String?) throws -> Answer {
            try client.call(method, path, token.map { ["Authorization: Bearer \($0)"] } ?? [])
        }
        for path in ["/healthz", "/readyz"] { #expect(try call("GET", path, nil).status == 200) }
        for path in ["/stats", "/stats/shards/0", "/stats/gateways/0", "/nothing"] {
            let missing = try call("GET", path, nil)
            #expect(missing.status == 401 && missing.code == "OPERATOR_TOKEN_MISSING", "\(path)")
            #expect(missing["WWW-Authenticate"] == #"Bearer realm="usher operator""#)
            let wrong = try call("GET", path, String(view.dropLast()) + (view.last == "A" ? "B" : "A"))
            #expect(wrong.status == 401 && wrong.code == "OPERATOR_TOKEN_INVALID", "\(path)")
            #expect(wrong["WWW-Authenticate"] == #"Bearer realm="usher operator", error="invalid_token""#)
            let right = try call("GET", path, view)
            #expect(right.status == (path == "/nothing" ? 404 : 200), "\(path)")
            #expect(try call("HEAD", path, operate).status == right.status)
        }
        #expect(try client.call("GET", "/stats", ["Authorization: Basic YTpi"]).code == "OPERATOR_TOKEN_INVALID")
        for path in ["/stats", "/healthz"] {
            #expect(try call("POST", path, nil).code == "OPERATOR_TOKEN_MISSING")
            let refused = try call("POST", path, view)
            #expect(refused.status == 403 && refused.code == "OPERATOR_ROLE_MISSING")
            #expect(refused["WWW-Authenticate"] == #"Bearer realm="usher operator", error="insufficient_scope""#)
            #expect(try call("POST", path, operate).status == 405)
        }

        // Tokens that come and go are noticed; without any, a port that the world reaches shows nothing.
        let late = try Self.add("bob", "view", state)
        try TestCluster.eventually("bob's token is known") { try call("GET", "/stats", late).status == 200 }
        for name in ["grafana", "ann", "bob"] {
            #expect(try Self.run("operator-tokens", "remove", name, "--state", state.path).status == 0)
        }
        try TestCluster.eventually("bob's token is none") { try call("GET", "/stats", late).status == 401 }
        #expect(try call("GET", "/stats", nil).code == "OPERATOR_TOKEN_MISSING")
        #expect(try call("GET", "/healthz", nil).status == 200)
        #expect(!cluster.errorText.contains(view) && !cluster.errorText.contains(late))
    }

    @Test func `a port that the world reaches is refused without a token, and what to do is said`() throws {
        let cluster = try TestCluster(arguments: ["--set", "operator.host=0.0.0.0"])
        #expect(cluster.waitUntilOver() == 1)
        #expect(
            cluster.errorText.contains(
                "operator.host is 0.0.0.0, which other machines can reach, but there is no operator's token; "
                    + "add one: usher operator-tokens add NAME view --state \(cluster.state.path)"
            ),
            "\(cluster.errorText)"
        )
    }

    @Test func `the command tells a token once, and lists, refuses and removes`() throws {
        let state = TestCluster.freshState()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let token = try Self.add("ann", "operate", state)
        let file = "\(state.path)/operator.tokens"
        #expect(FileStatus(file)?.mode == 0o600)
        #expect(try !String(contentsOfFile: file, encoding: .utf8).contains(token))
        let list = try Self.run("operator-tokens", "list", "--state", state.path)
        #expect(list.status == 0 && list.output.contains("operate   ann  added ") && !list.output.contains(token))
        let twice = try Self.run("operator-tokens", "add", "ann", "view", "--state", state.path)
        #expect(twice.status == 1 && twice.errors.contains("there is a token ann already"))
        #expect(try Self.run("operator-tokens", "add", "bob", "root", "--state", state.path).status != 0)
        let unknown = try Self.run("operator-tokens", "remove", "bob", "--state", state.path)
        #expect(unknown.status == 1 && unknown.errors.contains("there is no token bob"))
        #expect(try Self.run("operator-tokens", "remove", "ann", "--state", state.path).status == 0)
        #expect(try Self.run("operator-tokens", "list", "--state", state.path).output.hasPrefix("there are no"))
    }

    @Test func `many who add at once each get their token, and none is lost`() throws {
        let state = TestCluster.freshState()
        try state.prepare()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let names = (1...10).map { "name\($0)" }
        let adding = try names.map { name in
            let process = Process()
            process.executableURL = URL(filePath: TestCluster.executable)
            process.arguments = ["operator-tokens", "add", name, "view", "--state", state.path]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            return process
        }
        for process in adding {
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
        let file = OperatorTokenFile(path: "\(state.path)/operator.tokens")
        #expect(Set(try file.load().entries.map(\.name)) == Set(names))
        #expect(try FileManager.default.contentsOfDirectory(atPath: state.path) == ["operator.tokens"])
    }

    @Test func `a file that others may write, or that is spoilt, is refused`() throws {
        let file = try TemporaryFile("")
        let tokens = OperatorTokenFile(path: file.path)
        chmod(file.path, 0o620)
        #expect(throws: StartError.self) { try tokens.load() }
        chmod(file.path, 0o600)
        #expect(try tokens.load().isEmpty)
        try "ann view\n".write(toFile: file.path, atomically: false, encoding: .utf8)
        let error = #expect(throws: StartError.self) { try tokens.load() }
        #expect(error?.problem.contains("line 1 of the operators' tokens") == true)
        #expect(try OperatorTokenFile(path: "/nowhere/tokens").load().isEmpty)
    }
}
