import Booking
import Journal
import JournalSQLite
import Wire

/// Bytes to values and back: the work of gateway and shard for a poll and a join, apart from the line itself.
final class WireBenchmark {
    private static let count = 4_096
    private static let batch = 64

    private let sheet: CoreSheet
    private let ring: TokenRing
    private let router: Router
    private let writer = AnswerWriter(catalogue: .original(), zone: ZoneTable(offset: 32_400))
    private let pass: Pass
    private let token: String
    private let slot: Slot

    init(_ sheet: CoreSheet) throws {
        self.sheet = sheet
        let key = try TokenKey(
            id: 1,
            secret: [UInt8](repeating: 7, count: TokenKey.secretBytes),
            activeFrom: Timestamp(seconds: 0)
        )
        self.ring = try TokenRing([key])
        self.router = Router(catalogue: .original(), tokens: self.ring)
        self.pass = Pass(
            concert: ConcertID(1),
            user: UserID(123_456_789_012),
            place: Place(654_321),
            issuedAt: Timestamp(seconds: 1_800_000_000)
        )
        self.token = self.ring.sign(self.pass)
        self.slot = Slot(of: self.pass.concert)
    }

    func run() throws {
        try self.measureFrames()
        try self.measureHTTP()
        self.measureTokens()
        self.measureFacts()
    }

    // MARK: Frames

    private func measureFrames() throws {
        let poll = Request.poll(self.pass)
        let reply = Reply.standing(Standing(order: 654_000, seconds: 13_080))
        var bytes = FrameBytes(capacity: 1 << 16)
        try self.sheet.measure("frame of a poll written", count: Self.count) {
            for number in 0..<Self.count {
                if number % Self.batch == 0 { bytes.removeAll() }
                try poll.encode(into: &bytes, slot: self.slot, requestID: UInt64(number))
            }
        }
        try self.readFrames("frame of a poll read", bytes) { frame throws(WireError) in use(try Request(frame: frame)) }
        try self.sheet.measure("frame of an answer written", count: Self.count) {
            for number in 0..<Self.count {
                if number % Self.batch == 0 { bytes.removeAll() }
                try reply.encode(into: &bytes, slot: self.slot, requestID: UInt64(number))
            }
        }
        try self.readFrames("frame of an answer read", bytes) { frame throws(WireError) in use(try Reply(frame: frame))
        }
    }

    private func readFrames(
        _ name: String,
        _ batch: borrowing FrameBytes,
        _ onFrame: (Frame) throws(WireError) -> Void
    ) throws {
        var decoder = FrameDecoder()
        let bytes = batch.array
        try self.sheet.measure(name, count: Self.count) {
            for _ in 0..<Self.count / Self.batch {
                try bytes.withUnsafeBytes { try decoder.feed($0, onFrame) }
            }
        }
    }

    // MARK: HTTP

    private func measureHTTP() throws {
        let poll = Array(
            """
            GET /api/v1/waiting?concertId=1 HTTP/1.1\r\nHost: tickets.example.com\r\nX-Concert-Token: \(self.token)\r\n\
            User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
            Accept: application/json\r\nAccept-Language: ko-KR,ko;q=0.8,en-US;q=0.5,en;q=0.3\r\n\r\n
            """.utf8
        )
        let body = #"{"concertId":1,"userId":123456789012}"#
        let join = Array(
            """
            POST /api/v1/waiting HTTP/1.1\r\nHost: tickets.example.com\r\nContent-Type: application/json\r\n\
            Content-Length: \(body.utf8.count)\r\n\r\n\(body)
            """.utf8
        )
        self.parse("request of a poll parsed", poll) { use($0) }
        self.parse("request of a join parsed", join) { use($0) }
        self.parse("request of a poll parsed and routed", poll) { request in
            do throws(Problem) { use(try self.router.route(request)) } catch { preconditionFailure("\(error)") }
        }
        self.parse("request of a join parsed and routed", join) { request in
            do throws(Problem) { use(try self.router.route(request)) } catch { preconditionFailure("\(error)") }
        }
        self.write(
            "answer to a poll written",
            .standing(Standing(order: 654_000, seconds: 13_080)),
            to: .poll(self.pass)
        )
        let joined = Joined(
            place: self.pass.place,
            issuedAt: self.pass.issuedAt,
            standing: Standing(order: 654_000, seconds: 13_080)
        )
        self.write("answer to a join written", .joined(joined), to: .join(self.pass.concert, self.pass.user))
    }

    private func parse(_ name: String, _ bytes: [UInt8], _ body: (HTTPRequest) -> Void) {
        var parser = HTTPRequestParser(limits: HTTPLimits())
        self.sheet.measure(name, count: Self.count) {
            for _ in 0..<Self.count {
                bytes.withUnsafeBytes { bytes in
                    parser.feed(bytes)
                    guard case .request(let request) = parser.next() else { preconditionFailure("no request") }
                    body(request)
                    guard case .needsMore = parser.next() else { preconditionFailure("more than one request") }
                }
            }
        }
    }

    private func write(_ name: String, _ reply: Reply, to request: Request) {
        let options = AnswerWriter.ResponseOptions(method: .get, connection: .keep, language: .korean)
        let token = self.ring.text(of: self.pass)
        let date = HTTPDate(epochSeconds: 1_800_000_000)
        var scratch = OutputBytes()
        var output = OutputBytes()
        self.sheet.measure(name, count: Self.count) {
            for _ in 0..<Self.count {
                output.removeAll()
                use(
                    self.writer.append(
                        reply,
                        to: request,
                        token: token,
                        options,
                        date: date,
                        scratch: &scratch,
                        to: &output
                    )
                )
            }
        }
    }

    // MARK: Tokens, slots, facts

    private func measureTokens() {
        var text = [UInt8](repeating: 0, count: TokenRing.tokenCount)
        self.sheet.measure("token signed", count: Self.count) {
            for _ in 0..<Self.count { text.withUnsafeMutableBytes { self.ring.sign(self.pass, into: $0) } }
        }
        self.sheet.measure("token checked", count: Self.count) {
            for _ in 0..<Self.count {
                guard text.withUnsafeBytes({ self.ring.verify($0) }) != nil else { preconditionFailure("not genuine") }
            }
        }
        self.sheet.measure("slot of a user", count: Self.count) {
            for number in 0..<Self.count { use(Slot(of: UserID(123_456_789_012 + UInt64(number)))) }
        }
    }

    private func measureFacts() {
        let facts = (0..<Self.batch).map { number in
            Fact.joined(self.pass.concert, self.pass.user, Place(UInt64(number) + 1), at: self.pass.issuedAt)
        }
        var bytes = FrameBytes(capacity: 1 << 16)
        self.sheet.measure("fact of a join written", count: Self.count) {
            for _ in 0..<Self.count / Self.batch {
                bytes.removeAll()
                for fact in facts { fact.encode(into: &bytes) }
            }
        }
        let batch = JournalBatch(
            firstSequence: 1,
            count: UInt32(Self.batch),
            time: self.pass.issuedAt,
            bytes: bytes.array
        )
        var hash = ChainHash(Array(repeating: 7, count: ChainHash.byteCount))!
        self.sheet.measure("hash of 64 facts of joins", count: Self.batch) {
            for _ in 0..<Self.batch { hash = hash.next(batch, epoch: 1) }
        }
        use(hash)
    }
}
