import Testing
import Wire

/// A parser's memory for an incomplete request, and what it can tell of that request.
@Suite struct HTTPRequestParserBuffersTests {
    private static let origin = "Origin: https://shop.example\r\n"

    /// Feeds `text`, and reads on to the next refusal, or until more is needed.
    private static func feed(_ text: String, to parser: inout HTTPRequestParser) -> HTTPRefusal? {
        Array(text.utf8).withUnsafeBytes { bytes in
            parser.feed(bytes)
            while true {
                switch parser.next() {
                case .request, .continueExpected: continue
                case .needsMore: return nil
                case .refused(let refusal): return refusal
                }
            }
        }
    }

    private static func origin(of parser: inout HTTPRequestParser) -> String? { parser.origin?.text }

    @Test func `the origin of an unfinished request is known once its line is whole`() {
        var parser = HTTPRequestParser()
        #expect(Self.origin(of: &parser) == nil)
        for (part, expected) in [
            ("POST /a HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.exam", nil), ("ple", nil),
            ("\r\nX: ", "https://shop.example"), ("y\r\nContent-Length: 5\r\n\r\nabc", "https://shop.example"),
            ("de", nil),
            ("GET / HTTP/1.1\r\nHost: a\r\n", nil), ("\r\n", nil),
            ("POST / HTTP/1.1\r\nHost: a\r\nOrigin: null\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "null"),
            ("cde\r\n0\r\nOrigin: x\r\n", "null"), ("\r\n", nil),
        ] as [(String, String?)] {
            #expect(Self.feed(part, to: &parser) == nil)
            #expect(Self.origin(of: &parser) == expected, "\(part)")
        }
    }

    @Test func `the origin of a refused request is known until the next call`() {
        for (head, refusal, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\(Self.origin)X : y\r\n", .spaceBeforeColon, "https://shop.example"),
            ("GET / HTTP/1.1\r\n\(Self.origin)\r\n", .hostMissing, "https://shop.example"),
            ("GET / HTTP/1.1\r\nX : y\r\n\(Self.origin)", .spaceBeforeColon, nil),
            ("GET /\r\n\(Self.origin)", .requestLineInvalid, nil),
            ("GET / HTTP/1.1\r\nHost: a\r\n\(Self.origin)\r\nBREW / HTTP/1.1\r\n", .methodUnknown, nil),
        ] as [(String, HTTPRefusal, String?)] {
            // In one read, and in two, when the first part is in the parser's buffer.
            for cut in [0, 4] {
                var parser = HTTPRequestParser()
                let bytes = Array(head.utf8)
                #expect(Self.feed(String(decoding: bytes[..<cut], as: UTF8.self), to: &parser) == nil)
                bytes[cut...].withUnsafeBytes {
                    parser.feed($0)
                    var found: HTTPRefusal?
                    while found == nil {
                        switch parser.next() {
                        case .refused(let refusal): found = refusal
                        case .request, .continueExpected: continue
                        case .needsMore:
                            Issue.record("not refused: \(head)")
                            return
                        }
                    }
                    #expect(found == refusal && Self.origin(of: &parser) == expected, "\(head)")
                    guard case .needsMore = parser.next() else {
                        Issue.record("it goes on")
                        return
                    }
                }
                #expect(Self.origin(of: &parser) == nil && parser.heldBytes == 0 && parser.phase == .finished)
            }
        }
    }

    @Test func `an unfinished request takes what has come of it, a whole one nothing`() {
        var parser = HTTPRequestParser()
        _ = Self.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n", to: &parser)
        #expect(parser.heldBytes == 0)
        let body = String(repeating: "x", count: 40_000)
        for head in ["Content-Length: 40001\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nFFFF\r\n"] {
            var parser = HTTPRequestParser()
            _ = Self.feed("POST / HTTP/1.1\r\nHost: a\r\n" + head + body, to: &parser)
            #expect((40_000...90_000).contains(parser.heldBytes))
            parser.abandon()
            #expect(parser.heldBytes == 0 && Self.feed("x", to: &parser) == nil && parser.heldBytes == 0)
        }
    }

    @Test func `what is kept for the next request can be freed while there is none`() {
        var parser = HTTPRequestParser()
        let lines = (1...90).map { "X-\($0): y\r\n" }.joined()
        let request = "POST / HTTP/1.1\r\nHost: a\r\n\(lines)Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        for _ in 0..<3 {
            let half = request.utf8.count / 2
            _ = Self.feed(String(request.prefix(half)), to: &parser)
            let held = parser.heldBytes
            parser.releaseSpare()
            #expect(parser.heldBytes == held && held > half)
            _ = Self.feed(String(request.dropFirst(half)), to: &parser)
            #expect(parser.heldBytes > 0 && parser.phase == .idle)
            parser.releaseSpare()
            #expect(parser.heldBytes == 0)
        }
        var events = 0
        Array(request.utf8).withUnsafeBytes {
            parser.feed($0)
            while case .request(let request) = parser.next() {
                events += 1
                #expect(request.body.text == "{}" && request.headers.count == 92)
            }
        }
        #expect(events == 1)
    }
}
