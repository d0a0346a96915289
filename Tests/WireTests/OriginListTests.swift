import Testing
import Wire

@Suite struct OriginListTests {
    private static func index(of origin: String, in list: OriginList) -> Int? {
        Array(origin.utf8).withUnsafeBytes { list.index(of: ByteView($0)) }
    }

    @Test(arguments: [
        ("https://shop.example", "https://shop.example"), ("HTTPS://Shop.EXAMPLE", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"), ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"), ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://xn--9n2bp8q.example", "https://xn--9n2bp8q.example"),
        ("capacitor://localhost", "capacitor://localhost"),
    ])
    func `an origin is known in the form in which browsers send it`(written: String, sent: String) throws {
        let list = try OriginList(written)
        #expect(Self.index(of: sent, in: list) == 0)
        #expect(list.origins == [Array(sent.utf8)])
    }

    @Test(arguments: [
        ("*", "has a wildcard"), ("https://*.example", "has a wildcard"), ("null", "pages without an origin"),
        ("shop.example", "does not begin with a scheme"), ("//shop.example", "does not begin with a scheme"),
        ("://shop.example", "does not begin with a scheme"), ("1a://shop.example", "does not begin with a scheme"),
        ("https:shop.example", "does not begin with a scheme"), ("https://shop.example/", "ends with a slash"),
        ("https://shop.example/a", "has a path"), ("https://shop.example//", "has a path"),
        ("https://shop.example?a", "has a query"), ("https://shop.example#a", "has a query"),
        ("https://me@shop.example", "names a user"), ("https://", "neither a name nor an address"),
        ("https://:443", "neither a name nor an address"), ("https://a..b", "neither a name nor an address"),
        ("https://[::1", "neither a name nor an address"), ("https://[::g]", "neither a name nor an address"),
        ("https://shop.example:", "port is not a number"), ("https://shop.example:0", "port is not a number"),
        ("https://shop.example:65536", "port is not a number"), ("https://shop.example:08", "port is not a number"),
        ("https://[::1]443", "port is not a number"), ("https://a:b", "port is not a number"),
        ("https://가게.example", "is not ASCII"), ("https://a\r\nb", "is not ASCII"), ("https://a_b;c", "neither a name"),
    ])
    func `what is no origin is refused in words`(part: String, words: String) {
        let mistake = #expect(throws: OriginList.Mistake.self) { try OriginList("https://a.example, \(part)") }
        #expect(mistake?.part == part && mistake?.problem.contains(words) == true, "\(String(describing: mistake))")
    }

    @Test func `of a long list each is found, and nothing else`() throws {
        let names = (1...OriginList.countMax).map { "https://shop\($0 * 7).example" }
        let list = try OriginList(names.joined(separator: ",") + " " + names[3].uppercased())
        #expect(list.origins.count == OriginList.countMax)
        #expect(Set(names.map { Self.index(of: $0, in: list) }) == Set(list.origins.indices))
        for other in ["", "https://shop1.example", "https://shop7.example:8443", "http://shop7.example", "null"] {
            #expect(Self.index(of: other, in: list) == nil)
        }
        #expect(throws: OriginList.Mistake.self) { try OriginList(names.joined(separator: ",") + ",http://one.more") }
        #expect(try OriginList(" , ") == OriginList())
    }
}
