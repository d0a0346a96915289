import Booking
import Glibc
import StandardStreams
import Wire

/// What forged tokens cost a gateway, and whether it takes any.
///
/// Without a port: in this process, the check of the token alone, and then all that a gateway does for such a request but
/// the system calls: parsing, routing, the refusal's bytes. With a port and a process id: as polls to a live gateway, many
/// under way on each connection, with that process's CPU by the kernel's own account.
enum ForgeBenchmark {
    private static let chunk = 10_000

    static func run(count: Int) throws {
        let ring = try TokenRing([
            TokenKey(id: 1, secret: (0..<32).map { _ in UInt8.random(in: 0...255) }, activeFrom: Timestamp(seconds: 1))
        ])
        let pass = Pass(
            concert: ConcertID(1),
            user: UserID(42),
            place: Place(7),
            issuedAt: Timestamp(nanoseconds: 1_800_000_000_123_456_789)
        )
        let genuine = Array(ring.sign(pass).utf8)
        var forgery = Forgery(of: genuine, seed: 4_711)
        let gateway = Refusals(ring)
        var (accepted, checking, refusing, plain) = (0, UInt64(0), UInt64(0), UInt64(0))
        for _ in stride(from: 0, to: count, by: Self.chunk) {
            let tokens = (0..<Self.chunk).map { _ in forgery.next() }
            let begun = Self.cpu
            for token in tokens where token.withUnsafeBytes({ ring.verify($0) }) != nil { accepted += 1 }
            let checked = Self.cpu
            checking += checked - begun
            let requests = tokens.map { Refusals.request($0) }
            let ready = Self.cpu
            for request in requests where try gateway.answer(request) != .badRequest { accepted += 1 }
            let refused = Self.cpu
            refusing += refused - ready
            let same = Refusals.request([])
            let again = Self.cpu
            for _ in requests where try gateway.answer(same) != .badRequest { accepted += 1 }
            plain += Self.cpu - again
        }
        guard try gateway.routes(Refusals.request(genuine)) else { fatalError("the genuine token was refused") }
        CommandOutput.line(
            #"{"tokens":\#(count),"accepted":\#(accepted),"checkNanoseconds":\#(checking / UInt64(count)),"#
                + #""answerNanoseconds":\#(refusing / UInt64(count)),"#
                + #""answerWithoutTokenNanoseconds":\#(plain / UInt64(count))}"#
        )
    }

    /// Forged tokens, and then as many polls without any, to the gateway of process `pid`.
    static func run(count: Int, port: UInt16, pid: Int32) throws {
        let client = try PipelinedClient(port: port, connections: 16)
        let genuine = try client.join(concert: 1, user: 4_242)
        var forgery = Forgery(of: genuine, seed: 4_711)
        let begun = try ProcessCPU.nanoseconds(of: pid)
        let forged = try client.send(count) { Refusals.request(forgery.next()) }
        let middle = try ProcessCPU.nanoseconds(of: pid)
        let bare = Refusals.request([])
        let without = try client.send(count) { bare }
        let over = try ProcessCPU.nanoseconds(of: pid)
        let taken = try client.send(1) { Refusals.request(genuine) }
        precondition(taken == [200: 1], "the genuine token was refused")
        CommandOutput.line(
            #"{"tokens":\#(count),"accepted":\#(count - (forged[400] ?? 0)),"#
                + #""withoutToken":\#(without[400] ?? 0),"#
                + #""gatewayNanoseconds":\#((middle - begun) / UInt64(count)),"#
                + #""gatewayWithoutTokenNanoseconds":\#((over - middle) / UInt64(count))}"#
        )
    }

    /// Of this thread, nanoseconds.
    private static var cpu: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// What a gateway does with a request that it refuses by itself, without its sockets.
private final class Refusals {
    private let router: Router
    private let writer: AnswerWriter
    private var parser = HTTPRequestParser(limits: HTTPLimits())
    private var scratch = OutputBytes()
    private var output = OutputBytes()
    private let date = HTTPDate(epochSeconds: 1_800_000_000)

    init(_ ring: TokenRing) {
        self.router = Router(catalogue: .original(), tokens: ring)
        self.writer = AnswerWriter(catalogue: .original(), zone: ZoneTable(offset: 32_400))
    }

    static func request(_ token: [UInt8]) -> [UInt8] {
        let header = token.isEmpty ? [] : Array("X-Concert-Token: ".utf8) + token + Array("\r\n".utf8)
        return Array("GET /api/v1/waiting?concertId=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n".utf8) + header
            + Array("\r\n".utf8)
    }

    func answer(_ request: [UInt8]) throws -> HTTPStatus {
        try request.withUnsafeBytes { bytes in
            self.parser.feed(bytes)
            guard case .request(let request) = self.parser.next() else { throw WireError("no request") }
            let manner = AnswerWriter.Manner(method: request.method, connection: request.connection, language: .korean)
            self.output.removeAll()
            var status = HTTPStatus.ok
            do throws(Problem) { _ = try self.router.route(request) } catch {
                status = self.writer.append(error, manner, date: self.date, scratch: &self.scratch, to: &self.output)
            }
            guard case .needsMore = self.parser.next() else { throw WireError("more than one request") }
            return status
        }
    }

    func routes(_ request: [UInt8]) throws -> Bool { try self.answer(request) == .ok }
}
