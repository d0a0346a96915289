import Booking
import Node

/// The books of a cluster in which a shard's disk was put back to an older copy: what is lost is known, and everything
/// else must hold.
///
/// - No id is given again that others have seen: that of a transfer which another shard has decided. When the copy was
///   noticed as one, no id at all.
/// - Points move for what was begun, and seats are sold and freed for points that moved for them: for the same concert,
///   user and amount.
/// - In the end, what the shards have agreed on and neither has lost is done on both, and balances are the sums of the
///   facts that are left.
///
/// What fans hear is not looked at any more: nobody can say which of the answers before was lost.
extension Auditor {
    struct Losses {
        /// A disk was put back.
        var hasBegun = false
        /// Every id that a fact has given, and the shard.
        var given: Set<UInt64> = []
        /// Shards whose copy only others can notice: of their ids, clients may get one again.
        var unnoticed: Set<Int> = []
        /// Every transfer that began, and those that were decided, by another shard or not, with what moved.
        var begun: [TransferID: TransferOrder] = [:]
        var moved: [TransferID: TransferOrder] = [:]
        /// Decided by another shard than the concert's, which still knows it.
        var seenByOthers: Set<TransferID> = []
        /// A fact about it is lost.
        var lost: Set<TransferID> = []
    }

    var hasLost: Bool { self.losses.hasBegun }

    /// A shard has noticed something about copies: only when there was one.
    func alerted(_ alert: Shard.Alert, by shard: Int) {
        self.require(self.hasLost, "shard \(shard) says \(alert) although no disk was put back")
    }

    /// All facts of a shard after the first `count` are lost.
    func lost(of shard: Int, after count: Int, isNoticed: Bool) {
        self.losses.hasBegun = true
        if !isNoticed { self.losses.unnoticed.insert(shard) }
        for fact in self.facts[shard].dropFirst(count) {
            guard let id = fact.transfer else { continue }
            self.losses.lost.insert(id)
            switch fact {
            case .transferred, .transferRefused: self.losses.seenByOthers.remove(id)
            default: break
            }
        }
        self.facts[shard].removeLast(max(0, self.facts[shard].count - count))
        self.journals[shard].count = min(self.journals[shard].count, count)
    }

    /// One more fact of a shard is durable.
    func note(_ fact: Fact, of shard: Int) {
        self.facts[shard].append(fact)
        switch fact {
        case .held(_, let reservation): self.gave(reservation.id.rawValue, shard)
        case .charged(_, let id, _, _, _), .used(_, let id, _, _): self.gave(id.rawValue, shard)
        case .paymentStarted(let order): self.began(Transfer(order).order(settled: 0), shard)
        case .cancelStarted(let order): self.began(Transfer(order).order(settled: 0), shard)
        case .transferred(let order, let id, _):
            self.gave(id.rawValue, shard)
            self.decided(order, by: shard)
            self.losses.moved[order.id] = order
        case .transferRefused(let order, _): self.decided(order, by: shard)
        case .paymentDone(_, let payment, _, _): self.ended(TransferID(payment), "sold its seats")
        case .cancelDone(_, let cancellation, _, _): self.ended(TransferID(cancellation), "freed its seats")
        default: break
        }
    }

    private func gave(_ id: UInt64, _ shard: Int) {
        let isNew = self.losses.given.insert(id).inserted
        self.require(isNew || self.losses.unnoticed.contains(shard), "shard \(shard) has given id \(id) twice")
    }

    private func began(_ order: TransferOrder, _ shard: Int) {
        self.gave(order.id.rawValue, shard)
        self.require(
            !self.losses.seenByOthers.contains(order.id),
            "shard \(shard) has given id \(order.id) again, which another shard has seen"
        )
        self.losses.begun[order.id] = order
    }

    private func decided(_ order: TransferOrder, by shard: Int) {
        self.require(
            self.losses.begun[order.id]?.isSame(as: order) == true,
            "points were asked for \(order), which nobody began"
        )
        if self.slots.shard(of: Slot(of: order.concert)) != shard { self.losses.seenByOthers.insert(order.id) }
    }

    private func ended(_ id: TransferID, _ how: String) {
        guard let order = self.losses.begun[id] else { return self.fail("transfer \(id) \(how), and never began") }
        self.require(
            self.losses.moved[id]?.isSame(as: order) == true,
            "transfer \(id) \(how), and no points moved for \(order)"
        )
    }

    // MARK: The end

    /// What is left, once everything is healed and settled.
    func checkRemains(_ shards: [ShardHost], _ users: [UserID]) {
        var moved: Set<TransferID> = []
        var done: Set<TransferID> = []
        var balances: [UserID: Won] = [:]
        for fact in self.facts.joined() {
            switch fact {
            case .transferred(let order, _, _):
                moved.insert(order.id)
                let change = order.direction == .credit ? order.amount : Won.zero - order.amount
                balances[order.user, default: .zero] += change
            case .charged(let user, _, let amount, _, _): balances[user, default: .zero] += amount
            case .used(let user, _, let amount, _): balances[user, default: .zero] -= amount
            case .paymentDone, .cancelDone: done.insert(fact.transfer!)
            default: break
            }
        }
        let differing = moved.symmetricDifference(done).subtracting(self.losses.lost)
        self.require(
            differing.isEmpty,
            "transfers \(differing.sorted()) are done on one shard only, and nothing is lost"
        )
        for user in users {
            let host = shards[self.slots.shard(of: Slot(of: user))]
            let balance = balances[user] ?? .zero
            guard case .balance(let told) = host.node.machine.read(.balance(user)) else {
                return self.fail("user \(user) has no balance")
            }
            self.require(told.balance == balance, "user \(user) has \(balance) by the facts, and \(told) by the shard")
        }
    }
}

extension TransferOrder {
    /// Whatever is settled meanwhile.
    fileprivate func isSame(as other: TransferOrder) -> Bool {
        self.direction == other.direction && self.concert == other.concert && self.user == other.user
            && self.amount == other.amount
    }
}

extension Fact {
    /// The transfer that it is about.
    fileprivate var transfer: TransferID? {
        switch self {
        case .paymentStarted(let order): TransferID(order.id)
        case .paymentDone(_, let payment, _, _), .paymentRefused(_, let payment, _): TransferID(payment)
        case .cancelStarted(let order): TransferID(order.id)
        case .cancelDone(_, let cancellation, _, _), .cancelRefused(_, let cancellation, _): TransferID(cancellation)
        case .transferred(let order, _, _), .transferRefused(let order, _): order.id
        default: nil
        }
    }
}
