import Booking
import Configuration
import Edge
import Links
import Logging
import Operator
import Reactor
import Statistics
import Wire

/// The shell of one gateway: HTTP in, `Booking.Gateway` decides, frames to the shards and back, HTTP out.
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
    var machine: Gateway
    private(set) var http: HTTPServer!
    private(set) var diallers: [Dialler] = []
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
    var asked = AccessLog.Asked()
    /// What delays are measured with, by shard; empty where nothing is done about them.
    var pulses: [LinkPulse]
    let shedAnswers = ShedAnswers()
    /// Whether shards answer at all, by shard; how long one may not; and those that the log was told of.
    var watches: [LinkWatch]
    private(set) var silenceMax: Nanoseconds
    var toldSilent: [Int] = []

    /// Requests can be taken: every shard can be reached, or has been waited for as long as requests are held for it. A gateway
    /// that starts again while one shard is away must serve the others.
    var onReady: (() -> Void)?
    private let patience: Nanoseconds
    /// Another gateway serves until this one is ready, so every shard is waited for, for ever.
    var waitsForAll = false
    /// A shard would not have this gateway, and said why.
    var onRefused: ((String) -> Void)?

    /// How often requests whose time is up are looked for, and the date is told.
    private static let tickMilliseconds: UInt64 = 100

    init(
        index: Int,
        configuration: ServerConfiguration,
        catalogue: Catalogue,
        tokens: TokenRing,
        identity: IdentityCheck? = nil,
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
        self.writer = AnswerWriter(
            catalogue: catalogue,
            zone: configuration.zone.table,
            pollPause: configuration.pollPause
        )
        self.contract = CachedBody(ContractDocument.json(limits: configuration.contractLimits))
        self.machine = Gateway(slots: slots, limits: configuration.gatewayLimits)
        self.pulses = Self.pulses(configuration)
        self.watches = Array(repeating: LinkWatch(), count: slots.shardCount)
        self.silenceMax = .seconds(Int64(configuration.gateway.silentShardSeconds))
        self.patience = configuration.gatewayLimits.replyTimeout
        self.identity = identity
        self.clock = clock
        self.accessLog = configuration.accessLog(ofGateway: index, on: loop, log: log)
        self.ticker = LoopTimer(on: loop)
        self.date = HTTPDate(epochSeconds: clock.now.seconds)
        self.linkIdentity = FrameLink.Identity(
            hello: Hello(
                role: .gateway,
                index: UInt16(index),
                shardCount: UInt16(slots.shardCount),
                slotMapVersion: slots.version,
                life: UInt64.random(in: 1 ... .max),
                catalogue: catalogue.digest
            )
        )
        self.http = HTTPServer(on: loop, limits: configuration.httpLimits, handler: self)
        self.http.namesClients = self.accessLog != nil
        self.http.waitsForBytes = true
        for shard in 0..<slots.shardCount {
            let path = configuration.stateDirectory.shardSocket(shard)
            let dialler = Dialler(toShard: shard, at: path, on: loop, as: self.linkIdentity, log: log)
            dialler.onUp = { [unowned self] in self.linkIsUp(to: shard) }
            dialler.onDown = { [unowned self] in self.linkIsLost(to: shard) }
            dialler.onFrame = { [unowned self] frame throws(WireError) in try self.take(frame, from: shard) }
            dialler.onRefused = { [unowned self] reason in self.onRefused?("shard \(shard) refused it: \(reason)") }
            self.diallers.append(dialler)
        }
    }

    /// What is out while settings change is forgotten: a ping that comes back with none out tells nothing.
    private static func pulses(_ configuration: ServerConfiguration) -> [LinkPulse] {
        let minds = configuration.gatewayLimits.window.target > .zero
        return Array(repeating: LinkPulse(), count: minds ? configuration.cluster.shards : 0)
    }

    /// Dials the shards. `onReady` comes once all can be reached; listening is the caller's next step.
    func start() {
        for dialler in self.diallers { dialler.start() }
        self.loop.onTurnEnd = { [unowned self] in self.flushLinks() }
        let period = Self.tickMilliseconds
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
    var isReady: Bool {
        self.machine.isServing(at: Self.steadyTime) && !self.http.isDraining && self.silentShards.isEmpty
            && !self.isClockSuspended
    }

    /// The wall clock can't be believed, here or by some shard: changes are refused.
    var isClockSuspended: Bool { self.clock.ahead != nil || self.areShardClocksSuspended }

    /// The shards that can't be reached now.
    var shardsAway: [Int] { (0..<self.machine.slots.shardCount).filter { !self.machine.isUp($0) } }

    var stats: GatewayStats {
        var stats = GatewayStats(gateway: self.index)
        stats.process = .now(startedNanoseconds: self.startedAt)
        stats.port = self.port
        stats.inFlight = UInt64(self.machine.inFlightCount)
        stats.connections = self.http.connectionStats
        if let identity { stats.identity = identity.counts }
        if let accessLog { stats.accessLog = accessLog.counts }
        stats.refusals = self.http.refusals
        stats.pressedShards = UInt64(self.machine.pressedShards)
        stats.silentShards = self.silentShards
        stats.clockAheadSeconds = self.clock.ahead.map { $0.rawValue / 1_000_000_000 }
        self.meter.fill(&stats)
        return stats
    }

    /// Goes over to the live ones of these settings.
    func use(_ configuration: ServerConfiguration) {
        self.http.use(configuration.httpLimits)
        self.machine.use(configuration.gatewayLimits)
        self.pulses = Self.pulses(configuration)
        self.silenceMax = .seconds(Int64(configuration.gateway.silentShardSeconds))
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
        self.http.drain(draining, onDrained: onDrained)
    }

    /// Connections of clients that are open now.
    var connectionCount: Int { self.http.connectionCount }

    func close() {
        self.http.close()
        self.ticker.close()
        for dialler in self.diallers { dialler.close() }
        self.accessLog?.close()
        self.loop.onTurnEnd = nil
    }

    /// For deadlines and latencies: never goes back. Its zero means nothing.
    static var steadyTime: Timestamp { Timestamp(nanoseconds: Int64(Clock.monotonicNanoseconds())) }

    // MARK: Requests

    func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        self.noteAsked(request)
        if request.method == .options, self.http.crossOrigin.isPreflight(request, client.note) {
            self.answerPreflight(client)
            return .small
        }
        if self.machine.isPressed, let worth = self.worthToShed(request) {
            return .ready(self.shed(worth, client))
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
            switch self.machine.submit(question, for: client, token: routed.token, key: key, at: now) {
            case .send(let shard, let id): self.send(question, to: shard, id, key)
            case .claim(let shard, let id, let claim): self.send(claim, to: shard, id, key)
            case .held: break
            case .shed(let worth): self.http.answer(client, with: self.shed(worth, client))
            case .refused(let refusal): self.answer(.refused(refusal), to: question, routed.token, client)
            }
        case .schedules(let concert):
            let question = Request.schedules(concert)
            let bytes = self.writer.bodyBytesMax(of: question)
            switch self.machine.schedules(of: concert, for: client, at: now) {
            case .ready(let body):
                self.meter.scheduleHits += 1
                self.answer(body, ifNoneMatch: ifNoneMatch, client)
            case .readyRefresh(let body, let shard, let id):
                self.meter.scheduleHits += 1
                self.http.prepay(client, answerBytes: bytes, isForWork: true)
                self.send(question, to: shard, id)
                self.answer(body, ifNoneMatch: ifNoneMatch, client)
            case .waitRefresh(let shard, let id):
                self.meter.scheduleMisses += 1
                self.http.prepay(client, answerBytes: bytes, isForWork: true)
                self.send(question, to: shard, id)
            case .wait:
                self.meter.scheduleMisses += 1
                self.http.prepay(client, answerBytes: bytes)
            case .refused(let refusal): self.answer(.refused(refusal), to: question, TokenText(), client)
            }
        case .concerts:
            self.answer(self.concerts(for: client), ifNoneMatch: ifNoneMatch, client)
        case .document:
            self.answer(self.contract, AnswerWriter.contractCache, ifNoneMatch: ifNoneMatch, client)
        case .options(let allow):
            self.output.removeAll()
            let manner = AnswerWriter.Manner(note: client.note)
            self.send(self.writer.appendOptions(allow: allow, manner, date: self.date, to: &self.output), client)
        }
        return size
    }

    private func answerPreflight(_ client: Gateway.Client) {
        self.output.removeAll()
        let manner = AnswerWriter.Manner(note: client.note)
        self.send(self.writer.appendPreflight(manner, date: self.date, to: &self.output), client)
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
        if let request { self.noteAsked(request) } else { self.noteUnreadable() }
        self.answer(problem, client)
    }

    func answer(_ problem: Problem, _ client: Gateway.Client) {
        self.output.removeAll()
        let status = self.writer.append(
            problem,
            AnswerWriter.Manner(note: client.note),
            date: self.date,
            scratch: &self.scratch,
            to: &self.output
        )
        self.send(status, client)
    }

    private func send(_ request: Request, to shard: Int, _ id: UInt64, _ key: ClientKey? = nil) {
        guard let link = self.diallers[shard].link else { return }
        do {
            try request.encode(into: &link.outgoing, slot: request.slot, requestID: id, key: key)
        } catch {
            preconditionFailure("the router lets pass no request that is longer than a frame: \(error)")
        }
    }

    private func flushLinks() {
        for shard in self.diallers.indices {
            guard let link = self.diallers[shard].link, !link.outgoing.isEmpty else { continue }
            self.measure(link, to: shard)
            link.flush()
        }
    }

    // MARK: Replies

    private func take(_ frame: Frame, from shard: Int) throws(WireError) {
        switch frame.sort {
        case .reply:
            let reply = try Reply(frame: frame)
            if case .claimed = reply { return self.takeClaim(frame.header.requestID, from: shard) }
            guard let pending = self.machine.takeReply(frame.header.requestID, from: shard) else {
                return self.meter.strayReplies += 1
            }
            guard reply.answers(pending.request.kind), self.fits(reply, to: pending.request) else {
                self.meter.strayReplies += 1
                return self.finish(pending, with: Reply.unanswered)
            }
            self.finish(pending, with: reply)
        case .control(.pong) where frame.header.requestID == LinkWatch.pingID:
            self.watches[shard].heard(at: Self.steadyTime)
        case .control(.pong): self.measured(shard)
        case .control(.unknownKind):
            guard let pending = self.machine.takeReply(frame.header.requestID, from: shard) else { return }
            self.finish(pending, with: Reply.unanswered)
        case .request, .control, .unknown:
            throw WireError("a shard sends replies, no frame of kind \(frame.header.kind)")
        }
    }

    /// Whether a list that stands for schedules or seats by their positions is as long as the catalogue says. A shard with
    /// another catalogue is refused before it comes to this.
    private func fits(_ reply: Reply, to request: Request) -> Bool {
        switch reply {
        case .schedules(let remaining):
            guard case .schedules(let concert) = request else { return false }
            return self.catalogue[concert]?.schedules.count == remaining.count
        case .seats(let statuses):
            guard case .seats(let concert, let id) = request else { return false }
            let schedule = self.catalogue[concert]?.schedules.first { $0.id == id }
            return schedule?.hall.seatCount == statuses.count
        default: return true
        }
    }

    private func takeClaim(_ id: UInt64, from shard: Int) {
        guard let (pending, key, submission) = self.machine.takeClaim(id, from: shard) else {
            return self.meter.strayReplies += 1
        }
        switch submission {
        case .send(let shard, let id): self.send(pending.request, to: shard, id, key)
        case .claim, .held, .shed: break
        case .refused(let refusal): self.finish(pending, with: .refused(refusal))
        }
    }

    private func finish(_ pending: Gateway.Pending, with reply: Reply) {
        self.meter.record(pending.request.kind, from: pending.sentAt, to: Self.steadyTime)
        self.noteAsked(pending)
        guard let client = pending.client else { return self.finishRefresh(pending, with: reply) }
        // Asked for while there was room, by many at once.
        if reply.isLarge, !self.http.hasRoom { return self.refuseForRoom(client) }
        var token = pending.token
        if case .joined(let joined) = reply, case .join(let concert, let user) = pending.request {
            let pass = Pass(concert: concert, user: user, place: joined.place, issuedAt: joined.issuedAt)
            token = self.tokens.text(of: pass)
        }
        self.answer(reply, to: pending.request, token, client)
    }

    /// A refresh of the cache came back, or failed: everyone who waited for it is answered.
    private func finishRefresh(_ pending: Gateway.Pending, with reply: Reply) {
        guard case .schedules(let remaining) = reply else {
            let refusal = Gateway.refusal(ofRefresh: reply)
            for client in self.machine.failed(pending) {
                self.answer(refusal, to: pending.request, TokenText(), client)
            }
            return
        }
        let body = CachedBody(self.writer.schedulesBody(remaining, of: pending.request))
        for client in self.machine.takeSchedules(body, for: pending) {
            if self.http.hasRoom { self.answer(body, ifNoneMatch: nil, client) } else { self.refuseForRoom(client) }
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
        let manner = AnswerWriter.Manner(note: client.note)
        let status = self.writer.append(
            reply,
            to: request,
            token: token,
            manner,
            date: self.date,
            scratch: &self.scratch,
            to: &self.output
        )
        if manner.method == .head { self.http.noteUnsent(client, bytes: self.scratch.count) }
        self.send(status, client)
    }

    private func answer(
        _ body: CachedBody,
        _ cacheControl: StaticString = AnswerWriter.publicCache,
        ifNoneMatch: ByteView?,
        _ client: Gateway.Client
    ) {
        self.output.removeAll()
        let manner = AnswerWriter.Manner(note: client.note)
        let status = self.writer.append(
            cached: body,
            ifNoneMatch: ifNoneMatch,
            cacheControl: cacheControl,
            manner,
            date: self.date,
            to: &self.output
        )
        if manner.method == .head, status == .ok { self.http.noteUnsent(client, bytes: body.bytes.count) }
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
        for sending in self.machine.linkIsUp(to: shard) {
            self.send(sending.request, to: shard, sending.id, sending.key)
        }
        guard self.machine.isReady, let onReady = self.onReady.take() else { return }
        onReady()
    }

    private func linkIsLost(to shard: Int) {
        if !self.pulses.isEmpty { self.pulses[shard] = LinkPulse() }
        self.watches[shard] = LinkWatch()
        self.machine.linkIsLost(to: shard, at: Self.steadyTime)
    }

    private func tick() {
        self.date.update(epochSeconds: self.clock.now.seconds)
        for pending in self.machine.timedOut(at: Self.steadyTime) {
            self.finish(pending, with: Reply.unanswered)
        }
        self.serveWithoutAll()
        self.watchShards()
        self.accessLog?.handOver()
    }

    private func serveWithoutAll() {
        let waited = Clock.monotonicNanoseconds() - self.startedAt
        guard !self.waitsForAll, waited >= UInt64(self.patience.rawValue), let onReady = self.onReady.take() else {
            return
        }
        self.log.warning(
            "some shards can't be reached yet; the others are served",
            metadata: ["away": "\(self.shardsAway.map(String.init).joined(separator: ", "))"]
        )
        onReady()
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
