/// Memory that a connection gathers outgoing bytes in, `count` of them from `base` on; without memory when `empty`.
struct OutgoingBlock {
    /// Not an optional block: a connection looks at its blocks on every append, and this has less to ask.
    static var empty: OutgoingBlock { OutgoingBlock(base: nil, capacity: 0) }

    let base: UnsafeMutableRawPointer?
    let capacity: Int
    var count = 0

    var room: Int { self.capacity - self.count }

    /// Copies `bytes` behind what is there; they must fit.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        assert(bytes.count <= self.room, "makeRoom comes before append")
        guard let start = bytes.baseAddress, let base else { return }
        (base + self.count).copyMemory(from: start, byteCount: bytes.count)
        self.count += bytes.count
    }

    /// The bytes that are left without the first `taken`.
    func rest(after taken: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base.map { $0 + taken }, count: self.count - taken)
    }
}

/// The blocks that no connection of a loop needs just now.
///
/// A connection holds a block only from its first append in a turn until its bytes are written, so in the steady state
/// all connections of a loop share one warm block, and idle ones hold none.
struct OutgoingBlocks {
    /// Size of the blocks that are kept, bytes: a full read may be answered by as much without growing.
    static let size = 65_536
    /// How many are kept, so that a burst of slow readers does not bind memory for ever: 4 MiB.
    static let spareCountMax = 64

    private var spare = ContiguousArray<UnsafeMutableRawPointer>()
    /// What connections hold now, bytes: whole blocks, however little is in them.
    private(set) var bytesInUse = 0

    /// A block with room for at least `count` bytes.
    mutating func take(atLeast count: Int) -> OutgoingBlock {
        let capacity = max(Self.size, count)
        self.bytesInUse += capacity
        if count <= Self.size, let base = self.spare.popLast() {
            return OutgoingBlock(base: base, capacity: Self.size)
        }
        return OutgoingBlock(base: .allocate(byteCount: capacity, alignment: 64), capacity: capacity)
    }

    /// Takes a block back, and leaves `empty`; larger ones than usual, and more than enough, are freed.
    mutating func giveBack(_ block: inout OutgoingBlock) {
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
