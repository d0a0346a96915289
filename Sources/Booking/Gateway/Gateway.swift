/// A gateway's decisions: the shard of a request, the requests in flight, the answers from the cache, and refusals.
/// Pure: the shell moves the bytes.
///
///     client ──submit──▶ in flight at a shard, or held while it is away ──reply──▶ back to the client
///        └──▶ refused at once: a limit is reached
///
/// Nothing queues without bound: each shard has its limits of requests in flight and held, and each request a deadline.
public struct Gateway {
    /// One request of one connection: the connection's number, and the request's number in it (from 0), since answers
    /// leave in the order of requests.
    public struct Client: Hashable, Sendable {
        public let connection: UInt64
        public let sequence: UInt32
        /// The shell's own: how the answer is to be written.
        public let responseOptions: UInt32
        public init(connection: UInt64, sequence: UInt32, responseOptions: UInt32 = 0) {
            self.connection = connection
            self.sequence = sequence
            self.responseOptions = responseOptions
        }
    }

    /// What the answer will need.
    public struct Pending: Sendable {
        /// Nil when the gateway itself asks, to refresh its cache.
        public let client: Client?
        public let request: Request
        public let token: TokenText
        public let sentAt: Timestamp
    }

    public struct Limits: Equatable, Sendable {
        /// In-flight requests per shard, and clients that wait for one concert's schedules, at most; beyond it new ones
        /// are refused. At 100,000 requests a second a shard that answers within 1 ms has 100 in flight; 20,000 is a
        /// pause of 200 ms.
        public var inFlightPerShardMax = 20_000
        /// Requests held for a shard that is away, at most, with those that were in flight; beyond it new ones are
        /// refused. A restart takes some tenths of a second, so this allows twenty thousand requests a second and more.
        public var heldPerShardMax = 10_000
        /// How long a shard may take to answer, its death and restart included.
        public var replyTimeout = Nanoseconds.seconds(5)
        /// How old a cached list of schedules may be.
        public var scheduleLifetime = Nanoseconds.seconds(1)
        /// The limits under overload.
        public var window = ConcurrencyLimiter.Rules()
        public init() {}
    }

    public enum Submission: Equatable, Sendable {
        /// Encode the request for this shard, under this id.
        case send(shard: Int, id: UInt64)
        /// Encode this claim instead, for this shard and id: `completeClaim` returns the request when it is answered.
        case claim(shard: Int, id: UInt64, Request)
        /// The shard is away: `linkIsUp` returns the request when it is back.
        case held
        /// Overload: the request has too low a priority.
        case shed(RequestPriority)
        case refused(Refusal)
    }

    public enum ScheduleAnswer: Equatable, Sendable {
        case ready(CachedBody)
        /// An answer now, and a refresh to send.
        case readyRefresh(CachedBody, shard: Int, id: UInt64)
        case waitRefresh(shard: Int, id: UInt64)
        /// The answer comes with a refresh that is in flight.
        case wait
        case refused(Refusal)
    }

    struct Link {
        var isUp = false
        /// When the link was lost; `distantPast` before it was first up.
        var awaySince = Timestamp.distantPast
        /// The requests in flight; while the link is down, those held.
        var inFlight: InFlight
        var window: ConcurrencyLimiter
        /// The client keys of requests in flight, by request id. Few requests have one, so keys are stored apart.
        var keys: [UInt64: ClientKey] = [:]
    }

    public let slots: SlotMap
    private(set) var limits: Limits
    var links: [Link]
    /// Some shard is overloaded: see `ConcurrencyLimiter`.
    public internal(set) var isPressed = false
    private var cache: ScheduleCache

    public init(slots: SlotMap, limits: Limits) {
        self.slots = slots
        self.limits = limits
        let link = Link(
            inFlight: InFlight(countMax: limits.inFlightPerShardMax),
            window: ConcurrencyLimiter(limits.window)
        )
        self.links = Array(repeating: link, count: slots.shardCount)
        self.cache = ScheduleCache(
            lifetime: limits.scheduleLifetime,
            waitersMax: limits.inFlightPerShardMax
        )
    }

    /// Applies new limits. The bound of requests in flight stays as it was.
    public mutating func use(_ limits: Limits) {
        self.limits = limits
        self.cache.lifetime = limits.scheduleLifetime
        for shard in self.links.indices { self.links[shard].window.use(limits.window) }
        self.notePressure()
    }

    public var inFlightCount: Int { self.links.reduce(0) { $0 + $1.inFlight.count } }
    public func inFlightCount(of shard: Int) -> Int { self.links[shard].inFlight.count }
    /// Whether every shard's link is up.
    public var isReady: Bool { self.links.allSatisfy(\.isUp) }
    public func isUp(_ shard: Int) -> Bool { self.links[shard].isUp }

    // MARK: Requests

    public mutating func route(
        _ request: Request,
        for client: Client?,
        token: TokenText,
        key: ClientKey? = nil,
        at now: Timestamp
    ) -> Submission {
        let shard = self.firstShard(of: request, key)
        if client != nil, self.isPressed, !self.admits(request.priority, to: shard) { return .shed(request.priority) }
        let pending = Pending(client: client, request: request, token: token, sentAt: now)
        return self.route(pending, key, to: shard)
    }

    mutating func route(_ pending: Pending, _ key: ClientKey?, to shard: Int) -> Submission {
        let isUp = self.links[shard].isUp
        guard isUp || self.links[shard].inFlight.count < self.limits.heldPerShardMax,
            let id = self.links[shard].inFlight.insert(pending)
        else { return .refused(.overloaded) }
        if let key { self.links[shard].keys[id] = key }
        guard isUp else { return .held }
        guard key != nil else { return .send(shard: shard, id: id) }
        let asked = self.request(for: shard, of: pending)
        return asked == pending.request ? .send(shard: shard, id: id) : .claim(shard: shard, id: id, asked)
    }

    /// The schedules of a concert of the catalogue, from the cache if they are young enough.
    public mutating func schedules(of concert: ConcertID, for client: Client, at now: Timestamp) -> ScheduleAnswer {
        switch self.cache.ask(concert, for: client, at: now) {
        case .ready(let body): return .ready(body)
        case .wait: return .wait
        case .full: return .refused(.overloaded)
        case .readyRefresh(let body):
            switch self.refresh(concert, at: now) {
            case .send(let shard, let id): return .readyRefresh(body, shard: shard, id: id)
            case .held, .claim, .shed: return .ready(body)
            case .refused:
                _ = self.cache.fail(concert)  // a young answer has no waiters; the next request retries
                return .ready(body)
            }
        case .waitRefresh:
            switch self.refresh(concert, at: now) {
            case .send(let shard, let id): return .waitRefresh(shard: shard, id: id)
            case .held, .claim, .shed: return .wait
            case .refused(let refusal):
                _ = self.cache.fail(concert)  // the only waiter is this client, which is refused here
                return .refused(refusal)
            }
        }
    }

    private mutating func refresh(_ concert: ConcertID, at now: Timestamp) -> Submission {
        self.route(.schedules(concert), for: nil, token: TokenText(), at: now)
    }

    // MARK: Replies

    /// The request of a reply; nil when it is not in flight any more: the reply is too late, or not for this gateway.
    public mutating func complete(_ id: UInt64, from shard: Int) -> Pending? {
        if !self.links[shard].keys.isEmpty { self.links[shard].keys[id] = nil }
        return self.links[shard].inFlight.remove(id)
    }

    /// A refresh is answered: caches the body, and returns the clients that waited for it.
    public mutating func completeRefresh(_ body: CachedBody, for pending: Pending) -> [Client] {
        guard case .schedules(let concert) = pending.request else { return [] }
        return self.cache.fill(concert, with: body, askedAt: pending.sentAt)
    }

    /// The refusal for clients that waited for a refresh whose `reply` has no schedules.
    public static func refusal(ofRefresh reply: Reply) -> Reply {
        reply.refusal == nil ? .unanswered : reply
    }

    /// A request of the gateway's own failed: returns the clients that waited for it.
    public mutating func failed(_ pending: Pending) -> [Client] {
        guard case .schedules(let concert) = pending.request, pending.client == nil else { return [] }
        return self.cache.fail(concert)
    }

    // MARK: Time

    /// Removes and returns the requests that timed out, sent or held. O(in flight): for a tick of some 100 ms.
    public mutating func timedOut(at now: Timestamp) -> [Pending] {
        let timeout = self.limits.replyTimeout
        return self.links.indices.flatMap { shard in
            let removed = self.links[shard].inFlight.removeAll { $0.sentAt + timeout <= now }
            if !removed.isEmpty, !self.links[shard].keys.isEmpty {
                let inFlight = self.links[shard].inFlight
                self.links[shard].keys = self.links[shard].keys.filter { inFlight.contains($0.key) }
            }
            return removed
        }
    }

    public func checkInvariants() {
        for link in self.links {
            link.inFlight.checkInvariants()
            precondition(link.keys.keys.allSatisfy { link.inFlight.contains($0) }, "a key has no request in flight")
        }
    }
}
