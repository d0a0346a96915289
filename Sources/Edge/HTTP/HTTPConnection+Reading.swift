import Booking
import Reactor
import Statistics
import Wire

/// Bytes in: the header of a proxy, requests, and what can't be answered but by a refusal.
extension HTTPConnection {
    func received(_ bytes: UnsafeRawBufferPointer) {
        switch self.state.receipt {
        case .requests: self.readRequests(in: bytes)
        case .prelude: self.receivedPrelude(bytes)
        case .nothing: break
        }
    }

    private func receivedPrelude(_ bytes: UnsafeRawBufferPointer) {
        switch self.prelude.receive(bytes) {
        case .needsMore: break
        case .malformed:
            self.server.note(\.proxyHeaders)
            self.close()
        case .read(let source, let behind):
            self.phaseSince = self.server.now
            let entry = self.server.gate.enter(source ?? self.client)
            guard entry != .refused else { return self.turnAway() }
            self.state.introduced()
            self.hasCome(from: source ?? self.client, entry)
            if let source { self.address = SocketAddress(source) }
            guard !behind.isEmpty else { return }
            behind.withUnsafeBytes { self.readRequests(in: $0) }
        }
    }

    /// A proxy brought one connection too many of a client.
    private func turnAway() {
        self.server.note(\.connectionsByAddress)
        self.connection.append(HTTPServer.tooManyOfAddress)
        self.carryOut(self.state.rejectedConnections())
    }

    // MARK: Requests

    @inline(__always)
    private func readRequests(in bytes: UnsafeRawBufferPointer) {
        self.parser.feed(bytes)
        self.readRequests()
        if !self.server.hasRoomForUnfinished { self.server.makeRoomForUnfinished() }
    }

    /// Reads requests off what the parser has, as long as the state lets it.
    func readRequests() {
        self.readWholeRequests()
        self.noteUnfinished()
    }

    private func readWholeRequests() {
        let before = self.state.nextRequest
        while self.state.isReading {
            guard self.state.mayRead(pipelinedMax: self.server.limits.pipelinedMax), !self.connection.isFull() else {
                self.parser.suspend()
                self.pause()
                return self.noteProgress(since: before)
            }
            switch self.parser.next() {
            case .needsMore:
                self.carryOut(self.state.needsMore())
                self.noteProgress(since: before)
                return self.chargeReads(since: before)
            case .continueExpected: self.state.continueExpected()
            case .request(let request): self.read(request)
            case .refused(let refusal): self.refuse(Problem(refusal))
            }
        }
        // What stands behind the last one is never looked at.
        self.parser.abandon()
        self.noteProgress(since: before)
    }

    @inline(__always)
    private func read(_ request: HTTPRequest) {
        let farewell = self.farewell(after: request)
        let fate = farewell == nil ? request.connection : .close
        let sequence = self.state.requestRead(last: farewell)
        // Nothing follows it (RFC 9112, section 9.6). Only behind a body do some clients send an empty line, which
        // unread would turn our close into a reset.
        if request.connection == .close, request.body.isEmpty { self.connection.stopReading() }
        let language = Language(accepting: request[.acceptLanguage])
        let options = AnswerWriter.ResponseOptions(method: request.method, connection: fate, language: language)
        let bits = options.bits | self.server.crossOrigin.note(request[.origin])
        let client = Gateway.Client(connection: self.number, sequence: sequence, responseOptions: bits)
        switch self.handle(request, from: client) {
        case .small: break
        case .large: self.state.largeAnswerAwaited()
        case .ready(let answer): self.answer(client, with: answer)
        }
    }

    /// How the connection ends behind this request; nil where another may follow.
    ///
    /// A server that drains answers one more request on each connection. While it hands over, that is the last of those
    /// that have come together: a client that sends many at a time need not send some of them again.
    @inline(__always)
    private func farewell(after request: HTTPRequest) -> HTTPConnectionState.Farewell? {
        if self.state.nextRequest >= self.server.limits.requestsPerConnectionMax - 1 { return .early }
        if request.connection == .close { return .agreed }
        return switch self.server.draining {
        case nil: nil
        case .takingMore, .handingOver: self.parser.hasMore ? nil : .agreed
        case .closing: .agreed
        }
    }

    /// Answers in place of a request, and reads nothing more. False where the connection is ending already.
    @discardableResult
    func refuse(_ problem: Problem) -> Bool {
        guard let sequence = self.state.refused() else { return false }
        self.server.noteBadRequest(problem.status)
        let options = AnswerWriter.ResponseOptions(method: .get, connection: .close, language: .korean)
        let bits = options.bits | self.server.crossOrigin.note(self.parser.origin)
        let client = Gateway.Client(connection: self.number, sequence: sequence, responseOptions: bits)
        self.server.handler.refuse(problem, of: nil, from: client)
        return true
    }

    private func noteProgress(since before: UInt32) {
        let phase = self.parser.phase
        guard phase != self.phase || self.state.nextRequest != before else { return }
        self.phase = phase
        self.phaseSince = self.server.now
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
        guard self.refuse(.tooMuchUnfinished) else { return false }
        self.dropUnfinished()
        return true
    }

    /// Reads nothing more as a request, and frees its buffers.
    func dropUnfinished() {
        self.parser.abandon()
        self.noteUnfinished()
    }
}
