import DequeModule

/// The idempotency store of one shard: answers to operations that may be repeated. Applies facts; the shard decides.
///
///     answered ──kept──▶ its lifetime is over, and it is a client's or beyond `resendCountMin`: dropped
///                  └──▶ one of a gateway, and the store is full: the oldest of them is evicted
///
/// Memory is bounded by `AnswerLimits.countMax` answers of 150 to 300 bytes. Answers to clients' keys are never evicted
/// early, as a repeat would then be carried out twice, against the promise: when they fill their share, new keys are
/// refused instead, and those of one user or address when they fill theirs (`refusal`). Everything is O(1), and the
/// content follows from the facts alone.
public struct IdempotencyStore {
    private struct Entry {
        let fingerprint: UInt64
        let at: Timestamp
        // Last, with the owner in the padding of its 40 bytes.
        let outcome: StoredAnswer.Outcome
        let owner: Operation.Owner
    }

    /// An operation and when it was answered: the check for expiry, which each fact makes, needs no lookup in the
    /// table.
    private struct Aged {
        let id: OperationID
        let at: Timestamp
    }

    let limits: AnswerLimits
    private var table = SteadyTable<OperationID, Entry>()
    /// Clients' keys, and gateways' operations, oldest first.
    private var keys = KeyList()
    private var resends = Deque<Aged>()

    init(_ limits: AnswerLimits) { self.limits = limits }

    var keyCount: Int { self.keys.count }
    var resendCount: Int { self.resends.count }
    /// Bytes in memory, at most: the table's entries and the lists of their age.
    var bytes: Int {
        let entry = MemoryLayout<OperationID>.stride + MemoryLayout<Entry>.stride
        // Each part is at most three quarters full, and has a bit for each of its entries.
        return self.table.capacity * entry * 4 / 3 + self.keys.bytes + self.resends.count * MemoryLayout<Aged>.stride
    }

    /// Why a new key is refused, and until when; nil if it is accepted. O(1).
    func refusal(ofNewKey operation: Operation, at now: Timestamp) -> Reply? {
        let user = operation.id.user
        let isFull = self.keys.count >= self.limits.keyCountMax
        let isUsersFull = self.keys.count(of: user) >= self.limits.keysPerUserMax
        let excess = operation.address.map { self.keys.count(of: $0) - self.keysPerAddressMax + 1 } ?? 0
        guard isFull || isUsersFull || excess > 0 else { return nil }
        // Keys expire with the next fact, and there may be none before this one: some may be over by now.
        let over = self.keys.oldest(Self.lookedAtMax).prefix { $0.at + self.limits.keyLifetime <= now }
        if over.count == Self.lookedAtMax { return nil }
        if isFull, over.isEmpty, let oldest = self.keys.first {
            return self.refusal(.keysFull, untilEndOf: oldest.at, now)
        }
        if isUsersFull, !over.contains(where: { $0.id.user == user }), let oldest = self.keys.oldest(of: user) {
            return self.refusal(.tooManyKeys, untilEndOf: oldest, now)
        }
        guard let address = operation.address, over.count(where: { $0.address == address }) < excess,
            let last = self.keys.last(ofOldest: excess, of: address)
        else { return nil }
        return self.refusal(.tooManyKeysOfAddress, untilEndOf: last, now)
    }

    /// A sixteenth of the free room: a client that names arbitrary users leaves most of the room to others, and however
    /// many addresses do so, some is left for one more. At the default bounds it is 46,875 keys on a shard with few
    /// keys: a day of ten thousand people behind one address.
    private var keysPerAddressMax: Int {
        max(1, (self.limits.keyCountMax - self.keys.count) / AnswerLimits.addressesPerRoom)
    }

    private func refusal(_ refusal: Refusal, untilEndOf at: Timestamp, _ now: Timestamp) -> Reply {
        let wait = at + self.limits.keyLifetime - now
        return .refusedFor(refusal, seconds: UInt32(clamping: max(1, (wait.rawValue + 999_999_999) / 1_000_000_000)))
    }

    /// Possibly expired keys that one new key looks at. There are as many only after a long quiet time; one key too
    /// many does no harm then.
    private static let lookedAtMax = 64

    /// Nil for an operation that was never answered, or whose answer has expired.
    func answer(_ id: OperationID, at now: Timestamp) -> StoredAnswer? {
        guard let entry = self.table[id] else { return nil }
        if entry.owner == .client, entry.at + self.limits.keyLifetime <= now { return nil }
        return self.answer(id, entry)
    }

    // MARK: Taking in facts

    /// The time of a fact: drops expired answers. Amortised O(1).
    mutating func passTime(to now: Timestamp) {
        while let oldest = self.keys.first, oldest.at + self.limits.keyLifetime <= now {
            self.table.removeValue(forKey: self.keys.removeFirst().id)
        }
        // Gateways wait by monotonic clocks. A clock that is set forward must not drop answers to requests that they
        // may resend, so some are kept whatever the time.
        while self.resends.count > self.limits.resendCountMin, let oldest = self.resends.first,
            oldest.at + self.limits.resendLifetime <= now
        {
            self.table.removeValue(forKey: self.resends.removeFirst().id)
        }
    }

    /// Traps when a gateway's operation has an answer already: it would have been carried out twice. A key may have
    /// been reused after an earlier, shorter lifetime: the later answer counts. O(1), and O(keys) for such a key.
    mutating func insert(_ answer: StoredAnswer) {
        if let earlier = self.table[answer.operation.id], earlier.owner == .client {
            self.keys.remove(answer.operation.id)
            self.table.removeValue(forKey: answer.operation.id)
        }
        if self.table.count >= self.limits.countMax, let oldest = self.resends.popFirst() {
            self.table.removeValue(forKey: oldest.id)
        }
        self.restore(answer)
    }

    // MARK: Snapshots

    /// Answers to clients first, each group by age.
    func forEach(_ body: (StoredAnswer) -> Void) {
        for each in self.keys.oldest(.max) { body(self.answer(each.id, from: each.address, self.table[each.id]!)) }
        for each in self.resends { body(self.answer(each.id, self.table[each.id]!)) }
    }

    mutating func restore(_ answer: StoredAnswer) {
        let entry = Entry(
            fingerprint: answer.fingerprint,
            at: answer.at,
            outcome: answer.outcome,
            owner: answer.operation.owner
        )
        let before = self.table.updateValue(entry, forKey: answer.operation.id)
        precondition(before == nil, "operation \(answer.operation.id) is answered twice")
        let operation = answer.operation
        switch operation.owner {
        case .client: self.keys.append(KeyList.Key(operation.id, from: operation.address, at: answer.at))
        case .gateway: self.resends.append(Aged(id: operation.id, at: answer.at))
        }
    }

    private func answer(_ id: OperationID, from address: AddressTag? = nil, _ entry: Entry) -> StoredAnswer {
        StoredAnswer(
            operation: Operation(id, entry.owner, from: address),
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
        self.keys.checkInvariants()
        self.check(self.keys.oldest(.max).lazy.map { Aged(id: $0.id, at: $0.at) }, .client)
        self.check(self.resends, .gateway)
    }

    private func check(_ list: some Sequence<Aged>, _ owner: Operation.Owner) {
        var last = Timestamp.distantPast
        for each in list {
            guard let entry = self.table[each.id], entry.owner == owner, entry.at == each.at, entry.at >= last else {
                preconditionFailure("the answer to operation \(each.id) is out of order")
            }
            last = entry.at
        }
    }
}

/// How long answers are kept for repeats, and how many.
public struct AnswerLimits: Equatable, Sendable {
    /// For a client's key: a day, as the contract says.
    public var keyLifetime = Nanoseconds.seconds(86_400)
    /// For a gateway's resends: longer than any gateway waits for an answer.
    public var resendLifetime = Nanoseconds.minutes(2)
    /// Answers per shard, 150 to 300 bytes each: a table of a power of two, up to three quarters full.
    public var countMax = 1_000_000
    /// Keys of one user on one shard: one user can't fill the shared store.
    public var keysPerUserMax = 1_000
    /// The keys of one address may take one part in so many of the free room.
    public static let addressesPerRoom = 16
    public init() {}

    /// Answers to gateways that are kept whatever the time: more than a shard gives within their few seconds.
    public var resendCountMin: Int { self.countMax / 16 }

    /// A quarter is reserved for gateways: at the default bound more than a shard does within their few seconds.
    public var keyCountMax: Int { self.countMax - self.resendCountMax }
    public var resendCountMax: Int { self.countMax / 4 }
}
