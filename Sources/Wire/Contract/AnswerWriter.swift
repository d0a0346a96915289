public import Booking

/// From a shard's reply to the HTTP answer of the contract: names, order and words are exact, since foreign clients
/// read them.
///
/// Ids, states, and price and grade of reservations come from the shard; titles, times and seats for sale from the
/// catalogue, which is the same everywhere.
public struct AnswerWriter: Sendable {
    private let catalogue: Catalogue
    private let zone: ZoneTable
    private let pollPause: PollPause
    /// The smallest maximum pause of any concert: most pauses are below it and need no lookup of their concert's.
    private let shortPause: UInt32

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
    public struct Manner: Sendable {
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
        _ manner: Manner,
        date: HTTPDate,
        scratch: inout OutputBytes,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        if let refusal = reply.refusal {
            var problem = Problem(refusal, token: Self.text(of: token), asksForPlace: Self.asksForPlace(request))
            if case .refusedFor(_, let seconds) = reply { problem.retryAfter = seconds }
            return self.append(problem, manner, date: date, scratch: &scratch, to: &output)
        }
        var head = HTTPResponse(.ok, connection: manner.connection)
        head.cacheControl = Self.privateCache
        scratch.removeAll()
        switch reply {
        case .joined(let joined):
            self.append(joined, to: request, token, &scratch)
            head.retryAfterSeconds = self.pause(for: joined.standing, request)
        case .standing(let standing):
            Self.append(standing, token, &scratch)
            head.retryAfterSeconds = self.pause(for: standing, request)
        case .left: Self.appendLeft(request, token, &scratch)
        case .schedules(let remaining): self.appendSchedules(remaining, of: request, &scratch)
        case .seats(let statuses): self.appendSeats(statuses, of: request, &scratch)
        case .reservations(let reservations): self.append(reservations, of: request, withUser: false, &scratch)
        case .paid(let receipt), .cancelled(let receipt): self.append(receipt, of: request, &scratch)
        case .points(let change): self.append(change, of: request, &scratch)
        case .balance(let balance): self.append(balance, of: request, &scratch)
        case .history(let entries): self.append(entries, of: request, &scratch)
        // Between processes only: never answers to a client's request.
        case .debited, .credited, .claimed, .transfersSeen, .refused, .refusedFor: break
        }
        head.append(body: scratch.view, toMethod: manner.method, date: date, to: &output)
        return .ok
    }

    /// The pause before the next poll, short enough to keep the place alive; nil once admitted.
    private func pause(for standing: Standing, _ request: Request) -> UInt32? {
        guard let pause = self.pollPause.seconds(for: standing) else { return nil }
        return pause <= self.shortPause ? pause : min(pause, self.pauseMax(of: request))
    }

    private func pauseMax(of request: Request) -> UInt32 {
        switch request {
        case .join(let concert, _): self.catalogue[concert]?.rules.pollPauseSecondsMax ?? self.shortPause
        case .poll(let pass): self.catalogue[pass.concert]?.rules.pollPauseSecondsMax ?? self.shortPause
        default: self.shortPause
        }
    }

    public func append(
        _ problem: Problem,
        _ manner: Manner,
        date: HTTPDate,
        scratch: inout OutputBytes,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        var head = HTTPResponse(problem.status, connection: manner.connection)
        head.cacheControl = Self.privateCache
        head.retryAfterSeconds = problem.retryAfter
        head.allow = problem.allow
        head.authenticate = problem.authenticate
        head.acceptEncoding = problem.acceptEncoding
        scratch.removeAll()
        Self.append(problem, in: manner.language, &scratch)
        head.append(body: scratch.view, toMethod: manner.method, date: date, to: &output)
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
    public static func bareAnswer(_ problem: Problem, _ manner: Manner) -> [UInt8] {
        var head = HTTPResponse(problem.status, connection: manner.connection)
        head.retryAfterSeconds = problem.retryAfter
        var body = OutputBytes()
        var output = OutputBytes()
        Self.append(problem, in: manner.language, &body)
        head.append(body: body.view, toMethod: manner.method, date: nil, to: &output)
        return output.array
    }

    /// A body made before, which the client may have: then 304 without it.
    public func append(
        cached body: CachedBody,
        ifNoneMatch: ByteView?,
        cacheControl: StaticString = AnswerWriter.publicCache,
        _ manner: Manner,
        date: HTTPDate,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        let isKnown = ifNoneMatch.map { HTTPResponse.matches($0, tag: body.tag) } ?? false
        var head = HTTPResponse(isKnown ? .notModified : .ok, connection: manner.connection)
        head.cacheControl = cacheControl
        head.entityTag = body.tag
        body.bytes.withUnsafeBytes {
            head.append(body: ByteView($0), toMethod: manner.method, date: date, to: &output)
        }
        return head.status
    }

    public func appendOptions(
        allow: StaticString,
        _ manner: Manner,
        date: HTTPDate,
        to output: inout OutputBytes
    ) -> HTTPStatus {
        var head = HTTPResponse(.noContent, connection: manner.connection)
        head.allow = allow
        head.append(body: .empty, toMethod: manner.method, date: date, to: &output)
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

    public func appendPreflight(_ manner: Manner, date: HTTPDate, to output: inout OutputBytes) -> HTTPStatus {
        var head = HTTPResponse(.noContent, connection: manner.connection)
        head.moreFields = Self.preflightFields
        head.append(body: .empty, toMethod: manner.method, date: date, to: &output)
        return head.status
    }

    /// The approximate maximum length of an answer that grows with a hall or a list; 0 for all others.
    public func bodyBytesMax(of request: Request) -> Int {
        switch request {
        case .seats(let concert, let schedule):
            (self.catalogue[concert]?.schedule(schedule)?.hall.seatCount ?? 0) * Self.seatBytes
        case .schedules(let concert): (self.catalogue[concert]?.schedules.count ?? 0) * Self.scheduleBytes
        case .reservations: Shard.reservationsShownMax * Self.reservationBytes
        case .history: Int(HistoryQuery.sizeMax) * Self.historyLineBytes
        case .join, .poll, .leave, .reserve, .giveBack, .pay, .cancel, .charge, .use, .balance, .transfer,
            .transfersSeen,
            .claim:
            0
        }
    }

    /// Of one element, with usual numbers and titles.
    private static let seatBytes = 88
    private static let scheduleBytes = 100
    private static let reservationBytes = 360
    private static let historyLineBytes = 176

    // MARK: Bodies that are kept

    /// The list of schedules, for the gateway's cache.
    public func schedulesBody(_ remaining: [UInt32], of request: Request) -> [UInt8] {
        var output = OutputBytes()
        self.appendSchedules(remaining, of: request, &output)
        return output.array
    }

    /// The listed concerts as of a moment: `state` says whether people are admitted.
    public func concertsBody(at now: Timestamp) -> [UInt8] {
        var output = OutputBytes()
        output.openArray()
        for concert in self.catalogue.concerts where !concert.isArchived {
            output.element()
            output.openObject()
            output.member("concertId", concert.id.rawValue)
            output.member("concertTitle", concert.title)
            self.append("opensAt", concert.opensAt, &output)
            output.member("scheduleCount", UInt64(concert.listedCount))
            output.member("state", concert.state(at: now).rawValue)
            output.closeObject()
        }
        output.closeArray()
        return output.array
    }

    // MARK: The line

    private func append(_ joined: Joined, to request: Request, _ token: TokenText, _ output: inout OutputBytes) {
        guard case .join(let concert, let user) = request else { return }
        output.openObject()
        output.member("userId", user.rawValue)
        output.member("concertId", concert.rawValue)
        Self.append("tokenId", token, &output)
        self.append("createdAt", joined.issuedAt, &output)
        output.member("place", joined.place.rawValue)
        Self.appendMembers(joined.standing, &output)
        output.closeObject()
    }

    private static func append(_ standing: Standing, _ token: TokenText, _ output: inout OutputBytes) {
        output.openObject()
        self.append("tokenId", token, &output)
        self.appendMembers(standing, &output)
        output.closeObject()
    }

    private static func appendMembers(_ standing: Standing, _ output: inout OutputBytes) {
        output.member("remainingWaitingOrder", standing.order)
        output.member("remainingWaitingSec", standing.seconds)
    }

    private static func appendLeft(_ request: Request, _ token: TokenText, _ output: inout OutputBytes) {
        guard case .leave(let pass) = request else { return }
        output.openObject()
        output.member("userId", pass.user.rawValue)
        output.member("concertId", pass.concert.rawValue)
        self.append("tokenId", token, &output)
        output.closeObject()
    }

    // MARK: Seats

    private func appendSchedules(_ remaining: [UInt32], of request: Request, _ output: inout OutputBytes) {
        guard case .schedules(let id) = request, let concert = self.catalogue[id] else { return }
        output.openArray()
        for (schedule, count) in zip(concert.listedSchedules, remaining) {
            output.element()
            output.openObject()
            output.member("concertScheduleId", schedule.id.rawValue)
            output.member("concertId", id.rawValue)
            self.append("playDateTime", schedule.playsAt, &output)
            output.member("remainingSeatCount", UInt64(count))
            output.closeObject()
        }
        output.closeArray()
    }

    private func appendSeats(_ statuses: [SeatStatus], of request: Request, _ output: inout OutputBytes) {
        guard case .seats(let concert, let id) = request, let schedule = self.catalogue[concert]?.schedule(id) else {
            return
        }
        output.openArray()
        for (index, status) in statuses.enumerated() {
            let seat = SeatID(UInt64(index) + 1)
            guard let section = schedule.hall.section(of: seat) else { continue }
            output.element()
            output.openObject()
            output.member("seatId", seat.rawValue)
            output.member("seatNum", seat.rawValue)
            output.member("seatGrade", section.grade)
            output.member("seatPrice", section.price.rawValue)
            output.member("seatStatus", Self.word(status))
            output.closeObject()
        }
        output.closeArray()
    }

    private func append(
        _ reservations: [Reservation],
        of request: Request,
        withUser: Bool,
        _ output: inout OutputBytes
    ) {
        let concert: Concert?
        switch request {
        case .reserve(let pass, _, _), .giveBack(let pass, _), .pay(let pass, _): concert = self.catalogue[pass.concert]
        case .reservations(let id, _), .cancel(let id, _, _): concert = self.catalogue[id]
        default: concert = nil
        }
        // A list in any case: it may be a member of a larger value.
        output.openArray()
        defer { output.closeArray() }
        guard let concert else { return }
        for reservation in reservations {
            guard let schedule = concert.schedule(reservation.schedule) else { continue }
            output.element()
            output.openObject()
            output.member("reservationId", reservation.id.rawValue)
            if withUser { output.member("userId", reservation.user.rawValue) }
            output.member("concertId", concert.id.rawValue)
            output.member("concertTitle", concert.title)
            output.member("concertScheduleId", schedule.id.rawValue)
            self.append("playDateTime", schedule.playsAt, &output)
            output.member("seatId", reservation.seat.rawValue)
            output.member("seatNum", reservation.seat.rawValue)
            output.member("seatGrade", reservation.grade ?? "")
            output.member("seatPrice", reservation.price.rawValue)
            output.member("reservationStatus", Self.word(reservation.status))
            self.append("expiredAt", reservation.until, &output)
            output.closeObject()
        }
    }

    // MARK: Money

    private func append(_ receipt: Receipt, of request: Request, _ output: inout OutputBytes) {
        output.openObject()
        output.member("userId", receipt.user.rawValue)
        output.member("pointAmount", receipt.amount.rawValue)
        output.member("pointBalance", receipt.balance.rawValue)
        output.member("reservations")
        self.append(receipt.reservations, of: request, withUser: true, &output)
        output.closeObject()
    }

    private func append(_ change: PointsChange, of request: Request, _ output: inout OutputBytes) {
        guard let user = Self.user(of: request) else { return }
        output.openObject()
        output.member("userId", user.rawValue)
        output.member("amount", change.amount.rawValue)
        output.member("balance", change.balance.rawValue)
        output.member("transactionType", Self.word(change.type))
        output.member("paymentType", Self.word(change.paymentType))
        self.append("updatedAt", change.at, &output)
        output.closeObject()
    }

    private func append(_ balance: Balance, of request: Request, _ output: inout OutputBytes) {
        guard let user = Self.user(of: request) else { return }
        output.openObject()
        output.member("userId", user.rawValue)
        output.member("balance", balance.balance.rawValue)
        if let updatedAt = balance.updatedAt {
            self.append("updatedAt", updatedAt, &output)
        } else {
            output.member("updatedAt")
            output.append("null")
        }
        output.closeObject()
    }

    private func append(_ entries: [HistoryEntry], of request: Request, _ output: inout OutputBytes) {
        guard let user = Self.user(of: request) else { return }
        output.openArray()
        for entry in entries {
            output.element()
            output.openObject()
            output.member("pointHistoryId", entry.id.rawValue)
            // A user has one account, with the user's number.
            output.member("pointId", user.rawValue)
            output.member("amount", entry.amount.rawValue)
            output.member("transactionType", Self.word(entry.type))
            output.member("paymentType", Self.word(entry.paymentType))
            self.append("createdAt", entry.at, &output)
            // A line of the history never changes.
            self.append("updatedAt", entry.at, &output)
            output.closeObject()
        }
        output.closeArray()
    }

    // MARK: Words and fields

    private static func asksForPlace(_ request: Request) -> Bool {
        switch request {
        case .poll, .leave: true
        case .join, .schedules, .seats, .reserve, .giveBack, .reservations, .pay, .cancel, .charge, .use, .balance,
            .history, .transfer, .transfersSeen, .claim:
            false
        }
    }

    private static func user(of request: Request) -> UserID? {
        switch request {
        case .charge(let user, _, _), .use(let user, _), .balance(let user), .history(let user, _): user
        case .join, .poll, .leave, .schedules, .seats, .reserve, .giveBack, .reservations, .pay, .cancel,
            .transfer, .transfersSeen, .claim:
            nil
        }
    }

    private static func text(of token: TokenText) -> String {
        token.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private static func append(_ name: StaticString, _ token: TokenText, _ output: inout OutputBytes) {
        output.member(name)
        output.append(UInt8(ascii: "\""))
        token.withUnsafeBytes { output.append(ByteView($0)) }
        output.append(UInt8(ascii: "\""))
    }

    private func append(_ name: StaticString, _ moment: Timestamp, _ output: inout OutputBytes) {
        output.member(name)
        output.append(UInt8(ascii: "\""))
        let offset = self.zone.offset(at: moment.seconds)
        DateTimeText(offsetSeconds: Int64(offset)).append(moment, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    private static func word(_ status: SeatStatus) -> String {
        switch status {
        case .available: "AVAILABLE"
        case .held: "HELD"
        case .sold: "SOLD"
        }
    }

    private static func word(_ status: Reservation.Status) -> String {
        switch status {
        case .held: "SUSPEND"
        case .paid: "SUCCESS"
        case .cancelled: "CANCEL"
        }
    }

    private static func word(_ type: TransactionType) -> String {
        switch type {
        case .charge: "CHARGE"
        case .use: "USE"
        }
    }

    private static func word(_ type: PaymentType) -> String {
        switch type {
        case .free: "FREE"
        case .naverPay: "NAVER_PAY"
        case .kakaoPay: "KAKAO_PAY"
        }
    }
}
