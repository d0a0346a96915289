/// Memory for a connection's outgoing bytes, `count` of them from `base` on; `empty` has no memory.
struct OutgoingBlock {
    /// Not an optional block: a connection checks its blocks on every append, and this check is cheaper.
    static var empty: OutgoingBlock { OutgoingBlock(base: nil, capacity: 0) }

    let base: UnsafeMutableRawPointer?
    let capacity: Int
    var count = 0

    var room: Int { self.capacity - self.count }

    /// Appends a copy of `bytes`; they must fit.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        assert(bytes.count <= self.room, "makeRoom comes before append")
        guard let start = bytes.baseAddress, let base else { return }
        (base + self.count).copyMemory(from: start, byteCount: bytes.count)
        self.count += bytes.count
    }

    /// The bytes without the first `taken`.
    func rest(after taken: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base.map { $0 + taken }, count: self.count - taken)
    }
}

/// Spare blocks of a loop.
///
/// A connection holds a block only from its first append in a turn until its bytes are written, so in the steady state
/// all connections of a loop share one warm block, and idle ones hold none.
struct OutgoingBlocks {
    /// Size of the kept blocks, bytes: a full read may be answered by as much without growing.
    static let size = 65_536
    /// Blocks kept, at most, so that a burst of slow readers does not bind memory forever: 4 MiB.
    static let spareCountMax = 64

    private var spare = ContiguousArray<UnsafeMutableRawPointer>()
    /// Bytes that connections hold now: whole blocks, however little is in them.
    private(set) var bytesInUse = 0

    /// A block with room for at least `count` bytes.
    mutating func acquire(atLeast count: Int) -> OutgoingBlock {
        let capacity = max(Self.size, count)
        self.bytesInUse += capacity
        if count <= Self.size, let base = self.spare.popLast() {
            return OutgoingBlock(base: base, capacity: Self.size)
        }
        return OutgoingBlock(base: .allocate(byteCount: capacity, alignment: 64), capacity: capacity)
    }

    /// Takes a block back, and leaves `empty`; larger blocks than usual, and those beyond `spareCountMax`, are freed.
    mutating func release(_ block: inout OutgoingBlock) {
        guard let base = block.base else { return }
        self.bytesInUse -= block.capacity
        if block.capacity == Self.size && self.spare.count < Self.spareCountMax {
            self.spare.append(base)
        } else {
            base.deallocate()
        }
        block = .empty
    }

    mutating func freeAll() {
        for base in self.spare { base.deallocate() }
        self.spare.removeAll()
    }
}
