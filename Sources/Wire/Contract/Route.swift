import Booking

/// One call of the contract: a row of the table `Route.all`, where everything that is said of the call is said once. What holds
/// for the kind of request that a shard is asked (its name, its priority, whether it changes anything or is about one user) is
/// that kind's own: `Request.Kind.Traits`.
struct Route: Sendable {
    /// From an HTTP request to the call. Throws `Problem` or `InputError`. Where logins are checked, the router knows who asks.
    typealias Decode = @Sendable (Router, HTTPRequest) throws -> RoutedCall
    /// From the shard's reply to the body of a 200, and what its head says beside. A reply of another kind writes nothing.
    typealias Answer =
        @Sendable (AnswerWriter, Reply, Request, TokenText, inout HTTPResponse, inout OutputBytes) -> Void

    /// How long the body of an answer can be that is as long as a hall or a list, about.
    typealias BodyBytesMax = @Sendable (AnswerWriter, Request) -> Int

    /// Where a request names its concert, so that it can be read before anything is checked: see `Router.glance`.
    enum Glance: Sendable {
        case query
        case body
        /// Unless it has an `Idempotency-Key`: then it may be for another shard first.
        case bodyWithoutKey
    }

    let method: HTTPMethod
    let path: StaticString
    /// In a word, for logs.
    let name: StaticString
    /// What a shard is asked; nil where the gateway has the answer.
    let kind: Request.Kind?
    let decode: Decode
    /// Nil where the gateway has the answer as bytes.
    let answer: Answer?
    /// Nil where nobody may keep the answer.
    let cacheControl: StaticString?
    let glance: Glance?
    /// It shows or leaves a place in line: to a token that is none it answers 400 with its text, where others answer 401.
    let asksForPlace: Bool
    /// Nil where an answer is short.
    let bodyBytesMax: BodyBytesMax?
    /// Its row in `/openapi.json` and in the contract's page.
    let document: @Sendable (Route) -> DocumentedCall

    /// A call that a shard answers.
    init(
        _ method: HTTPMethod,
        _ path: StaticString,
        _ kind: Request.Kind,
        decode: @escaping Decode,
        answer: @escaping Answer,
        cacheControl: StaticString? = nil,
        glance: Glance? = nil,
        asksForPlace: Bool = false,
        bodyBytesMax: BodyBytesMax? = nil,
        document: @escaping @Sendable (Route) -> DocumentedCall
    ) {
        self.method = method
        self.path = path
        self.name = kind.name
        self.kind = kind
        self.decode = decode
        self.answer = answer
        self.cacheControl = cacheControl
        self.glance = glance
        self.asksForPlace = asksForPlace
        self.bodyBytesMax = bodyBytesMax
        self.document = document
    }

    /// A call that the gateway answers by itself, from bytes that are ready.
    init(
        _ method: HTTPMethod,
        _ path: StaticString,
        named name: StaticString,
        decode: @escaping Decode,
        cacheControl: StaticString,
        document: @escaping @Sendable (Route) -> DocumentedCall
    ) {
        self.method = method
        self.path = path
        self.name = name
        self.kind = nil
        self.decode = decode
        self.answer = nil
        self.cacheControl = cacheControl
        self.glance = nil
        self.asksForPlace = false
        self.bodyBytesMax = nil
        self.document = document
    }

    var isAboutUser: Bool { self.kind?.traits.isAboutUser ?? false }
    /// As long as a hall or a list, as is all that the gateway answers by itself.
    var isLarge: Bool { self.kind == nil || self.bodyBytesMax != nil }
}
