import Booking
import DequeModule
import Reactor
import Wire

/// Bytes out: answers, in the order of the requests.
///
///     next in turn ──▶ appended ──▶ and those behind it that have come already
///     too early    ──▶ kept until those before it are appended
extension HTTPConnection {
    func answer(_ client: Gateway.Client, with bytes: ByteView) {
        guard CrossOrigin.isNone(client.responseOptions) else { return self.answer(client, withLinesAnd: bytes.bytes) }
        guard client.sequence == self.state.nextAnswer else {
            return self.keep(.kept(Array(bytes.bytes)), for: client.sequence)
        }
        self.append(bytes)
        self.appendEarly()
    }

    func answer(_ client: Gateway.Client, with ready: ReadyAnswer) {
        guard CrossOrigin.isNone(client.responseOptions) else { return self.answer(client, withLinesAnd: ready.bytes) }
        guard client.sequence == self.state.nextAnswer else { return self.keep(.ready(ready), for: client.sequence) }
        self.append(ByteView(ready.bytes))
        self.appendEarly()
    }

    /// Inserts the CORS field lines that the request calls for behind the status line.
    private func answer(_ client: Gateway.Client, withLinesAnd bytes: UnsafeRawBufferPointer) {
        let lines = self.server.crossOrigin.lines(client.responseOptions)
        guard let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            preconditionFailure("an answer without a status line")
        }
        let status = UnsafeRawBufferPointer(rebasing: bytes[...lineEnd])
        let rest = UnsafeRawBufferPointer(rebasing: bytes[(lineEnd + 1)...])
        guard client.sequence == self.state.nextAnswer else {
            return self.keep(.kept(Array(status) + Array(lines) + Array(rest)), for: client.sequence)
        }
        self.connection.append(status)
        self.connection.append(lines)
        self.connection.append(rest)
        self.hasAppended(bytes.count + lines.count)
        self.appendEarly()
    }

    private func keep(_ answer: EarlyAnswer, for sequence: UInt32) {
        let index = Int(sequence &- self.state.nextAnswer)
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
        if self.state.isPaused { self.resume() }
    }

    private func append(_ bytes: ByteView) {
        self.connection.append(bytes.bytes)
        self.hasAppended(bytes.count)
    }

    /// An answer is appended whole.
    @inline(__always)
    private func hasAppended(_ count: Int) {
        self.debt.append(count)
        if self.payer != .nobody { self.charge(forAnswerBytes: count) }
        let step = self.state.answered(isHandingOver: self.server.isHandingOver)
        if !self.early.isEmpty { self.early.removeFirst() }
        self.carryOut(step)
    }

    /// Lets a peer send the body of a request that it holds back until it is told to.
    func appendContinue() {
        let bytes = ByteView(HTTPResponse.interimContinue)
        self.debt.append(bytes.count)
        self.connection.append(bytes.bytes)
    }
}
