/// The schedules of each concert as encoded answers, at most one second old.
///
///     empty ──ask──▶ refreshing ──filled──▶ fresh ──half its life──▶ fresh, refreshing ──filled──▶ fresh
///                        ▲                                                   └──too old──┐
///                        └───────────────────────────────────────────────────────────────┘
///
/// One refresh of a concert is in flight at a time; other requests wait for it. A refresh begins at half the lifetime,
/// while the old answer still serves: in a busy on-sale no request waits.
struct ScheduleCache {
    enum Answer {
        case ready(CachedBody)
        /// A cached answer; the caller should also ask the shard for a newer one.
        case readyRefresh(CachedBody)
        /// The client waits; the caller should ask the shard.
        case waitRefresh
        /// The client waits for a refresh that is in flight.
        case wait
        /// Too many clients wait for this refresh.
        case full
    }

    private struct Entry {
        var body: CachedBody?
        var filledAt = Timestamp.distantPast
        var isRefreshing = false
        var waiters: [Gateway.Client] = []

        mutating func ask(
            for client: Gateway.Client,
            at now: Timestamp,
            _ lifetime: Nanoseconds,
            _ waitersMax: Int
        ) -> Answer {
            let wasRefreshing = self.isRefreshing
            if let body = self.body, now < self.filledAt + lifetime {
                let isAging = self.filledAt + Nanoseconds(lifetime.rawValue / 2) <= now
                guard isAging, !wasRefreshing else { return .ready(body) }
                self.isRefreshing = true
                return .readyRefresh(body)
            }
            guard self.waiters.count < waitersMax else { return .full }
            self.waiters.append(client)
            self.isRefreshing = true
            return wasRefreshing ? .wait : .waitRefresh
        }
    }

    var lifetime: Nanoseconds
    /// Clients that may wait for one concert's schedules.
    let waitersMax: Int
    private var entries: [ConcertID: Entry] = [:]

    init(lifetime: Nanoseconds, waitersMax: Int) {
        self.lifetime = lifetime
        self.waitersMax = waitersMax
    }

    mutating func ask(_ concert: ConcertID, for client: Gateway.Client, at now: Timestamp) -> Answer {
        self.entries[concert, default: Entry()].ask(for: client, at: now, self.lifetime, self.waitersMax)
    }

    /// The shard has answered: returns the clients to answer. `askedAt` is when the request left, since the answer may
    /// be as old as that.
    mutating func fill(_ concert: ConcertID, with body: CachedBody, askedAt: Timestamp) -> [Gateway.Client] {
        let waiters = self.entries[concert]?.waiters ?? []
        self.entries[concert] = Entry(body: body, filledAt: askedAt)
        return waiters
    }

    /// The refresh failed: returns the clients to refuse. A cached answer that is still young enough stays in use.
    mutating func fail(_ concert: ConcertID) -> [Gateway.Client] {
        let waiters = self.entries[concert]?.waiters ?? []
        self.entries[concert]?.isRefreshing = false
        self.entries[concert]?.waiters = []
        return waiters
    }
}
