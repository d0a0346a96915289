import DequeModule

/// The answers of one shard that may be asked for again. Takes in facts; the shard decides.
///
///     answered ──kept──▶ its lifetime is over, and it is a client's or one of many: forgotten
///                  └──▶ one of a gateway, and no room is left: the oldest of them makes room
///
/// Memory is bounded by `AnswerLimits.countMax` answers of 130 to 250 bytes. Answers to clients' keys are never forgotten
/// before their time, as that would carry out a second time what was promised to be done once: when they fill their
/// share, new keys are refused instead, and those of one user when they fill theirs (`refusal`). Everything is O(1), and what
/// is kept follows from the facts alone.
public struct KeptAnswers {
    private struct Entry {
        let fingerprint: UInt64
        let at: Timestamp
        // Last, with the owner in what it leaves of its 40 bytes.
        let outcome: KeptAnswer.Outcome
        let owner: Operation.Owner
    }

    /// An operation and when it was answered, so that nobody looks into the table for what is not over: each fact asks.
    private struct Aged {
        let id: OperationID
        let at: Timestamp
    }

    let limits: AnswerLimits
    private var table = SteadyTable<OperationID, Entry>()
    /// Of each owner, oldest first.
    private var keys = Deque<Aged>()
    private var resends = Deque<Aged>()
    /// How many of the keys are each user's. 16 bytes for each, and room.
    private var keysOfUser = SteadyTable<UserID, UInt32>()

    init(_ limits: AnswerLimits) { self.limits = limits }

    var keyCount: Int { self.keys.count }
    var resendCount: Int { self.resends.count }
    /// What they take of memory, at most: the table's entries and the lists of their age.
    var bytes: Int {
        let entry = MemoryLayout<OperationID>.stride + MemoryLayout<Entry>.stride
        // Each part is filled to three quarters at most, and has a bit for each of its entries.
        return (self.table.capacity * entry + self.keysOfUser.capacity * 16) * 4 / 3
            + (self.keys.count + self.resends.count) * MemoryLayout<Aged>.stride
    }

    /// Whether a key may be used for the first time; else why not. O(1).
    func refusal(ofNewKey id: OperationID, at now: Timestamp) -> Refusal? {
        let isFull = self.keys.count >= self.limits.keyCountMax
        let isUsersFull = self.keysOfUser[id.user, default: 0] >= UInt32(clamping: self.limits.keysPerUserMax)
        guard isFull || isUsersFull else { return nil }
        // Keys are forgotten with the next fact, and there may be none until this one: some may be over by now.
        let over = self.keys.prefix(Self.lookedAtMax).prefix { $0.at + self.limits.keyLifetime <= now }
        if isFull, over.isEmpty { return .overloaded }
        guard isUsersFull, over.count < Self.lookedAtMax, !over.contains(where: { $0.id.high == id.high }) else {
            return nil
        }
        return .tooManyKeys
    }

    /// How many keys that may be over are looked at for one new key. More than that are there only when nothing has happened
    /// for long, and then one more does no harm.
    private static let lookedAtMax = 64

    /// Nil when it was never answered, or so long ago that it counts as new.
    func answer(_ id: OperationID, at now: Timestamp) -> KeptAnswer? {
        guard let entry = self.table[id] else { return nil }
        if entry.owner == .client, entry.at + self.limits.keyLifetime <= now { return nil }
        return self.answer(id, entry)
    }

    // MARK: Taking in facts

    /// A fact of this time is taken in: forgets what is over by then. Amortised O(1).
    mutating func passTime(to now: Timestamp) {
        while let oldest = self.keys.first, oldest.at + self.limits.keyLifetime <= now {
            let id = self.keys.removeFirst().id
            self.table.removeValue(forKey: id)
            self.uncount(id)
        }
        // Gateways wait by a clock that nobody sets. A clock that is set forward must not end what they may send again, so
        // some of them are kept whatever the time.
        while self.resends.count > self.limits.resendCountMin, let oldest = self.resends.first,
            oldest.at + self.limits.resendLifetime <= now
        {
            self.table.removeValue(forKey: self.resends.removeFirst().id)
        }
    }

    /// Traps when the operation of a gateway is answered already: it would have been carried out twice. A key may have been
    /// used again after a lifetime that was shorter then: the later answer counts. O(1), and O(keys) for such a key.
    mutating func take(_ answer: KeptAnswer) {
        if let earlier = self.table[answer.operation.id], earlier.owner == .client {
            self.keys.removeAll { $0.id == answer.operation.id }
            self.table.removeValue(forKey: answer.operation.id)
            self.uncount(answer.operation.id)
        }
        if self.table.count >= self.limits.countMax, let oldest = self.resends.popFirst() {
            self.table.removeValue(forKey: oldest.id)
        }
        self.restore(answer)
    }

    // MARK: Snapshots

    /// Those of clients first, each by age.
    func forEach(_ body: (KeptAnswer) -> Void) {
        for each in self.keys { body(self.answer(each.id, self.table[each.id]!)) }
        for each in self.resends { body(self.answer(each.id, self.table[each.id]!)) }
    }

    mutating func restore(_ answer: KeptAnswer) {
        let entry = Entry(
            fingerprint: answer.fingerprint,
            at: answer.at,
            outcome: answer.outcome,
            owner: answer.operation.owner
        )
        let before = self.table.updateValue(entry, forKey: answer.operation.id)
        precondition(before == nil, "operation \(answer.operation.id) is answered twice")
        let aged = Aged(id: answer.operation.id, at: answer.at)
        switch answer.operation.owner {
        case .client:
            self.keys.append(aged)
            self.keysOfUser[answer.operation.id.user, default: 0] += 1
        case .gateway: self.resends.append(aged)
        }
    }

    /// A user without a key takes no memory.
    private mutating func uncount(_ id: OperationID) {
        guard let count = self.keysOfUser[id.user], count > 0 else { preconditionFailure("a key that nobody has") }
        if count > 1 {
            self.keysOfUser.updateValue(count - 1, forKey: id.user)
        } else {
            self.keysOfUser.removeValue(forKey: id.user)
        }
    }

    private func answer(_ id: OperationID, _ entry: Entry) -> KeptAnswer {
        KeptAnswer(
            operation: Operation(id, entry.owner),
            fingerprint: entry.fingerprint,
            outcome: entry.outcome,
            at: entry.at
        )
    }

    /// O(answers).
    func checkInvariants() {
        precondition(
            self.table.count == self.keys.count + self.resends.count,
            "\(self.table.count) answers are kept, \(self.keys.count) and \(self.resends.count) have an age"
        )
        var keysOfUser: [UserID: UInt32] = [:]
        for each in self.keys { keysOfUser[each.id.user, default: 0] += 1 }
        let counted = Dictionary(uniqueKeysWithValues: self.keysOfUser.map { ($0, $1) })
        precondition(keysOfUser == counted, "the keys of a user are miscounted")
        for (list, owner) in [(self.keys, Operation.Owner.client), (self.resends, .gateway)] {
            var last = Timestamp.distantPast
            for each in list {
                guard let entry = self.table[each.id], entry.owner == owner, entry.at == each.at, entry.at >= last
                else {
                    preconditionFailure("the answer to operation \(each.id) is out of order")
                }
                last = entry.at
            }
        }
    }
}

/// How long answers are kept to be given again, and how many.
public struct AnswerLimits: Equatable, Sendable {
    /// Of a client's key: a day, as the contract says.
    public var keyLifetime = Nanoseconds.seconds(86_400)
    /// Of what a gateway may send again: longer than any gateway waits for an answer.
    public var resendLifetime = Nanoseconds.minutes(2)
    /// Per shard, 130 to 250 bytes each: a table of a power of two, up to three quarters full.
    public var countMax = 1_000_000
    /// Of one user, on one shard: nobody can fill what all share.
    public var keysPerUserMax = 1_000
    public init() {}

    /// Answers to gateways that are kept whatever the time: more than a shard gives within their few seconds.
    public var resendCountMin: Int { self.countMax / 16 }

    /// A quarter stays for the gateways: at the default bound more than a shard does within their few seconds.
    public var keyCountMax: Int { self.countMax - self.resendCountMax }
    public var resendCountMax: Int { self.countMax / 4 }
}

extension OperationID {
    /// Of a client's key: whose it is.
    fileprivate var user: UserID { UserID(self.high) }
}
