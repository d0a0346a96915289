import Foundation
import Testing

@testable import Configuration

/// The operator's port with more callers than it has room for.
@Suite struct OperatorPortTests {
    @Test func `idle connections make room for a health check`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let port = try cluster.file().operatorPort
        let idle = try (0..<ServerConfiguration().operatorConnectionsMax).map { _ in try TestConnection(port: port) }
        // Those are taken in before this one is.
        let refused = try TestConnection(port: port)
        #expect(try refused.answer().code == "TOO_MANY_CONNECTIONS")
        for connection in idle { #expect(try connection.endsClean()) }
        #expect(try BookingClient(port: port).call("GET", "/healthz").status == 200)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}

/// Who the operator's port is asked by: web pages whose name was made to lead here (DNS rebinding), or of other origins.
@Suite(.cluster("--set", "operator.hostNames=ops.example")) struct OperatorHostTests {
    private static func call(_ method: String, _ path: String, _ host: String?, _ lines: [String] = []) throws -> Answer
    {
        let connection = try TestConnection(port: ServedCluster.shared.operatorPort)
        let version = host == nil ? "HTTP/1.0" : "HTTP/1.1"
        let all = ["\(method) \(path) \(version)"] + (host.map { ["Host: \($0)"] } ?? []) + lines
        try connection.send(all.joined(separator: "\r\n") + "\r\n\r\n")
        return try connection.answer(toHead: method == "HEAD")
    }

    @Test(arguments: ["/stats", "/stats/shards/0", "/stats/gateways/0", "/nothing"])
    func `a name that is not listed is answered 421, and shown nothing`(path: String) throws {
        let port = ServedCluster.shared.operatorPort
        for host in ["evil.example", "evil.example:\(port)", "127.0.0.1.evil.example", "localhost.evil.example"] {
            for method in ["GET", "POST", "DELETE"] {
                let answer = try Self.call(method, path, host, ["Accept-Language: en"])
                #expect(answer.status == 421 && answer.code == "OPERATOR_HOST_UNKNOWN", "\(answer)")
                #expect(answer.message?.contains("operator.hostNames") == true)
            }
            #expect(try Self.call("HEAD", path, host).status == 421)
        }
        for host in ["127.0.0.1", "127.0.0.1:\(port)", "localhost:\(port)", "[::1]", "OPS.example:443", nil] {
            #expect(try Self.call("GET", path, host).status == (path == "/nothing" ? 404 : 200))
        }
    }

    @Test func `health checks answer any name, and change nothing`() throws {
        for path in ["/healthz", "/readyz"] {
            #expect(try Self.call("GET", path, "balancer.example").status == 200)
            #expect(try Self.call("POST", path, "balancer.example").status == 421)
        }
    }

    @Test func `pages of another origin change nothing`() throws {
        let host = "127.0.0.1:\(ServedCluster.shared.operatorPort)"
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"] {
            let answer = try Self.call("POST", "/stats", host, ["Origin: \(origin)"])
            #expect(answer.status == 403 && answer.code == "OPERATOR_ORIGIN_REFUSED", "\(answer)")
            #expect(try Self.call("GET", "/stats", host, ["Origin: \(origin)"])["Access-Control-Allow-Origin"] == nil)
        }
        for origin in ["http://\(host)", "https://ops.example"] {
            #expect(try Self.call("POST", "/stats", host, ["Origin: \(origin)"]).status == 405)
        }
    }

    @Test func `what is rejected or refused on the gateways' port is so here, too`() throws {
        let answer = try Self.call("GET", "/stats", "127.0.0.1", ["Content-Encoding: gzip"])
        #expect(answer.status == 415 && answer["Accept-Encoding"] == "identity")
    }
}
