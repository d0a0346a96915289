import Testing
import Wire

/// Headers that give a request an unsupported meaning: detected while parsing, and the next request is still read.
@Suite struct HTTPRejectionTests {
    /// The parser's results for a request with these lines, and for a plain one behind it.
    private static func rejections(
        _ lines: [String],
        _ method: String = "POST",
        body: String = "Content-Length: 2\r\n\r\n{}"
    ) -> [HTTPRejection?] {
        let head = "\(method) /any HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined()
        let bytes = Array((head + body + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n").utf8)
        var found: [HTTPRejection?] = []
        // In one read, and byte by byte: findings in a head are kept while the rest comes.
        for size in [bytes.count, 1] {
            var parser = HTTPRequestParser()
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(bytes.count, start + size)].withUnsafeBytes {
                    parser.feed($0)
                    while case .request(let request) = parser.next() { found.append(request.rejection) }
                }
            }
        }
        #expect(found.count == 4 && Array(found[..<2]) == Array(found[2...]), "\(found)")
        return Array(found[..<2])
    }

    @Test(arguments: [
        ["gzip"], ["deflate"], ["br"], ["zstd"], ["compress"], ["x-sdk"], ["GZip"], ["identity, gzip"],
        ["gzip, identity"],
        ["gzip, gzip"], [",gzip,"], [" \t gzip"], ["identity;q=1"], ["identit"], ["identityy"], ["aes128gcm"],
        ["\u{80}"],
        ["identity", "gzip"], ["gzip", "identity"], ["", "br"], ["chunked"], ["\"identity\""], ["identity identity"],
    ])
    func `a content coding is rejected, wherever it stands in a list`(values: [String]) {
        let lines = values.map { "Content-Encoding: \($0)" }
        for method in ["POST", "GET", "DELETE", "OPTIONS", "TRACE", "PUT"] {
            #expect(Self.rejections(lines, method) == [.contentCoding, nil], "\(method)")
        }
        #expect(Self.rejections(lines, body: "Content-Length: 0\r\n\r\n") == [.contentCoding, nil])
        #expect(Self.rejections(lines, body: "\r\n") == [.contentCoding, nil])
        let chunked = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        #expect(Self.rejections(lines.map { $0.uppercased() }, body: chunked) == [.contentCoding, nil])
    }

    @Test(arguments: [
        ["identity"], ["IDENTITY"], ["Identity, identity"], [""], [","], [" , ,"], [",identity ,"], ["identity", ""],
        ["identity", "identity"],
    ])
    func `identity is no coding`(values: [String]) {
        #expect(Self.rejections(values.map { "content-encoding: \($0)" }) == [nil, nil])
    }

    @Test(arguments: [
        "Content-Encodin: gzip", "Content-Encodings: gzip", "X-Content-Encoding: gzip", "Accept-Encoding: gzip, br",
        "TE: gzip, trailers", "Trailer: Content-Encoding", "Content-Type: application/json; charset=euc-kr",
        "Range: bytes=0-1", "If-Unmodified-Since: Tue, 15 Nov 1994 08:12:31 GMT", "Content-Language: ko",
    ])
    func `other headers reject nothing`(line: String) {
        #expect(Self.rejections([line]) == [nil, nil])
    }

    @Test func `a coding in a trailer is dropped with the trailer`() {
        let body = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Encoding: gzip\r\n\r\n"
        #expect(Self.rejections([], body: body) == [nil, nil])
    }

    @Test func `a change of a part, or under a condition, is rejected; a question is not`() {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            #expect(Self.rejections(["Content-Range: bytes 0-1/9"], method) == [.contentRange, nil])
            #expect(Self.rejections(["content-range:"], method) == [.contentRange, nil])
            #expect(Self.rejections(["If-Match: \"a\""], method) == [.precondition, nil])
            #expect(Self.rejections(["If-Match: W/\"a\", \"b\""], method) == [.precondition, nil])
            #expect(Self.rejections(["If-Match: *"], method) == [nil, nil])
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            #expect(Self.rejections(["Content-Range: bytes 0-1/9", "If-Match: \"a\""], method) == [nil, nil])
        }
    }

    @Test func `of several reasons a coding is told first`() {
        let lines = ["If-Match: \"a\"", "Content-Range: bytes 0-1/9", "Content-Encoding: gzip"]
        #expect(Self.rejections(lines) == [.contentCoding, nil])
        #expect(Self.rejections(lines.reversed()) == [.contentCoding, nil])
        #expect(Self.rejections(["If-Match: \"a\"", "Content-Range: x"]) == [.precondition, nil])
    }

    @Test(arguments: HTTPRejection.allCases)
    func `a rejection says in both languages what to do`(rejection: HTTPRejection) {
        let problem = Problem(rejection)
        #expect(problem.english.contains("Nothing was done. Send") && problem.korean.contains("보내주세요"))
        #expect((problem.acceptEncoding != nil) == (problem.status == .unsupportedMediaType))
    }
}
