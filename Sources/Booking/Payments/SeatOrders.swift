/// The payments of one concert, or its cancellations: those under way, and those done. Takes in facts; the shard decides.
///
///     started ──points moved──▶ done         (kept as long as one of its seats: repeating it gives its answer again)
///        └──refused, or in conflict──▶ forgotten     (its reservations are as before; a new one may begin)
public struct SeatOrders<ID: SeatOrderID> {
    public enum State: Equatable, Sendable {
        case started
        /// The user's balance right after.
        case done(balance: Won)
    }

    public struct Entry: Equatable, Sendable {
        public let order: SeatOrder<ID>
        public fileprivate(set) var state: State

        /// The user's balance right after; nil while it is under way.
        public var balance: Won? {
            switch self.state {
            case .started: nil
            case .done(let balance): balance
            }
        }
    }

    private(set) var entries = SteadyTable<ID, Entry>()

    public private(set) var openCount = 0
    public private(set) var doneCount = 0
    public private(set) var refusedCount = 0
    /// Cancellations that are done and whose seats are all forgotten.
    private(set) var forgottenCount = 0

    public init() {}

    public subscript(id: ID) -> Entry? { self.entries[id] }

    /// Those under way, in the order of their ids. O(orders): for checks.
    public var open: [SeatOrder<ID>] {
        self.entries.values.filter { $0.state == .started }.map(\.order).sorted { $0.id < $1.id }
    }

    public mutating func applyStarted(_ order: SeatOrder<ID>) {
        let entry = Entry(order: order, state: .started)
        precondition(self.entries.updateValue(entry, forKey: order.id) == nil, "\(Self.noun) \(order.id) began twice")
        self.openCount += 1
    }

    public mutating func applyDone(_ id: ID, balance: Won) -> SeatOrder<ID> {
        let order = self.entries.change(id) { entry in
            precondition(entry.state == .started, "\(Self.noun) \(id) is done already")
            entry.state = .done(balance: balance)
            return entry.order
        }
        guard let order else { preconditionFailure("there is no \(Self.noun) \(id)") }
        self.openCount -= 1
        self.doneCount += 1
        return order
    }

    public mutating func applyRefused(_ id: ID) -> SeatOrder<ID> {
        guard let entry = self.entries.removeValue(forKey: id), entry.state == .started else {
            preconditionFailure("\(Self.noun) \(id) is not under way")
        }
        self.openCount -= 1
        self.refusedCount += 1
        return entry.order
    }

    /// One of its reservations is forgotten; `isKnown` says which are not. The answer goes with the last of them.
    mutating func forget(_ id: ID, unless isKnown: (ReservationID) -> Bool) {
        guard let entry = self.entries[id] else { return }
        precondition(entry.state != .started, "\(Self.noun) \(id) is under way, and its seats are forgotten")
        guard !entry.order.reservations.contains(where: isKnown) else { return }
        self.entries.removeValue(forKey: id)
        self.forgottenCount += 1
    }

    private static var noun: String { ID.direction == .debit ? "payment" : "cancellation" }

    // MARK: Snapshots

    /// In the order of ids. O(n log n).
    func forEach(_ body: (Entry) -> Void) {
        for id in self.entries.keys.sorted() { body(self.entries[id]!) }
    }

    /// Takes back one as it was.
    mutating func restore(_ order: SeatOrder<ID>, balance: Won?) {
        self.applyStarted(order)
        if let balance { _ = self.applyDone(order.id, balance: balance) }
    }

    mutating func restore(refusedCount: Int) { self.refusedCount = refusedCount }

    mutating func restore(forgottenCount: Int) {
        self.forgottenCount = forgottenCount
        self.doneCount += forgottenCount
    }

    /// O(orders).
    func checkCounts() {
        let open = self.entries.values.count { $0.state == .started }
        precondition(open == self.openCount, "\(open) \(Self.noun)s are under way, \(self.openCount) are counted")
        precondition(
            self.entries.count - open + self.forgottenCount == self.doneCount,
            "done \(Self.noun)s are not counted right"
        )
    }
}
