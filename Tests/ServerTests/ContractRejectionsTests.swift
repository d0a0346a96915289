import Testing

/// Requests that are sound HTTP and mean something that is not supported: refused, nothing is done, and the connection
/// goes on.
extension ContractTests {
    private static let korean = "지원하지 않는 Content-Encoding입니다. 압축하지 않은 본문을 Content-Encoding 헤더 없이 보내주세요."

    @Test func `a body that says it is compressed is refused and not read, on every path and method`() throws {
        let client = try BookingClient.keeping(port: Self.cluster.port)
        let charge = "/api/v1/point/charge?userId=4200&amount=1000"
        for coding in ["gzip", "deflate", "br", "x-sdk", "identity, gzip", "GZIP,"] {
            for (method, target, body) in [
                ("POST", "/api/v1/waiting", #"{"concertId":1,"userId":4200}"#), ("POST", charge, nil),
                ("POST", charge, "a=b"),
                ("GET", "/api/v1/concerts", nil), ("GET", "/openapi.json", nil), ("OPTIONS", "/api/v1/waiting", nil),
                ("PUT", "/api/v1/waiting", "x"), ("DELETE", "/nothing", ""), ("GET", "/nothing", nil),
            ] as [(String, String, String?)] {
                let answer = try client.call(method, target, body: body, ["Content-Encoding: \(coding)"])
                Self.expect(answer, 415, "CONTENT_CODING_UNSUPPORTED", Self.korean)
                #expect(answer["Accept-Encoding"] == "identity" && !answer.closes)
            }
        }
        let head = try client.call("HEAD", "/api/v1/concerts", ["Content-Encoding: gzip"])
        #expect(head.status == 415 && head.body.isEmpty && head["Accept-Encoding"] == "identity")
        let english = try client.call("POST", charge, ["Content-Encoding: gzip", "Accept-Language: en"])
        #expect(english.message?.contains("Send the content uncompressed") == true)
        #expect(try client.balance(4_200).json["updatedAt"] == .null)
        #expect(try client.call("POST", charge, ["Content-Encoding: identity"]).json["balance"] == 1_000)
    }

    @Test func `a chunked body of a coding is read to its end`() throws {
        let connection = try TestConnection(port: Self.cluster.port)
        let chunks = "5\r\n\u{1F}gzip\r\n3;x\r\nabc\r\n0\r\nTrailer: y\r\n\r\n"
        let lines = ["Transfer-Encoding: chunked", "Content-Encoding: gzip"]
        try connection.send(
            BookingClient.request("POST", "/api/v1/payment", lines) + chunks
                + BookingClient.request("GET", "/api/v1/point?userId=4201")
        )
        Self.expect(try connection.answer(), 415, "CONTENT_CODING_UNSUPPORTED")
        #expect(try connection.answer().json["userId"] == 4_201)
    }

    @Test func `a change of a part, or under a condition that can't hold, is refused and not done`() throws {
        let client = try BookingClient.keeping(port: Self.cluster.port)
        let charge = "/api/v1/point/charge?userId=4202&amount=1000"
        Self.expect(
            try client.call("POST", charge, ["Content-Range: bytes 0-9/20"]),
            400,
            "CONTENT_RANGE_UNSUPPORTED"
        )
        Self.expect(try client.call("POST", charge, ["If-Match: \"0123\""]), 412, "PRECONDITION_FAILED")
        #expect(try client.balance(4_202).json["balance"] == 0)
        #expect(try client.call("GET", "/api/v1/concerts", ["If-Match: \"x\"", "Content-Range: x"]).status == 200)
        #expect(try client.call("POST", charge, ["If-Match: *"]).json["balance"] == 1_000)
    }

    /// The charset of JSON means nothing (RFC 8259, section 11); what is not UTF-8 is no JSON, whatever it says.
    @Test func `a body is read as UTF-8, whatever charset its type names`() throws {
        let body = #"{"concertId":1,"userId":4203,"name":"좌석"}"#
        for charset in ["utf-8", "UTF-8", "us-ascii", "euc-kr", "utf-16"] {
            let type = "Content-Type: application/json; charset=\(charset)"
            let connection = try TestConnection(port: Self.cluster.port)
            let length = "Content-Length: \(body.utf8.count)"
            try connection.send(BookingClient.request("POST", "/api/v1/waiting", [type, length]) + body)
            #expect(try connection.answer().status == 200)
            let wide = body.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            try connection.send(
                Array(BookingClient.request("POST", "/api/v1/waiting", [type, "Content-Length: \(wide.count)"]).utf8)
                    + wide
            )
            #expect(try connection.answer().status == 400)
        }
    }
}
