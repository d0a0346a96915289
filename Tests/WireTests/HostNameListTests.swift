import Testing
import Wire

@Suite struct HostNameListTests {
    private static func view<Value>(_ text: String, _ body: (ByteView) -> Value) -> Value {
        Array(text.utf8).withUnsafeBytes { body(ByteView($0)) }
    }

    private static func allows(_ host: String, _ list: HostNameList) -> Bool {
        self.view(host) { list.allows(host: $0) }
    }

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:8081", "[::1]", "[::1]:8081", "localhost", "LocalHost:9", "10.1.2.3:8081", "",
        "[2001:db8::1]:80",
    ])
    func `addresses and localhost can't be made to lead elsewhere`(host: String) throws {
        #expect(Self.allows(host, HostNameList()))
    }

    @Test(arguments: [
        "evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1x", "127.1",
        "0x7f.0.0.1", "2130706433", "xlocalhost", "[::g]", "a:1:2", "ops.example.evil", "127.0.0.01",
    ])
    func `any other name is refused, but those listed`(host: String) throws {
        #expect(!Self.allows(host, HostNameList()))
        #expect(!Self.allows(host, try HostNameList("ops.example")))
    }

    @Test func `names of the list are known in any case and with any port`() throws {
        let list = try HostNameList("ops.example, Node_1")
        for host in ["ops.example", "OPS.example:443", "node_1:8081"] { #expect(Self.allows(host, list)) }
        for wrong in ["*", "*.example", "ops.example:80", "http://ops.example", "a..b", "a.", "가"] {
            let mistake = #expect(throws: HostNameList.Mistake.self) { try HostNameList("ops.example \(wrong)") }
            #expect(mistake?.part == wrong)
        }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8081", "127.0.0.1:8081", true), ("https://OPS.example", "ops.example", true),
        ("https://ops.example", "127.0.0.1:8081", true), ("http://[::1]:8081", "[::1]:8081", true),
        ("http://127.0.0.1:8080", "127.0.0.1:8081", false), ("http://localhost:8081", "127.0.0.1:8081", false),
        ("https://evil.example", "127.0.0.1:8081", false), ("null", "127.0.0.1:8081", false), ("", "", false),
        ("https://ops.example.evil", "ops.example", false),
    ])
    func `a page's origin is the port's own, or listed`(origin: String, host: String, isAllowed: Bool) throws {
        let list = try HostNameList("ops.example")
        #expect(
            Self.view(origin) { origin in Self.view(host) { list.allows(origin: origin, toHost: $0) } } == isAllowed
        )
    }
}
