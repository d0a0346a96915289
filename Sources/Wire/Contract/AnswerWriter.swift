public import Booking

/// From a shard's reply to the HTTP answer of the contract: names, order and words are exact, since foreign clients
/// read them.
///
/// Ids, states, and what was sold at which price and grade come from the shard; titles, times, and what is for sale
/// from the catalogue, which is the same everywhere. The bodies stand with their calls (`Calls/`).
public struct AnswerWriter: Sendable {
    let catalogue: Catalogue
    private let zone: ZoneTable
    let pollPause: PollPause
    /// The smallest maximum pause of any concert: most pauses are below it and need no lookup of their concert's.
    let shortPause: UInt32

    /// How long a browser or a proxy may cache the schedules: as long as the gateway itself.
    public static let publicCache: StaticString = "public, max-age=1"
    /// The same for the contract document, which changes only with a new version or setting.
    public static let contractCache: StaticString = "public, max-age=60"
    /// Everything else is about one person, or about this moment.
    private static let privateCache: StaticString = "no-store"

    public init(catalogue: Catalogue, zone: ZoneTable, pollPause: PollPause = PollPause()) {
        self.catalogue = catalogue
        self.zone = zone
        self.pollPause = pollPause
        self.shortPause = catalogue.concerts.map(\.rules.pollPauseSecondsMax).min() ?? .max
    }

    /// What a request says about its answer.
    public struct ResponseOptions: Sendable {
        public let method: HTTPMethod
        public let connection: HTTPConnectionFate
        public let language: Language

        public init(method: HTTPMethod, connection: HTTPConnectionFate, language: Language) {
            self.method = method
            self.connection = connection
            self.language = language
        }
    }

    // MARK: Whole answers

    /// The answer to a request from a shard's reply; returns its status. `scratch` is overwritten.
    public func append(
        _ reply: Reply,
        to request: Request,
        token: TokenText,
        _ options: ResponseOptions,
        date: HTTPDate,
        scratch: inout OutputBytes,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        let route = RouteTable.contract.route(asking: request.kind)
        if let refusal = reply.refusal {
            let asksForPlace = route?.pointee.asksForPlace ?? false
            var problem = Problem(refusal, token: Self.text(of: token), asksForPlace: asksForPlace)
            if case .refusedFor(_, let seconds) = reply { problem.retryAfter = seconds }
            return self.append(problem, options, date: date, scratch: &scratch, to: &output)
        }
        var head = HTTPResponse(.ok, connection: options.connection)
        head.cacheControl = Self.privateCache
        scratch.removeAll()
        route?.pointee.answer?(self, reply, request, token, &head, &scratch)
        head.append(body: scratch.view, toMethod: options.method, date: date, to: &output)
        return .ok
    }

    public func append(
        _ problem: Problem,
        _ options: ResponseOptions,
        date: HTTPDate,
        scratch: inout OutputBytes,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        var head = HTTPResponse(problem.status, connection: options.connection)
        head.cacheControl = Self.privateCache
        head.retryAfterSeconds = problem.retryAfter
        head.allow = problem.allow
        head.authenticate = problem.authenticate
        head.acceptEncoding = problem.acceptEncoding
        scratch.removeAll()
        Self.append(problem, in: options.language, &scratch)
        head.append(body: scratch.view, toMethod: options.method, date: date, to: &output)
        return problem.status
    }

    private static func append(_ problem: Problem, in language: Language, _ body: inout OutputBytes) {
        body.openObject()
        body.member("code", problem.code)
        body.member("message", language == .korean ? problem.korean : problem.english)
        body.closeObject()
    }

    /// The same with only the necessary fields, for problems that are sent to many clients at once. A 503 is not cached
    /// (RFC 9110, section 15.1), and may go without a date (section 6.6.1).
    public static func bareAnswer(_ problem: Problem, _ options: ResponseOptions) -> [UInt8] {
        var head = HTTPResponse(problem.status, connection: options.connection)
        head.retryAfterSeconds = problem.retryAfter
        var body = OutputBytes()
        var output = OutputBytes()
        Self.append(problem, in: options.language, &body)
        head.append(body: body.view, toMethod: options.method, date: nil, to: &output)
        return output.array
    }

    /// A body made before, which the client may have: then 304 without it.
    public func append(
        cached body: CachedBody,
        ifNoneMatch: ByteView?,
        cacheControl: StaticString = AnswerWriter.publicCache,
        _ options: ResponseOptions,
        date: HTTPDate,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        let isKnown = ifNoneMatch.map { HTTPResponse.matches($0, tag: body.tag) } ?? false
        var head = HTTPResponse(isKnown ? .notModified : .ok, connection: options.connection)
        head.cacheControl = cacheControl
        head.entityTag = body.tag
        body.bytes.withUnsafeBytes {
            head.append(body: ByteView($0), toMethod: options.method, date: date, to: &output)
        }
        return head.status
    }

    public func appendOptions(
        allow: StaticString,
        _ options: ResponseOptions,
        date: HTTPDate,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        var head = HTTPResponse(.noContent, connection: options.connection)
        head.allow = allow
        head.append(body: .empty, toMethod: options.method, date: date, to: &output)
        return head.status
    }

    /// What a page of another origin may send, whatever the path (the Fetch standard, section 3.3.3): the contract's
    /// methods and headers. A method that a path does not have is refused at the request itself. Browsers cache this
    /// for two hours at most.
    private static let preflightFields: StaticString = """
        Access-Control-Allow-Methods: GET, HEAD, POST, DELETE, OPTIONS\r
        Access-Control-Allow-Headers: accept-language, authorization, content-type, idempotency-key, if-none-match, \
        x-concert-token\r
        Access-Control-Max-Age: 7200\r\n
        """

    public func appendPreflight(_ options: ResponseOptions, date: HTTPDate, to output: inout OutputBytes) -> HTTPStatus
    {
        var head = HTTPResponse(.noContent, connection: options.connection)
        head.moreFields = Self.preflightFields
        head.append(body: .empty, toMethod: options.method, date: date, to: &output)
        return head.status
    }

    /// The approximate maximum length of an answer that grows with a hall or a list; 0 for all others.
    public func bodyBytesMax(of request: Request) -> Int {
        RouteTable.contract.route(asking: request.kind)?.pointee.bodyBytesMax?(self, request) ?? 0
    }

    // MARK: Fields

    private static func text(of token: TokenText) -> String {
        token.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    static func append(_ name: StaticString, _ token: TokenText, _ output: inout OutputBytes) {
        output.member(name)
        output.append(UInt8(ascii: "\""))
        token.withUnsafeBytes { output.append(ByteView($0)) }
        output.append(UInt8(ascii: "\""))
    }

    func append(_ name: StaticString, _ moment: Timestamp, _ output: inout OutputBytes) {
        output.member(name)
        output.append(UInt8(ascii: "\""))
        let offset = self.zone.offset(at: moment.seconds)
        DateTimeText(offsetSeconds: Int64(offset)).append(moment, to: &output)
        output.append(UInt8(ascii: "\""))
    }
}
