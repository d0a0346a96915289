/// One request as parsed: views of the connection's bytes, without copies.
///
/// Valid until the next call of its parser. Users copy what they keep longer.
public struct HTTPRequest {
    public let method: HTTPMethod
    public let form: TargetForm
    /// Raw, with percent-escapes; starts with `/`. `*` for the asterisk form, empty for the authority form.
    public let path: ByteView
    /// Raw, without the `?`; empty when there is none. See `QueryParameters`.
    public let query: ByteView
    /// Name and port as sent: the target's if it has them, else those of `Host`; empty in HTTP/1.0 without either.
    public let host: ByteView
    /// The whole body, without its chunked coding.
    public let body: ByteView
    /// What the answer must say about the connection; after `.close` nothing more is read from it.
    public let connection: HTTPConnectionFate
    /// Why it can't be carried out as meant, though it is sound HTTP; nil for nearly every request.
    public let rejection: HTTPRejection?
    public let headers: HTTPHeaders

    /// The connection's bytes that it took, but for the chunks' own framing.
    public var byteCount: Int { self.headers.request.count + self.body.count }

    /// The forms of a request target (RFC 9112, section 3.2). A server gets `absolute` from clients with a proxy
    /// setting, `authority` only with CONNECT, `asterisk` only with OPTIONS.
    public enum TargetForm: UInt8, Sendable { case origin, absolute, authority, asterisk }

    /// The value of a header that Usher reads, or nil. Where a list header came in several lines, the last of them.
    public subscript(header: HTTPHeaders.Known) -> ByteView? { self.headers[header] }
}

/// The methods of RFC 9110 and 5789. Any other is refused with 501 before it gets here.
public enum HTTPMethod: UInt8, CaseIterable, Sendable {
    case get, head, post, put, delete, options, patch, connect, trace

    /// Whether it asks for a change.
    var isChange: Bool {
        switch self {
        case .post, .put, .delete, .patch: true
        case .get, .head, .options, .connect, .trace: false
        }
    }

    public var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        }
    }

    /// Case matters: `get` is not a known method.
    init?(_ name: ByteView) {
        let found: HTTPMethod? =
            switch name.count {
            case 3: name == "GET" ? .get : name == "PUT" ? .put : nil
            case 4: name == "POST" ? .post : name == "HEAD" ? .head : nil
            case 5: name == "PATCH" ? .patch : name == "TRACE" ? .trace : nil
            case 6: name == "DELETE" ? .delete : nil
            case 7: name == "OPTIONS" ? .options : name == "CONNECT" ? .connect : nil
            default: nil
            }
        guard let found else { return nil }
        self = found
    }
}

/// The connection's fate after an answer, and so the answer's `Connection` header.
public enum HTTPConnectionFate: UInt8, Sendable {
    /// HTTP/1.1: stays open, without a header.
    case keep
    /// HTTP/1.0 that asked for it: stays open, and the answer says `Connection: keep-alive`.
    case keepAliveExplicit
    /// The answer says `Connection: close`.
    case close
}

/// The field lines of a request, in the order they came.
public struct HTTPHeaders: Sequence {
    /// The headers that Usher reads, found while parsing, so that access costs nothing.
    public enum Known: UInt8, CaseIterable, Sendable {
        case host, connection, contentLength, transferEncoding, expect
        case concertToken, acceptLanguage, contentType, ifNoneMatch, idempotencyKey
        case forwardedFor, forwarded, authorization
        case origin, contentEncoding, contentRange, ifMatch

        /// Whether a second line is refused, as the two could contradict each other. The other headers are lists, or
        /// have a refusal of their own (`Host`, `Content-Length`, `Transfer-Encoding`).
        var isSingle: Bool {
            switch self {
            case .concertToken, .contentType, .idempotencyKey, .authorization, .origin: true
            case .host, .connection, .contentLength, .transferEncoding, .expect, .acceptLanguage, .ifNoneMatch,
                .forwardedFor, .forwarded, .contentEncoding, .contentRange, .ifMatch:
                false
            }
        }

        /// The name of the line at `start`, colon included, if it is one of the most frequent headers of the contract:
        /// matched by whole words instead of bytes. Nil says nothing about other headers.
        @inline(__always)
        init?(lineAt start: Int, of bytes: ByteView) {
            guard start + Self.quickCountMax < bytes.count else { return nil }
            switch bytes.byte(start) | 0x20 {
            case UInt8(ascii: "h") where bytes.has("host:", at: start): self = .host
            case UInt8(ascii: "x") where bytes.has("x-concert-token:", at: start): self = .concertToken
            case UInt8(ascii: "c") where bytes.has("content-length:", at: start): self = .contentLength
            case UInt8(ascii: "c") where bytes.has("content-type:", at: start): self = .contentType
            case UInt8(ascii: "c") where bytes.has("connection:", at: start): self = .connection
            default: return nil
            }
        }

        /// The longest of them, with its colon.
        private static let quickCountMax = 16

        var nameCount: Int {
            switch self {
            case .host: 4
            case .expect, .origin: 6
            case .ifMatch: 8
            case .forwarded: 9
            case .connection: 10
            case .contentType: 12
            case .ifNoneMatch, .authorization, .contentRange: 13
            case .contentLength: 14
            case .concertToken, .acceptLanguage, .idempotencyKey, .forwardedFor: 15
            case .contentEncoding: 16
            case .transferEncoding: 17
            }
        }

        /// By length first: most names have no known length, and are dismissed.
        @inline(__always)
        init?(_ name: ByteView) {
            switch name.count {
            case 4 where name.has("host", at: 0): self = .host
            case 6 where name.has("origin", at: 0): self = .origin
            case 6 where name.has("expect", at: 0): self = .expect
            case 8 where name.has("if-match", at: 0): self = .ifMatch
            case 9 where name.has("forwarded", at: 0): self = .forwarded
            case 10 where name.has("connection", at: 0): self = .connection
            case 12 where name.has("content-type", at: 0): self = .contentType
            case 13 where name.has("if-none-match", at: 0): self = .ifNoneMatch
            case 13 where name.has("authorization", at: 0): self = .authorization
            case 13 where name.has("content-range", at: 0): self = .contentRange
            case 14 where name.has("content-length", at: 0): self = .contentLength
            case 15 where name.has("x-concert-token", at: 0): self = .concertToken
            case 15 where name.has("accept-language", at: 0): self = .acceptLanguage
            case 15 where name.has("idempotency-key", at: 0): self = .idempotencyKey
            case 15 where name.has("x-forwarded-for", at: 0): self = .forwardedFor
            case 16 where name.has("content-encoding", at: 0): self = .contentEncoding
            case 17 where name.has("transfer-encoding", at: 0): self = .transferEncoding
            default: return nil
            }
        }
    }

    /// The positions of one line's name and value, from the start of the request.
    struct Slot {
        var name: UInt32
        var nameCount: UInt32
        var value: UInt32
        var valueCount: UInt32
    }

    /// For each known header its slot's index plus one; 0 for none.
    typealias Index = InlineArray<17, UInt8>

    let request: ByteView
    let slots: UnsafePointer<Slot>
    public let count: Int
    let index: Index

    public subscript(known: Known) -> ByteView? {
        let slot = Int(self.index[Int(known.rawValue)])
        return slot == 0 ? nil : self.line(slot - 1).value
    }

    func line(_ at: Int) -> (name: ByteView, value: ByteView) {
        assert(at < self.count, "a line that was never sent")
        let slot = self.slots[at]
        let name = self.request.part(Int(slot.name), Int(slot.name + slot.nameCount))
        return (name, self.request.part(Int(slot.value), Int(slot.value + slot.valueCount)))
    }

    public func makeIterator() -> Iterator { Iterator(headers: self) }

    public struct Iterator: IteratorProtocol {
        let headers: HTTPHeaders
        var at = 0

        public mutating func next() -> (name: ByteView, value: ByteView)? {
            guard self.at < self.headers.count else { return nil }
            defer { self.at += 1 }
            return self.headers.line(self.at)
        }
    }
}
