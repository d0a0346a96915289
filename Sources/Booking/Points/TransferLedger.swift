import DequeModule

/// The debits and credits that a shard has decided for concerts' shards, so that each is carried out once.
///
///     new ──recorded──▶ moved or refused ──the concert's shard has decided it, too──▶ refused: dropped
///                                                                                     moved: dropped once `movedMax` are newer
///
/// **Comparison.** A known id stands for one direction, concert, user and amount. An order with the same id that
/// differs in any of them is a conflict: one of the two shards was restored from an older copy. Facts and snapshots of
/// earlier versions lack the concert, and some of them user and amount; missing parts are not compared.
///
/// **Bounds.** An order says up to which counter everything in its slot is settled. Below it a refused debit leaves
/// only the mark: when asked again, it is refused again. Transfers that moved points are kept for `movedMax` more, in
/// case the concert's shard is restored from a copy in which they were still open. So memory is bounded by `movedMax`
/// entries of some 70 bytes, and by the unsettled ones, which the requests in flight bound.
public struct TransferLedger: Sendable {
    public enum Outcome: Equatable, Sendable {
        /// The user's balance right after.
        case moved(balance: Won)
        case refused
    }

    /// The answer to an order.
    public enum Verdict: Equatable, Sendable {
        case new
        case decided(Outcome)
        /// The id is another transfer's.
        case conflict
        /// Settled so long ago that only the fact that it moved points is kept.
        case forgotten
    }

    /// A known transfer. Nil for fields that an earlier version did not write.
    public struct Entry: Equatable, Sendable {
        public let direction: Transfer.Direction
        public let concert: ConcertID?
        public let user: UserID?
        public let amount: Won?
        public let outcome: Outcome

        public init(
            direction: Transfer.Direction,
            concert: ConcertID? = nil,
            user: UserID? = nil,
            amount: Won? = nil,
            outcome: Outcome
        ) {
            self.direction = direction
            self.concert = concert
            self.user = user
            self.amount = amount
            self.outcome = outcome
        }

        init(_ transfer: KnownTransfer, _ outcome: Outcome) {
            self.init(
                direction: transfer.direction,
                concert: transfer.concert,
                user: transfer.user,
                amount: transfer.amount,
                outcome: outcome
            )
        }

        func matches(_ order: TransferOrder) -> Bool {
            self.direction == order.direction && self.concert ?? order.concert == order.concert
                && self.user ?? order.user == order.user && self.amount ?? order.amount == order.amount
        }
    }

    /// Counters of one slot.
    public struct Marks: Equatable, Sendable {
        /// The highest counter of any order.
        public var seen: UInt64 = 0
        /// See `TransferOrder.settled`.
        public var settled: UInt64 = 0
        /// The highest counter of a transfer that moved points and was dropped.
        public var forgotten: UInt64 = 0

        public init(seen: UInt64 = 0, settled: UInt64 = 0, forgotten: UInt64 = 0) {
            self.seen = seen
            self.settled = settled
            self.forgotten = forgotten
        }
    }

    /// Settled transfers that moved points and are kept: those of some minutes of the busiest sale.
    public static let movedMax = 262_144

    /// An entry without optionals, which would add half its size.
    private struct Stored {
        let concert: UInt64
        let user: UInt64
        let amount: Int64
        let balance: Int64
        let isCredit: Bool
        let isRefused: Bool

        init(_ entry: Entry) {
            self.concert = entry.concert?.rawValue ?? 0
            self.user = entry.user?.rawValue ?? 0
            self.amount = entry.amount?.rawValue ?? -1
            self.isCredit = entry.direction == .credit
            if case .moved(let balance) = entry.outcome {
                self.balance = balance.rawValue
                self.isRefused = false
            } else {
                self.balance = 0
                self.isRefused = true
            }
        }

        var entry: Entry {
            Entry(
                direction: self.isCredit ? .credit : .debit,
                concert: self.concert == 0 ? nil : ConcertID(self.concert),
                user: self.user == 0 ? nil : UserID(self.user),
                amount: self.amount < 0 ? nil : Won(self.amount),
                outcome: self.isRefused ? .refused : .moved(balance: Won(self.balance))
            )
        }
    }

    private struct SlotBook {
        var marks = Marks()
        /// Refused debits in the order in which they were recorded.
        var refused = Deque<TransferID>()
    }

    private var entries = SteadyTable<TransferID, Stored>()
    /// By the high bits of the ids.
    private var slots: [UInt64: SlotBook] = [:]
    /// Transfers that moved points, in the order in which they were recorded.
    private var moved = Deque<TransferID>()
    private let movedMax: Int

    public init(movedMax: Int = TransferLedger.movedMax) { self.movedMax = movedMax }

    private static func slot(of id: TransferID) -> UInt64 { id.rawValue >> SlotIDs.counterBits }
    private static func counter(of id: TransferID) -> UInt64 { SlotIDs.counter(of: id.rawValue) }

    // MARK: Questions

    public var count: Int { self.entries.count }

    public subscript(id: TransferID) -> Entry? { self.entries[id]?.entry }

    public func verdict(on order: TransferOrder) -> Verdict {
        if let entry = self[order.id] { return entry.matches(order) ? .decided(entry.outcome) : .conflict }
        let counter = Self.counter(of: order.id)
        guard let marks = self.slots[Self.slot(of: order.id)]?.marks, counter <= marks.settled else { return .new }
        // Nothing is kept of this transfer, and its shard has declared it settled.
        guard counter > marks.forgotten else { return .forgotten }
        // A refused debit, or another transfer under a reused id: nothing moves.
        return order.direction == .debit ? .decided(.refused) : .conflict
    }

    /// The marks of each slot, by slot. O(n log n) in the slots that ever asked.
    public var marks: [(slot: Slot, marks: Marks)] {
        self.slots.keys.sorted().compactMap { key in
            Slot(checking: UInt16(truncatingIfNeeded: key)).map { ($0, self.slots[key]!.marks) }
        }
    }

    // MARK: Facts

    mutating func record(_ transfer: KnownTransfer, _ outcome: Outcome) {
        self.keep(transfer.id, Entry(transfer, outcome))
        let key = Self.slot(of: transfer.id)
        self.slots[key]!.marks.settled = max(self.slots[key]!.marks.settled, transfer.settled)
        self.dropRefused(of: key)
        self.dropMoved()
    }

    private mutating func keep(_ id: TransferID, _ entry: Entry) {
        precondition(self.entries.updateValue(Stored(entry), forKey: id) == nil, "transfer \(id) was decided twice")
        let key = Self.slot(of: id)
        self.slots[key, default: SlotBook()].marks.seen = max(self.slots[key]?.marks.seen ?? 0, Self.counter(of: id))
        if entry.outcome == .refused { self.slots[key]!.refused.append(id) } else { self.moved.append(id) }
    }

    private mutating func dropRefused(of key: UInt64) {
        while let first = self.slots[key]!.refused.first, Self.counter(of: first) <= self.slots[key]!.marks.settled {
            self.slots[key]!.refused.removeFirst()
            self.entries.removeValue(forKey: first)
        }
    }

    /// At most two a call, as each call adds one: no caller waits long, and transfers that can't be dropped yet are
    /// checked later.
    private mutating func dropMoved() {
        for _ in 0..<2 where self.moved.count > self.movedMax {
            let id = self.moved.removeFirst()
            let key = Self.slot(of: id)
            guard Self.counter(of: id) <= self.slots[key]!.marks.settled else {
                self.moved.append(id)
                continue
            }
            self.entries.removeValue(forKey: id)
            self.slots[key]!.marks.forgotten = max(self.slots[key]!.marks.forgotten, Self.counter(of: id))
        }
    }

    // MARK: Snapshots

    /// Refused ones by slot, then those that moved points, each group by age: the order is part of the state.
    func forEach(_ body: (TransferID, Entry) -> Void) {
        for key in self.slots.keys.sorted() { for id in self.slots[key]!.refused { body(id, self[id]!) } }
        for id in self.moved { body(id, self[id]!) }
    }

    /// Restores marks, before the entries of their slot.
    mutating func restore(_ marks: Marks, of slot: Slot) { self.slots[UInt64(slot.rawValue)] = SlotBook(marks: marks) }

    mutating func restore(_ id: TransferID, _ entry: Entry) { self.keep(id, entry) }

    /// O(entries).
    func checkInvariants() {
        let refused = self.slots.values.reduce(0) { $0 + $1.refused.count }
        precondition(refused + self.moved.count == self.entries.count, "transfers are not listed once each")
        for (id, stored) in self.entries {
            guard let marks = self.slots[Self.slot(of: id)]?.marks else {
                preconditionFailure("the slot of transfer \(id) is not known")
            }
            precondition(Self.counter(of: id) <= marks.seen, "transfer \(id) was never seen")
            precondition(!stored.isCredit || !stored.isRefused, "credit \(id) was refused")
        }
        for book in self.slots.values {
            precondition(book.marks.settled <= book.marks.seen, "the settled counter is above the highest seen")
            if let first = book.refused.first {
                precondition(Self.counter(of: first) > book.marks.settled, "a refused debit is kept forever")
            }
        }
    }
}
