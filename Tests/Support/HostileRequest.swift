/// One invalid or malicious request that a strict HTTP/1.1 server refuses on any path, and the refusal. The connection
/// is closed after each. Knows no routes and no parser, so that the same list goes through real sockets.
public struct HostileRequest: Sendable, CustomStringConvertible {
    public let name: String
    /// The bytes as sent.
    public let bytes: [UInt8]
    public let status: Int
    public let code: String

    /// Each character of `text` up to U+00FF is one byte.
    init(_ name: String, _ text: String, _ status: Int, _ code: String) {
        self.name = name
        self.bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        self.status = status
        self.code = code
    }

    public var description: String { self.name }

    public static let all =
        requestLines + targets + versions + lineEnds + headers + hosts + lengths + codings + chunks + limits

    private static func get(_ headers: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n\r\n" }
    private static func post(_ headers: String, _ body: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n\r\n" + body
    }
    private static func chunked(_ body: String) -> String { Self.post("Transfer-Encoding: chunked", body) }
    private static func target(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n" }
    private static func version(_ version: String) -> String { "GET / \(version)\r\nHost: a\r\n\r\n" }
    private static func host(_ host: String) -> String { "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n" }
    private static func letters(_ count: Int) -> String { String(repeating: "a", count: count) }

    static let requestLines = [
        HostileRequest("no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("nothing but a method", "GET\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("no target and no version", "GET \r\n\r\n", 400, "REQUEST_LINE_INVALID"),
        HostileRequest("HTTP/0.9", "GET /\r\n", 400, "REQUEST_LINE_INVALID"),
        HostileRequest(
            "two spaces before the target",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            400,
            "REQUEST_LINE_INVALID"
        ),
        HostileRequest("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "VERSION_INVALID"),
        HostileRequest("a space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "REQUEST_LINE_INVALID"),
        HostileRequest("a tab after the version", "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n", 400, "REQUEST_LINE_INVALID"),
        HostileRequest("a tab after the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("a tab after the target", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, "TARGET_INVALID"),
        HostileRequest("a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("a colon in the method", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("brackets in the method", "G[E]T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("NUL in the method", "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest(
            "a byte past ASCII in the method",
            "G\u{C9}T / HTTP/1.1\r\nHost: a\r\n\r\n",
            400,
            "METHOD_INVALID"
        ),
        HostileRequest("a method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "METHOD_UNKNOWN"),
        HostileRequest("a method nobody knows", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "METHOD_UNKNOWN"),
        HostileRequest(
            "a known method with a letter more",
            "GETS / HTTP/1.1\r\nHost: a\r\n\r\n",
            501,
            "METHOD_UNKNOWN"
        ),
        HostileRequest("a method without an end", Self.letters(40), 501, "METHOD_UNKNOWN"),
        HostileRequest("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501, "METHOD_UNKNOWN"),
        HostileRequest("a TLS hello", "\u{16}\u{03}\u{01}\u{02}\0\u{01}\0", 400, "METHOD_INVALID"),
        HostileRequest("a SOCKS hello", "\u{05}\u{01}\0", 400, "METHOD_INVALID"),
        HostileRequest("an SSH banner", "SSH-2.0-OpenSSH_9.6\r\n", 400, "METHOD_INVALID"),
        HostileRequest("a Redis command", "*1\r\n$4\r\nPING\r\n", 400, "METHOD_INVALID"),
        HostileRequest("a response", "HTTP/1.1 200 OK\r\n\r\n", 400, "METHOD_INVALID"),
        HostileRequest("JSON", "{\"a\": 1}\r\n", 400, "METHOD_INVALID"),
        HostileRequest(
            "five empty lines first",
            "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            400,
            "TOO_MANY_EMPTY_LINES"
        ),
        HostileRequest("an empty line of LF alone first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BARE_LF"),
        HostileRequest("CR alone first", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BARE_CR"),
    ]

    static let targets = [
        HostileRequest("a fragment", Self.target("/a#b"), 400, "TARGET_INVALID"),
        HostileRequest("a fragment in the query", Self.target("/a?b#c"), 400, "TARGET_INVALID"),
        HostileRequest("a target past ASCII", Self.target("/\u{EA}\u{B3}\u{B5}"), 400, "TARGET_INVALID"),
        HostileRequest("NUL in the target", Self.target("/a\0b"), 400, "TARGET_INVALID"),
        HostileRequest("DEL in the target", Self.target("/a\u{7F}b"), 400, "TARGET_INVALID"),
        HostileRequest("a quote in the target", Self.target("/\"a\""), 400, "TARGET_INVALID"),
        HostileRequest("a tag in the target", Self.target("/<script>"), 400, "TARGET_INVALID"),
        HostileRequest("a backslash in the target", Self.target("/..\\windows"), 400, "TARGET_INVALID"),
        HostileRequest("braces in the target", Self.target("/{id}"), 400, "TARGET_INVALID"),
        HostileRequest("a bar in the target", Self.target("/a|b"), 400, "TARGET_INVALID"),
        HostileRequest("a caret in the target", Self.target("/a^b"), 400, "TARGET_INVALID"),
        HostileRequest("a space in the target", Self.target("/a b"), 400, "VERSION_INVALID"),
        HostileRequest("CR in the target", Self.target("/a\rb"), 400, "REQUEST_LINE_INVALID"),
        HostileRequest("a path without its slash", Self.target("a/b"), 400, "TARGET_FORM_INVALID"),
        HostileRequest("a query alone", Self.target("?a=b"), 400, "TARGET_FORM_INVALID"),
        HostileRequest("an asterisk with GET", Self.target("*"), 400, "TARGET_FORM_INVALID"),
        HostileRequest("an asterisk and more", "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "TARGET_FORM_INVALID"),
        HostileRequest("an authority with GET", Self.target("a.example:80"), 400, "TARGET_FORM_INVALID"),
        HostileRequest("one slash after the scheme", Self.target("http:/a/b"), 400, "TARGET_FORM_INVALID"),
        HostileRequest("a scheme alone", Self.target("http:"), 400, "TARGET_FORM_INVALID"),
        HostileRequest("an absolute target of FTP", Self.target("ftp://a/b"), 400, "TARGET_SCHEME_INVALID"),
        HostileRequest("an absolute target of a file", Self.target("file:///etc/passwd"), 400, "TARGET_SCHEME_INVALID"),
        HostileRequest("an absolute target without a scheme", Self.target("://a/b"), 400, "TARGET_SCHEME_INVALID"),
        HostileRequest("an absolute target without a host", Self.target("http:///a"), 400, "HOST_INVALID"),
        HostileRequest("an absolute target with a user", Self.target("http://root@a/"), 400, "HOST_INVALID"),
        HostileRequest("an absolute target with a bad port", Self.target("http://a:b/"), 400, "HOST_INVALID"),
        HostileRequest("CONNECT to a path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "TARGET_FORM_INVALID"),
        HostileRequest("CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "TARGET_FORM_INVALID"),
        HostileRequest(
            "CONNECT to a URL",
            "CONNECT http://a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
            400,
            "TARGET_FORM_INVALID"
        ),
    ]

    static let versions = [
        HostileRequest("HTTP/2.0", Self.version("HTTP/2.0"), 505, "VERSION_UNSUPPORTED"),
        HostileRequest("HTTP/0.9 by name", Self.version("HTTP/0.9"), 505, "VERSION_UNSUPPORTED"),
        HostileRequest("HTTP/9.9", Self.version("HTTP/9.9"), 505, "VERSION_UNSUPPORTED"),
        HostileRequest("a version without a minor", Self.version("HTTP/2"), 400, "VERSION_INVALID"),
        HostileRequest("a version of three digits", Self.version("HTTP/1.10"), 400, "VERSION_INVALID"),
        HostileRequest("a major version of two digits", Self.version("HTTP/11.1"), 400, "VERSION_INVALID"),
        HostileRequest("a version in lower case", Self.version("http/1.1"), 400, "VERSION_INVALID"),
        HostileRequest("a version of letters", Self.version("HTTP/a.b"), 400, "VERSION_INVALID"),
        HostileRequest("a negative version", Self.version("HTTP/-1.1"), 400, "VERSION_INVALID"),
        HostileRequest("a comma in the version", Self.version("HTTP/1,1"), 400, "VERSION_INVALID"),
        HostileRequest("another protocol", Self.version("RTSP/1.0"), 400, "VERSION_INVALID"),
        HostileRequest("a version and more", Self.version("HTTP/1.1x"), 400, "VERSION_INVALID"),
    ]

    static let lineEnds = [
        HostileRequest("LF alone after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "BARE_LF"),
        HostileRequest("LF alone after the target", "GET /\nHost: a\r\n\r\n", 400, "BARE_LF"),
        HostileRequest("LF alone after the method", "GET\n", 400, "BARE_LF"),
        HostileRequest("LF alone in the version", "GET / HTTP/1.\n", 400, "BARE_LF"),
        HostileRequest("LF alone after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "BARE_LF"),
        HostileRequest("LF alone after a header's name", "GET / HTTP/1.1\r\nHost\n\r\n", 400, "BARE_LF"),
        HostileRequest("LF alone at the end of the headers", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "BARE_LF"),
        HostileRequest("LF alone throughout", "GET / HTTP/1.1\nHost: a\n\n", 400, "BARE_LF"),
        HostileRequest("CR alone after the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400, "BARE_CR"),
        HostileRequest("CR alone in a header's value", Self.get("X: a\rY: b"), 400, "BARE_CR"),
        HostileRequest("CR twice after a header", Self.get("X: a\r"), 400, "BARE_CR"),
        HostileRequest("CR alone at the end of the headers", "GET / HTTP/1.1\r\nHost: a\r\n\rX", 400, "BARE_CR"),
    ]

    static let headers = [
        HostileRequest("a space before the colon", Self.get("X : a"), 400, "SPACE_BEFORE_COLON"),
        HostileRequest("a tab before the colon", Self.get("X\t: a"), 400, "SPACE_BEFORE_COLON"),
        HostileRequest(
            "a space before the colon of a length",
            Self.post("Content-Length : 1", "x"),
            400,
            "SPACE_BEFORE_COLON"
        ),
        HostileRequest("a folded header", Self.get("X: a\r\n b"), 400, "HEADER_FOLDED"),
        HostileRequest("a header folded with a tab", Self.get("X: a\r\n\tb"), 400, "HEADER_FOLDED"),
        HostileRequest("a space before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "HEADER_FOLDED"),
        HostileRequest("no colon", Self.get("X"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("no name", Self.get(": a"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("a space in a name", Self.get("X Y: a"), 400, "SPACE_BEFORE_COLON"),
        HostileRequest("brackets in a name", Self.get("X[Y]: a"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("a slash in a name", Self.get("X/Y: a"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("an at sign in a name", Self.get("X@Y: a"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("NUL in a name", Self.get("X\0Y: a"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("a byte past ASCII in a name", Self.get("X\u{E9}: a"), 400, "HEADER_NAME_INVALID"),
        HostileRequest("NUL in a value", Self.get("X: a\0b"), 400, "HEADER_VALUE_INVALID"),
        HostileRequest("a bell in a value", Self.get("X: a\u{07}b"), 400, "HEADER_VALUE_INVALID"),
        HostileRequest("an escape in a value", Self.get("X: \u{1B}[2J"), 400, "HEADER_VALUE_INVALID"),
        HostileRequest("DEL in a value", Self.get("X: a\u{7F}"), 400, "HEADER_VALUE_INVALID"),
        HostileRequest("a vertical tab before a value", Self.get("X:\u{0B}a"), 400, "HEADER_VALUE_INVALID"),
        HostileRequest("two tokens", Self.get("X-Concert-Token: a\r\nX-Concert-Token: b"), 400, "HEADER_REPEATED"),
        HostileRequest(
            "two equal tokens",
            Self.get("X-Concert-Token: a\r\nx-concert-token: a"),
            400,
            "HEADER_REPEATED"
        ),
        HostileRequest("two content types", Self.get("Content-Type: a/b\r\nContent-Type: c/d"), 400, "HEADER_REPEATED"),
        HostileRequest(
            "two idempotency keys",
            Self.get("Idempotency-Key: 1\r\nIdempotency-Key: 2"),
            400,
            "HEADER_REPEATED"
        ),
        HostileRequest("two authorizations", Self.get("Authorization: a\r\nAuthorization: b"), 400, "HEADER_REPEATED"),
        HostileRequest("an unknown expectation", Self.post("Expect: 200-ok"), 417, "EXPECTATION_UNKNOWN"),
        HostileRequest("an expectation and another", Self.post("Expect: 100-continue, x"), 417, "EXPECTATION_UNKNOWN"),
        HostileRequest("an empty expectation", Self.post("Expect:"), 417, "EXPECTATION_UNKNOWN"),
    ]

    static let hosts = [
        HostileRequest("no host", "GET / HTTP/1.1\r\n\r\n", 400, "HOST_MISSING"),
        HostileRequest("no host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", 400, "HOST_MISSING"),
        HostileRequest("no host in HTTP/1.2", "GET / HTTP/1.2\r\n\r\n", 400, "HOST_MISSING"),
        HostileRequest("two hosts", Self.get("Host: b"), 400, "HOST_REPEATED"),
        HostileRequest("two equal hosts", Self.get("host: a"), 400, "HOST_REPEATED"),
        HostileRequest("two hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "HOST_REPEATED"),
        HostileRequest("an empty host", Self.host(""), 400, "HOST_INVALID"),
        HostileRequest("a port alone", Self.host(":80"), 400, "HOST_INVALID"),
        HostileRequest("a list of hosts", Self.host("a, b"), 400, "HOST_INVALID"),
        HostileRequest("a user in the host", Self.host("root@a"), 400, "HOST_INVALID"),
        HostileRequest("a path in the host", Self.host("a/b"), 400, "HOST_INVALID"),
        HostileRequest("a URL as the host", Self.host("http://a"), 400, "HOST_INVALID"),
        HostileRequest("a space in the host", Self.host("a b"), 400, "HOST_INVALID"),
        HostileRequest("two ports", Self.host("a:80:81"), 400, "HOST_INVALID"),
        HostileRequest("a port of letters", Self.host("a:http"), 400, "HOST_INVALID"),
        HostileRequest("a port past 65,535", Self.host("a:65536"), 400, "HOST_INVALID"),
        HostileRequest("a port of six digits", Self.host("a:000080"), 400, "HOST_INVALID"),
        HostileRequest("a negative port", Self.host("a:-1"), 400, "HOST_INVALID"),
        HostileRequest("an open bracket", Self.host("[::1"), 400, "HOST_INVALID"),
        HostileRequest("brackets around nothing", Self.host("[]"), 400, "HOST_INVALID"),
        HostileRequest("brackets around a name", Self.host("[name]"), 400, "HOST_INVALID"),
        HostileRequest("an address without brackets", Self.host("::1"), 400, "HOST_INVALID"),
        HostileRequest("something behind the brackets", Self.host("[::1]a"), 400, "HOST_INVALID"),
        HostileRequest("a host past ASCII", Self.host("\u{FC}ber"), 400, "HOST_INVALID"),
    ]

    static let lengths = [
        HostileRequest("an empty length", Self.post("Content-Length:"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest("a negative length", Self.post("Content-Length: -1"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest("a length with a plus", Self.post("Content-Length: +1", "x"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest("a length with a point", Self.post("Content-Length: 1.0", "x"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest("a hexadecimal length", Self.post("Content-Length: 0x1", "x"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest("a length of letters", Self.post("Content-Length: one", "x"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest("a space within a length", Self.post("Content-Length: 1 0", "x"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest(
            "an underscore within a length",
            Self.post("Content-Length: 1_0", "x"),
            400,
            "CONTENT_LENGTH_INVALID"
        ),
        HostileRequest("a list of lengths", Self.post("Content-Length: 1, 2", "x"), 400, "CONTENT_LENGTH_INVALID"),
        HostileRequest(
            "a list of equal lengths",
            Self.post("Content-Length: 1, 1", "x"),
            400,
            "CONTENT_LENGTH_INVALID"
        ),
        HostileRequest(
            "two lengths",
            Self.post("Content-Length: 1\r\nContent-Length: 2", "x"),
            400,
            "CONTENT_LENGTH_REPEATED"
        ),
        HostileRequest(
            "two equal lengths",
            Self.post("Content-Length: 1\r\nContent-Length: 1", "x"),
            400,
            "CONTENT_LENGTH_REPEATED"
        ),
        HostileRequest(
            "a length past 64 bits",
            Self.post("Content-Length: 18446744073709551617", "x"),
            413,
            "BODY_TOO_LARGE"
        ),
        HostileRequest(
            "a length of 40 digits",
            Self.post("Content-Length: " + String(repeating: "9", count: 40)),
            413,
            "BODY_TOO_LARGE"
        ),
        HostileRequest("a body too large", Self.post("Content-Length: 65537"), 413, "BODY_TOO_LARGE"),
        HostileRequest(
            "a body too large that waits",
            Self.post("Content-Length: 65537\r\nExpect: 100-continue"),
            413,
            "BODY_TOO_LARGE"
        ),
        HostileRequest("a body too large for GET", Self.get("Content-Length: 70000"), 413, "BODY_TOO_LARGE"),
    ]

    static let codings = [
        HostileRequest(
            "seventeen codings",
            Self.post("Transfer-Encoding: " + String(repeating: "gzip,", count: 16) + "chunked"),
            400,
            "TRANSFER_ENCODING_INVALID"
        ),
        HostileRequest(
            "length and coding",
            Self.post("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            400,
            "LENGTH_AMBIGUOUS"
        ),
        HostileRequest(
            "coding and length",
            Self.post("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
            400,
            "LENGTH_AMBIGUOUS"
        ),
        HostileRequest(
            "length 0 and coding",
            Self.post("Content-Length: 0\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            400,
            "LENGTH_AMBIGUOUS"
        ),
        HostileRequest(
            "a coding in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "TRANSFER_ENCODING_IN_1_0"
        ),
        HostileRequest("an empty coding", Self.post("Transfer-Encoding:"), 400, "TRANSFER_ENCODING_INVALID"),
        HostileRequest("identity", Self.post("Transfer-Encoding: identity"), 400, "TRANSFER_ENCODING_INVALID"),
        HostileRequest("gzip alone", Self.post("Transfer-Encoding: gzip"), 400, "TRANSFER_ENCODING_INVALID"),
        HostileRequest(
            "chunked before gzip",
            Self.post("Transfer-Encoding: chunked, gzip"),
            400,
            "TRANSFER_ENCODING_INVALID"
        ),
        HostileRequest(
            "chunked twice",
            Self.post("Transfer-Encoding: chunked, chunked"),
            400,
            "TRANSFER_ENCODING_INVALID"
        ),
        HostileRequest("nearly chunked", Self.post("Transfer-Encoding: xchunked"), 400, "TRANSFER_ENCODING_INVALID"),
        HostileRequest(
            "chunked with a parameter",
            Self.post("Transfer-Encoding: chunked;a=b"),
            400,
            "TRANSFER_ENCODING_INVALID"
        ),
        HostileRequest(
            "chunked in quotes",
            Self.post("Transfer-Encoding: \"chunked\""),
            400,
            "TRANSFER_ENCODING_INVALID"
        ),
        HostileRequest(
            "gzip, then chunked",
            Self.post("Transfer-Encoding: gzip, chunked"),
            501,
            "TRANSFER_CODING_UNKNOWN"
        ),
        HostileRequest(
            "nothing, then chunked",
            Self.post("Transfer-Encoding: , chunked"),
            501,
            "TRANSFER_CODING_UNKNOWN"
        ),
        HostileRequest(
            "two codings",
            Self.post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            400,
            "TRANSFER_ENCODING_REPEATED"
        ),
        HostileRequest(
            "a vertical tab before chunked",
            Self.post("Transfer-Encoding: \u{0B}chunked"),
            400,
            "HEADER_VALUE_INVALID"
        ),
    ]

    static let chunks = [
        HostileRequest(
            "more chunks than bytes that anybody sends",
            Self.chunked(String(repeating: "1\r\n \r\n", count: 1_025)),
            400,
            "CHUNKS_TOO_MANY"
        ),
        HostileRequest("a chunk without a size", Self.chunked("\r\nabc\r\n0\r\n\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest("a chunk's size of letters", Self.chunked("xyz\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest("a negative size", Self.chunked("-1\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest("a size with a plus", Self.chunked("+1\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest("a size with 0x", Self.chunked("0x1\r\na\r\n0\r\n\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest("a space before a size", Self.chunked(" 1\r\na\r\n0\r\n\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest("a space after a size", Self.chunked("1 \r\na\r\n0\r\n\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest(
            "a size of 17 digits",
            Self.chunked("00000000000000001\r\na\r\n0\r\n\r\n"),
            400,
            "CHUNK_SIZE_INVALID"
        ),
        HostileRequest("a size past 64 bits", Self.chunked("ffffffffffffffff\r\n"), 413, "BODY_TOO_LARGE"),
        HostileRequest("a chunk too large", Self.chunked("10001\r\n"), 413, "BODY_TOO_LARGE"),
        HostileRequest("chunks too large together", Self.chunked("1\r\na\r\n10000\r\n"), 413, "BODY_TOO_LARGE"),
        HostileRequest("LF alone after a size", Self.chunked("1\na\r\n0\r\n\r\n"), 400, "BARE_LF"),
        HostileRequest("LF alone for a size", Self.chunked("\n"), 400, "BARE_LF"),
        HostileRequest("CR alone after a size", Self.chunked("1\ra\r\n0\r\n\r\n"), 400, "BARE_CR"),
        HostileRequest("LF alone in an extension", Self.chunked("1;a\n\r\na\r\n0\r\n\r\n"), 400, "BARE_LF"),
        HostileRequest("CR alone in an extension", Self.chunked("1;a\rb\r\na\r\n0\r\n\r\n"), 400, "BARE_CR"),
        HostileRequest(
            "an open quote in an extension",
            Self.chunked("1;a=\"\r\na\r\n0\r\n\r\n"),
            400,
            "CHUNK_SIZE_INVALID"
        ),
        HostileRequest("NUL in an extension", Self.chunked("1;a\0\r\na\r\n0\r\n\r\n"), 400, "CHUNK_SIZE_INVALID"),
        HostileRequest(
            "an extension without a semicolon",
            Self.chunked("1 a\r\na\r\n0\r\n\r\n"),
            400,
            "CHUNK_SIZE_INVALID"
        ),
        HostileRequest(
            "an extension too long",
            Self.chunked("1;" + Self.letters(1_024) + "\r\na\r\n0\r\n\r\n"),
            400,
            "CHUNK_EXTENSION_TOO_LONG"
        ),
        HostileRequest(
            "extensions too long together",
            Self.chunked(String(repeating: "1;" + Self.letters(400) + "\r\na\r\n", count: 3) + "0\r\n\r\n"),
            400,
            "CHUNK_EXTENSION_TOO_LONG"
        ),
        HostileRequest("a chunk longer than its size", Self.chunked("1\r\nab\r\n0\r\n\r\n"), 400, "CHUNK_DATA_INVALID"),
        HostileRequest(
            "a chunk shorter than its size",
            Self.chunked("4\r\nab\r\n0\r\n\r\n"),
            400,
            "CHUNK_DATA_INVALID"
        ),
        HostileRequest("LF alone after a chunk", Self.chunked("1\r\na\n0\r\n\r\n"), 400, "BARE_LF"),
        HostileRequest("CR alone after a chunk", Self.chunked("1\r\na\r0\r\n\r\n"), 400, "BARE_CR"),
        HostileRequest(
            "a request where trailers end",
            Self.chunked("0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            400,
            "SPACE_BEFORE_COLON"
        ),
        HostileRequest("a folded trailer", Self.chunked("0\r\nX: a\r\n b\r\n\r\n"), 400, "HEADER_FOLDED"),
        HostileRequest("LF alone in the trailers", Self.chunked("0\r\nX: a\n\r\n"), 400, "BARE_LF"),
        HostileRequest("NUL in a trailer", Self.chunked("0\r\nX: \0\r\n\r\n"), 400, "HEADER_VALUE_INVALID"),
    ]

    static let limits = [
        HostileRequest("a target too long", Self.target("/" + Self.letters(8_192)), 414, "TARGET_TOO_LONG"),
        HostileRequest("a target without an end", "GET /" + Self.letters(9_000), 414, "TARGET_TOO_LONG"),
        HostileRequest("a header too long", Self.get("X: " + Self.letters(16_384)), 431, "HEADERS_TOO_LARGE"),
        HostileRequest(
            "a header's name without an end",
            "GET / HTTP/1.1\r\n" + Self.letters(17_000),
            431,
            "HEADERS_TOO_LARGE"
        ),
        HostileRequest(
            "headers too large together",
            Self.get("X: " + Self.letters(8_192) + "\r\nY: " + Self.letters(8_192)),
            431,
            "HEADERS_TOO_LARGE"
        ),
        HostileRequest(
            "101 headers",
            "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n",
            431,
            "HEADERS_TOO_MANY"
        ),
        HostileRequest(
            "trailers too large",
            Self.chunked("0\r\nX: " + Self.letters(16_384) + "\r\n\r\n"),
            431,
            "HEADERS_TOO_LARGE"
        ),
        HostileRequest(
            "101 trailers",
            Self.chunked("0\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n"),
            431,
            "HEADERS_TOO_MANY"
        ),
    ]
}
