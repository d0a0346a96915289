import DequeModule

/// The points of all users of a shard, their history, the debits that payments asked for, and the credits that
/// cancellations did. Takes in facts; the shard decides.
public struct Points {
    private struct Account {
        var balance = Won.zero
        var updatedAt = Timestamp.distantPast
        var history = History()

        /// Gives the line that is one too many.
        mutating func write(_ entry: HistoryEntry, _ change: Won, linesMax: Int) -> HistoryEntry? {
            self.balance += change
            self.history.append(entry)
            self.updatedAt = entry.at
            return self.history.count > linesMax ? self.history.removeFirst() : nil
        }
    }

    /// What the lines moved that are not kept any more.
    private struct Forgotten {
        var charged = Won.zero
        var used = Won.zero
    }

    /// What became of a payment's debit. Both are kept, so that the same question gets the same answer.
    public enum Debit: Equatable, Sendable {
        case done(balance: Won)
        case refused
    }

    /// The most that one charge may bring, and the most that one user may have by charging. What comes back from a
    /// cancellation may go past it.
    public static let chargeMax = Won(2_000_000)
    public static let balanceMax = Won(100_000_000)

    private let historyLinesPerUserMax: Int
    private var accounts = SteadyTable<UserID, Account>()
    /// Of users who had more lines than are kept.
    private var forgotten = SteadyTable<UserID, Forgotten>()
    private var debits = SteadyTable<PaymentID, Debit>()
    /// The user's balance right after.
    private var credits = SteadyTable<CancellationID, Won>()

    /// Since the beginning, over all users: `charged` = `balances` + `used`, whatever happens. What was credited counts
    /// as charged, what was debited as used.
    public private(set) var charged = Won.zero
    public private(set) var used = Won.zero
    public private(set) var balances = Won.zero
    /// Over all shards: `debited` - `credited` is what the seats cost that are sold, once nothing is under way.
    public private(set) var debited = Won.zero
    public private(set) var credited = Won.zero

    public init(historyLinesPerUserMax: Int = RecordLimits().historyLinesPerUserMax) {
        self.historyLinesPerUserMax = historyLinesPerUserMax
    }

    public var accountCount: Int { self.accounts.count }

    // MARK: Questions

    public func balance(of user: UserID) -> Balance {
        guard let account = self.accounts[user] else { return Balance(balance: .zero, updatedAt: nil) }
        return Balance(balance: account.balance, updatedAt: account.updatedAt)
    }

    public func debit(_ payment: PaymentID) -> Debit? { self.debits[payment] }
    /// The user's balance right after; nil for a cancellation whose points are not back.
    public func credit(_ cancellation: CancellationID) -> Won? { self.credits[cancellation] }

    /// Newest first. O(lines given) and, with a filter, O(log of all lines) for each, whatever page it is.
    public func history(of user: UserID, _ query: HistoryQuery) -> [HistoryEntry] {
        self.accounts[user]?.history.page(query) ?? []
    }

    // MARK: Facts

    public mutating func takeCharged(_ user: UserID, _ entry: HistoryEntry) {
        precondition(entry.amount > .zero, "user \(user) is charged \(entry.amount) points")
        let max = self.historyLinesPerUserMax
        let surplus = self.accounts[user, default: Account()].write(entry, entry.amount, linesMax: max)
        if let surplus { self.forget(surplus, of: user) }
        self.charged += entry.amount
        self.balances += entry.amount
    }

    public mutating func takeUsed(_ user: UserID, _ entry: HistoryEntry) {
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

    /// A debit of 0 leaves no line in the history, and makes no account.
    public mutating func takeDebited(_ user: UserID, _ entry: HistoryEntry, for payment: PaymentID) {
        if entry.amount != .zero { self.takeUsed(user, entry) }
        let debit = Debit.done(balance: self.balance(of: user).balance)
        precondition(self.debits.updateValue(debit, forKey: payment) == nil, "payment \(payment) was debited twice")
        self.debited += entry.amount
    }

    public mutating func takeDebitRefused(for payment: PaymentID) {
        precondition(self.debits.updateValue(.refused, forKey: payment) == nil, "payment \(payment) was decided twice")
    }

    /// A credit of 0 leaves no line in the history, and makes no account.
    public mutating func takeCredited(_ user: UserID, _ entry: HistoryEntry, for cancellation: CancellationID) {
        if entry.amount != .zero { self.takeCharged(user, entry) }
        self.keep(credit: cancellation, balance: self.balance(of: user).balance)
        self.credited += entry.amount
    }

    private mutating func keep(credit cancellation: CancellationID, balance: Won) {
        precondition(
            self.credits.updateValue(balance, forKey: cancellation) == nil,
            "cancellation \(cancellation) was credited twice"
        )
        self.transfers.record(id, moved, settled: settled)
    }

    mutating func applyRefused(_ id: TransferID, _ entry: TransferLedger.Entry, settled: UInt64) {
        self.transfers.record(id, entry, settled: settled)
    }

    // MARK: Snapshots

    /// By user, each user's oldest first. O(n log n) in the users.
    func forEachLine(_ body: (UserID, HistoryEntry) -> Void) {
        for user in self.accounts.keys.sorted() {
            for entry in self.accounts[user]!.history.lines { body(user, entry) }
        }
    }

    /// By payment. O(n log n).
    func forEachDebit(_ body: (PaymentID, Debit) -> Void) {
        for payment in self.debits.keys.sorted() { body(payment, self.debits[payment]!) }
    }

    /// By cancellation, with the user's balance right after. O(n log n).
    func forEachCredit(_ body: (CancellationID, Won) -> Void) {
        for cancellation in self.credits.keys.sorted() { body(cancellation, self.credits[cancellation]!) }
    }

    /// Takes back what the lines moved that are forgotten; before the user's lines.
    mutating func restore(_ user: UserID, forgottenCharged charged: Won, used: Won) {
        precondition(charged >= used, "user \(user) has used more points than there were")
        self.forgotten.updateValue(Forgotten(charged: charged, used: used), forKey: user)
        self.accounts[user, default: Account()].balance += charged - used
        self.charged += charged
        self.used += used
        self.balances += charged - used
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
            account.history.checkInvariants()
            for entry in account.history.lines {
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
