/// The head of an answer, and the writing of head and body. No allocation beyond the output's growth.
///
/// Values are literals and can't break out of their line. None of these fields takes text from outside.
public struct HTTPResponse: Sendable {
    public static let json: StaticString = "application/json; charset=utf-8"
    /// `HTTP/1.1 100 Continue`, for a request that waits for it before it sends its body.
    public static let interimContinue: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"

    public var status: HTTPStatus
    /// The body's type; left out without a body.
    public var contentType: StaticString
    public var connection: HTTPConnectionFate
    public var retryAfterSeconds: UInt32?
    public var cacheControl: StaticString?
    /// A number for the body's content: different bodies must have different numbers.
    public var entityTag: UInt64?
    /// Methods, for 405 and OPTIONS: `GET, POST`.
    public var allow: StaticString?
    public var vary: StaticString?
    /// The scheme to authenticate by, for 401 (RFC 9110, section 11.6.1).
    public var authenticate: StaticString?
    /// The codings that a request's content may have, for 415 (RFC 9110, section 12.5.3).
    public var acceptEncoding: StaticString?
    /// Whole field lines with their ends, for rare fields.
    public var moreFields: StaticString?

    public init(_ status: HTTPStatus, connection: HTTPConnectionFate, contentType: StaticString = Self.json) {
        self.status = status
        self.connection = connection
        self.contentType = contentType
    }

    /// Appends the whole answer. HEAD gets the same head without the body (RFC 9110, section 9.3.2); 204 and 304 have
    /// neither body nor length, whatever `body` is. A 5xx may go without a date.
    public func append(
        body: ByteView,
        toMethod method: HTTPMethod,
        date: HTTPDate?,
        to output: inout OutputBytes
    ) {
        self.appendHead(bodyCount: body.count, date: date, to: &output)
        if method != .head && !self.status.isWithoutBody { output.append(body) }
    }

    /// Appends status line and fields, with the empty line behind them.
    public func appendHead(bodyCount: Int, date: HTTPDate?, to output: inout OutputBytes) {
        output.append(self.status.line)
        if let date {
            output.append("Date: ")
            date.append(to: &output)
            output.append("\r\n")
        }
        if !self.status.isWithoutBody {
            if bodyCount > 0 { Self.append("Content-Type: ", self.contentType, to: &output) }
            output.append("Content-Length: ")
            output.append(decimal: UInt64(bodyCount))
            output.append("\r\n")
        }
        switch self.connection {
        case .keep: break
        case .keepAliveExplicit: output.append("Connection: keep-alive\r\n")
        case .close: output.append("Connection: close\r\n")
        }
        if let seconds = self.retryAfterSeconds {
            output.append("Retry-After: ")
            output.append(decimal: UInt64(seconds))
            output.append("\r\n")
        }
        if let cacheControl = self.cacheControl { Self.append("Cache-Control: ", cacheControl, to: &output) }
        if let tag = self.entityTag {
            output.append("ETag: \"")
            output.append(hex: tag)
            output.append("\"\r\n")
        }
        if let allow = self.allow { Self.append("Allow: ", allow, to: &output) }
        if let vary = self.vary { Self.append("Vary: ", vary, to: &output) }
        if let authenticate = self.authenticate { Self.append("WWW-Authenticate: ", authenticate, to: &output) }
        if let codings = self.acceptEncoding { Self.append("Accept-Encoding: ", codings, to: &output) }
        if let fields = self.moreFields { output.append(fields) }
        output.append("\r\n")
    }

    private static func append(_ name: StaticString, _ value: StaticString, to output: inout OutputBytes) {
        output.append(name)
        output.append(value)
        output.append("\r\n")
    }

    /// Bytes of an `If-None-Match` that are read: more than fifty of our tags. For tags behind them the answer is sent
    /// in full.
    static let ifNoneMatchBytesMax = 1_024

    /// Whether an `If-None-Match` value contains `tag`, so that 304 is the answer: `*`, or a list of tags, compared
    /// weakly (RFC 9110, section 13.1.2). A malformed list matches nothing, nor does anything behind
    /// `ifNoneMatchBytesMax` bytes.
    public static func matches(_ ifNoneMatch: ByteView, tag: UInt64) -> Bool {
        let value = ifNoneMatch.part(0, min(ifNoneMatch.count, Self.ifNoneMatchBytesMax)).trimmed()
        if value == "*" { return true }
        var at = 0
        while at < value.count {
            if value.byte(at) == UInt8(ascii: "W"), at + 1 < value.count, value.byte(at + 1) == UInt8(ascii: "/") {
                at += 2
            }
            guard at < value.count, value.byte(at) == UInt8(ascii: "\""),
                let close = value.firstIndex(of: UInt8(ascii: "\""), from: at + 1)
            else { return false }
            if self.isTag(value.part(at + 1, close), tag) { return true }
            at = close + 1
            while at < value.count, self.isBetweenTags(value.byte(at)) { at += 1 }
        }
        return false
    }

    private static func isBetweenTags(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: ",")
    }

    private static func isTag(_ text: ByteView, _ tag: UInt64) -> Bool {
        guard text.count == 16 else { return false }
        var number: UInt64 = 0
        for at in 0..<16 {
            let byte = text.byte(at)
            guard let digit = ByteClass.hexValue(byte), !(0x41...0x46).contains(byte) else { return false }
            number = number << 4 | UInt64(digit)
        }
        return number == tag
    }
}
