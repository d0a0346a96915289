import DequeModule

/// The points of a shard's users, their history, and transfers for concerts' shards. Applies facts; the shard decides.
public struct Points {
    private struct Account {
        var balance = Won.zero
        var updatedAt = Timestamp.distantPast
        /// The newest lines, oldest first.
        var history: Deque<HistoryEntry> = []

        /// Appends a line; returns the oldest one when there is one too many.
        mutating func write(_ entry: HistoryEntry, _ change: Won, linesMax: Int) -> HistoryEntry? {
            self.balance += change
            self.history.append(entry)
            self.updatedAt = entry.at
            return self.history.count > linesMax ? self.history.removeFirst() : nil
        }
    }

    /// The sums of lines that are no longer kept.
    private struct Forgotten {
        var charged = Won.zero
        var used = Won.zero
    }

    /// The outcome of a payment's debit, in snapshots of earlier versions.
    public enum Debit: Equatable, Sendable {
        case done(balance: Won)
        case refused
    }

    /// The largest charge, and the largest balance by charging. A cancellation's credit may exceed it.
    public static let chargeMax = Won(2_000_000)
    public static let balanceMax = Won(100_000_000)

    private let historyLinesPerUserMax: Int
    private var accounts = SteadyTable<UserID, Account>()
    /// Users with more lines than are kept.
    private var forgotten = SteadyTable<UserID, Forgotten>()
    /// The debits of payments, and the credits of cancellations.
    public private(set) var transfers: TransferLedger

    /// Since the beginning, over all users: `charged` = `balances` + `used`, always. Credits count as charged, debits
    /// as used.
    public private(set) var charged = Won.zero
    public private(set) var used = Won.zero
    public private(set) var balances = Won.zero
    /// Over all shards: `debited` - `credited` is the price of the seats sold, once nothing is under way.
    public private(set) var debited = Won.zero
    public private(set) var credited = Won.zero

    public init(
        historyLinesPerUserMax: Int = RecordLimits().historyLinesPerUserMax,
        transfersKeptMax: Int = TransferLedger.movedMax
    ) {
        self.historyLinesPerUserMax = historyLinesPerUserMax
        self.transfers = TransferLedger(movedMax: transfersKeptMax)
    }

    public var accountCount: Int { self.accounts.count }

    // MARK: Questions

    public func balance(of user: UserID) -> Balance {
        guard let account = self.accounts[user] else { return Balance(balance: .zero, updatedAt: nil) }
        return Balance(balance: account.balance, updatedAt: account.updatedAt)
    }

    /// Newest first. O(lines returned); with a filter O(lines skipped and returned), of the thousand that are kept.
    public func history(of user: UserID, _ query: HistoryQuery) -> [HistoryEntry] {
        guard let lines = self.accounts[user]?.history else { return [] }
        let size = Int(min(query.size, HistoryQuery.sizeMax))
        let skipped = Int(query.page) * size
        guard let only = query.only else { return Array(lines.reversed().dropFirst(skipped).prefix(size)) }
        return Array(lines.reversed().lazy.filter { $0.type == only }.dropFirst(skipped).prefix(size))
    }

    // MARK: Facts

    public mutating func applyCharged(_ user: UserID, _ entry: HistoryEntry) {
        precondition(entry.amount > .zero, "user \(user) is charged \(entry.amount) points")
        let max = self.historyLinesPerUserMax
        let surplus = self.accounts[user, default: Account()].write(entry, entry.amount, linesMax: max)
        if let surplus { self.forget(surplus, of: user) }
        self.charged += entry.amount
        self.balances += entry.amount
    }

    public mutating func applyUsed(_ user: UserID, _ entry: HistoryEntry) {
        precondition(entry.amount > .zero, "user \(user) uses \(entry.amount) points")
        let max = self.historyLinesPerUserMax
        var surplus: HistoryEntry?
        let isEnough = self.accounts.change(user) { account in
            guard account.balance >= entry.amount else { return false }
            surplus = account.write(entry, .zero - entry.amount, linesMax: max)
            return true
        }
        precondition(isEnough == true, "user \(user) would fall below 0 points")
        if let surplus { self.forget(surplus, of: user) }
        self.used += entry.amount
        self.balances -= entry.amount
    }

    private mutating func forget(_ entry: HistoryEntry, of user: UserID) {
        switch entry.type {
        case .charge: self.forgotten[user, default: Forgotten()].charged += entry.amount
        case .use: self.forgotten[user, default: Forgotten()].used += entry.amount
        }
    }

    /// A transfer has moved points. One of 0 leaves no line in the history, and makes no account.
    mutating func applyMoved(_ transfer: KnownTransfer, _ entry: HistoryEntry) {
        switch transfer.direction {
        case .debit:
            if entry.amount != .zero { self.applyUsed(transfer.user, entry) }
            self.debited += entry.amount
        case .credit:
            if entry.amount != .zero { self.applyCharged(transfer.user, entry) }
            self.credited += entry.amount
        }
        self.transfers.record(transfer, .moved(balance: self.balance(of: transfer.user).balance))
    }

    mutating func applyRefused(_ transfer: KnownTransfer) { self.transfers.record(transfer, .refused) }

    // MARK: Snapshots

    /// By user: the sums of dropped lines, then the kept lines, oldest first. O(n log n) in the users.
    func forEachLine(
        forgotten: (UserID, _ charged: Won, _ used: Won) -> Void,
        _ body: (UserID, HistoryEntry) -> Void
    ) {
        for user in self.accounts.keys.sorted() {
            if let sums = self.forgotten[user] { forgotten(user, sums.charged, sums.used) }
            for entry in self.accounts[user]!.history { body(user, entry) }
        }
    }

    /// Restores the sums of a user's dropped lines; before the user's lines.
    mutating func restore(_ user: UserID, forgottenCharged charged: Won, used: Won) {
        precondition(charged >= used, "user \(user) has used more points than there were")
        self.forgotten.updateValue(Forgotten(charged: charged, used: used), forKey: user)
        self.accounts[user, default: Account()].balance += charged - used
        self.charged += charged
        self.used += used
        self.balances += charged - used
    }

    /// Restores a line of a user's history; oldest first. The balance follows.
    mutating func restore(_ user: UserID, _ entry: HistoryEntry) {
        switch entry.type {
        case .charge: self.applyCharged(user, entry)
        case .use: self.applyUsed(user, entry)
        }
    }

    mutating func restore(_ id: TransferID, _ entry: TransferLedger.Entry) { self.transfers.restore(id, entry) }

    mutating func restore(_ marks: TransferLedger.Marks, of slot: Slot) { self.transfers.restore(marks, of: slot) }

    mutating func restore(debited: Won, credited: Won) {
        self.debited = debited
        self.credited = credited
    }

    /// Each balance matches its history, and the totals are the sums. O(history).
    public func checkInvariants() {
        var charged = Won.zero
        var used = Won.zero
        for (user, account) in self.accounts {
            let sums = self.forgotten[user] ?? Forgotten()
            var balance = sums.charged - sums.used
            charged += sums.charged
            used += sums.used
            precondition(
                account.history.count <= self.historyLinesPerUserMax,
                "user \(user) has a longer history than is kept"
            )
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
