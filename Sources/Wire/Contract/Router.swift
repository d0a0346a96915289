public import Booking

/// From an HTTP request to the call it makes. Holds what that takes: the catalogue and the ring of token keys. Which calls there
/// are is the table of routes (`Route.all`); what each reads stands with the call (`Calls/`), the fields that several read in
/// `Router+Fields`.
///
/// A token is checked here, so that a forged one never reaches a shard. Nothing is allocated for join and poll.
public struct Router: Sendable {
    /// The most reservations that one payment may pay for or one call cancel, and the most seats read from a list; the concert's own limit
    /// for one reservation is lower.
    public static let listCountMax = 100

    /// What all routers know, held by one reference: whoever asks a router that may be replaced copies it first.
    private final class Knowledge: Sendable {
        let catalogue: Catalogue
        let tokens: TokenRing

        init(_ catalogue: Catalogue, _ tokens: TokenRing) {
            self.catalogue = catalogue
            self.tokens = tokens
        }
    }

    private let knowledge: Knowledge
    /// Who asks, by the token of their login; nil where requests say so themselves.
    private(set) var subject: UserID?

    public init(catalogue: Catalogue, tokens: TokenRing) { self.knowledge = Knowledge(catalogue, tokens) }

    var catalogue: Catalogue { self.knowledge.catalogue }
    /// The keys that it checks tokens with.
    public var tokens: TokenRing { self.knowledge.tokens }

    // MARK: Before a request is read

    /// What a request asks for, in a word, as the kinds of requests are called; `none` for a path that is none, `other` for a
    /// method that it does not have.
    public static func name(of request: HTTPRequest) -> StaticString {
        guard let path = RouteTable.contract.path(request.path) else { return "none" }
        guard let route = RouteTable.contract.route(request.method, of: path) else {
            return request.method == .options ? "options" : "other"
        }
        return route.pointee.name
    }

    /// Whether a request is about one user, so that who asks has to be known. Paths that there are not are about nobody.
    public static func isAboutUser(_ request: HTTPRequest) -> Bool {
        request.method != .options && RouteTable.contract.path(request.path)?.pointee.isAboutUser == true
    }

    /// Whose line a poll, a join or a reservation is about, and what it is worth, at a glance: nothing else of it is checked. Nil for
    /// other requests, and for those that are written otherwise than nearly all are.
    public static func glance(_ request: HTTPRequest) -> (ConcertID, RequestPriority)? {
        guard let path = RouteTable.contract.path(request.path),
            let route = RouteTable.contract.route(request.method, of: path), request.method == route.pointee.method,
            let glance = route.pointee.glance, let kind = route.pointee.kind
        else { return nil }
        let concert: ConcertID?
        switch glance {
        case .query: concert = Self.number(behind: "concertId=", in: request.query, before: [UInt8(ascii: "&")])
        case .bodyWithoutKey where request[.idempotencyKey] != nil: concert = nil
        case .body, .bodyWithoutKey:
            let ends = [UInt8(ascii: ","), UInt8(ascii: "}")] as InlineArray<2, UInt8>
            concert = Self.number(behind: #"{"concertId":"#, in: request.body, before: ends)
        }
        return concert.map { ($0, kind.traits.priority) }
    }

    // MARK: Routing

    /// As below, for a request of `subject`: it may leave `userId` out, and is refused if it names another user there or in
    /// its place's token.
    public func route(_ request: HTTPRequest, askedBy subject: UserID) throws(Problem) -> RoutedCall {
        var router = self
        router.subject = subject
        let routed = try router.route(request)
        if case .ask(let question) = routed.call, let user = question.user, user != subject { throw .identityOther }
        return routed
    }

    public func route(_ request: HTTPRequest) throws(Problem) -> RoutedCall {
        if request.form == .asterisk { return RoutedCall(.options(allow: RouteTable.everyMethod)) }
        guard let path = RouteTable.contract.path(request.path) else { throw .notFound }
        guard let route = RouteTable.contract.route(request.method, of: path) else {
            guard request.method == .options else { throw .methodNotAllowed(path.pointee.allow) }
            return RoutedCall(.options(allow: path.pointee.allow))
        }
        var routed = try self.decode(request, by: route)
        routed.isLarge = route.pointee.isLarge
        guard let key = request[.idempotencyKey], case .ask(let question) = routed.call,
            let user = question.mutatingUser
        else { return routed }
        routed.key = try IdempotencyKey.operation(key, of: user)
        return routed
    }

    private func decode(_ request: HTTPRequest, by route: UnsafePointer<Route>) throws(Problem) -> RoutedCall {
        do {
            return try route.pointee.decode(self, request)
        } catch let error as InputError {
            throw Problem(error)
        } catch let problem as Problem {
            throw problem
        } catch {
            preconditionFailure("a route threw \(error)")
        }
    }
}
