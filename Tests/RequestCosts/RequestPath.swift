import Booking
import Wire

/// The work of a gateway and a shard for a request, in one thread without sockets, so that its cost can be measured,
/// and counted in instructions.
///
///     bytes ──▶ parser ──▶ language, address, login ──▶ router ──▶ frame ──▶ shard ──▶ frame ──▶ answer
///
/// The world is made for costs: a hall of 20,000 seats, a concert of 2,000 schedules, 500 concerts, and user 7 with
/// 20,000 lines of history and the maximum of reservations.
public final class RequestPath {
    /// As in `HTTPConnection` and `ClientGate`.
    private static let requestBytesPerRequest = 4_096
    private static let answerBytesPerRequest = 16_384
    private static let requestsPerSignature = 8

    private static let user = UserID(7)
    private static let concert = ConcertID(1)
    private static let start = Timestamp(seconds: 1_800_000_000)
    private static let proxy = IPAddress(ipv4: 0x0A00_0001)

    private let router: Router
    private let writer: AnswerWriter
    private let ring: TokenRing
    private let trusted: NetworkList
    private let concerts: CachedBody
    private let document: CachedBody
    private let date = HTTPDate(epochSeconds: 1_800_000_000)
    private var shard: Shard
    private var now = RequestPath.start
    private var number: UInt64 = 0
    private var scratch = OutputBytes()
    private var output = OutputBytes()
    /// Of an admitted user.
    public private(set) var token = ""

    public init() throws {
        let secret = [UInt8](repeating: 7, count: TokenKey.secretBytes)
        self.ring = try TokenRing([TokenKey(id: 1, secret: secret, activeFrom: Timestamp(seconds: 0))])
        let catalogue = try Self.catalogue()
        self.router = Router(catalogue: catalogue, tokens: self.ring)
        self.writer = AnswerWriter(catalogue: catalogue, zone: ZoneTable(offset: 32_400))
        self.trusted = try NetworkList("10.0.0.0/8")
        self.concerts = CachedBody(self.writer.concertsBody(at: Self.start))
        self.document = CachedBody([UInt8](repeating: 0x20, count: 100_000))
        self.shard = Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 42)
        self.fill()
    }

    private static func catalogue() throws -> Catalogue {
        var rules = ConcertRules()
        rules.admissionsPerSecond = 1_000
        rules.maxSeatsPerReservation = 100
        rules.admittedLifetime = .days(1)
        let hall = try Hall(sections: [Hall.Section(seats: 1...20_000, grade: "A", price: Won(1))])
        func concert(_ id: UInt64, _ hall: Hall, schedules: Int) -> Concert {
            let plays = (0..<schedules).map { day in
                let at = self.start + .seconds(Int64(day + 1) * 86_400)
                return Schedule(id: ScheduleID(id == 1 ? 1 : id * 10_000 + UInt64(day)), playsAt: at, hall: hall)
            }
            return Concert(
                id: ConcertID(id),
                title: "concert \(id)",
                opensAt: .distantPast,
                schedules: plays,
                rules: rules
            )
        }
        let others = (3...500).map { concert($0, .original, schedules: 1) }
        return try Catalogue([concert(1, hall, schedules: 1), concert(2, .original, schedules: 2_000)] + others)
    }

    private func fill() {
        for number in 0..<20_000 {
            self.ask(number.isMultiple(of: 2) ? .charge(Self.user, Won(2), .free) : .use(Self.user, Won(1)))
        }
        guard case .joined(let joined) = self.ask(.join(Self.concert, Self.user)) else {
            preconditionFailure("nobody can join")
        }
        let pass = Pass(concert: Self.concert, user: Self.user, place: joined.place, issuedAt: joined.issuedAt)
        self.token = self.ring.sign(pass)
        self.now = self.now + .seconds(1)
        for first: UInt64 in stride(from: 101, to: 1_101, by: 100) {
            self.ask(.reserve(pass, ScheduleID(1), (0..<100).map { SeatID(first + $0) }))
        }
    }

    @discardableResult
    private func ask(_ request: Request, _ key: ClientKey? = nil) -> Reply? {
        self.number += 1
        let operation = key.map { Operation($0.operation, .client, from: $0.address) }
        let origin = Shard.Origin(link: 1, request: self.number)
        let reply = self.shard.decide(request, from: origin, as: operation, at: self.now)
        self.shard.drain(facts: { _ in }, transfers: { _ in }, lateReplies: { _ in })
        return reply
    }

    /// Carries out a client's bytes, and returns the number of requests charged.
    public func charged(for request: OddRequest) -> Int {
        request.bytes.withUnsafeBytes { bytes in
            var parser = HTTPRequestParser()
            parser.feed(bytes)
            var charged = 0
            while true {
                switch parser.next() {
                case .request(let request): charged += self.answer(request)
                case .continueExpected: continue
                case .refused(let refusal):
                    self.answer(Problem(refusal), .get, .korean)
                    return charged + 1
                case .needsMore: return max(1, charged)
                }
            }
        }
    }

    private func answer(_ request: HTTPRequest) -> Int {
        let language = Language(accepting: request[.acceptLanguage])
        _ = ForwardedFor.client(byForwardedFor: request.headers, from: Self.proxy, self.trusted)
        _ = ForwardedFor.client(byForwarded: request.headers, from: Self.proxy, self.trusted)
        let charged = 1 + request.byteCount / Self.requestBytesPerRequest + self.checkLogin(request)
        let routed: RoutedCall
        do throws(Problem) { routed = try self.router.route(request) } catch {
            self.answer(error, request.method, language)
            return charged
        }
        let options = AnswerWriter.ResponseOptions(method: request.method, connection: .keep, language: language)
        self.output.removeAll(keepingAtMost: 65_536)
        switch routed.call {
        case .ask(let question):
            let key = routed.key.map { ClientKey($0, from: self.ring.tag(of: Self.proxy)) }
            self.answer(self.throughFrames(question, key), to: question, routed.token, options)
            return charged + self.scratch.count / Self.answerBytesPerRequest
        case .schedules(let concert):
            let question = Request.schedules(concert)
            guard case .schedules(let free) = self.throughFrames(question, nil) else { return charged }
            let body = CachedBody(self.writer.schedulesBody(free, of: question))
            return charged + self.answer(body, request, options)
        case .concerts: return charged + self.answer(self.concerts, request, options)
        case .document: return charged + self.answer(self.document, request, options)
        case .options(let allow):
            _ = self.writer.appendOptions(allow: allow, options, date: self.date, to: &self.output)
            return charged
        }
    }

    /// The work of `IdentityCheck` before the signature is known to be right, with its charge.
    private func checkLogin(_ request: HTTPRequest) -> Int {
        guard let header = request[.authorization], let text = BearerToken.token(in: header),
            text.count <= IdentityToken.bytesMax
        else { return 0 }
        _ = TokenDigest(text)
        let token = try? IdentityToken(text, IdentityToken.Rules(), at: self.now.seconds)
        return token == nil ? 0 : Self.requestsPerSignature
    }

    private func answer(_ body: CachedBody, _ request: HTTPRequest, _ options: AnswerWriter.ResponseOptions) -> Int {
        _ = self.writer.append(
            cached: body,
            ifNoneMatch: request[.ifNoneMatch],
            options,
            date: self.date,
            to: &self.output
        )
        return body.bytes.count / Self.answerBytesPerRequest
    }

    private func throughFrames(_ question: Request, _ key: ClientKey?) -> Reply {
        var frames = FrameBytes()
        var answer = Reply.unanswered
        do throws(WireError) {
            try question.encode(into: &frames, slot: question.slot, requestID: self.number, key: key)
            var asked: Request?
            try Self.forEachFrame(frames) { frame throws(WireError) in asked = try Request(frame: frame) }
            frames.removeAll()
            let reply = asked.flatMap { self.ask($0, key) } ?? .unanswered
            try reply.encode(into: &frames, slot: question.slot, requestID: self.number)
            try Self.forEachFrame(frames) { frame throws(WireError) in answer = try Reply(frame: frame) }
        } catch { preconditionFailure("a frame that was written can't be read: \(error)") }
        return answer
    }

    private static func forEachFrame(
        _ frames: borrowing FrameBytes,
        _ body: (Frame) throws(WireError) -> Void
    ) throws(WireError) {
        var decoder = FrameDecoder()
        try frames.withUnsafeBytes { (bytes) throws(WireError) in try decoder.feed(bytes, body) }
    }

    private func answer(
        _ reply: Reply,
        to question: Request,
        _ token: TokenText,
        _ options: AnswerWriter.ResponseOptions
    ) {
        _ = self.writer.append(
            reply,
            to: question,
            token: token,
            options,
            date: self.date,
            scratch: &self.scratch,
            to: &self.output
        )
    }

    private func answer(_ problem: Problem, _ method: HTTPMethod, _ language: Language) {
        self.output.removeAll(keepingAtMost: 65_536)
        let options = AnswerWriter.ResponseOptions(method: method, connection: .keep, language: language)
        _ = self.writer.append(problem, options, date: self.date, scratch: &self.scratch, to: &self.output)
    }
}
