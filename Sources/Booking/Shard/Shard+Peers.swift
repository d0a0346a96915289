/// Shards tell each other the ids that they have seen, so that none is given twice after a journal was restored from an
/// older copy.
///
///     started ──link up──▶ asked ──transfersSeen──▶ heard: ids continue behind those that the other has seen
///
/// **Before a shard has heard another**, it begins no payment and no cancellation of that shard's users: they wait, as
/// they do while that shard is away. All ids that others may have seen (payments, cancellations, reservations) are from
/// the counters of its slots; so when one counter turns out to be behind, all of them skip so far that no id can
/// repeat. What an operator must act on leaves through `alerts`.
extension Shard {
    /// A condition that needs an operator's action.
    public enum Alert: Equatable, Sendable {
        /// Another shard has seen ids that this journal had not given, in `slots` of its slots: this journal was
        /// restored from an older copy. The slot that is furthest behind, and the counters of the last ids that this
        /// journal and that shard know.
        case isBehind(shard: Int, slots: Int, Slot, own: UInt64, seen: UInt64)
        /// Another shard has lost decisions that it made for this one: its journal was restored from an older copy.
        case otherIsBehind(Lost)
        /// An order whose id belongs to another transfer there: it was given up, and nothing moved.
        case conflict(Transfer, with: Int)
        /// A cancellation that can be neither completed nor given up.
        case creditForgotten(Transfer, by: Int)
    }

    /// What another shard has lost and this one still has.
    public struct Lost: Equatable, Sendable {
        public let shard: Int
        /// Payments whose points went back to their users.
        public internal(set) var payments = 0
        public internal(set) var debited = Won.zero
        /// Cancellations whose points are missing.
        public internal(set) var cancellations = 0
        public internal(set) var credited = Won.zero
    }

    /// A request that waits until its user's shard is heard.
    struct Deferred {
        let request: Request
        let origin: Origin
        let operation: Operation?
    }

    /// As many as a gateway holds for a shard that is away.
    static let deferredMax = 10_000

    // MARK: Deferring

    /// The shard that has to be heard before this request can be decided; nil for most.
    func unheardPeer(of request: Request) -> Int? {
        let user: UserID
        switch request {
        case .pay(let pass, _): user = pass.user
        case .cancel(_, let owner, _): user = owner
        default: return nil
        }
        let shard = self.shard(of: user)
        return shard == self.index || self.isHeard[shard] ? nil : shard
    }

    mutating func wait(_ request: Request, _ origin: Origin, _ operation: Operation?, for shard: Int) -> Reply? {
        guard self.deferred.reduce(0, { $0 + $1.value.count }) < Self.deferredMax else { return .refused(.overloaded) }
        self.deferred[shard, default: []].append(Deferred(request: request, origin: origin, operation: operation))
        return nil
    }

    // MARK: Hearing

    /// The shards to ask `transfersSeen`; a shard without a link is asked when its link is up.
    public mutating func drainPeersToAsk() -> [Int] {
        defer { self.peersToAsk.removeAll(keepingCapacity: true) }
        return self.peersToAsk
    }

    public mutating func drainAlerts() -> [Alert] {
        defer { self.alerts.removeAll() }
        return self.alerts
    }

    /// Another shard has said which of this one's ids it has seen.
    public mutating func hear(_ seen: [TransferMark], from shard: Int, at time: Timestamp) {
        self.advance(to: time)
        self.catchUp(with: seen, of: shard)
        self.lookForLoss(seen, of: shard)
        guard !self.isHeard[shard] else { return }
        self.isHeard[shard] = true
        self.unheardCount -= 1
        for waiting in self.deferred.removeValue(forKey: shard) ?? [] {
            guard
                let reply = self.decide(waiting.request, from: waiting.origin, as: waiting.operation, at: self.now)
            else { continue }
            self.lateReplies.append(LateReply(origin: waiting.origin, kind: waiting.request.kind, reply: reply))
        }
    }

    /// A shard that knew of the copy and has skipped ids also learns here what it has lost.
    private mutating func catchUp(with seen: [TransferMark], of shard: Int) {
        // Before it is heard, nothing has begun that it could have seen since.
        let known = self.isHeard[shard] ? self.counters : self.countersOfCopy ?? self.counters
        var slots = 0
        var worst: TransferMark?
        var lead: UInt64 = 0
        for mark in seen where self.slots.shard(of: mark.slot) == self.index {
            let slot = Int(mark.slot.rawValue)
            guard mark.counter > known[slot] else { continue }
            slots += 1
            let ahead = mark.counter - known[slot]
            if worst.map({ ahead > $0.counter - known[Int($0.slot.rawValue)] }) ?? true { worst = mark }
            if mark.counter > self.counters[slot] { lead = max(lead, mark.counter - self.counters[slot]) }
        }
        guard let worst else { return }
        let own = known[Int(worst.slot.rawValue)]
        self.alerts.append(.isBehind(shard: shard, slots: slots, worst.slot, own: own, seen: worst.counter))
        if lead > 0 { self.skipIDs(beyond: lead) }
    }

    /// The other has seen everything that it decided for this shard, unless it has lost it.
    private mutating func lookForLoss(_ seen: [TransferMark], of shard: Int) {
        var lost = Lost(shard: shard)
        var isLost = false
        for decision in self.transfers.decisions where decision.shard == shard {
            let known = seen.first { $0.slot == decision.slot }?.counter ?? 0
            guard decision.counter > known else { continue }
            isLost = true
            for state in self.concertsInOrder where state.concert.slot == decision.slot {
                state.payments.forEach { payment in
                    guard payment.balance != nil, SlotIDs.counter(of: payment.order.id.rawValue) > known,
                        self.shard(of: payment.order.user) == shard
                    else { return }
                    lost.payments += 1
                    lost.debited += payment.order.amount
                }
                state.cancellations.forEach { cancellation in
                    guard cancellation.balance != nil, SlotIDs.counter(of: cancellation.order.id.rawValue) > known,
                        self.shard(of: cancellation.order.user) == shard
                    else { return }
                    lost.cancellations += 1
                    lost.credited += cancellation.order.amount
                }
            }
        }
        if isLost { self.alerts.append(.otherIsBehind(lost)) }
    }

    /// The ids of another shard's slots that this shard's ledger has seen.
    func transfersSeen(by shard: UInt16) -> Reply {
        .transfersSeen(
            self.points.transfers.marks.filter { self.slots.shard(of: $0.slot) == Int(shard) }.map {
                TransferMark(slot: $0.slot, counter: $0.marks.seen)
            }
        )
    }

    /// One alert for each cancellation, as it is sent again and again.
    mutating func noteForgotten(_ transfer: Transfer) {
        guard self.creditsForgotten.insert(transfer.id).inserted else { return }
        self.alerts.append(.creditForgotten(transfer, by: self.shard(of: transfer.user)))
    }

    // MARK: Skipping

    /// The highest rate of ids of a shard, and a minimum that covers a wrong clock.
    private static let idsPerSecond: UInt64 = 10_000
    private static let idsSkippedMin: UInt64 = 1 << 20
    private static let idsSkippedMax: UInt64 = 1 << 32
    /// 64 million: two restored copies skip to the same id, and give it, about once in this many starts.
    static let idsSkippedByChanceMax: UInt64 = 1 << 26

    /// All counters skip the ids that a slot may have given while this journal was not in use, and `lead` more. They
    /// never use up more than a part of the ids left.
    mutating func skipIDs(beyond lead: UInt64) {
        let rested = UInt64(max(0, self.restedFor.rawValue)) / (1_000_000_000 / Self.idsPerSecond)
        let given = min(Self.idsSkippedMin + rested, Self.idsSkippedMax)
        let highest = self.slots.slots(of: self.index).reduce(0) { max($0, self.counters[Int($1)]) }
        let left = SlotIDs.counterMax - min(highest + lead, SlotIDs.counterMax)
        self.record(.idsSkipped(lead + min(given, left / 64), at: self.now))
    }

    mutating func noteConflict(_ transfer: Transfer) {
        self.alerts.append(.conflict(transfer, with: self.shard(of: transfer.user)))
        self.skipIDs(beyond: 0)
    }
}
