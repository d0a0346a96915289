/// The points of all users of a shard, their history, and the transfers that concerts' shards asked for. Takes in facts;
/// the shard decides.
public struct Points {
    private struct Account {
        var balance = Won.zero
        var updatedAt = Timestamp.distantPast
        /// Oldest first.
        var history: [HistoryEntry] = []

        mutating func write(_ entry: HistoryEntry, _ change: Won) {
            self.balance += change
            self.history.append(entry)
            self.updatedAt = entry.at
        }
    }

    /// What became of a payment's debit, as snapshots of earlier versions have it.
    public enum Debit: Equatable, Sendable {
        case done(balance: Won)
        case refused
    }

    /// The most that one charge may bring, and the most that one user may have by charging. What comes back from a
    /// cancellation may go past it.
    public static let chargeMax = Won(2_000_000)
    public static let balanceMax = Won(100_000_000)

    private var accounts = SteadyTable<UserID, Account>()
    /// The debits of payments, and the credits of cancellations.
    public private(set) var transfers: TransferLedger

    /// Since the beginning, over all users: `charged` = `balances` + `used`, whatever happens. What was credited counts
    /// as charged, what was debited as used.
    public private(set) var charged = Won.zero
    public private(set) var used = Won.zero
    public private(set) var balances = Won.zero
    /// Over all shards: `debited` - `credited` is what the seats cost that are sold, once nothing is under way.
    public private(set) var debited = Won.zero
    public private(set) var credited = Won.zero

    public init(transfersKeptMax: Int = TransferLedger.movedMax) {
        self.transfers = TransferLedger(movedMax: transfersKeptMax)
    }

    public var accountCount: Int { self.accounts.count }

    // MARK: Questions

    public func balance(of user: UserID) -> Balance {
        guard let account = self.accounts[user] else { return Balance(balance: .zero, updatedAt: nil) }
        return Balance(balance: account.balance, updatedAt: account.updatedAt)
    }

    /// Newest first. O(lines skipped and given) with a filter, O(lines given) without.
    public func history(of user: UserID, _ query: HistoryQuery) -> [HistoryEntry] {
        guard let lines = self.accounts[user]?.history else { return [] }
        let size = Int(min(query.size, HistoryQuery.sizeMax))
        let skipped = Int(query.page) * size
        guard let only = query.only else { return Array(lines.reversed().dropFirst(skipped).prefix(size)) }
        return Array(lines.reversed().lazy.filter { $0.type == only }.dropFirst(skipped).prefix(size))
    }

    // MARK: Facts

    public mutating func takeCharged(_ user: UserID, _ entry: HistoryEntry) {
        precondition(entry.amount > .zero, "user \(user) is charged \(entry.amount) points")
        self.accounts[user, default: Account()].write(entry, entry.amount)
        self.charged += entry.amount
        self.balances += entry.amount
    }

    public mutating func takeUsed(_ user: UserID, _ entry: HistoryEntry) {
        precondition(entry.amount > .zero, "user \(user) uses \(entry.amount) points")
        let isEnough = self.accounts.change(user) { account in
            guard account.balance >= entry.amount else { return false }
            account.write(entry, .zero - entry.amount)
            return true
        }
        precondition(isEnough == true, "user \(user) would fall below 0 points")
        self.used += entry.amount
        self.balances -= entry.amount
    }

    /// A transfer has moved points. One of 0 leaves no line in the history, and makes no account. `concert` is nil in facts
    /// of earlier versions.
    mutating func applyMoved(
        _ id: TransferID,
        _ direction: Transfer.Direction,
        _ concert: ConcertID?,
        _ user: UserID,
        _ entry: HistoryEntry,
        settled: UInt64
    ) {
        switch direction {
        case .debit:
            if entry.amount != .zero { self.takeUsed(user, entry) }
            self.debited += entry.amount
        case .credit:
            if entry.amount != .zero { self.takeCharged(user, entry) }
            self.credited += entry.amount
        }
        let moved = TransferLedger.Entry(
            direction: direction,
            concert: concert,
            user: user,
            amount: entry.amount,
            outcome: .moved(balance: self.balance(of: user).balance)
        )
        self.transfers.record(id, moved, settled: settled)
    }

    mutating func applyRefused(_ id: TransferID, _ entry: TransferLedger.Entry, settled: UInt64) {
        self.transfers.record(id, entry, settled: settled)
    }

    // MARK: Snapshots

    /// By user, each user's oldest first. O(n log n) in the users.
    func forEachLine(_ body: (UserID, HistoryEntry) -> Void) {
        for user in self.accounts.keys.sorted() { for entry in self.accounts[user]!.history { body(user, entry) } }
    }

    /// Takes back a line of a user's history; oldest first. The balance follows.
    mutating func restore(_ user: UserID, _ entry: HistoryEntry) {
        switch entry.type {
        case .charge: self.takeCharged(user, entry)
        case .use: self.takeUsed(user, entry)
        }
    }

    mutating func restore(_ id: TransferID, _ entry: TransferLedger.Entry) { self.transfers.restore(id, entry) }

    mutating func restore(_ marks: TransferLedger.Marks, of slot: Slot) { self.transfers.restore(marks, of: slot) }

    mutating func restore(debited: Won, credited: Won) {
        self.debited = debited
        self.credited = credited
    }

    /// Each balance is what its history says, and the totals are the sums. O(history).
    public func checkInvariants() {
        var charged = Won.zero
        var used = Won.zero
        for (user, account) in self.accounts {
            var balance = Won.zero
            for entry in account.history {
                precondition(entry.amount > .zero, "a history line of user \(user) moves nothing")
                switch entry.type {
                case .charge:
                    balance += entry.amount
                    charged += entry.amount
                case .use:
                    balance -= entry.amount
                    used += entry.amount
                }
                precondition(balance >= .zero, "user \(user) once had fewer than 0 points")
                precondition(
                    balance <= Self.balanceMax + self.credited,
                    "user \(user) once had more points than allowed"
                )
            }
            precondition(
                balance == account.balance,
                "user \(user) has \(account.balance) points, the history says \(balance)"
            )
        }
        precondition(charged == self.charged && used == self.used, "the totals are not the sums of the histories")
        precondition(
            self.credited <= self.charged && self.debited <= self.used,
            "more was credited or debited than was charged or used"
        )
        self.transfers.checkInvariants()
        precondition(self.charged == self.balances + self.used, "points charged are not balances and points used")
    }
}
