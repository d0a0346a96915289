import DequeModule

/// The clients' keys that are kept, oldest first, with each user's and each address's number of keys and oldest key.
///
///     keys:    k1 ──────────────────▶ k4 ─────▶ k6        of user 7
///                   k2 ─▶ k3 ───────────▶ k5               of user 8
///     numbers  1    2     3     4     5     6
///
/// So a refusal can say when a key of that user ends. A key refers to the next one of its user and of its address by
/// the distance in places. 40 bytes a key, 20 a user or an address. Everything is O(1) but `remove` and `rebuild`.
struct KeyList {
    struct Key {
        let id: OperationID
        let at: Timestamp
        let address: AddressTag?
        /// 0 for the newest.
        fileprivate var toNextOfUser: UInt32 = 0
        fileprivate var toNextOfAddress: UInt32 = 0

        init(_ id: OperationID, from address: AddressTag?, at: Timestamp) {
            self.id = id
            self.address = address
            self.at = at
        }
    }

    /// The keys of one owner. Numbers wrap around: there are never 2^31 keys.
    private struct Share: Equatable {
        var count: UInt32 = 1
        var oldest: UInt32
        var newest: UInt32
    }

    private var keys = Deque<Key>()
    /// The number of the first of `keys`.
    private var firstNumber: UInt32 = 0
    private var ofUser = SteadyTable<UserID, Share>()
    private var ofAddress = SteadyTable<AddressTag, Share>()

    var count: Int { self.keys.count }
    var first: Key? { self.keys.first }
    /// The oldest keys, at most `count`.
    func oldest(_ count: Int) -> Deque<Key>.SubSequence { self.keys.prefix(count) }

    /// Bytes in memory, at most.
    var bytes: Int {
        let share = 8 + MemoryLayout<Share>.stride
        return self.keys.count * MemoryLayout<Key>.stride + (self.ofUser.capacity + self.ofAddress.capacity) * share * 4
            / 3
    }

    func count(of user: UserID) -> Int { Int(self.ofUser[user]?.count ?? 0) }
    func count(of address: AddressTag) -> Int { Int(self.ofAddress[address]?.count ?? 0) }

    /// Nil for a user without keys.
    func oldest(of user: UserID) -> Timestamp? { self.ofUser[user].map { self.keys[self.position($0.oldest)].at } }

    /// When the newest of an address's oldest `count` keys was used, as far as they are looked at.
    func last(ofOldest count: Int, of address: AddressTag) -> Timestamp? {
        guard let share = self.ofAddress[address] else { return nil }
        var number = share.oldest
        for _ in 1..<max(1, min(count, Int(share.count), Self.lookedAtMax)) {
            number &+= self.keys[self.position(number)].toNextOfAddress
        }
        return self.keys[self.position(number)].at
    }

    private static let lookedAtMax = 64

    // MARK: Changing

    mutating func append(_ key: Key) {
        let number = self.firstNumber &+ UInt32(truncatingIfNeeded: self.keys.count)
        self.keys.append(key)
        if let before = Self.add(number, to: &self.ofUser, of: key.id.user) {
            self.keys[self.position(before)].toNextOfUser = number &- before
        }
        if let address = key.address, let before = Self.add(number, to: &self.ofAddress, of: address) {
            self.keys[self.position(before)].toNextOfAddress = number &- before
        }
    }

    /// The number of the owner's newest key before it.
    private static func add<Owner>(_ number: UInt32, to shares: inout SteadyTable<Owner, Share>, of owner: Owner)
        -> UInt32?
    {
        let before = shares.change(owner) { share in
            let before = share.newest
            share.count += 1
            share.newest = number
            return before
        }
        if before == nil { shares.updateValue(Share(oldest: number, newest: number), forKey: owner) }
        return before
    }

    mutating func removeFirst() -> Key {
        let key = self.keys.removeFirst()
        self.firstNumber &+= 1
        Self.removeOldest(of: key.id.user, from: &self.ofUser, toNext: key.toNextOfUser)
        if let address = key.address {
            Self.removeOldest(of: address, from: &self.ofAddress, toNext: key.toNextOfAddress)
        }
        return key
    }

    /// An owner without keys takes no memory.
    private static func removeOldest<Owner>(
        of owner: Owner,
        from shares: inout SteadyTable<Owner, Share>,
        toNext: UInt32
    ) {
        let rest = shares.change(owner) { share in
            share.count -= 1
            share.oldest &+= toNext
            return share.count
        }
        guard let rest else { preconditionFailure("a removed key has no owner") }
        if rest == 0 { shares.removeValue(forKey: owner) }
    }

    /// O(keys).
    mutating func remove(_ id: OperationID) {
        let rest = self.keys.filter { $0.id != id }
        self = KeyList()
        for key in rest { self.append(Key(key.id, from: key.address, at: key.at)) }
    }

    private func position(_ number: UInt32) -> Int { Int(number &- self.firstNumber) }

    /// O(keys).
    func checkInvariants() {
        var users: [UserID: Share] = [:]
        var addresses: [AddressTag: Share] = [:]
        for (position, key) in self.keys.enumerated() {
            let number = self.firstNumber &+ UInt32(position)
            self.check(number, key.id.user, &users, \.toNextOfUser)
            if let address = key.address { self.check(number, address, &addresses, \.toNextOfAddress) }
        }
        precondition(
            Dictionary(uniqueKeysWithValues: self.ofUser.map { ($0, $1) }) == users,
            "the keys of a user are miscounted"
        )
        precondition(
            Dictionary(uniqueKeysWithValues: self.ofAddress.map { ($0, $1) }) == addresses,
            "the keys of an address are miscounted"
        )
    }

    private func check<Owner>(
        _ number: UInt32,
        _ owner: Owner,
        _ shares: inout [Owner: Share],
        _ toNext: KeyPath<Key, UInt32>
    ) {
        guard var share = shares[owner] else { return shares[owner] = Share(oldest: number, newest: number) }
        let before = self.keys[self.position(share.newest)]
        precondition(
            share.newest &+ before[keyPath: toNext] == number,
            "a key is not followed by the next of its owner"
        )
        share.count += 1
        share.newest = number
        shares[owner] = share
    }
}

extension OperationID {
    /// The owner of a client's key.
    var user: UserID { UserID(self.high) }
}
