public import Booking
import Configuration
public import Reactor
public import Statistics
public import Wire

/// Who answers the requests of an `HTTPServer`.
public protocol HTTPHandler: AnyObject {
    /// Answers now or later, once, through `HTTPServer.answer`. The request is valid during the call only. A large
    /// answer is one at a time on its connection, or someone could have any number of them made, and read none.
    func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize
    /// A request that the handler never saw is answered: not HTTP, too large, too slow, and then `request` is nil; or
    /// one that was read, and may not be asked now.
    func refuse(_ problem: Problem, of request: HTTPRequest?, from client: Gateway.Client)
}

/// How large an answer can be: a few KiB, or megabytes for the hall and the catalogue that have them. Or else this is all of it.
public enum AnswerSize { case small, large, ready(ReadyAnswer) }

/// An answer whose bytes stay where they are for as long as the process lives.
public struct ReadyAnswer {
    /// The whole answer.
    public let bytes: UnsafeRawBufferPointer

    /// Keeps a copy of `bytes` for good.
    public init(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyBytes(from: bytes)
        self.bytes = UnsafeRawBufferPointer(copy)
    }
}

/// The shell of HTTP on one loop: accepts connections, reads requests off them, writes answers in the order of the
/// requests, and looks after everyone who is too many, too slow or too quiet. What the answers are is the handler's.
public final class HTTPServer {
    /// What a client may have of the server.
    public struct Limits {
        /// Open connections; further ones are answered 503 and closed.
        public var connectionsMax: Int
        /// Requests of one connection that are read but not answered; beyond, its reading is paused. Browsers send none before
        /// the answer, and a front of two dozen users on one connection is far from it.
        public var pipelinedMax: UInt32 = 64
        /// How long a head, and a body, may take from their first byte.
        public var headTimeout: Nanoseconds
        public var bodyTimeout: Nanoseconds
        /// How long a connection may be open without a request under way.
        public var idleTimeout: Nanoseconds
        /// How long a peer may take none of what is written to it.
        public var writeTimeout: Nanoseconds
        /// How long it may take until all of an answer has left, however steadily the peer takes a little of it.
        public var answerTimeout: Nanoseconds
        /// Memory for answers that peers have not taken, over all connections, bytes.
        public var unsentBytesMax: Int
        /// Bound of the buffers for unfinished requests, over all connections, bytes.
        public var unfinishedBytesMax: Int
        /// After so many answers a connection is closed.
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
        /// Requests refused by the parser, or cut off for their slowness.
        var badRequests: UInt64 = 0
        var timeouts: UInt64 = 0
        /// Connections closed because unfinished requests exceeded their bound.
        var unfinishedRequests: UInt64 = 0
        var refusals = GatewayStats.Refusals()
    }

    /// How a server ends.
    public enum Draining: Int {
        /// As the next, but nobody else takes who comes: one request of each new connection is answered, too.
        case takingMore
        /// Another takes over. Nobody may be cut off: a request may be on its way on any connection, also on one that rests,
        /// so each is left open until its next request, whose answer says `Connection: close`.
        case handingOver
        /// Connections that rest are ended, too.
        case closing
    }

    /// How often slow and idle connections are looked for: timeouts are this much too long at most.
    private static let sweepMilliseconds: UInt64 = 500

    private(set) var limits: Limits
    /// Whether the handler wants to know whom each request is from, where its headers say.
    public var namesClients = false
    /// Whether a connection is taken only once its client has sent something, or after a second.
    public var waitsForBytes = false
    let loop: EventLoop
    /// It holds this server. Unsafe, as a safe reference counts at each request.
    unowned(unsafe) let handler: any HTTPHandler
    private(set) var counts = Counts()
    var gate: ClientGate
    /// Which pages of other origins may read the answers.
    public private(set) var crossOrigin: CrossOrigin
    /// Buffers for unfinished requests, over all connections, bytes.
    private var unfinishedBytes = 0
    /// Whose request the handler has before it; nil for those that limits leave alone.
    public private(set) var caller: IPAddress?

    private var listeners: [TCPListener] = []
    private let sweeper: LoopTimer
    private var rows: [Row] = []
    private var freeRows: [UInt32] = []
    private let turnedAway: TurnedAway
    /// How this server ends; nil while it serves.
    private(set) var draining: Draining?
    /// Whether it began to end with care for connections that rest.
    private(set) var isHandingOver = false
    private var onDrained: (() -> Void)?

    /// A connection's number is its row and the row's age, so that a late answer never reaches the next one in the row.
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
        self.turnedAway = TurnedAway(countMax: DescriptorBudget.ours.turnedAwayMax)
        loop.outgoingBytesMax = limits.unsentBytesMax
    }

    /// Goes over to other limits. What is about a request's size, and how many connections an address may have, counts for
    /// connections that come from now on.
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
    /// It is this server's alone: a port is shared only by the gateways of one cluster, on sockets of its supervisor's.
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

    /// As above, on a socket that another process has made and keeps: see `PortReservation`.
    public func listen(on descriptor: Int32) throws(UVError) -> UInt16 {
        try self.add(TCPListener(on: self.loop, descriptor: descriptor) { [unowned self] in self.accept($0) })
    }

    /// Whether another large answer fits into the memory that unsent answers may take.
    public var hasRoom: Bool { self.loop.hasRoom }

    /// Whether the server is ending.
    public var isDraining: Bool { self.draining != nil }

    /// Lets those with a request under way, or on its way in, get their answer, and calls back when no connection is left.
    /// May be followed by a stricter one, whose `onDrained` counts then; a milder one changes nothing.
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

    /// Closes whatever is still open. After it the loop has nothing left of this server.
    public func close() {
        for listener in self.listeners { listener.close() }
        self.listeners = []
        self.sweeper.close()
        for connection in self.rows.compactMap(\.connection) { connection.close() }
        self.turnedAway.close()
    }

    /// Writes the answer to one request of a client; dropped when the client is gone.
    public func answer(_ client: Gateway.Client, with bytes: ByteView) {
        self.connection(client.connection)?.answer(client, with: bytes)
    }

    /// Where a client is; nil when it is gone. Asked of the kernel once for each connection. Of a request that is not
    /// answered yet it is what a trusted proxy has said in its headers, while `namesClients`.
    public func address(of client: Gateway.Client) -> SocketAddress? {
        self.connection(client.connection)?.address(of: client.sequence)
    }

    /// While the handler has a request of a client: its address, as limits count it; nil for one that they leave alone.
    public func untrustedAddress(of client: Gateway.Client) -> IPAddress? {
        guard let address = self.caller ?? self.uncountedAddress(of: client) else { return nil }
        return address.client(prefixBits: ClientGate.prefixBits)
    }

    /// Where no limit asks for addresses, they are those of connections.
    private func uncountedAddress(of client: Gateway.Client) -> IPAddress? {
        guard !self.gate.asksForPeers, let peer = self.address(of: client).map({ IPAddress($0) }) else { return nil }
        return self.gate.isTrusted(peer) ? nil : peer
    }

    /// The same for an answer that is not copied while it waits for its turn.
    public func answer(_ client: Gateway.Client, with ready: ReadyAnswer) {
        self.connection(client.connection)?.answer(client, with: ready)
    }

    // MARK: Charging

    /// What a client asked takes so many requests' work more than a plain one, or so many less than it was charged.
    public func charge(_ client: Gateway.Client, requests: Int) {
        self.connection(client.connection)?.charge(client.sequence, requests: requests)
    }

    /// A large answer of up to so many bytes is to be made. `isForWork` where they are made for others, too.
    public func prepay(_ client: Gateway.Client, answerBytes: Int, isForWork: Bool = false) {
        guard self.gate.charges else { return }
        self.connection(client.connection)?.prepay(client.sequence, answerBytes: answerBytes, isForWork: isForWork)
    }

    /// The body of the next answer to a client was made, so many bytes, and does not leave, as HEAD has asked for it.
    public func noteUnsent(_ client: Gateway.Client, bytes: Int) {
        guard self.gate.charges else { return }
        self.connection(client.connection)?.noteUnsent(client.sequence, bytes: bytes)
    }

    // MARK: Connections

    private func accept(_ connection: Connection) {
        guard self.connectionCount < self.limits.connectionsMax else {
            self.counts.refusedConnections += 1
            return self.turnedAway.take(connection, saying: Self.tooManyConnections, at: self.now)
        }
        let client = self.gate.asksForPeers ? connection.peerAddress.map(IPAddress.init) ?? .none : .none
        let awaitsProxy = self.gate.limits.source == .proxy && self.gate.isTrusted(client)
        let entry = awaitsProxy ? nil : self.gate.enter(client)
        if entry == .refused {
            self.counts.refusals.connectionsByAddress += 1
            return self.turnedAway.take(connection, saying: Self.tooManyOfAddress, at: self.now)
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

    /// Said without reading a request: there is no room to wait for one.
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

    /// Nanoseconds of the loop's clock, as exact as timeouts need it: read once per turn.
    var now: UInt64 { self.loop.now * 1_000_000 }

    func noteBadRequest(_ status: HTTPStatus) {
        self.counts.badRequests += 1
        self.counts.refusals.note(status)
    }

    /// Counts a refusal.
    public func note(_ refusal: WritableKeyPath<GatewayStats.Refusals, UInt64>) {
        self.counts.refusals[keyPath: refusal] += 1
    }

    /// One more is shed: often, when there is no time to lose.
    public func noteShed(_ worth: Worth) {
        switch worth {
        case .joining: self.counts.refusals.shedJoins += 1
        case .asking: self.counts.refusals.shedQuestions += 1
        case .booking: self.counts.refusals.shedBookings += 1
        }
    }

    /// Gives a request of `caller`, whom limits do not leave alone, to the handler.
    func handle(_ request: HTTPRequest, from client: Gateway.Client, of caller: IPAddress?) -> AnswerSize {
        self.caller = caller
        defer { self.caller = nil }
        return self.handler.handle(request, from: client)
    }

    /// While the handler has a request of `asker`: nil where it may pass, else how long until the next may.
    public func takeToken(of asker: Asker) -> Nanoseconds? {
        guard let caller = self.caller else { return nil }
        return self.gate.takeToken(of: asker, from: caller, at: self.moment)
    }

    /// The loop's clock, for token buckets.
    public var moment: Timestamp { Timestamp(nanoseconds: Int64(self.now)) }

    private func sweep() {
        let now = self.now
        self.turnedAway.sweep(at: now)
        for row in self.rows.indices {
            guard let connection = self.rows[row].connection, connection.checkTime(at: now) else { continue }
            self.counts.timeouts += 1
        }
        self.makeRoom(at: now)
    }

    /// Ends those who have owed reading for longest while answers take more memory than they may, until a quarter of it is free:
    /// else a few who do not read would have large answers refused for everyone.
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

    /// A connection's buffers for unfinished requests have grown, or shrunk, by so many bytes.
    func noteUnfinished(_ change: Int) { self.unfinishedBytes += change }

    var hasRoomForUnfinished: Bool { self.unfinishedBytes <= self.limits.unfinishedBytesMax }

    /// Closes the connections with the largest unfinished requests, until a quarter of the bound is free; among equals, the
    /// oldest first. Requests of the contract are small, so long bodies sent slowly never push them out while the bound gives
    /// each connection more bytes, on average, than a small request takes.
    ///
    /// Walks all connections, once for each quarter of the bound that is filled again.
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
