import Booking
import Configuration
import Edge
import Links
import Logging
import Node
import Operator
import Reactor
import Statistics
import Wire

/// The shell of one gateway: HTTP in, `Node.GatewayNode` decides, frames to the shards and back, HTTP out.
///
/// Requests of one turn of the loop leave for their shards together, and the replies that come back in one read are
/// answered together.
final class GatewayServer: HTTPHandler, OperatedGateway {
    private let index: Int
    private let loop: EventLoop
    let log: Logger
    private let startedAt = Clock.monotonicNanoseconds()
    let linkIdentity: FrameLink.Identity
    private(set) var router: Router
    private var tokens: TokenRing
    private let catalogue: Catalogue
    private let writer: AnswerWriter
    private var contract: CachedBody
    /// The concerts as of a second, which is how long others may keep them, too.
    private var concerts = (body: CachedBody([]), second: Int64.min)
    var node: GatewayNode
    /// What the node gave last; emptied after each event.
    var effects: GatewayEffects
    private(set) var http: HTTPServer!
    private(set) var connectors: [ShardConnector] = []
    private var port = 0
    private let ticker: LoopTimer
    private(set) var date: HTTPDate
    /// What time it is, as far as that can be believed.
    let clock: MachineClock
    /// Some shard does not believe the wall clock, as the supervisor says.
    var areShardClocksSuspended = false
    /// Used again for every answer.
    private var scratch = OutputBytes()
    private var output = OutputBytes()
    private(set) var meter = GatewayMeter()
    /// Nil while it is off.
    let accessLog: AccessLog?
    /// Nil while requests say by themselves who asks.
    let identity: IdentityCheck?
    /// What it is told of the answer that is being written.
    var logEntry = AccessLog.Entry()
    let shedAnswers = ShedAnswers()

    /// Requests can be taken: every shard can be reached, or has been waited for as long as requests are held for it. A gateway
    /// that starts again while one shard is away must serve the others.
    var onReady: (() -> Void)?
    /// A shard would not have this gateway, and said why.
    var onRefused: ((String) -> Void)?

    init(
        index: Int,
        configuration: ServerConfiguration,
        catalogue: Catalogue,
        tokens: TokenRing,
        identity: IdentityCheck? = nil,
        isSuccessor: Bool = false,
        clock: MachineClock,
        loop: EventLoop,
        log: Logger
    ) {
        let slots = SlotMap(shardCount: configuration.cluster.shards)
        self.index = index
        self.loop = loop
        self.log = log
        self.tokens = tokens
        self.catalogue = catalogue
        self.router = Router(catalogue: catalogue, tokens: tokens)
        let writer = AnswerWriter(
            catalogue: catalogue,
            zone: configuration.zone.table,
            pollPause: configuration.pollPause
        )
        self.writer = writer
        self.contract = CachedBody(ContractDocument.json(limits: configuration.contractLimits))
        self.node = GatewayNode(
            index: index,
            slots: slots,
            catalogue: catalogue,
            settings: Self.nodeSettings(configuration),
            isSuccessor: isSuccessor,
            chance: .random(in: .min ... .max),
            at: Self.steadyTime,
            schedulesBody: { CachedBody(writer.schedulesBody($0, of: $1)) }
        )
        self.effects = GatewayEffects(shardCount: slots.shardCount)
        self.linkIdentity = FrameLink.Identity(hello: self.node.hello)
        self.identity = identity
        self.clock = clock
        self.accessLog = configuration.accessLog(ofGateway: index, on: loop, log: log)
        self.ticker = LoopTimer(on: loop)
        self.date = HTTPDate(epochSeconds: clock.now.seconds)
        self.http = HTTPServer(on: loop, limits: configuration.httpLimits, handler: self)
        self.http.namesClients = self.accessLog != nil
        self.http.waitsForBytes = true
        for shard in 0..<slots.shardCount {
            let path = configuration.stateDirectory.shardSocket(shard)
            let connector = ShardConnector(toShard: shard, at: path, on: loop, as: self.linkIdentity, log: log)
            connector.onUp = { [unowned self] in self.linkIsUp(to: shard) }
            connector.onDown = { [unowned self] in self.linkIsLost(to: shard) }
            connector.onFrame = { [unowned self] frame throws(WireError) in try self.receive(frame, from: shard) }
            connector.onRefused = { [unowned self] reason in self.onRefused?("shard \(shard) refused it: \(reason)") }
            self.connectors.append(connector)
        }
    }

    private static func nodeSettings(_ configuration: ServerConfiguration) -> GatewayNode.Settings {
        GatewayNode.Settings(
            limits: configuration.gatewayLimits,
            silenceMax: .seconds(Int64(configuration.gateway.silentShardSeconds))
        )
    }

    /// Dials the shards. `onReady` comes once all can be reached; listening is the caller's next step.
    func start() {
        for connector in self.connectors { connector.start() }
        self.loop.onTurnEnd = { [unowned self] in self.flushLinks() }
        let period = UInt64(GatewayNode.tickInterval.rawValue / 1_000_000)
        self.ticker.start(afterMilliseconds: period, everyMilliseconds: period) { [unowned self] in self.tick() }
    }

    /// The port: as asked for, or the kernel's choice for 0.
    func listen(on address: SocketAddress) throws(UVError) -> Int {
        self.port = Int(try self.http.listen(on: address))
        return self.port
    }

    /// As above, on a socket that the supervisor has made and keeps.
    func listen(on descriptor: Int32) throws(UVError) -> Int {
        self.port = Int(try self.http.listen(on: descriptor))
        return self.port
    }

    /// Requests are taken: every shard can be reached and answers, or its requests are held for it still, and changes things.
    var isReady: Bool { self.node.isReady(at: Self.steadyTime) && !self.isClockSuspended }

    /// The wall clock can't be believed, here or by some shard: changes are refused.
    var isClockSuspended: Bool { self.clock.ahead != nil || self.areShardClocksSuspended }

    /// The shards that can't be reached now.
    var shardsAway: [Int] { self.node.shardsAway }

    /// The shards that can be reached, and have not answered for `gateway.silentShardSeconds`.
    var silentShards: [Int] { self.node.silentShards(at: Self.steadyTime) }

    var stats: GatewayStats {
        var stats = GatewayStats(gateway: self.index)
        stats.process = .now(startedNanoseconds: self.startedAt)
        stats.port = self.port
        stats.inFlight = UInt64(self.node.gateway.inFlightCount)
        stats.connections = self.http.connectionStats
        if let identity { stats.identity = identity.counts }
        if let accessLog { stats.accessLog = accessLog.counts }
        stats.refusals = self.http.refusals
        stats.pressedShards = UInt64(self.node.gateway.pressedShards)
        stats.silentShards = self.silentShards
        stats.clockAheadSeconds = self.clock.ahead.map { $0.rawValue / 1_000_000_000 }
        stats.strayReplies = self.node.strayReplies
        self.meter.fill(&stats)
        return stats
    }

    /// Goes over to the live ones of these settings.
    func use(_ configuration: ServerConfiguration) {
        self.http.use(configuration.httpLimits)
        self.node.use(Self.nodeSettings(configuration))
        self.contract = CachedBody(ContractDocument.json(limits: configuration.contractLimits))
    }

    /// Tokens are signed and checked with these keys from now on.
    func use(_ tokens: TokenRing) {
        self.tokens = tokens
        self.router = Router(catalogue: self.catalogue, tokens: tokens)
    }

    /// Ends after the last answer.
    func drain(_ draining: HTTPServer.Draining, onDrained: @escaping () -> Void) {
        self.log.debug("draining", metadata: ["connections": "\(self.http.connectionCount)"])
        self.node.drain()
        self.http.drain(draining) { [unowned self] in
            self.node.clientsHaveLeft(into: &self.effects)
            guard self.effects.isDrained else { return }
            self.effects.isDrained = false
            onDrained()
        }
    }

    /// Connections of clients that are open now.
    var connectionCount: Int { self.http.connectionCount }

    func close() {
        self.http.close()
        self.ticker.close()
        for connector in self.connectors { connector.close() }
        self.accessLog?.close()
        self.loop.onTurnEnd = nil
    }

    /// For deadlines and latencies: never goes back. Its zero means nothing.
    static var steadyTime: Timestamp { Timestamp(nanoseconds: Int64(Clock.monotonicNanoseconds())) }

    // MARK: Requests

    func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        self.noteRequest(request)
        if request.method == .options, self.http.crossOrigin.isPreflight(request, client.responseOptions) {
            self.answerPreflight(client)
            return .small
        }
        if self.node.gateway.isPressed, let priority = self.priorityToShed(request) {
            return .ready(self.shed(priority, client))
        }
        if let identity = self.identity, Router.isAboutUser(request) {
            return self.handle(request, from: client, knownBy: identity)
        }
        let routed: RoutedCall
        do throws(Problem) {
            routed = try self.router.route(request)
        } catch {
            self.answer(error, client)
            return .small
        }
        if let problem = self.refusalOfUser(routed.call) {
            self.answer(problem, client)
            return .small
        }
        return self.carryOut(routed, ifNoneMatch: request[.ifNoneMatch], from: client)
    }

    static func size(of routed: RoutedCall) -> AnswerSize {
        switch routed.call {
        case .ask(.seats), .ask(.reservations), .ask(.history), .schedules, .concerts, .document: .large
        case .ask, .options: .small
        }
    }

    @discardableResult
    func carryOut(_ routed: RoutedCall, ifNoneMatch: ByteView?, from client: Gateway.Client) -> AnswerSize {
        let size = Self.size(of: routed)
        if case .large = size, !self.http.hasRoom {
            self.refuseForRoom(client)
            return size
        }
        let now = Self.steadyTime
        switch routed.call {
        case .ask(let question):
            if case .large = size { self.http.prepay(client, answerBytes: self.writer.bodyBytesMax(of: question)) }
            let key = routed.key.map { ClientKey($0, from: self.addressTag(of: client)) }
            self.forward(question, for: client, routed.token, key, at: now)
        case .schedules(let concert): self.answerSchedules(of: concert, ifNoneMatch: ifNoneMatch, client, at: now)
        case .concerts:
            self.answer(self.concerts(for: client), ifNoneMatch: ifNoneMatch, client)
        case .document:
            self.answer(self.contract, AnswerWriter.contractCache, ifNoneMatch: ifNoneMatch, client)
        case .options(let allow):
            self.output.removeAll()
            let options = AnswerWriter.ResponseOptions(bits: client.responseOptions)
            self.send(self.writer.appendOptions(allow: allow, options, date: self.date, to: &self.output), client)
        }
        return size
    }

    private func forward(
        _ question: Request,
        for client: Gateway.Client,
        _ token: TokenText,
        _ key: ClientKey?,
        at now: Timestamp
    ) {
        switch self.node.forward(question, for: client, token: token, key: key, at: now, into: &self.effects) {
        case .underWay: break
        case .shed(let priority): self.http.answer(client, with: self.shed(priority, client))
        case .refused(let refusal): self.answer(.refused(refusal), to: question, token, client)
        }
    }

    private func answerSchedules(
        of concert: ConcertID,
        ifNoneMatch: ByteView?,
        _ client: Gateway.Client,
        at now: Timestamp
    ) {
        let question = Request.schedules(concert)
        let bytes = self.writer.bodyBytesMax(of: question)
        switch self.node.schedules(of: concert, for: client, at: now, into: &self.effects) {
        case .ready(let body, let isRefresh):
            self.meter.scheduleHits += 1
            if isRefresh { self.http.prepay(client, answerBytes: bytes, isForWork: true) }
            self.answer(body, ifNoneMatch: ifNoneMatch, client)
        case .waits(let isRefresh):
            self.meter.scheduleMisses += 1
            self.http.prepay(client, answerBytes: bytes, isForWork: isRefresh)
        case .refused(let refusal): self.answer(.refused(refusal), to: question, TokenText(), client)
        }
    }

    private func answerPreflight(_ client: Gateway.Client) {
        self.output.removeAll()
        let options = AnswerWriter.ResponseOptions(bits: client.responseOptions)
        self.send(self.writer.appendPreflight(options, date: self.date, to: &self.output), client)
    }

    /// Made anew once a second at most, however often it is asked for.
    private func concerts(for client: Gateway.Client) -> CachedBody {
        let now = self.clock.now
        guard self.concerts.second != now.seconds else { return self.concerts.body }
        self.concerts = (CachedBody(self.writer.concertsBody(at: now)), now.seconds)
        self.http.prepay(client, answerBytes: self.concerts.body.bytes.count, isForWork: true)
        return self.concerts.body
    }

    func refuse(_ problem: Problem, of request: HTTPRequest?, from client: Gateway.Client) {
        if let request { self.noteRequest(request) } else { self.noteUnreadable() }
        self.answer(problem, client)
    }

    func answer(_ problem: Problem, _ client: Gateway.Client) {
        self.output.removeAll()
        let status = self.writer.append(
            problem,
            AnswerWriter.ResponseOptions(bits: client.responseOptions),
            date: self.date,
            scratch: &self.scratch,
            to: &self.output
        )
        self.send(status, client)
    }

    private func flushLinks() {
        self.node.endTurn(startedAt: self.http.moment, into: &self.effects)
        for shard in self.connectors.indices {
            let outbox = self.effects.outboxes[shard]
            guard !outbox.frames.isEmpty else { continue }
            self.connectors[shard].link?.send(outbox.frames)
            outbox.frames.removeAll()
        }
    }

    // MARK: Replies

    private func receive(_ frame: Frame, from shard: Int) throws(WireError) {
        let now = Self.steadyTime
        try self.node.receive(frame, from: shard, at: now, into: &self.effects)
        self.answerCompleted(at: now)
    }

    private func answerCompleted(at now: Timestamp) {
        while let completed = self.effects.completed.popLast() { self.finish(completed, at: now) }
        while let refreshed = self.effects.refreshed.popLast() { self.finish(refreshed, at: now) }
    }

    /// Borrows it: copies of it would cost a poll a hundredth.
    private func finish(_ completed: borrowing GatewayEffects.Completed, at now: Timestamp) {
        self.meter.record(completed.pending.request.kind, from: completed.pending.sentAt, to: now)
        self.noteRequest(completed.pending)
        let client = completed.client
        // Asked for while there was room, by many at once.
        if completed.reply.isLarge, !self.http.hasRoom { return self.refuseForRoom(client) }
        guard case .joined(let joined) = completed.reply, case .join(let concert, let user) = completed.pending.request
        else { return self.answer(completed.reply, to: completed.pending.request, completed.pending.token, client) }
        let pass = Pass(concert: concert, user: user, place: joined.place, issuedAt: joined.issuedAt)
        self.answer(completed.reply, to: completed.pending.request, self.tokens.text(of: pass), client)
    }

    /// A refresh of the cache came back, or failed: all who waited for it are answered.
    private func finish(_ refreshed: GatewayEffects.Refreshed, at now: Timestamp) {
        let pending = refreshed.pending
        self.meter.record(pending.request.kind, from: pending.sentAt, to: now)
        self.noteRequest(pending)
        for client in refreshed.clients {
            switch refreshed.outcome {
            case .refused(let refusal): self.answer(refusal, to: pending.request, TokenText(), client)
            case .body(let body) where self.http.hasRoom: self.answer(body, ifNoneMatch: nil, client)
            case .body: self.refuseForRoom(client)
            }
        }
    }

    /// Clients have not taken so much of what they asked for that there is no memory for another large answer.
    private func refuseForRoom(_ client: Gateway.Client) {
        self.http.note(\.largeAnswers)
        self.answer(Problem(.overloaded, token: "", asksForPlace: false), client)
    }

    private func answer(_ reply: Reply, to request: Request, _ token: TokenText, _ client: Gateway.Client) {
        if let refusal = reply.refusal {
            self.meter.refused(request.kind)
            if refusal == .overloaded { self.http.note(\.overloaded) }
        }
        self.output.removeAll()
        let options = AnswerWriter.ResponseOptions(bits: client.responseOptions)
        let status = self.writer.append(
            reply,
            to: request,
            token: token,
            options,
            date: self.date,
            scratch: &self.scratch,
            to: &self.output
        )
        if options.method == .head { self.http.noteUnsent(client, bytes: self.scratch.count) }
        self.send(status, client)
    }

    private func answer(
        _ body: CachedBody,
        _ cacheControl: StaticString = AnswerWriter.publicCache,
        ifNoneMatch: ByteView?,
        _ client: Gateway.Client
    ) {
        self.output.removeAll()
        let options = AnswerWriter.ResponseOptions(bits: client.responseOptions)
        let status = self.writer.append(
            cached: body,
            ifNoneMatch: ifNoneMatch,
            cacheControl: cacheControl,
            options,
            date: self.date,
            to: &self.output
        )
        if options.method == .head, status == .ok { self.http.noteUnsent(client, bytes: body.bytes.count) }
        self.send(status, client)
    }

    /// `output` holds the answer.
    private func send(_ status: HTTPStatus, _ client: Gateway.Client) {
        self.note(status, bytes: self.output.count, to: client)
        self.http.answer(client, with: self.output.view)
    }

    /// Counts an answer, and has it logged.
    func note(_ status: HTTPStatus, bytes: Int, to client: Gateway.Client) {
        self.meter.answered(status.rawValue)
        self.log(status, bytes: bytes, to: client)
    }

    // MARK: Links and time

    private func linkIsUp(to shard: Int) {
        self.node.linkIsUp(to: shard, into: &self.effects)
        self.tellReady()
    }

    private func linkIsLost(to shard: Int) {
        self.node.linkIsLost(to: shard, at: Self.steadyTime, into: &self.effects)
    }

    private func tick() {
        let now = Self.steadyTime
        self.date.update(epochSeconds: self.clock.now.seconds)
        self.node.tick(at: now, into: &self.effects)
        self.answerCompleted(at: now)
        self.tellReady()
        self.tellSilent()
        self.accessLog?.handOver()
    }

    private func tellReady() {
        guard let ready = self.effects.ready.take(), let onReady = self.onReady.take() else { return }
        if case .without(let shards) = ready {
            self.log.warning(
                "some shards can't be reached yet; the others are served",
                metadata: ["away": "\(shards.map(String.init).joined(separator: ", "))"]
            )
        }
        onReady()
    }

    private func tellSilent() {
        while let shard = self.effects.fellSilent.popLast() {
            self.log.warning("a shard does not answer", metadata: ["shard": "\(shard)"])
        }
        while let shard = self.effects.answerAgain.popLast() {
            self.log.info("a shard answers again", metadata: ["shard": "\(shard)"])
        }
    }
}

extension Reply {
    /// Its answer is as long as a hall or a list.
    fileprivate var isLarge: Bool {
        switch self {
        case .seats, .reservations, .history: true
        default: false
        }
    }
}
