public import Booking
import Configuration
public import Reactor
public import Statistics
public import Wire

/// Answers the requests of an `HTTPServer`.
public protocol HTTPHandler: AnyObject {
    /// Answers now or later, once, through `HTTPServer.answer`. The request is valid during the call only. A connection
    /// has one large answer at a time; otherwise a client could request any number of them and read none.
    func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize
    /// Called when the server itself refuses a request: not HTTP, too large or too slow, and then `request` is nil; or
    /// well-formed, but over a limit.
    func refuse(_ problem: Problem, of request: HTTPRequest?, from client: Gateway.Client)
}

/// The size of an answer: a few KiB; up to megabytes, for halls and catalogues of that size; or the whole answer,
/// ready.
public enum AnswerSize { case small, large, ready(ReadyAnswer) }

/// An answer whose bytes stay in place for the life of the process.
public struct ReadyAnswer {
    /// The whole answer.
    public let bytes: UnsafeRawBufferPointer

    /// Keeps a permanent copy of `bytes`.
    public init(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyBytes(from: bytes)
        self.bytes = UnsafeRawBufferPointer(copy)
    }
}

/// The shell of HTTP on one loop: accepts connections, reads requests, writes answers in the order of the requests, and
/// limits clients that are too many, too slow or idle. The handler decides the answers.
public final class HTTPServer {
    /// A server's limits for its clients.
    public struct Limits {
        /// Open connections; further ones are answered 503 and closed.
        public var connectionsMax: Int
        /// Requests of one connection that are read but not answered; beyond, its reading is paused. Browsers send none before
        /// the answer, and a front of two dozen users on one connection is far from it.
        public var pipelinedMax: UInt32 = 64
        /// How long a head, and a body, may take from their first byte.
        public var headTimeout: Nanoseconds
        public var bodyTimeout: Nanoseconds
        /// How long a connection may be open without a request in flight.
        public var idleTimeout: Nanoseconds
        /// How long a peer may read nothing of the bytes written to it.
        public var writeTimeout: Nanoseconds
        /// How long a whole answer may take to leave, even if the peer steadily reads a little of it.
        public var answerTimeout: Nanoseconds
        /// Memory for answers that peers have not read, over all connections, bytes.
        public var unsentBytesMax: Int
        /// Bound of the buffers for unfinished requests, over all connections, bytes.
        public var unfinishedBytesMax: Int
        /// A connection is closed after this many answers.
        public var requestsPerConnectionMax: UInt32
        /// What one client may ask.
        public var clients: ClientGate.Limits
        /// Origins whose pages may read the answers.
        public var origins = OriginList()
        /// How large a request may be.
        public var http: HTTPLimits
    }

    struct Counts {
        var accepted: UInt64 = 0
        var refusedConnections: UInt64 = 0
        var acceptErrors: UInt64 = 0
        /// Requests refused by the parser, or for being too slow.
        var badRequests: UInt64 = 0
        var timeouts: UInt64 = 0
        /// Connections closed because unfinished requests exceeded their bound.
        var unfinishedRequests: UInt64 = 0
        var refusals = GatewayStats.Refusals()
    }

    /// How a server stops.
    public enum Draining: Int {
        /// Like the next, but without a successor: one request of each new connection is still answered.
        case takingMore
        /// A successor takes over. A request may be on its way on any connection, even an idle one, and must not be cut
        /// off: each stays open until its next request, whose answer says `Connection: close`.
        case handingOver
        /// Idle connections are closed, too.
        case closing
    }

    /// The interval of the search for slow and idle connections: time-outs are late by at most this.
    private static let sweepMilliseconds: UInt64 = 500

    private(set) var limits: Limits
    /// Whether the handler needs each request's client, where headers name it.
    public var namesClients = false
    /// Whether a connection is accepted only once its client has sent something, or after a second.
    public var waitsForBytes = false
    let loop: EventLoop
    /// The handler owns this server. Unsafe, as a safe reference would be counted at each request.
    unowned(unsafe) let handler: any HTTPHandler
    private(set) var counts = Counts()
    var gate: ClientGate
    /// Which pages of other origins may read the answers.
    public private(set) var crossOrigin: CrossOrigin
    /// Buffers for unfinished requests, over all connections, bytes.
    private var unfinishedBytes = 0
    /// The client of the request that the handler is given; nil for clients without limits.
    public private(set) var caller: IPAddress?

    private var listeners: [TCPListener] = []
    private let sweeper: LoopTimer
    private var rows: [Row] = []
    private var freeRows: [UInt32] = []
    private let rejectedConnections: RejectedConnections
    /// How this server stops; nil while it serves.
    private(set) var draining: Draining?
    /// Whether it began to stop in a way that spares idle connections.
    private(set) var isHandingOver = false
    private var onDrained: (() -> Void)?

    /// A connection's number is its row and the row's age, so a late answer never reaches the row's next connection.
    private struct Row {
        var age: UInt32 = 0
        var connection: HTTPConnection?
    }

    /// `handler` holds this server, and outlives it.
    public init(on loop: EventLoop, limits: Limits, handler: any HTTPHandler) {
        self.loop = loop
        self.limits = limits
        self.handler = handler
        self.gate = ClientGate(limits.clients)
        self.crossOrigin = CrossOrigin(limits.origins)
        self.sweeper = LoopTimer(on: loop)
        self.rejectedConnections = RejectedConnections(countMax: DescriptorBudget.ours.turnedAwayMax)
        loop.outgoingBytesMax = limits.unsentBytesMax
    }

    /// Applies other limits. Those on a request's size, and on an address's connections, apply to connections accepted
    /// from now on.
    public func use(_ limits: Limits) {
        self.limits = limits
        self.crossOrigin.use(limits.origins)
        self.loop.outgoingBytesMax = limits.unsentBytesMax
        guard self.gate.use(limits.clients) else { return }
        for connection in self.rows.compactMap(\.connection) { connection.gateHasChanged() }
    }

    /// What statistics tell of connections.
    public var connectionStats: GatewayStats.Connections {
        var stats = GatewayStats.Connections()
        stats.open = UInt64(self.connectionCount)
        stats.accepted = self.counts.accepted
        stats.refused = self.counts.refusedConnections
        stats.timedOut = self.counts.timeouts
        stats.malformed = self.counts.badRequests
        stats.acceptErrors = self.counts.acceptErrors
        stats.unsentBytes = UInt64(self.loop.outgoingBytes)
        stats.unfinishedBytes = UInt64(self.unfinishedBytes)
        return stats
    }

    /// What statistics tell of refusals, by limit.
    public var refusals: GatewayStats.Refusals {
        var refusals = self.counts.refusals
        refusals.clientsForgotten = self.gate.forgotten
        refusals.unfinishedRequests = self.counts.unfinishedRequests
        return refusals
    }

    /// Open connections now.
    public var connectionCount: Int { self.rows.count - self.freeRows.count }

    /// The port that was bound: the one asked for, or the kernel's choice for 0.
    ///
    /// The port is exclusive: only the gateways of one cluster share a port, on sockets of their supervisor.
    public func listen(on address: SocketAddress) throws(UVError) -> UInt16 {
        try self.add(TCPListener(on: self.loop, address: address) { [unowned self] in self.accept($0) })
    }

    private func add(_ listener: TCPListener) -> UInt16 {
        if self.waitsForBytes { listener.waitForBytes() }
        listener.onAcceptError = { [unowned self] _ in self.counts.acceptErrors += 1 }
        self.listeners.append(listener)
        if self.listeners.count == 1 {
            let period = Self.sweepMilliseconds
            self.sweeper.start(afterMilliseconds: period, everyMilliseconds: period) { [unowned self] in self.sweep() }
        }
        return listener.port
    }

    /// As above, on a socket that another process made and keeps: see `PortReservation`.
    public func listen(on descriptor: Int32) throws(UVError) -> UInt16 {
        try self.add(TCPListener(on: self.loop, descriptor: descriptor) { [unowned self] in self.accept($0) })
    }

    /// Whether the memory for unsent answers has room for another large one.
    public var hasRoom: Bool { self.loop.hasRoom }

    /// Whether the server is ending.
    public var isDraining: Bool { self.draining != nil }

    /// Answers the requests in flight or being received, and calls back when no connection is left. A later, stricter
    /// call replaces this one and its `onDrained`; a milder one has no effect.
    public func drain(_ draining: Draining, onDrained: @escaping () -> Void) {
        if let before = self.draining, before.rawValue >= draining.rawValue { return }
        self.draining = draining
        if draining != .closing { self.isHandingOver = true }
        if draining != .takingMore {
            for listener in self.listeners { listener.finish() }
            self.listeners = []
        }
        self.onDrained = onDrained
        if draining == .closing { for connection in self.rows.compactMap(\.connection) { connection.drain() } }
        self.finishIfDrained()
    }

    /// Closes all open connections. Then the loop holds nothing of this server.
    public func close() {
        for listener in self.listeners { listener.close() }
        self.listeners = []
        self.sweeper.close()
        for connection in self.rows.compactMap(\.connection) { connection.close() }
        self.rejectedConnections.close()
    }

    /// Writes the answer to one request of a client; dropped when the client is gone.
    public func answer(_ client: Gateway.Client, with bytes: ByteView) {
        self.connection(client.connection)?.answer(client, with: bytes)
    }

    /// A client's address; nil when it is gone. Read from the kernel once per connection. While `namesClients`, the
    /// address that a trusted proxy's headers give for the request being answered.
    public func address(of client: Gateway.Client) -> SocketAddress? {
        self.connection(client.connection)?.address(of: client.sequence)
    }

    /// While the handler has a client's request: the address that limits count; nil for a client without limits.
    public func untrustedAddress(of client: Gateway.Client) -> IPAddress? {
        guard let address = self.caller ?? self.uncountedAddress(of: client) else { return nil }
        return address.client(prefixBits: ClientGate.prefixBits)
    }

    /// Where no limit needs addresses, those of the connections.
    private func uncountedAddress(of client: Gateway.Client) -> IPAddress? {
        guard !self.gate.asksForPeers, let peer = self.address(of: client).map({ IPAddress($0) }) else { return nil }
        return self.gate.isTrusted(peer) ? nil : peer
    }

    /// The same for an answer that is not copied while earlier ones are pending.
    public func answer(_ client: Gateway.Client, with ready: ReadyAnswer) {
        self.connection(client.connection)?.answer(client, with: ready)
    }

    // MARK: Charging

    /// A client's request costs this many more requests than a plain one; negative refunds a charge.
    public func charge(_ client: Gateway.Client, requests: Int) {
        self.connection(client.connection)?.charge(client.sequence, requests: requests)
    }

    /// Charges for a large answer of up to this many bytes, before it is made. `isForWork` if making it serves others,
    /// too.
    public func prepay(_ client: Gateway.Client, answerBytes: Int, isForWork: Bool = false) {
        guard self.gate.charges else { return }
        self.connection(client.connection)?.prepay(client.sequence, answerBytes: answerBytes, isForWork: isForWork)
    }

    /// The body of the next answer to a client, of this many bytes, was made but is not sent, as for HEAD.
    public func noteUnsent(_ client: Gateway.Client, bytes: Int) {
        guard self.gate.charges else { return }
        self.connection(client.connection)?.noteUnsent(client.sequence, bytes: bytes)
    }

    // MARK: Connections

    private func accept(_ connection: Connection) {
        guard self.connectionCount < self.limits.connectionsMax else {
            self.counts.refusedConnections += 1
            return self.rejectedConnections.reject(connection, saying: Self.tooManyConnections, at: self.now)
        }
        let client = self.gate.asksForPeers ? connection.peerAddress.map(IPAddress.init) ?? .none : .none
        let awaitsProxy = self.gate.limits.source == .proxy && self.gate.isTrusted(client)
        let entry = awaitsProxy ? nil : self.gate.enter(client)
        if entry == .refused {
            self.counts.refusals.connectionsByAddress += 1
            return self.rejectedConnections.reject(connection, saying: Self.tooManyOfAddress, at: self.now)
        }
        self.counts.accepted += 1
        let row =
            self.freeRows.popLast()
            ?? {
                self.rows.append(Row())
                return UInt32(self.rows.count - 1)
            }()
        self.rows[Int(row)].age &+= 1
        let number = UInt64(self.rows[Int(row)].age) << 32 | UInt64(row)
        self.rows[Int(row)].connection = HTTPConnection(
            number: number,
            connection,
            from: client,
            entered: entry,
            of: self
        )
    }

    /// Sent without reading a request: there is no room to wait for one.
    private static let tooManyConnections = HTTPServer.words("503 Service Unavailable", .tooManyConnections)
    static let tooManyOfAddress = HTTPServer.words("429 Too Many Requests", .tooManyConnectionsOfAddress)

    private static func words(_ status: String, _ problem: Problem) -> String {
        let body = #"{"code":"\#(problem.code)","message":"\#(problem.korean)"}"#
        return "HTTP/1.1 \(status)\r\nContent-Type: \(HTTPResponse.json)\r\nContent-Length: "
            + "\(body.utf8.count)\r\nConnection: close\r\nRetry-After: 1\r\n\r\n\(body)"
    }

    func remove(_ number: UInt64) {
        let row = Int(number & 0xFFFF_FFFF)
        guard self.rows[row].age == UInt32(number >> 32), self.rows[row].connection.take() != nil else { return }
        self.freeRows.append(UInt32(row))
        self.finishIfDrained()
    }

    private func connection(_ number: UInt64) -> HTTPConnection? {
        let row = Int(number & 0xFFFF_FFFF)
        guard row < self.rows.count, self.rows[row].age == UInt32(number >> 32) else { return nil }
        return self.rows[row].connection
    }

    /// Nanoseconds of the loop's clock, read once per turn: exact enough for time-outs.
    var now: UInt64 { self.loop.now * 1_000_000 }

    func noteBadRequest(_ status: HTTPStatus) {
        self.counts.badRequests += 1
        self.counts.refusals.note(status)
    }

    /// Counts a refusal.
    public func note(_ refusal: WritableKeyPath<GatewayStats.Refusals, UInt64>) {
        self.counts.refusals[keyPath: refusal] += 1
    }

    /// Counts a shed request; cheap, as it is called most under overload.
    public func noteShed(_ priority: RequestPriority) {
        switch priority {
        case .joining: self.counts.refusals.shedJoins += 1
        case .asking: self.counts.refusals.shedQuestions += 1
        case .booking: self.counts.refusals.shedBookings += 1
        }
    }

    /// Passes a request of `caller`, a client with limits, to the handler.
    func handle(_ request: HTTPRequest, from client: Gateway.Client, of caller: IPAddress?) -> AnswerSize {
        self.caller = caller
        defer { self.caller = nil }
        return self.handler.handle(request, from: client)
    }

    /// While the handler has a request of `asker`: nil if it may pass, else the time until the next may.
    public func consumeToken(of subject: RateLimitSubject) -> Nanoseconds? {
        guard let caller = self.caller else { return nil }
        return self.gate.consumeToken(of: subject, from: caller, at: self.moment)
    }

    /// The loop's clock, for token buckets.
    public var moment: Timestamp { Timestamp(nanoseconds: Int64(self.now)) }

    private func sweep() {
        let now = self.now
        self.rejectedConnections.sweep(at: now)
        for row in self.rows.indices {
            guard let connection = self.rows[row].connection, connection.checkTime(at: now) else { continue }
            self.counts.timeouts += 1
        }
        self.makeRoom(at: now)
    }

    /// Closes the connections that have left answers unread for longest while unsent answers exceed their memory, until
    /// a quarter of it is free: else a few slow readers would have large answers refused for all.
    private func makeRoom(at now: UInt64) {
        guard !self.hasRoom else { return }
        let behind = self.rows.compactMap(\.connection).filter { $0.isBehind(at: now) }
            .sorted { $0.behindSince < $1.behindSince }
        var rest = self.loop.outgoingBytes
        for connection in behind {
            guard rest > self.limits.unsentBytesMax / 4 * 3 else { return }
            rest -= connection.heldBytes
            connection.reset()
            self.counts.refusals.slowReaders += 1
        }
    }

    // MARK: Unfinished requests

    /// A connection's buffers for unfinished requests have changed by this many bytes.
    func noteUnfinished(_ change: Int) { self.unfinishedBytes += change }

    var hasRoomForUnfinished: Bool { self.unfinishedBytes <= self.limits.unfinishedBytesMax }

    /// Closes the connections with the largest unfinished requests, until a quarter of the bound is free; among equals,
    /// the oldest first. Requests of the contract are small: long bodies sent slowly never displace them while the
    /// bound gives each connection more bytes, on average, than a small request takes.
    ///
    /// Walks all connections, once each time that a quarter of the bound is filled again.
    func makeRoomForUnfinished() {
        let connections = self.rows.compactMap(\.connection)
        for connection in connections { connection.releaseSpare() }
        guard !self.hasRoomForUnfinished else { return }
        let holders = connections.filter { $0.unfinishedBytes > 0 }
            .sorted { ($1.unfinishedBytes, $0.phaseSince) < ($0.unfinishedBytes, $1.phaseSince) }
        for connection in holders {
            guard self.unfinishedBytes > self.limits.unfinishedBytesMax / 4 * 3 else { return }
            guard connection.refuseUnfinished() else { continue }
            self.counts.unfinishedRequests += 1
        }
    }

    private func finishIfDrained() {
        guard self.isDraining, self.connectionCount == 0, let onDrained = self.onDrained.take() else { return }
        onDrained()
    }
}
