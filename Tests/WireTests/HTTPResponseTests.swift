import Testing
import Wire

@Suite struct HTTPResponseTests {
    private static let date = HTTPDate(epochSeconds: 784_111_777)
    private static let dateLine = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    private func written(_ response: HTTPResponse, _ body: StaticString = "{}", to method: HTTPMethod = .get) -> String
    {
        var output = OutputBytes()
        response.append(body: ByteView(body), toMethod: method, date: Self.date, to: &output)
        return output.view.text
    }

    private static let usual =
        "HTTP/1.1 200 OK\r\n" + Self.dateLine
        + "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n"

    @Test func `an answer has date, type, length and body`() {
        #expect(self.written(HTTPResponse(.ok, connection: .keep)) == Self.usual + "{}")
    }

    @Test func `HEAD gets the same head and no body`() {
        #expect(self.written(HTTPResponse(.ok, connection: .keep), to: .head) == Self.usual)
    }

    @Test func `every field is written in its form`() {
        var response = HTTPResponse(.serviceUnavailable, connection: .close, contentType: "text/plain")
        response.retryAfterSeconds = 3
        response.cacheControl = "public, max-age=1"
        response.entityTag = 0x12AB
        response.allow = "GET, POST"
        response.vary = "Accept-Language"
        let expected =
            "HTTP/1.1 503 Service Unavailable\r\n" + Self.dateLine
            + "Content-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\nRetry-After: 3\r\n"
            + "Cache-Control: public, max-age=1\r\nETag: \"00000000000012ab\"\r\nAllow: GET, POST\r\n"
            + "Vary: Accept-Language\r\n\r\nwait"
        #expect(self.written(response, "wait") == expected)
    }

    @Test func `the connection's fate is said where it must be`() {
        #expect(
            self.written(HTTPResponse(.ok, connection: .keepAliveExplicit)).contains("\r\nConnection: keep-alive\r\n")
        )
        #expect(!self.written(HTTPResponse(.ok, connection: .keep)).contains("Connection"))
    }

    @Test(arguments: [HTTPStatus.noContent, .notModified])
    func `204 and 304 have neither body nor length`(status: HTTPStatus) {
        let text = self.written(HTTPResponse(status, connection: .keep))
        #expect(text.hasSuffix("GMT\r\n\r\n"))
        #expect(!text.contains("Content-"))
    }

    @Test func `an empty body has a length and no type`() {
        let text = self.written(HTTPResponse(.ok, connection: .keep), "")
        #expect(text == "HTTP/1.1 200 OK\r\n" + Self.dateLine + "Content-Length: 0\r\n\r\n")
    }

    @Test(arguments: HTTPStatus.allCases)
    func `each status line has its number`(status: HTTPStatus) {
        #expect(self.written(HTTPResponse(status, connection: .keep)).hasPrefix("HTTP/1.1 \(status.rawValue) "))
    }

    @Test(arguments: [
        ("*", true), ("\"00000000000000ff\"", true), ("W/\"00000000000000ff\"", true), ("\"00000000000000FF\"", false),
        (" \"a\" , W/\"b\",\"00000000000000ff\" ", true), ("\"ff\"", false), ("00000000000000ff", false), ("", false),
        ("\"00000000000000ff", false), ("W/", false), ("W", false), ("\"a,b\", \"00000000000000ff\"", true),
        (",", false),
    ])
    func `If-None-Match names a tag or does not`(value: String, expected: Bool) {
        Array(value.utf8).withUnsafeBytes { #expect(HTTPResponse.matches(ByteView($0), tag: 0xFF) == expected) }
    }
}

@Suite struct HTTPDateTests {
    private func text(_ date: HTTPDate) -> String {
        var output = OutputBytes()
        date.append(to: &output)
        return output.view.text
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
        ] as [(Int64, String)]
    )
    func `a second has its date`(seconds: Int64, expected: String) {
        #expect(self.text(HTTPDate(epochSeconds: seconds)) == expected)
    }

    @Test func `the text follows the second`() {
        var date = HTTPDate(epochSeconds: 0)
        date.update(epochSeconds: 0)
        #expect(self.text(date).hasSuffix("00:00:00 GMT"))
        date.update(epochSeconds: 1)
        #expect(self.text(date).hasSuffix("00:00:01 GMT"))
    }

    @Test func `of a list of tags no more is read than a client has`() {
        func matches(_ list: String) -> Bool {
            Array(list.utf8).withUnsafeBytes { HTTPResponse.matches(ByteView($0), tag: 1) }
        }
        let others = "\"0000000000000002\", "
        let tag = "W/\"0000000000000001\""
        #expect(matches(String(repeating: others, count: 40) + tag))
        #expect(!matches(String(repeating: others, count: 60) + tag))
    }
}
