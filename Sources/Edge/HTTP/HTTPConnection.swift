import Booking
import DequeModule
import Reactor
public import Wire

/// One client's connection: requests are read off it, and answers leave in the order of the requests. What it does when is
/// decided by `HTTPConnectionState`, which has the drawing; here is what that takes.
///
///     HTTPConnection.swift             what it is made of, and the steps that its state asks for
///     HTTPConnection+Reading.swift     bytes in: the proxy's header, requests, refusals
///     HTTPConnection+Answers.swift     bytes out, in the order of the requests
///     HTTPConnection+Charging.swift    whose requests these are, and what they cost
///     HTTPConnection+Closing.swift     what takes too long, and how it ends
///
/// **Happy path.** A read is fed to the parser, each request goes to the handler with its number on this connection,
/// and the answer is appended at once when it is the next in turn. Answers that come early are kept until then.
///
/// **Failure paths.** After a refusal nothing more is read as HTTP: what the peer still sends is dropped for a while,
/// so that it can read the refusal (closing at once would reset the connection under it). A peer that ends its side
/// gets the answers under way. A connection that is lost ends at once; answers for it are dropped.
final class HTTPConnection {
    /// An answer that came before its turn, or its place until it comes.
    enum EarlyAnswer { case awaited, kept([UInt8]), ready(ReadyAnswer) }

    /// To whom the requests of a connection are charged.
    enum Payer {
        /// Nobody: limits leave its client alone, or there are none.
        case nobody
        /// The client at its other end.
        case client
        /// The client that each request's headers name: it is a trusted proxy's connection.
        case named
    }

    // Fields of like sizes stand together: there are as many of these objects as clients.

    let number: UInt64
    let connection: Connection
    /// It holds its connections until they are closed. Unsafe, as a safe reference counts several times a request.
    unowned(unsafe) let server: HTTPServer
    var parser: HTTPRequestParser
    /// Answers that came before their turn, from the one that is next; only pipelined requests have any.
    var early = Deque<EarlyAnswer>()
    var debt = SlowReaderTimeout()
    /// Since when the peer has been waited for, for what `phase` says.
    var phaseSince: UInt64
    /// Buffers for its unfinished request, bytes, and those that are kept for the next.
    var unfinishedBytes = 0
    /// The clients that the headers of unanswered requests name; empty where nothing depends on them.
    var named = Deque<(sequence: UInt32, client: IPAddress)>()
    /// Holds bytes while the connection is being introduced.
    var prelude = ProxyPrelude()
    /// The client at the other end: as the kernel says, or as a trusted proxy's PROXY header said.
    var client: IPAddress
    /// The client's address, for those who want to know; its port, where a PROXY header names the client, is 0.
    lazy var address = self.connection.peerAddress
    /// The charge for a large answer before it is made, in requests; there is one at a time at most.
    var prepaid: (requests: Int, sequence: UInt32, isForWork: Bool)?
    /// Reads since the last whole request.
    var reads: UInt32 = 0
    var state: HTTPConnectionState
    var payer = Payer.nobody
    /// Whether it counts as one of its client's connections.
    var isCounted = false
    var phase = HTTPRequestParser.Phase.idle

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
        self.state = HTTPConnectionState(isIntroduced: entered != nil)
        self.phaseSince = server.now
        if let entered { self.hasCome(from: client, entered) }
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

    /// Where a request is from that is not answered yet.
    func address(of sequence: UInt32) -> SocketAddress? {
        guard let named = self.named.first(where: { $0.sequence == sequence }) else { return self.address }
        return SocketAddress(named.client)
    }

    // MARK: Steps

    /// Does what the state has decided.
    func carryOut(_ step: HTTPConnectionState.Step) {
        switch step {
        case .nothing: break
        case .stopReading: self.connection.stopReading()
        case .startReading: self.connection.startReading()
        case .readOn:
            self.phaseSince = self.server.now
            self.connection.startReading()
            self.readRequests()
        case .sendContinue: self.appendContinue()
        case .dropUnfinished: self.dropUnfinished()
        case .linger:
            self.phaseSince = self.server.now
            self.connection.shutdown()
            self.connection.startReading()
        case .close:
            self.connection.closeAfterFlush()
            self.connection.startReading()
        }
    }

    /// Too many requests are not answered, or the peer does not read.
    func pause() { self.carryOut(self.state.roomIsOver()) }

    /// Answers have left, or the peer has read.
    func resume() {
        let pipelinedMax = self.server.limits.pipelinedMax
        self.carryOut(self.state.roomHasGrown(pipelinedMax: pipelinedMax, isFull: self.connection.isFull()))
    }
}

extension AnswerWriter.ResponseOptions {
    /// The options in the low bits of a number, kept beside a request in flight; the bits above are `CrossOrigin`'s.
    public var bits: UInt32 {
        UInt32(self.method.rawValue) | UInt32(self.connection.rawValue) << 8 | (self.language == .english ? 1 << 16 : 0)
    }

    /// Reads what `bits` of another value wrote.
    public init(bits: UInt32) {
        self.init(
            method: HTTPMethod(rawValue: UInt8(bits & 0xFF)) ?? .get,
            connection: HTTPConnectionFate(rawValue: UInt8(bits >> 8 & 0xFF)) ?? .close,
            language: bits >> 16 & 1 == 1 ? .english : .korean
        )
    }
}
