import Booking
import Seeded
import Testing

@testable import Wire

/// The proxies are 10.0.0.0/8, and the request came from one of them, 10.0.0.9.
@Suite struct ForwardedForTests {
    private static let peer = IPAddress(ipv4: 0x0A00_0009)

    private func client(_ lines: [String], of header: String) throws -> IPAddress? {
        let trusted = try NetworkList("10.0.0.0/8, 2001:db8:cafe::/48")
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + lines.map { "\(header): \($0)\r\n" }.joined() + "\r\n"
        var parser = HTTPRequestParser(limits: HTTPLimits())
        var found: IPAddress?
        Array(text.utf8).withUnsafeBytes { bytes in
            parser.feed(bytes)
            guard case .request(let request) = parser.next() else {
                Issue.record("not a request: \(text)")
                return
            }
            found =
                header == "Forwarded"
                ? ForwardedFor.client(byForwarded: request.headers, from: Self.peer, trusted)
                : ForwardedFor.client(byForwardedFor: request.headers, from: Self.peer, trusted)
        }
        return found
    }

    @Test(arguments: [
        ([], "10.0.0.9"), (["192.0.2.1"], "192.0.2.1"), (["192.0.2.1:4711"], "192.0.2.1"),
        ([" 192.0.2.1\t"], "192.0.2.1"),
        (["2001:db8::1"], "2001:db8::1"), (["[2001:db8::1]"], "2001:db8::1"), (["[2001:db8::1]:80"], "2001:db8::1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        // The rightmost address that is not our proxy's.
        (["198.51.100.1, 192.0.2.1"], "192.0.2.1"), (["192.0.2.1, 10.0.0.1, 10.0.0.2"], "192.0.2.1"),
        (["198.51.100.1, 10.0.0.1, 192.0.2.1, 10.0.0.2"], "192.0.2.1"), (["192.0.2.1, 2001:db8:cafe::1"], "192.0.2.1"),
        // Several lines are one list.
        (["198.51.100.1", "192.0.2.1"], "192.0.2.1"), (["192.0.2.1", "10.0.0.1"], "192.0.2.1"),
        (["192.0.2.1", ""], "192.0.2.1"),
        // Only proxies: the farthest.
        (["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        // A proxy that does not know: the client is that proxy, whatever is to the left of it.
        (["192.0.2.1, unknown"], "10.0.0.9"), (["192.0.2.1, _hidden, 10.0.0.1"], "10.0.0.1"), (["unknown"], "10.0.0.9"),
        (["192.0.2.1, unix:"], "10.0.0.9"), (["192.0.2.256"], "10.0.0.9"), (["a, 192.0.2.1"], "192.0.2.1"),
        (["[192.0.2.1]"], "10.0.0.9"), (["192.0.2.1:"], "10.0.0.9"), (["192.0.2.1:123456"], "10.0.0.9"),
        (["[2001:db8::1]80"], "10.0.0.9"), (["[2001:db8::1"], "10.0.0.9"),
        // Empty parts are ignored.
        ([",, 192.0.2.1 ,,"], "192.0.2.1"), ([""], "10.0.0.9"),
    ])
    func `X-Forwarded-For names the rightmost that no proxy is`(lines: [String], client: String) throws {
        #expect(try self.client(lines, of: "X-Forwarded-For") == IPAddress(text: client))
    }

    @Test(arguments: [
        ([], "10.0.0.9"), (["for=192.0.2.1"], "192.0.2.1"), (["For=192.0.2.1;proto=http;by=203.0.113.43"], "192.0.2.1"),
        (["proto=https ; for=192.0.2.1"], "192.0.2.1"), (["for=\"192.0.2.1:4711\""], "192.0.2.1"),
        (["for=\"[2001:db8::1]:4711\""], "2001:db8::1"), (["for=\"[2001:db8::1]:_port\""], "2001:db8::1"),
        (["for=[2001:db8::1]"], "2001:db8::1"), (["for=192.0.2.1, for=10.0.0.1"], "192.0.2.1"),
        (["for=198.51.100.1, for=192.0.2.1"], "192.0.2.1"), (["for=198.51.100.1", "for=192.0.2.1"], "192.0.2.1"),
        (["for=192.0.2.1,for=unknown"], "10.0.0.9"), (["for=192.0.2.1, for=_gazonk, for=10.0.0.1"], "10.0.0.1"),
        (["for=192.0.2.1, by=10.0.0.1"], "10.0.0.9"), (["for=192.0.2.1;host=\"a,for=10.0.0.1;\""], "192.0.2.1"),
        (["for=192.0.2.1;host=\"a\\\",for=10.0.0.1\""], "192.0.2.1"), (["for=192.0.2.1, ;"], "192.0.2.1"),
        ([""], "10.0.0.9"),
        (["for=\"\""], "10.0.0.9"), (["for=\"192.0.2.\\1\""], "10.0.0.9"),
    ])
    func `Forwarded names the rightmost that no proxy is`(lines: [String], client: String) throws {
        #expect(try self.client(lines, of: "Forwarded") == IPAddress(text: client))
    }

    @Test(arguments: [
        // A client's quote that would swallow what the proxy appends.
        "for=\", for=192.0.2.1", "for=198.51.100.1;x=\", for=192.0.2.1", "for=\"a\\\", for=192.0.2.1",
        "for", "for=", "=192.0.2.1", "for =192.0.2.1", "for=192.0.2.1 x", "for=\"192.0.2.1\"x",
        "for=192.0.2.1;for=192.0.2.2",
        "for=192.0.2.1\"", "192.0.2.1", "for=192.0.2.1; , =",
    ])
    func `a malformed Forwarded names nobody`(line: String) throws {
        #expect(try self.client([line], of: "Forwarded") == nil)
        #expect(try self.client(["for=192.0.2.1", line, "for=192.0.2.1"], of: "Forwarded") == nil)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever a client sends first, the proxy's word counts`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("0123456789.:,;=\"[]for_ unkow\\\t".utf8)
        for _ in 0..<200 {
            let noise = String(
                decoding: (0..<Int.random(in: 0...40, using: &random)).map { _ in random.pick(alphabet) },
                as: UTF8.self
            )
            let client = IPAddress(text: "192.0.2.1")
            #expect(try self.client([noise + ", 192.0.2.1"], of: "X-Forwarded-For") == client, "seed \(seed): \(noise)")
            // In a line of its own, or in the same one: the client, or a refusal.
            let own = try self.client([noise, "for=192.0.2.1"], of: "Forwarded")
            #expect(own == client || own == nil, "seed \(seed): \(noise)")
            let same = try self.client([noise + ", for=192.0.2.1"], of: "Forwarded")
            #expect(same == client || same == nil, "seed \(seed): \(noise)")
        }
    }

    /// In the header's order: from the first to the last.
    private func reference(_ lines: [String]) throws -> IPAddress {
        let trusted = try NetworkList("10.0.0.0/8, 2001:db8:cafe::/48")
        var client: IPAddress?
        for node in lines.joined(separator: ",").split(separator: ",") {
            guard let address = IPAddress(text: String(node)) else {
                client = nil
                continue
            }
            if client == nil || !trusted.contains(address) { client = address }
        }
        return client ?? Self.peer
    }

    @Test func `reading from the end finds what reading from the beginning does`() throws {
        var random = SeededRandom(seed: 7)
        let nodes = ["192.0.2.1", "198.51.100.1", "10.0.0.1", "10.0.0.2", "2001:db8:cafe::1", "unknown"]
        for _ in 0..<500 {
            let lines = (0..<random.below(4)).map { _ in
                (0..<random.below(5)).map { _ in random.pick(nodes) }.joined(separator: ",")
            }
            #expect(try self.client(lines, of: "X-Forwarded-For") == self.reference(lines), "\(lines)")
        }
    }

    @Test func `no way leads over more proxies than a Forwarded may name`() throws {
        let element = "for=192.0.2.1"
        let most = [String](repeating: element, count: ForwardedFor.pairsMax).joined(separator: ",")
        #expect(try self.client([most], of: "Forwarded") == IPAddress(text: "192.0.2.1"))
        #expect(try self.client([most, element], of: "Forwarded") == nil)
    }
}
