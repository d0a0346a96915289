import Booking
import Seeded

/// The disk of one shard, with a journal on it: one record per batch.
///
///     │ bytes u32 │ count u32 │ first u64 │ check of the facts u64 │ check of this head u64 │ facts ... │
///
/// The head has a check of its own, so that a record cut short by a crash (the head is whole, facts are missing at the
/// end of the disk) is told from one whose length was altered. Checks are FNV-1a, each begun with the record's before:
/// a chain. What is not synced is gone after a crash, or half there, or there whole.
///
/// A snapshot takes the place of the records before it.
struct SimulatedDisk {
    /// A shard's state after so many facts.
    struct Snapshot {
        let sequence: UInt64
        var bytes: [UInt8]
        let check: UInt64
    }

    /// What a crash left of the batch under way.
    enum Remains: Equatable { case nothing, torn, whole }

    /// Why a shard must not start from this disk.
    struct Damage: Error, Equatable { let offset: Int }

    private static let headBytes = 32
    private static let chainStart: UInt64 = 0xcbf2_9ce4_8422_2325

    private(set) var snapshot: Snapshot?
    private(set) var bytes: [UInt8] = []
    /// The chain where the records begin.
    private var firstChain = SimulatedDisk.chainStart
    private var pending: [UInt8]?
    /// Of a batch that was refused.
    private var remains: [UInt8]?
    private var chain = SimulatedDisk.chainStart
    private var pendingChain = SimulatedDisk.chainStart
    /// Where the last record begins, and the chain before it.
    private var last: (offset: Int, chain: UInt64) = (0, SimulatedDisk.chainStart)
    private var flipped: (offset: Int, mask: UInt8, isInSnapshot: Bool)?
    /// Batches are refused, for now.
    var isFull = false
    /// Batches are refused for good, as by a journal that another owner has.
    var isClosed = false
    /// Batches are taken from the shard that has begun to own it.
    private var isOwned = false

    /// Put back, and nothing was written since.
    var isCopy = false

    var isDamaged: Bool { self.flipped != nil }

    // MARK: Writing

    /// A shard that starts begins to own the disk; false when that can't be written. Nothing is appended before it is, now or
    /// by `writeOver`.
    mutating func own() -> Bool {
        self.isOwned = !self.isFull
        if self.isOwned { self.remains = nil }
        return self.isOwned
    }

    mutating func begin(first: UInt64, count: UInt32, _ facts: [UInt8]) {
        precondition(self.pending == nil, "two batches are under way")
        precondition(self.isOwned, "a batch is appended by a shard that could not begin to own its disk")
        self.remains = nil
        self.pendingChain = Self.hash(facts, from: self.chain)
        var record: [UInt8] = []
        record.reserveCapacity(Self.headBytes + facts.count)
        Self.append(UInt64(facts.count) | UInt64(count) << 32, to: &record)
        Self.append(first, to: &record)
        Self.append(self.pendingChain, to: &record)
        Self.append(Self.hash(record, from: self.chain), to: &record)
        self.pending = record + facts
    }

    /// The batch under way is durable.
    mutating func sync() {
        guard let pending = self.pending.take() else { preconditionFailure("no batch is under way") }
        self.keep(pending)
        self.isCopy = false
    }

    /// What is durable.
    var copied: SimulatedDisk {
        var copy = self
        copy.pending = nil
        copy.remains = nil
        copy.isFull = false
        copy.isClosed = false
        copy.isOwned = false
        return copy
    }

    private mutating func keep(_ record: [UInt8]) {
        self.last = (self.bytes.count, self.chain)
        self.bytes += record
        self.chain = self.pendingChain
    }

    /// Loses the newest record although it was synced: what no disk may do. See `Mutant.diskLies`.
    mutating func loseLast() {
        self.pending = nil
        self.remains = nil
        self.bytes.removeLast(self.bytes.count - self.last.offset)
        self.chain = self.last.chain
    }

    /// The batch under way could not be kept. Its bytes may be there all the same, as when only the sync has failed: then a
    /// crash may find them, until the disk is written again.
    mutating func refuse(_ random: inout SeededRandom) {
        self.remains = random.once(in: 3) ? self.pending : nil
        self.pending = nil
    }

    /// The shard begins to own the disk anew, and writes over what a refused batch has left.
    mutating func writeOver() {
        self.remains = nil
        self.isOwned = true
    }

    /// The shard has died.
    mutating func crash(_ random: inout SeededRandom) -> Remains {
        self.isOwned = false
        if let remains = self.remains.take(), random.once(in: 2) {
            self.keep(remains)
            return .whole
        }
        guard let pending = self.pending.take() else { return .nothing }
        switch random.below(3) {
        case 0: return .nothing
        case 1:
            self.keep(pending)
            return .whole
        default:
            // Mostly within the facts, where some are whole: half a batch is the interesting half.
            let kept =
                random.once(in: 4)
                ? random.below(Self.headBytes) : random.within(Self.headBytes...pending.count - 1)
            self.bytes += pending[..<kept]
            return .torn
        }
    }

    /// A snapshot of everything that is durable now; the records before it go. Either both happen or neither.
    mutating func compact(_ bytes: [UInt8], sequence: UInt64) {
        self.snapshot = Snapshot(sequence: sequence, bytes: bytes, check: Self.hash(bytes, from: Self.chainStart))
        self.bytes = []
        self.firstChain = self.chain
        self.last = (0, self.chain)
    }

    /// One bit of what is durable changes.
    mutating func flip(_ random: inout SeededRandom) {
        guard self.flipped == nil else { return }
        let isInSnapshot = self.snapshot != nil && (self.bytes.isEmpty || random.once(in: 3))
        let count = isInSnapshot ? self.snapshot!.bytes.count : self.bytes.count
        guard count > 0 else { return }
        self.flipped = (random.below(count), UInt8(1) << UInt8(random.below(8)), isInSnapshot)
        self.turnFlipped()
    }

    /// The operator puts the copy back that every operator has.
    mutating func repair() {
        guard self.flipped != nil else { return }
        self.turnFlipped()
        self.flipped = nil
    }

    private mutating func turnFlipped() {
        guard let (offset, mask, isInSnapshot) = self.flipped else { return }
        if isInSnapshot { self.snapshot!.bytes[offset] ^= mask } else { self.bytes[offset] ^= mask }
    }

    // MARK: Reading

    /// Gives each batch after the snapshot, and forgets a record that a crash cut short. `takesTorn` takes what there is of that, and
    /// `skipsDamage` leaves out what is damaged: see `Mutant`.
    mutating func replay(
        takesTorn: Bool = false,
        skipsDamage: Bool = false,
        _ body: (_ count: Int, _ facts: ArraySlice<UInt8>) -> Void
    ) -> Damage? {
        if let snapshot, Self.hash(snapshot.bytes, from: Self.chainStart) != snapshot.check { return Damage(offset: 0) }
        var offset = 0
        var chain = self.firstChain
        while offset < self.bytes.count {
            let head = offset + Self.headBytes
            guard head <= self.bytes.count else { break }
            let sizes = self.number(at: offset)
            let facts = head + Int(sizes & 0xFFFF_FFFF)
            let isHeadGood = Self.hash(self.bytes[offset..<head - 8], from: chain) == self.number(at: head - 8)
            guard isHeadGood else { return Damage(offset: offset) }
            guard facts <= self.bytes.count else {
                if takesTorn { body(Int(sizes >> 32), self.bytes[head...]) }
                break
            }
            let check = self.number(at: offset + 16)
            let isGood = Self.hash(self.bytes[head..<facts], from: chain) == check
            guard isGood || skipsDamage else { return Damage(offset: offset) }
            if isGood { body(Int(sizes >> 32), self.bytes[head..<facts]) }
            chain = check
            offset = facts
        }
        self.bytes.removeLast(self.bytes.count - offset)
        self.chain = chain
        return nil
    }

    // MARK: Bytes

    private static func hash(_ bytes: some Sequence<UInt8>, from start: UInt64) -> UInt64 {
        var hash = start
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift: UInt64 in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private func number(at offset: Int) -> UInt64 {
        self.bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
