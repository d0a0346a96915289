import Booking
import DequeModule
import Reactor
import Statistics
import Wire

/// Whose requests these are, and what they cost: limits by address count each request of a client before anything is done
/// for it, and more where it takes more than a plain one.
///
///     nobody pays      the request goes to the handler
///     the client does  a token for the request ──▶ more for its bytes ──▶ more for a large answer, before it is made
///                                                  ──▶ what its answer came to, when it is written
///     the headers say  a proxy's connection: the same, for the client that each request's headers name
extension HTTPConnection {
    /// A request counts as one more for each so many bytes of it: what it takes to read them all, and the JSON in them, is less
    /// than a plain request for each.
    private static let bytesPerRequest = 4_096
    /// As one more counts, too, when so many reads have brought no whole request: a peer that sends byte by byte.
    private static let readsPerRequest: UInt32 = 16

    // MARK: Whose it is

    func hasCome(from client: IPAddress, _ entry: ClientGate.Entry) {
        self.client = client
        self.isCounted = entry == .counted
        self.choosePayer()
    }

    private func choosePayer() {
        let isWatched = self.server.gate.watches(self.client)
        let isExempt = self.server.gate.isExempt(self.client)
        self.payer = isWatched ? (isExempt ? .named : .client) : .nobody
    }

    /// The clients that limits leave alone, or whether there are limits, have changed.
    func gateHasChanged() {
        guard self.state.stage != .introducing else { return }
        // Nothing depended on it when the connection came.
        if self.client == .none, let address { self.client = IPAddress(address) }
        self.choosePayer()
    }

    // MARK: Requests

    @inline(__always)
    func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        guard self.payer != .nobody || request.rejection != nil else {
            return self.server.handler.handle(request, from: client)
        }
        return self.handleCharged(request, from: client)
    }

    /// Charges a request to its client before anything is done for it, also before it is rejected.
    private func handleCharged(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        let server = self.server
        var caller: IPAddress?
        switch self.payer {
        case .nobody: break
        case .client: caller = self.client
        case .named:
            guard let named = server.gate.client(of: request, from: self.client) else {
                server.note(\.forwardedHeaders)
                server.handler.refuse(.forwardedInvalid, of: request, from: client)
                return .small
            }
            if server.namesClients || server.gate.charges, named != self.client {
                self.named.append((client.sequence, named))
            }
            if !server.gate.isExempt(named) { caller = named }
        }
        if let caller {
            if let wait = server.gate.consumeToken(of: caller, at: server.moment) {
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

    /// Bytes have come, and no whole request. A client that has no requests left by now is not waited for.
    @inline(__always)
    func chargeReads(since before: UInt32) {
        guard self.state.nextRequest == before, self.parser.phase != .idle else { return self.reads = 0 }
        self.reads += 1
        guard self.reads.isMultiple(of: Self.readsPerRequest), self.payer == .client else { return }
        guard let wait = self.server.gate.consumeToken(of: self.client, at: self.server.moment) else { return }
        self.server.note(\.requestsByAddress)
        self.refuse(.tooManyRequests(ofAddress: wait))
    }

    // MARK: Answers

    /// The client of a request that is not answered yet.
    private func client(of sequence: UInt32) -> IPAddress {
        self.named.first { $0.sequence == sequence }?.client ?? self.client
    }

    /// Charges a request for what it takes beyond a plain one, before that is done; or gives it back.
    func charge(_ sequence: UInt32, requests: Int) {
        guard self.payer != .nobody else { return }
        self.server.gate.charge(self.client(of: sequence), requests: requests, at: self.server.moment)
    }

    /// Charges for an answer that may have so many bytes, before it is made. What it comes to is settled when it leaves; what is
    /// `isForWork` is not given back then, as it was done also for a client that needs none of the bytes.
    func prepay(_ sequence: UInt32, answerBytes: Int, isForWork: Bool) {
        let requests = self.server.gate.requests(forAnswerBytes: answerBytes)
        guard self.payer != .nobody, requests > 0 else { return }
        self.charge(sequence, requests: requests)
        self.prepaid = (requests, sequence, isForWork)
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
        guard self.payer != .nobody else { return }
        self.settle(sequence, answerBytes: bytes, for: self.client(of: sequence))
    }

    /// Charges the answer that is next in turn to its client: the connection's, or the one that its proxy named.
    func charge(forAnswerBytes count: Int) {
        let isNamed = self.named.first?.sequence == self.state.nextAnswer
        let client = isNamed ? self.named.removeFirst().client : self.client
        self.settle(self.state.nextAnswer, answerBytes: count, for: client)
    }
}
