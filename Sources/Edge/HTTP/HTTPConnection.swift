import Booking
import DequeModule
import Reactor
import Statistics
public import Wire

/// One client's connection: requests are read off it, and answers leave in the order of the requests.
///
///     open ──request, nobody to answer──▶ reading ──▶ … ──last answer said "close"──▶ closing ──flushed──▶ gone
///       │                                    │ too many unanswered, or the peer does not read
///       │                                    └──▶ paused ──answers left──▶ reading
///       └──not HTTP, too slow──▶ refused: answered, then lingering until the peer has read it ──▶ gone
///
/// **Happy path.** A read is fed to the parser, each request goes to the handler with its number on this connection,
/// and the answer is appended at once when it is the next in turn. Answers that come early are kept until then.
///
/// **Failure paths.** After a refusal nothing more is read as HTTP: what the peer still sends is dropped for a while,
/// so that it can read the refusal (closing at once would reset the connection under it). A peer that ends its side
/// gets the answers under way. A connection that is lost ends at once; answers for it find nobody.
final class HTTPConnection {
    /// After a refusal: how long the peer may take to read it and end its side.
    private static let lingerTime = Nanoseconds.seconds(2)

    /// A request counts as one more for each so many bytes of it: what it takes to read them all, and the JSON in them, is less
    /// than a plain request for each.
    private static let bytesPerRequest = 4_096
    /// As one more counts, too, when so many reads have brought no whole request: a peer that sends byte by byte.
    private static let readsPerRequest: UInt32 = 16

    /// The answer to a request before which others are not answered yet.
    private enum Early { case awaited, kept([UInt8]), ready(ReadyAnswer) }

    private let number: UInt64
    private let connection: Connection
    /// It holds its connections until they are closed. Unsafe, as a safe reference counts several times a request.
    private unowned(unsafe) let server: HTTPServer
    private var parser: HTTPRequestParser
    /// Who is at the other end: as the kernel says, or as a trusted proxy's PROXY header said.
    private var client: IPAddress
    /// What has come of a PROXY header that has to come first; nil once it has.
    private var proxyBytes: [UInt8]?
    /// Whether each request is looked at: limits count it, or its headers say whose it is.
    private var isWatched = false
    /// Whether its client is left alone, unless a request's headers say that another is behind it.
    private var isExempt = false
    /// Whether it counts as one of its client's connections.
    private var isCounted = false
    /// Reads since the last whole request.
    private var reads: UInt32 = 0
    /// What was charged for a large answer before it was made, in requests; there is one at a time at most.
    private var prepaid: (sequence: UInt32, requests: Int, isForWork: Bool)?
    /// Who the headers of requests that are not answered yet say they are from; nobody while nobody wants to know.
    private var named = Deque<(sequence: UInt32, client: IPAddress)>()
    /// The number of the next request to be read, and of the next to be answered.
    private var nextRequest: UInt32 = 0
    private var nextAnswer: UInt32 = 0
    /// Answers that came before their turn, from the one that is next; only pipelined requests have any.
    private var early = Deque<Early>()
    /// After the answer with this number the connection closes.
    private var lastAnswer: UInt32?
    /// The request being read waits for `100 Continue`, which may not overtake the answers to those before it. Who
    /// has sent the body all the same gets none.
    private var owesContinue = false
    /// The last request read has a large answer to come: nothing more is read until that has gone out.
    private var awaitsLarge = false
    private var isPaused = false
    private var isLingering = false
    /// The connection ends by our will: the peer may be sending more.
    private var endsEarly = false
    private var hasEnded = false
    /// What the peer is being waited for, and since when.
    private var phase = HTTPRequestParser.Phase.idle
    private(set) var phaseSince: UInt64
    /// Buffers for its unfinished request, bytes, and those that are kept for the next.
    private(set) var unfinishedBytes = 0
    private var debt = ReadingDebt()

    /// `client` has `entered`, unless a PROXY header has yet to say who it is: then that is nil.
    init(
        number: UInt64,
        _ connection: Connection,
        from client: IPAddress,
        entered: ClientGate.Entry?,
        of server: HTTPServer
    ) {
        self.number = number
        self.connection = connection
        self.server = server
        self.client = client
        self.parser = HTTPRequestParser(limits: server.limits.http)
        self.phaseSince = server.now
        if let entered { self.hasCome(from: client, entered) } else { self.proxyBytes = [] }
        connection.yieldsRoom = true
        connection.onRead = { self.received($0) }
        connection.onEnd = { self.ended($0) }
        connection.onHighWater = { self.pause() }
        connection.onLowWater = { self.resume() }
        connection.onClose = {
            if self.isCounted { self.server.gate.leave(self.client) }
            self.server.noteUnfinished(-self.unfinishedBytes)
            self.server.remove(self.number)
        }
        connection.startReading()
    }

    /// The client's address, for those who want to know; its port, where a PROXY header names the client, is 0.
    private lazy var address = self.connection.peerAddress

    /// Where a request is from that is not answered yet.
    func address(of sequence: UInt32) -> SocketAddress? {
        guard let named = self.named.first(where: { $0.sequence == sequence }) else { return self.address }
        return SocketAddress(named.client)
    }

    private var unanswered: UInt32 { self.nextRequest &- self.nextAnswer }

    // MARK: In

    private func received(_ bytes: UnsafeRawBufferPointer) {
        guard !self.isLingering, self.lastAnswer == nil else { return }
        guard self.proxyBytes == nil else { return self.receivedBeforeProxyHeader(bytes) }
        self.parser.feed(bytes)
        self.readRequests()
        if !self.server.hasRoomForUnfinished { self.server.makeRoomForUnfinished() }
    }

    private func readRequests() {
        self.readWholeRequests()
        self.noteUnfinished()
    }

    private func readWholeRequests() {
        let before = self.nextRequest
        while self.lastAnswer == nil, !self.connection.isClosed {
            guard self.unanswered < self.unansweredMax, !self.connection.isFull() else {
                self.parser.suspend()
                self.pause()
                break
            }
            switch self.parser.next() {
            case .needsMore:
                self.continueIfInTurn()
                self.noteProgress(since: before)
                return self.chargeReads(since: before)
            case .continueExpected: self.owesContinue = true
            case .request(let request):
                self.owesContinue = false
                let fate = self.isLast(request) ? .close : request.connection
                let client = self.nextClient(for: request, fate)
                if fate == .close { self.lastAnswer = client.sequence }
                // Nothing follows it (RFC 9112, section 9.6). Only behind a body do some clients send an empty line, which
                // unread would turn our close into a reset.
                if request.connection == .close, request.body.isEmpty { self.connection.stopReading() }
                self.awaitsLarge = false
                switch self.handle(request, from: client) {
                case .small: break
                case .large: self.awaitsLarge = true
                case .ready(let answer): self.answer(client, with: answer)
                }
            case .refused(let refusal):
                self.refuse(Problem(refusal))
            }
        }
        // What stands behind the last one is never looked at.
        if self.lastAnswer != nil { self.parser.abandon() }
        self.noteProgress(since: before)
    }

    private var unansweredMax: UInt32 { self.awaitsLarge ? 1 : self.server.limits.pipelinedMax }

    /// A server that drains answers one more request on each connection. While it hands over, that is the last of those
    /// that have come together: a client that sends many at a time need not send some of them again.
    private func isLast(_ request: HTTPRequest) -> Bool {
        if self.nextRequest >= self.server.limits.requestsPerConnectionMax - 1 {
            self.endsEarly = true
            return true
        }
        return switch self.server.draining {
        case nil: false
        case .takingMore, .handingOver: !self.parser.hasMore
        case .closing: true
        }
    }

    private func nextClient(for request: HTTPRequest, _ fate: HTTPConnectionFate) -> Gateway.Client {
        defer { self.nextRequest &+= 1 }
        let language = Language(accepting: request[.acceptLanguage])
        let manner = AnswerWriter.Manner(method: request.method, connection: fate, language: language)
        let note = manner.note | self.server.crossOrigin.note(request[.origin])
        return Gateway.Client(connection: self.number, sequence: self.nextRequest, note: note)
    }

    private func refuse(_ problem: Problem) {
        self.server.noteBadRequest(problem.status)
        self.endsEarly = true
        self.lastAnswer = self.nextRequest
        let manner = AnswerWriter.Manner(method: .get, connection: .close, language: .korean)
        let note = manner.note | self.server.crossOrigin.note(self.parser.origin)
        let client = Gateway.Client(connection: self.number, sequence: self.nextRequest, note: note)
        self.nextRequest &+= 1
        self.server.handler.refuse(problem, of: nil, from: client)
    }

    // MARK: Unfinished requests

    private func noteUnfinished() {
        let bytes = self.parser.heldBytes
        guard bytes != self.unfinishedBytes else { return }
        self.server.noteUnfinished(bytes - self.unfinishedBytes)
        self.unfinishedBytes = bytes
    }

    /// Frees the buffers that are kept for later requests.
    func releaseSpare() {
        guard self.unfinishedBytes > 0 else { return }
        self.parser.releaseSpare()
        self.noteUnfinished()
    }

    /// Refuses its unfinished request because all of them exceed their bound: frees the buffers now, and closes the connection
    /// after the answers to earlier requests. False when it is closing already.
    func refuseUnfinished() -> Bool {
        guard self.lastAnswer == nil, !self.isLingering, !self.connection.isClosed else { return false }
        self.refuse(.tooMuchUnfinished)
        self.dropUnfinished()
        return true
    }

    private func dropUnfinished() {
        self.parser.abandon()
        self.noteUnfinished()
    }

    private func ended(_ reason: Connection.EndReason) {
        // A lost connection closes by itself.
        guard reason == .endOfStream else { return }
        self.hasEnded = true
        if self.unanswered == 0 || self.isLingering { return self.connection.closeAfterFlush() }
        guard self.lastAnswer == nil else { return }
        self.lastAnswer = self.nextRequest &- 1
        self.dropUnfinished()
    }

    // MARK: Whose it is

    private func hasCome(from client: IPAddress, _ entry: ClientGate.Entry) {
        self.client = client
        self.isCounted = entry == .counted
        self.askGate()
    }

    private func askGate() {
        self.isExempt = self.server.gate.isExempt(self.client)
        self.isWatched = self.server.gate.watches(self.client)
    }

    /// Whom limits leave alone, or whether there are any, is another matter now.
    func gateHasChanged() {
        guard self.proxyBytes == nil else { return }
        // Nobody asked for it when it came.
        if self.client == .none, let address { self.client = IPAddress(address) }
        self.askGate()
    }

    private func receivedBeforeProxyHeader(_ bytes: UnsafeRawBufferPointer) {
        guard var received = self.proxyBytes.take() else { return }
        received.append(contentsOf: bytes)
        switch received.withUnsafeBytes({ ProxyHeader.read(ByteView($0)) }) {
        case .needsMore: self.proxyBytes = received
        case .malformed:
            self.server.note(\.proxyHeaders)
            self.connection.close()
        case .read(let length, let source):
            self.phaseSince = self.server.now
            let entry = self.server.gate.enter(source ?? self.client)
            guard entry != .refused else { return self.turnAway() }
            self.hasCome(from: source ?? self.client, entry)
            if let source { self.address = SocketAddress(source) }
            guard length < received.count else { return }
            received.withUnsafeBytes {
                self.parser.feed(UnsafeRawBufferPointer(rebasing: $0[length...]))
                self.readRequests()
            }
            if !self.server.hasRoomForUnfinished { self.server.makeRoomForUnfinished() }
        }
    }

    /// A proxy brought one connection too many of a client.
    private func turnAway() {
        self.server.note(\.connectionsByAddress)
        self.endsEarly = true
        self.lastAnswer = self.nextRequest
        self.connection.append(HTTPServer.tooManyOfAddress)
        self.finish()
    }

    @inline(__always)
    private func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        guard self.isWatched || request.rejection != nil else {
            return self.server.handler.handle(request, from: client)
        }
        return self.handleWatched(request, from: client)
    }

    /// Charges a request to its client before anything is done for it, also before it is rejected.
    private func handleWatched(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        let server = self.server
        var caller: IPAddress? = self.client
        if self.isExempt {
            // A trusted proxy's connection: others may be behind it.
            caller = server.gate.client(of: request, from: self.client)
            guard let named = caller else {
                server.note(\.forwardedHeaders)
                server.handler.refuse(.forwardedInvalid, of: request, from: client)
                return .small
            }
            if server.namesClients || server.gate.charges, named != self.client {
                self.named.append((client.sequence, named))
            }
            if server.gate.isExempt(named) { caller = nil }
        }
        if let caller {
            if let wait = server.gate.takeToken(of: caller, at: server.moment) {
                server.note(\.requestsByAddress)
                server.handler.refuse(.tooManyRequests(ofAddress: wait), of: request, from: client)
                return .small
            }
            if request.byteCount >= Self.bytesPerRequest {
                server.gate.charge(caller, requests: request.byteCount / Self.bytesPerRequest, at: server.moment)
            }
        }
        if let rejection = request.rejection {
            server.handler.refuse(Problem(rejection), of: request, from: client)
            return .small
        }
        return server.handle(request, from: client, of: caller)
    }

    /// Bytes have come, and no whole request. Who has no requests left by now is not waited for.
    private func chargeReads(since before: UInt32) {
        guard self.nextRequest == before, self.parser.phase != .idle else { return self.reads = 0 }
        self.reads += 1
        guard self.reads.isMultiple(of: Self.readsPerRequest), self.isWatched, !self.isExempt else { return }
        guard let wait = self.server.gate.takeToken(of: self.client, at: self.server.moment) else { return }
        self.server.note(\.requestsByAddress)
        self.refuse(.tooManyRequests(ofAddress: wait))
    }

    // MARK: Charging

    /// Who asked what is not answered yet.
    private func client(of sequence: UInt32) -> IPAddress {
        self.named.first { $0.sequence == sequence }?.client ?? self.client
    }

    /// Charges a request for what it takes beyond a plain one, before that is done; or gives it back.
    func charge(_ sequence: UInt32, requests: Int) {
        guard self.isWatched else { return }
        self.server.gate.charge(self.client(of: sequence), requests: requests, at: self.server.moment)
    }

    /// Charges for an answer that may have so many bytes, before it is made. What it comes to is settled when it leaves; what is
    /// `isForWork` is not given back then, as it was done also for who needs none of the bytes.
    func prepay(_ sequence: UInt32, answerBytes: Int, isForWork: Bool) {
        let requests = self.server.gate.requests(forAnswerBytes: answerBytes)
        guard self.isWatched, requests > 0 else { return }
        self.charge(sequence, requests: requests)
        self.prepaid = (sequence, requests, isForWork)
    }

    /// An answer of so many bytes was made.
    private func settle(_ sequence: UInt32, answerBytes: Int, for client: IPAddress) {
        var requests = self.server.gate.requests(forAnswerBytes: answerBytes)
        if let prepaid, prepaid.sequence == sequence {
            self.prepaid = nil
            requests -= prepaid.requests
            if prepaid.isForWork { requests = max(0, requests) }
        }
        self.server.gate.charge(client, requests: requests, at: self.server.moment)
    }

    /// The body of an answer to HEAD was made, and does not leave.
    func noteUnsent(_ sequence: UInt32, bytes: Int) {
        guard self.isWatched else { return }
        self.settle(sequence, answerBytes: bytes, for: self.client(of: sequence))
    }

    // MARK: Out

    func answer(_ client: Gateway.Client, with bytes: ByteView) {
        guard CrossOrigin.isNone(client.note) else { return self.answer(client, withLinesAnd: bytes.bytes) }
        guard client.sequence == self.nextAnswer else {
            return self.keep(.kept(Array(bytes.bytes)), for: client.sequence)
        }
        self.append(bytes)
        self.appendEarly()
    }

    func answer(_ client: Gateway.Client, with ready: ReadyAnswer) {
        guard CrossOrigin.isNone(client.note) else { return self.answer(client, withLinesAnd: ready.bytes) }
        guard client.sequence == self.nextAnswer else { return self.keep(.ready(ready), for: client.sequence) }
        self.append(ByteView(ready.bytes))
        self.appendEarly()
    }

    /// Inserts the CORS field lines that the request calls for behind the status line.
    private func answer(_ client: Gateway.Client, withLinesAnd bytes: UnsafeRawBufferPointer) {
        let lines = self.server.crossOrigin.lines(client.note)
        guard let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            preconditionFailure("an answer without a status line")
        }
        let status = UnsafeRawBufferPointer(rebasing: bytes[...lineEnd])
        let rest = UnsafeRawBufferPointer(rebasing: bytes[(lineEnd + 1)...])
        guard client.sequence == self.nextAnswer else {
            return self.keep(.kept(Array(status) + Array(lines) + Array(rest)), for: client.sequence)
        }
        self.connection.append(status)
        self.connection.append(lines)
        self.connection.append(rest)
        self.hasAppended(bytes.count + lines.count)
        self.appendEarly()
    }

    private func keep(_ answer: Early, for sequence: UInt32) {
        let index = Int(sequence &- self.nextAnswer)
        guard index >= self.early.count else { return self.early[index] = answer }
        while self.early.count < index { self.early.append(.awaited) }
        self.early.append(answer)
    }

    private func appendEarly() {
        early: while let next = self.early.first {
            switch next {
            case .awaited: break early
            case .kept(let answer): answer.withUnsafeBytes { self.append(ByteView($0)) }
            case .ready(let answer): self.append(ByteView(answer.bytes))
            }
        }
        if self.isPaused { self.resume() }
    }

    private func append(_ bytes: ByteView) {
        self.connection.append(bytes.bytes)
        self.hasAppended(bytes.count)
    }

    /// An answer is appended whole.
    @inline(__always)
    private func hasAppended(_ count: Int) {
        self.debt.append(count)
        let isLast = self.lastAnswer == self.nextAnswer
        if self.isWatched { self.charge(count) }
        self.nextAnswer &+= 1
        if !self.early.isEmpty { self.early.removeFirst() }
        if isLast { self.finish() } else { self.continueIfInTurn() }
    }

    /// What an answer cost its client, and whose it was, if its proxy said so.
    private func charge(_ answerBytes: Int) {
        let isNamed = self.named.first?.sequence == self.nextAnswer
        let client = isNamed ? self.named.removeFirst().client : self.client
        self.settle(self.nextAnswer, answerBytes: answerBytes, for: client)
    }

    private func continueIfInTurn() {
        guard self.owesContinue, self.unanswered == 0 else { return }
        self.owesContinue = false
        let bytes = ByteView(HTTPResponse.interimContinue)
        self.debt.append(bytes.count)
        self.connection.append(bytes.bytes)
    }

    private func finish() {
        // Unread bytes of the peer in the kernel turn our close into a reset, which can destroy the answer on its way.
        // So after a refusal, and while this server hands over: who sends many at a time has sent more by then.
        guard self.endsEarly || self.server.isHandingOver, !self.hasEnded else {
            return self.connection.closeAfterFlush()
        }
        self.linger()
    }

    private func linger() {
        self.isLingering = true
        self.phaseSince = self.server.now
        self.connection.shutdown()
        self.connection.startReading()
    }

    private func pause() {
        guard !self.isPaused, !self.isLingering else { return }
        self.isPaused = true
        self.connection.stopReading()
    }

    private func resume() {
        guard self.isPaused, self.unanswered <= self.unansweredMax / 2, !self.connection.isFull() else { return }
        self.isPaused = false
        self.phaseSince = self.server.now
        self.connection.startReading()
        // What was read before the pause waits in the parser.
        self.readRequests()
    }

    // MARK: Time

    private func noteProgress(since before: UInt32) {
        let phase = self.parser.phase
        guard phase != self.phase || self.nextRequest != before else { return }
        self.phase = phase
        self.phaseSince = self.server.now
    }

    /// Ends what takes too long; true if it did.
    func checkTime(at now: UInt64) -> Bool {
        let unread = self.unread
        if self.isLingering {
            if unread > 0 {
                self.phaseSince = now
            } else if now > self.phaseSince + Self.lingerTime.span {
                self.connection.close()
                return false
            }
        }
        if self.debt.isOverdue(unread: unread, at: now, self.server.limits) {
            self.connection.reset()
            return true
        }
        guard !self.isLingering else { return false }
        guard self.proxyBytes == nil else {
            guard now > self.phaseSince + self.server.limits.headTimeout.span else { return false }
            self.server.note(\.proxyHeaders)
            self.connection.close()
            return true
        }
        // While reading is paused the peer can't send on, however much it would like to.
        guard self.unanswered == 0, self.lastAnswer == nil, !self.isPaused else { return false }
        let limits = self.server.limits
        let timeout: Nanoseconds =
            switch self.phase {
            case .idle, .finished: limits.idleTimeout
            case .head: limits.headTimeout
            case .body: limits.bodyTimeout
            }
        guard now > self.phaseSince + timeout.span else { return false }
        if self.phase == .idle {
            self.connection.closeAfterFlush()
        } else {
            self.refuse(.requestTimeout)
            self.dropUnfinished()
        }
        return self.phase != .idle
    }

    /// What the peer has not taken yet; of a last answer, what its own kernel has not: we may not close before.
    private var unread: Int {
        self.connection.pendingBytes + (self.isLingering ? self.connection.unacknowledgedBytes : 0)
    }

    /// Since when bytes have been on their way that have not all left yet, as far as sweeps have seen.
    var behindSince: UInt64 { self.debt.since }

    /// Memory for what it has not taken.
    var heldBytes: Int { self.connection.heldBytes }

    /// Whether it has had a second at least, and has not taken what there was then.
    func isBehind(at now: UInt64) -> Bool {
        self.connection.pendingBytes > 0 && now > self.debt.since + Nanoseconds.seconds(1).span
    }

    // MARK: Ending

    /// Lets a request under way be answered, and closes after it; without one, ends our side now, and closes when the peer
    /// has, or after a moment. A request that has come in by half is the last one: it has its usual time for the rest.
    func drain() {
        guard self.lastAnswer == nil, !self.isLingering, self.parser.phase == .idle else { return }
        if self.unanswered > 0 {
            self.lastAnswer = self.nextRequest &- 1
        } else if self.server.isHandingOver {
            self.linger()
        } else {
            self.connection.closeAfterFlush()
        }
    }

    func close() { self.connection.close() }

    /// Ends at once, whatever is pending.
    func reset() { self.connection.reset() }
}

extension AnswerWriter.Manner {
    /// The manner in the low bits of a number, to be kept beside a request under way; those above are `CrossOrigin`'s.
    public var note: UInt32 {
        UInt32(self.method.rawValue) | UInt32(self.connection.rawValue) << 8 | (self.language == .english ? 1 << 16 : 0)
    }

    /// `note` was made by `note`.
    public init(note: UInt32) {
        self.init(
            method: HTTPMethod(rawValue: UInt8(note & 0xFF)) ?? .get,
            connection: HTTPConnectionFate(rawValue: UInt8(note >> 8 & 0xFF)) ?? .close,
            language: note >> 16 & 1 == 1 ? .english : .korean
        )
    }
}
