public import Booking

/// From an HTTP request to the call it makes. Holds what that takes: the catalogue and the ring of token keys.
///
/// A token is checked here, so that a forged one never reaches a shard. Nothing is allocated for join and poll.
public struct Router: Sendable {
    /// Where the contract lives. Compared as sent: an escape in a path is only ever there to look like another.
    enum Path: String, CaseIterable, Sendable {
        case concerts = "/api/v1/concerts"
        case schedules = "/api/v1/concert/schedules"
        case seats = "/api/v1/concert/seats"
        case waiting = "/api/v1/waiting"
        case reservation = "/api/v1/reservation"
        case cancel = "/api/v1/reservation/cancel"
        case payment = "/api/v1/payment"
        case charge = "/api/v1/point/charge"
        case use = "/api/v1/point/use"
        case balance = "/api/v1/point"
        case history = "/api/v1/point-history"
        case document = "/openapi.json"

        init?(_ path: ByteView) {
            let found: Path? =
                switch path.count {
                case 13: path == "/api/v1/point" ? .balance : path == "/openapi.json" ? .document : nil
                case 15: path == "/api/v1/waiting" ? .waiting : path == "/api/v1/payment" ? .payment : nil
                case 16: path == "/api/v1/concerts" ? .concerts : nil
                case 17: path == "/api/v1/point/use" ? .use : nil
                case 19: path == "/api/v1/reservation" ? .reservation : nil
                case 20: path == "/api/v1/point/charge" ? .charge : nil
                case 21: path == "/api/v1/concert/seats" ? .seats : path == "/api/v1/point-history" ? .history : nil
                case 25: path == "/api/v1/concert/schedules" ? .schedules : nil
                case 26: path == "/api/v1/reservation/cancel" ? .cancel : nil
                default: nil
                }
            guard let found else { return nil }
            self = found
        }

        /// Whether all its calls are about one user.
        var isAboutUser: Bool {
            switch self {
            case .waiting, .reservation, .cancel, .payment, .charge, .balance, .history, .use: true
            case .schedules, .seats, .concerts, .document: false
            }
        }

        var allow: StaticString {
            switch self {
            case .waiting: "GET, HEAD, POST, DELETE, OPTIONS"
            case .schedules, .seats, .concerts, .balance, .history, .document: "GET, HEAD, OPTIONS"
            case .reservation: "GET, HEAD, POST, DELETE, OPTIONS"
            case .cancel, .payment, .charge, .use: "POST, OPTIONS"
            }
        }
    }

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
    private var asker: UserID?

    public init(catalogue: Catalogue, tokens: TokenRing) { self.knowledge = Knowledge(catalogue, tokens) }

    private var catalogue: Catalogue { self.knowledge.catalogue }
    /// The keys that it checks tokens with.
    public var tokens: TokenRing { self.knowledge.tokens }

    /// What a request asks for, in a word, as the kinds of requests are called; `none` for a path that is none, `other` for a
    /// method that it does not have.
    public static func name(of request: HTTPRequest) -> StaticString {
        guard let path = Path(request.path) else { return "none" }
        let isGet = request.method == .get || request.method == .head
        return switch path {
        case .waiting where isGet: Request.Kind.poll.name
        case .waiting where request.method == .post: Request.Kind.join.name
        case .waiting where request.method == .delete: Request.Kind.leave.name
        case .schedules where isGet: Request.Kind.schedules.name
        case .concerts where isGet: "concerts"
        case .document where isGet: "document"
        case .seats where isGet: Request.Kind.seats.name
        case .reservation where request.method == .post: Request.Kind.reserve.name
        case .reservation where request.method == .delete: Request.Kind.giveBack.name
        case .reservation where isGet: Request.Kind.reservations.name
        case .cancel where request.method == .post: Request.Kind.cancel.name
        case .payment where request.method == .post: Request.Kind.pay.name
        case .charge where request.method == .post: Request.Kind.charge.name
        case .use where request.method == .post: Request.Kind.use.name
        case .balance where isGet: Request.Kind.balance.name
        case .history where isGet: Request.Kind.history.name
        default: request.method == .options ? "options" : "other"
        }
    }

    /// Whether a request is about one user, so that who asks has to be known. Paths and methods that there are not are about
    /// nobody.
    public static func isAboutUser(_ request: HTTPRequest) -> Bool {
        request.method != .options && Path(request.path)?.isAboutUser == true
    }

    /// As `route`, for a request of `asker`: it may leave `userId` out, and is refused if it names another user there or in
    /// its place's token.
    public func route(_ request: HTTPRequest, askedBy asker: UserID) throws(Problem) -> RoutedCall {
        var router = self
        router.asker = asker
        let routed = try router.route(request)
        if case .ask(let question) = routed.call, let user = question.user, user != asker { throw .identityOther }
        return routed
    }

    public func route(_ request: HTTPRequest) throws(Problem) -> RoutedCall {
        let routed = try self.call(of: request)
        guard let key = request[.idempotencyKey], case .ask(let question) = routed.call, let user = question.changer
        else { return routed }
        return RoutedCall(routed.call, token: routed.token, key: try IdempotencyKey.operation(key, of: user))
    }

    private func call(of request: HTTPRequest) throws(Problem) -> RoutedCall {
        if request.form == .asterisk { return RoutedCall(.options(allow: "GET, HEAD, POST, DELETE, OPTIONS")) }
        guard let path = Path(request.path) else { throw .notFound }
        let isGet = request.method == .get || request.method == .head
        do {
            switch path {
            case .waiting where isGet: return try self.poll(request)
            case .waiting where request.method == .post: return try self.join(request)
            case .waiting where request.method == .delete: return try self.leave(request)
            case .schedules where isGet:
                return RoutedCall(.schedules(try self.known(try Self.concert(in: request.query))))
            case .concerts where isGet: return RoutedCall(.concerts)
            case .document where isGet: return RoutedCall(.document)
            case .seats where isGet: return try self.seats(request)
            case .reservation where request.method == .post: return try self.reserve(request)
            case .reservation where request.method == .delete: return try self.giveBack(request)
            case .reservation where isGet: return try self.reservations(request)
            case .cancel where request.method == .post: return try self.cancel(request)
            case .payment where request.method == .post: return try self.pay(request)
            case .charge where request.method == .post: return try self.charge(request)
            case .use where request.method == .post: return try self.use(request)
            case .balance where isGet: return try self.balance(request)
            case .history where isGet: return try self.history(request)
            case _ where request.method == .options: return RoutedCall(.options(allow: path.allow))
            default: throw Problem.methodNotAllowed(path.allow)
            }
        } catch let error as InputError {
            throw Problem(error)
        } catch let problem as Problem {
            throw problem
        } catch {
            preconditionFailure("a route threw \(error)")
        }
    }

    // MARK: The line

    private func poll(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, token) = try self.passOfPlace(request)
        return RoutedCall(.ask(.poll(pass)), token: token)
    }

    /// Whose line a poll, a join or a reservation is about, and what it is worth, at a glance: nothing else of it is checked. Nil for
    /// other requests, and for those that are written otherwise than nearly all are. A reservation with an `Idempotency-Key` may be
    /// for another shard first.
    public static func glance(_ request: HTTPRequest) -> (ConcertID, Worth)? {
        switch request.method {
        case .get where request.path == "/api/v1/waiting":
            let concert = Self.number(behind: "concertId=", in: request.query, before: [UInt8(ascii: "&")])
            return concert.map { ($0, .asking) }
        case .post where request.path == "/api/v1/waiting":
            return Self.concert(inBodyOf: request).map { ($0, .joining) }
        case .post where request.path == "/api/v1/reservation" && request[.idempotencyKey] == nil:
            return Self.concert(inBodyOf: request).map { ($0, .booking) }
        default: return nil
        }
    }

    private static func concert(inBodyOf request: HTTPRequest) -> ConcertID? {
        let ends = [UInt8(ascii: ","), UInt8(ascii: "}")] as InlineArray<2, UInt8>
        return Self.number(behind: #"{"concertId":"#, in: request.body, before: ends)
    }

    private static func number<let count: Int>(
        behind start: StaticString,
        in text: ByteView,
        before ends: InlineArray<count, UInt8>
    ) -> ConcertID? {
        let length = start.utf8CodeUnitCount
        guard text.count > length, text.part(0, length) == start else { return nil }
        var (number, at) = (0 as Int64, length)
        while at < text.count, at < length + 16 {
            let byte = text.byte(at)
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else {
                for index in ends.indices where ends[index] == byte { return ConcertID(checking: number) }
                return nil
            }
            number = number * 10 + Int64(digit)
            at += 1
        }
        return at == text.count ? ConcertID(checking: number) : nil
    }

    private func leave(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, token) = try self.passOfPlace(request)
        return RoutedCall(.ask(.leave(pass)), token: token)
    }

    /// For the calls that answer 400, not 401, for a token that is none.
    private func passOfPlace(_ request: HTTPRequest) throws -> (Pass, TokenText) {
        let concert = try Self.concert(in: request.query)
        let text = request[.concertToken] ?? .empty
        guard let token = TokenText(text.bytes), let pass = self.tokens.verify(text.bytes), pass.concert == concert,
            self.catalogue.contains(concert)
        else { throw Problem.tokenNotFound(text) }
        return (pass, token)
    }

    private func join(_ request: HTTPRequest) throws -> RoutedCall {
        let body = try JSONObject(request.body)
        let concert = try Self.id(try body.integer("concertId"), "concertId", ConcertID.self)
        let user = try self.user(in: body)
        return RoutedCall(.ask(.join(try self.known(concert), user)))
    }

    // MARK: Seats and payment

    private func seats(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let concert = try self.known(try Self.id(try query.integer("concertId"), "concertId", ConcertID.self))
        let schedule = try Self.id(try query.integer("concertScheduleId"), "concertScheduleId", ScheduleID.self)
        return RoutedCall(.ask(.seats(concert, schedule)))
    }

    private func reserve(_ request: HTTPRequest) throws -> RoutedCall {
        let pass = try self.pass(request)
        let body = try JSONObject(request.body)
        try Self.check(pass, isFor: body)
        let schedule = try Self.id(try body.integer("concertScheduleId"), "concertScheduleId", ScheduleID.self)
        return RoutedCall(.ask(.reserve(pass, schedule, try Self.ids(in: body, "seatIds", SeatID.self))))
    }

    private func giveBack(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, ids) = try self.passAndReservations(request)
        return RoutedCall(.ask(.giveBack(pass, ids)))
    }

    private func pay(_ request: HTTPRequest) throws -> RoutedCall {
        let (pass, ids) = try self.passAndReservations(request)
        return RoutedCall(.ask(.pay(pass, ids)))
    }

    private func cancel(_ request: HTTPRequest) throws -> RoutedCall {
        let body = try JSONObject(request.body)
        let concert = try self.known(try Self.id(try body.integer("concertId"), "concertId", ConcertID.self))
        let user = try self.user(in: body)
        return RoutedCall(.ask(.cancel(concert, user, try Self.ids(in: body, "reservationIds", ReservationID.self))))
    }

    private func passAndReservations(_ request: HTTPRequest) throws -> (Pass, [ReservationID]) {
        let pass = try self.pass(request)
        let body = try JSONObject(request.body)
        try Self.check(pass, isFor: body)
        return (pass, try Self.ids(in: body, "reservationIds", ReservationID.self))
    }

    private func reservations(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let concert = try self.known(try Self.id(try query.integer("concertId"), "concertId", ConcertID.self))
        return RoutedCall(.ask(.reservations(concert, try self.user(in: query))))
    }

    /// For the calls that only people inside may make: 401 for a token that is none.
    private func pass(_ request: HTTPRequest) throws -> Pass {
        guard let text = request[.concertToken], !text.isEmpty else { throw Problem.tokenMissing }
        guard let pass = self.tokens.verify(text.bytes), self.catalogue.contains(pass.concert) else {
            throw Problem.tokenInvalid
        }
        return pass
    }

    private static func check(_ pass: Pass, isFor body: JSONObject) throws {
        let concert = try self.id(try body.integer("concertId"), "concertId", ConcertID.self)
        guard pass.concert == concert else { throw Problem.tokenInvalid }
    }

    // MARK: Points

    private func charge(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let user = try self.user(in: query)
        let amount = try Self.amount(in: query)
        let types: [String: PaymentType] = ["FREE": .free, "NAVER_PAY": .naverPay, "KAKAO_PAY": .kakaoPay]
        let type = try Self.choice(in: query, "paymentType", types) ?? .free
        return RoutedCall(.ask(.charge(user, amount, type)))
    }

    private func use(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        return RoutedCall(.ask(.use(try self.user(in: query), try Self.amount(in: query))))
    }

    private func balance(_ request: HTTPRequest) throws -> RoutedCall {
        RoutedCall(.ask(.balance(try self.user(in: try QueryParameters(request.query)))))
    }

    private func history(_ request: HTTPRequest) throws -> RoutedCall {
        let query = try QueryParameters(request.query)
        let user = try self.user(in: query)
        let types: [String: TransactionType] = ["CHARGE": .charge, "USE": .use]
        let only = try Self.choice(in: query, "transactionType", types)
        let page = try Self.number(in: query, "page", 0...HistoryQuery.pageMax, default: 0)
        let size = try Self.number(in: query, "size", 1...HistoryQuery.sizeMax, default: HistoryQuery.sizeDefault)
        return RoutedCall(.ask(.history(user, HistoryQuery(only: only, page: page, size: size))))
    }

    // MARK: Fields

    /// For calls that ask for nothing else: nearly every query is this one number then, which is read at a glance.
    private static func concert(in query: ByteView) throws -> ConcertID {
        if let concert = Self.number(behind: "concertId=", in: query, before: [] as InlineArray<0, UInt8>) {
            return concert
        }
        return try Self.id(try QueryParameters(query).integer("concertId"), "concertId", ConcertID.self)
    }

    private func known(_ concert: ConcertID) throws -> ConcertID {
        guard self.catalogue.contains(concert) else {
            throw Problem(Refusal.unknownConcert, token: "", asksForPlace: false)
        }
        return concert
    }

    private func user(in query: QueryParameters) throws -> UserID {
        if let asker = self.asker {
            guard let number = try query.integerIfPresent("userId") else { return asker }
            return try Self.id(number, "userId", UserID.self)
        }
        return try Self.id(try query.integer("userId"), "userId", UserID.self)
    }

    private func user(in body: JSONObject) throws -> UserID {
        if let asker = self.asker {
            guard let number = try body.integerIfPresent("userId") else { return asker }
            return try Self.id(number, "userId", UserID.self)
        }
        return try Self.id(try body.integer("userId"), "userId", UserID.self)
    }

    private static func id<ID: Identifier>(_ number: Int64, _ name: StaticString, _: ID.Type) throws -> ID {
        guard let id = ID(checking: number) else {
            throw Problem.fieldInvalid(name, "a whole number from 1 to \(IdentifierLimits.max)")
        }
        return id
    }

    private static func ids<ID: Identifier>(in body: JSONObject, _ name: StaticString, _ type: ID.Type) throws -> [ID] {
        try body.integers(name, countMax: self.listCountMax).map { try self.id($0, name, type) }
    }

    /// Any whole number: what is too little or too much is the points' own question, with the contract's own words.
    private static func amount(in query: QueryParameters) throws -> Won {
        let bound = Int64(IdentifierLimits.max)
        do throws(InputError) {
            return Won(min(max(try query.integer("amount"), -bound), bound))
        } catch {
            guard error.code == .numberOutOfRange else { throw error }
            return Won(try query.textIfPresent("amount")?.hasPrefix("-") == true ? -bound : bound)
        }
    }

    private static func number(
        in query: QueryParameters,
        _ name: StaticString,
        _ range: ClosedRange<UInt32>,
        default standard: UInt32
    ) throws -> UInt32 {
        guard let number = try query.integerIfPresent(name) else { return standard }
        guard let value = UInt32(exactly: number), range.contains(value) else {
            throw Problem.fieldInvalid(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private static let choiceBytesMax = 16

    private static func choice<Value>(
        in query: QueryParameters,
        _ name: StaticString,
        _ choices: [String: Value]
    ) throws -> Value? {
        guard let sent = try query.raw(name) else { return nil }
        // The longest word, every letter escaped, has as many bytes: what is longer is none of them.
        guard sent.count <= 3 * Self.choiceBytesMax, let text = try query.textIfPresent(name), let value = choices[text]
        else {
            throw Problem.fieldInvalid(name, "one of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return value
    }
}
