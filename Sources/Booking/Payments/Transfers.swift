import DequeModule

/// Points that a concert's shard asks a user's shard to move: the common part of payments and cancellations.
///
///     begun ──requested, and retried──▶ answered ──▶ over
///
/// The user's shard moves them once, however often it is asked. So the concert's shard retries until it has an answer,
/// also after a restart, which finds the unfinished transfers in its facts.
public struct Transfer: Equatable, Sendable {
    public enum Direction: UInt8, Sendable, CaseIterable {
        /// From the user, for a payment. May be refused.
        case debit = 0
        /// To the user, for a cancellation. Is never refused.
        case credit = 1
    }

    public let id: TransferID
    public let direction: Direction
    public let concert: ConcertID
    public let user: UserID
    public let amount: Won
    /// When the payment or cancellation began.
    public let at: Timestamp

    public init<ID>(_ order: SeatOrder<ID>) {
        self.id = TransferID(order.id.rawValue)
        self.direction = ID.direction
        self.concert = order.concert
        self.user = order.user
        self.amount = order.amount
        self.at = order.at
    }

    /// The order to the user's shard, from a shard that has settled everything up to this counter of the slot.
    public func order(settled: UInt64) -> TransferOrder {
        TransferOrder(
            id: self.id,
            direction: self.direction,
            concert: self.concert,
            user: self.user,
            amount: self.amount,
            settled: settled
        )
    }

    /// The kind of request whose answer waits for this transfer.
    var askedFor: Request.Kind {
        switch self.direction {
        case .debit: .pay
        case .credit: .cancel
        }
    }
}

/// One shard's transfers under way, when each was last sent, and the requests that wait for it.
struct Transfers {
    /// Follows from the facts, so a restart sends them again.
    private(set) var underWay: [TransferID: Transfer] = [:]
    /// When each was last sent, earliest first; may contain finished ones, which are skipped.
    private var asked = Deque<Asked>()
    /// Lost in a restart, as their connections are.
    private var waiters: [TransferID: [Shard.Origin]] = [:]
    /// In the order of ids; may contain finished ones, which are skipped.
    private var open: [Route: Deque<TransferID>] = [:]
    /// The highest counter that another shard has decided.
    private var decided: [Route: UInt64] = [:]

    private struct Asked {
        let id: TransferID
        let at: Timestamp
    }

    /// Transfers of one slot to one shard.
    struct Route: Hashable {
        /// The high bits of the ids.
        let slot: UInt64
        /// The users' shard.
        let shard: Int

        init(_ id: TransferID, to shard: Int) {
            self.slot = id.rawValue >> SlotIDs.counterBits
            self.shard = shard
        }
    }

    /// Retry interval of a transfer without an answer: long against a round trip (under 1 ms), short for people.
    static let patience = Nanoseconds.milliseconds(500)
    /// Requests that may wait for one transfer: a payment repeated every 5 s, the gateway's time-out, for 5 minutes.
    static let waitersMax = 64

    subscript(id: TransferID) -> Transfer? { self.underWay[id] }

    mutating func begin(_ transfer: Transfer, to shard: Int) {
        self.underWay[transfer.id] = transfer
        self.asked.append(Asked(id: transfer.id, at: transfer.at))
        let route = Route(transfer.id, to: shard)
        _ = self.firstOpen(route)
        self.open[route, default: []].append(transfer.id)
    }

    /// `decidedBy` is the other shard that decided; nil if the concert's own did.
    mutating func end(_ id: TransferID, decidedBy shard: Int?) {
        self.underWay[id] = nil
        while let first = self.asked.first, self.underWay[first.id] == nil { self.asked.removeFirst() }
        guard let shard else { return }
        let counter = SlotIDs.counter(of: id.rawValue)
        let route = Route(id, to: shard)
        self.decided[route] = max(self.decided[route] ?? 0, counter)
    }

    /// The low-water mark for an order of this transfer: see `TransferOrder.settled`. Amortised O(1).
    mutating func settled(for id: TransferID, to shard: Int) -> UInt64 {
        SlotIDs.counter(of: min(self.firstOpen(Route(id, to: shard)) ?? id, id).rawValue) - 1
    }

    private mutating func firstOpen(_ route: Route) -> TransferID? {
        while let first = self.open[route]?.first {
            if self.underWay[first] != nil { return first }
            self.open[route]!.removeFirst()
        }
        return nil
    }

    /// The highest decided counter of each shard, by slot, then shard.
    var decisions: [(slot: Slot, shard: Int, counter: UInt64)] {
        self.decided.sorted { ($0.key.slot, $0.key.shard) < ($1.key.slot, $1.key.shard) }.compactMap {
            route,
            counter in
            Slot(checking: UInt16(truncatingIfNeeded: route.slot)).map { ($0, route.shard, counter) }
        }
    }

    /// False when too many requests wait already.
    mutating func wait(for id: TransferID, _ origin: Shard.Origin) -> Bool {
        guard self.waiters[id, default: []].count < Self.waitersMax else { return false }
        self.waiters[id, default: []].append(origin)
        return true
    }

    mutating func removeWaiters(for id: TransferID) -> [Shard.Origin] { self.waiters.removeValue(forKey: id) ?? [] }

    /// Removes and returns all waiters, in the order of their transfers.
    mutating func removeWaiters() -> [(id: TransferID, origin: Shard.Origin)] {
        defer { self.waiters = [:] }
        return self.waiters.keys.sorted().flatMap { id in self.waiters[id]!.map { (id, $0) } }
    }

    /// Returns a transfer that has waited long enough for an answer, and counts it as sent now; nil when there is none.
    mutating func popUnanswered(at now: Timestamp) -> Transfer? {
        while let first = self.asked.first, first.at + Self.patience <= now {
            self.asked.removeFirst()
            guard let transfer = self.underWay[first.id] else { continue }
            self.asked.append(Asked(id: first.id, at: now))
            return transfer
        }
        return nil
    }

    /// In the order of their ids. O(n log n).
    func all(where isMeant: (Transfer) -> Bool) -> [Transfer] {
        self.underWay.values.filter(isMeant).sorted { $0.id < $1.id }
    }

    /// Restores a transfer under way; in any order, then `endRestoring`.
    mutating func restore(_ transfer: Transfer) { self.underWay[transfer.id] = transfer }

    mutating func restore(decided counter: UInt64, slot: Slot, by shard: Int) {
        self.decided[Route(TransferID(SlotIDs.make(slot, counter: 1)), to: shard)] = counter
    }

    /// Restored transfers are sent again, the oldest first.
    mutating func endRestoring(_ shardOf: (UserID) -> Int) {
        let all = self.underWay.values.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
        self.asked = Deque(all.map { Asked(id: $0.id, at: $0.at) })
        for transfer in self.underWay.values.sorted(by: { $0.id < $1.id }) {
            self.open[Route(transfer.id, to: shardOf(transfer.user)), default: []].append(transfer.id)
        }
    }

    /// `open` are the payments and cancellations that are under way. O(n log n).
    func checkInvariants(_ open: [Transfer]) {
        precondition(open.count == self.underWay.count, "a finished transfer is still requested")
        for transfer in open {
            precondition(self.underWay[transfer.id] == transfer, "points for \(transfer.id) are not requested")
        }
        let asked = self.asked.map(\.id).filter { self.underWay[$0] != nil }
        precondition(
            asked.sorted() == self.underWay.keys.sorted(),
            "a transfer would never be retried, or retried twice"
        )
        let routed = self.open.values.joined().filter { self.underWay[$0] != nil }
        precondition(
            routed.sorted() == self.underWay.keys.sorted(),
            "an open transfer counts as settled"
        )
        precondition(
            self.waiters.keys.allSatisfy { self.underWay[$0] != nil },
            "a request waits for a finished transfer"
        )
    }
}
