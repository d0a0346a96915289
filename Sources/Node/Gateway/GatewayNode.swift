public import Booking
public import Wire

/// A gateway's process without its sockets: the order in which things happen between its clients and the shards. `Booking.Gateway`
/// decides what a request is worth and where it goes; this decides when it leaves, what a lost link means, what is sent again, and
/// when the process is ready or done.
///
///     client ──forward──▶ routed, or shed ──▶ outbox ──end of the turn──▶ shard
///            ◀─completed── reply, or time-out ◀────────── receive ──────── shard
///
///     starting ──all links up, or patience over──▶ serving ──drain──▶ draining ──clients have left──▶ drained
///
/// An event comes with its time, and what follows from it is in `GatewayEffects`. The server and the simulator run the same
/// node; they differ in what a link, a client and a clock are.
public struct GatewayNode: ~Copyable {
    public struct Settings {
        public var limits: Gateway.Limits
        /// How long a shard whose link is up may answer no ping.
        public var silenceMax: Nanoseconds

        public init(limits: Gateway.Limits, silenceMax: Nanoseconds) {
            self.limits = limits
            self.silenceMax = silenceMax
        }
    }

    /// What becomes of a request at once.
    public enum Verdict: Equatable, Sendable {
        /// On its way, or held for a shard that is away: its answer comes in `GatewayEffects.completed`.
        case underWay
        /// Refused for its low priority, while there is more to do than can be done. Nothing was sent.
        case shed(RequestPriority)
        /// Refused, and nothing was sent.
        case refused(Refusal)
    }

    /// What becomes of a question for a concert's schedules at once. `isRefresh` says that a shard is asked for its sake.
    public enum ScheduleVerdict: Equatable, Sendable {
        case ready(CachedBody, isRefresh: Bool)
        /// The answer comes in `GatewayEffects.refreshed`.
        case waits(isRefresh: Bool)
        case refused(Refusal)
    }

    enum Phase: Equatable {
        /// Some shards have not been reached yet, since this moment.
        case starting(Timestamp)
        case serving
        case draining
        case drained
    }

    /// How often `tick` has to come.
    public static let tickInterval = Nanoseconds.milliseconds(100)

    /// What this gateway says of itself to every shard.
    public let hello: Hello
    private let catalogue: Catalogue
    /// How an answer that is kept ready is written. Pure.
    private let schedulesBody: ([UInt32], Request) -> CachedBody
    public internal(set) var gateway: Gateway
    /// Replies that no request waited for any more.
    public private(set) var strayReplies: UInt64 = 0

    var phase: Phase
    /// How long shards are waited for before the others are served; nil for ever.
    let patience: Nanoseconds?
    /// By shard; empty where nothing is done about latency.
    var latencies: [LatencyProbe]
    /// By shard.
    var liveness: [LivenessProbe]
    var silenceMax: Nanoseconds
    /// The shards that `GatewayEffects` has told to be silent.
    var toldSilent: [Int] = []

    /// `chance` is a random number, which makes this life's requests another's than those of any life before or beside it.
    /// `isSuccessor` says that another gateway serves until this one is ready, so that it waits for every shard.
    public init(
        index: Int,
        slots: SlotMap,
        catalogue: Catalogue,
        settings: Settings,
        isSuccessor: Bool,
        chance: UInt64,
        at now: Timestamp,
        schedulesBody: @escaping ([UInt32], Request) -> CachedBody
    ) {
        self.hello = Hello(
            role: .gateway,
            index: UInt16(index),
            shardCount: UInt16(slots.shardCount),
            slotMapVersion: slots.version,
            life: max(chance, 1),
            catalogue: catalogue.digest
        )
        self.catalogue = catalogue
        self.schedulesBody = schedulesBody
        self.gateway = Gateway(slots: slots, limits: settings.limits)
        self.phase = .starting(now)
        self.patience = isSuccessor ? nil : settings.limits.replyTimeout
        self.latencies = Self.latencyProbes(settings.limits, slots.shardCount)
        self.liveness = Array(repeating: LivenessProbe(), count: slots.shardCount)
        self.silenceMax = settings.silenceMax
    }

    /// Goes over to other settings.
    public mutating func use(_ settings: Settings) {
        self.gateway.use(settings.limits)
        self.latencies = Self.latencyProbes(settings.limits, self.liveness.count)
        self.silenceMax = settings.silenceMax
    }

    // MARK: Requests

    /// A client's request that was read and routed. `key` is the client's own, which only a change has.
    public mutating func forward(
        _ request: Request,
        for client: Gateway.Client,
        token: TokenText,
        key: ClientKey?,
        at now: Timestamp,
        into effects: inout GatewayEffects
    ) -> Verdict {
        switch self.gateway.route(request, for: client, token: token, key: key, at: now) {
        case .send(let shard, let id): Self.send(request, to: shard, id, key, &effects)
        case .claim(let shard, let id, let claim): Self.send(claim, to: shard, id, key, &effects)
        case .held: break
        case .shed(let priority): return .shed(priority)
        case .refused(let refusal): return .refused(refusal)
        }
        return .underWay
    }

    /// A client asks for the schedules of a concert of the catalogue.
    public mutating func schedules(
        of concert: ConcertID,
        for client: Gateway.Client,
        at now: Timestamp,
        into effects: inout GatewayEffects
    ) -> ScheduleVerdict {
        switch self.gateway.schedules(of: concert, for: client, at: now) {
        case .ready(let body): return .ready(body, isRefresh: false)
        case .readyRefresh(let body, let shard, let id):
            Self.send(.schedules(concert), to: shard, id, nil, &effects)
            return .ready(body, isRefresh: true)
        case .waitRefresh(let shard, let id):
            Self.send(.schedules(concert), to: shard, id, nil, &effects)
            return .waits(isRefresh: true)
        case .wait: return .waits(isRefresh: false)
        case .refused(let refusal): return .refused(refusal)
        }
    }

    static func send(
        _ request: Request,
        to shard: Int,
        _ id: UInt64,
        _ key: ClientKey?,
        _ effects: inout GatewayEffects
    ) {
        do {
            try request.encode(into: &effects.outboxes[shard].frames, slot: request.slot, requestID: id, key: key)
        } catch {
            preconditionFailure("the router lets pass no request that is longer than a frame: \(error)")
        }
    }

    // MARK: Replies

    /// A frame from a shard, beyond hellos and pings. Throws for one that no shard sends: its link has to be closed.
    public mutating func receive(
        _ frame: Frame,
        from shard: Int,
        at now: Timestamp,
        into effects: inout GatewayEffects
    ) throws(WireError) {
        let id = frame.header.requestID
        switch frame.category {
        case .reply:
            let reply = try Reply(frame: frame)
            if case .claimed = reply { return self.forwardClaimed(id, from: shard, &effects) }
            guard let pending = self.gateway.complete(id, from: shard) else { return self.strayReplies += 1 }
            guard reply.answers(pending.request.kind), self.fits(reply, to: pending.request) else {
                self.strayReplies += 1
                return self.complete(pending, with: .unanswered, &effects)
            }
            self.complete(pending, with: reply, &effects)
        case .control(.pong) where id == LivenessProbe.pingID: self.liveness[shard].heard(at: now)
        case .control(.pong): self.recordLatency(of: shard, at: now)
        case .control(.unknownKind):
            guard let pending = self.gateway.complete(id, from: shard) else { return }
            self.complete(pending, with: .unanswered, &effects)
        case .request, .control, .unknown:
            throw WireError("a shard sends replies, no frame of kind \(frame.header.kind)")
        }
    }

    /// A key is claimed at its user's shard: the change itself can be sent.
    private mutating func forwardClaimed(_ id: UInt64, from shard: Int, _ effects: inout GatewayEffects) {
        guard let (pending, key, submission) = self.gateway.completeClaim(id, from: shard) else {
            return self.strayReplies += 1
        }
        switch submission {
        case .send(let shard, let id): Self.send(pending.request, to: shard, id, key, &effects)
        case .claim, .held, .shed: break
        case .refused(let refusal): self.complete(pending, with: .refused(refusal), &effects)
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

    /// Consumes both: copies of them would cost a poll a hundredth.
    mutating func complete(
        _ pending: consuming Gateway.Pending,
        with reply: consuming Reply,
        _ effects: inout GatewayEffects
    ) {
        guard pending.client != nil else { return self.completeRefresh(pending, with: reply, &effects) }
        effects.completed.append(GatewayEffects.Completed(pending: pending, reply: reply))
    }

    private mutating func completeRefresh(
        _ pending: Gateway.Pending,
        with reply: Reply,
        _ effects: inout GatewayEffects
    ) {
        let clients: [Gateway.Client]
        let outcome: GatewayEffects.Refreshed.Outcome
        if case .schedules(let remaining) = reply {
            let body = self.schedulesBody(remaining, pending.request)
            clients = self.gateway.completeRefresh(body, for: pending)
            outcome = .body(body)
        } else {
            clients = self.gateway.failed(pending)
            outcome = .refused(Gateway.refusal(ofRefresh: reply))
        }
        effects.refreshed.append(GatewayEffects.Refreshed(pending: pending, clients: clients, outcome: outcome))
    }
}
