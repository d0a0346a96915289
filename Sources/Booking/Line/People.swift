/// Everyone in one line, by place, and the number of people waiting ahead of any place.
///
///     chunk 0          chunk 1          chunk 2           4,096 places each; freed when all in it are gone
///     ┌──────────────┐                 ┌──────────────┐
///     │ 64 words     │    (freed)      │ 64 words     │   one bit a place: waiting; another: admitted
///     │ word counts  │                 │ word counts  │   Fenwick tree over the waiting in each word
///     │ 4,096 rows   │                 │ 4,096 rows   │   32 bytes each
///     └──────────────┘                 └──────────────┘
///       chunkCounts: Fenwick tree over the waiting in each chunk
///
/// Rows are linked into lists by the low 32 bits of a place; places that are present lie within 2^32 of each other, so
/// the low bits and `nextPlace` give the whole. 32.3 bytes a place while its chunk lives, 12 bytes a freed chunk.
///
/// The only file of the line that touches rows in memory: pointers stay within it, chunks are freed by `deinit`.
/// Fenwick, "A new data structure for cumulative frequency tables", 1994.
struct People: ~Copyable {
    /// One person, 32 bytes: half a cache line.
    struct Row {
        var user: UserID
        var joinedAt: Timestamp
        /// Last request while waiting; admission, once admitted.
        var since: Timestamp
        /// Low bits of the neighbours' places in their list; the person's own at its ends.
        var previous: UInt32
        var next: UInt32
    }

    /// The ends of a list of places, first to last; 0 where it is empty.
    struct List {
        var first: UInt64 = 0
        var last: UInt64 = 0
    }

    /// The row of a present person. Valid until the next person is removed.
    struct Spot {
        let place: UInt64
        fileprivate let chunk: Chunk
        fileprivate let chunkIndex: Int
        @inline(__always)
        fileprivate var slot: Int { Int(self.place & Chunk.slotMask) }
        @inline(__always)
        var isWaiting: Bool { self.chunk.waiting[self.slot >> 6] >> UInt64(self.slot & 63) & 1 == 1 }
        @inline(__always)
        var isAdmitted: Bool { self.chunk.admitted[self.slot >> 6] >> UInt64(self.slot & 63) & 1 == 1 }
        @inline(__always)
        var row: Row { self.chunk.rows[self.slot] }
    }

    /// The distance between the first present place and the next place, at most.
    static let spanMax: UInt64 = (1 << 32) - UInt64(Chunk.places)

    /// The place of the next person.
    private(set) var nextPlace: UInt64 = 1
    /// Chunks in memory.
    private(set) var chunkCount = 0
    private var chunks: [Chunk?] = []
    private var chunkCounts: [UInt32] = []
    /// The number of the chunk in `chunks[0]`: its places divided by 4,096.
    private var firstChunk: UInt64 = 0
    /// How many of the first `chunks` are freed and not yet cut off.
    private var freedInFront = 0

    init() {}

    deinit { for chunk in self.chunks { chunk?.free() } }

    // MARK: Looking

    /// Nil for a place that was never given or whose person is gone.
    @inline(__always)
    func spot(of place: UInt64) -> Spot? {
        let index = Int(truncatingIfNeeded: place >> Chunk.slotBits &- self.firstChunk)
        guard UInt(bitPattern: index) < UInt(bitPattern: self.chunks.count), let chunk = self.chunks[index] else {
            return nil
        }
        let spot = Spot(place: place, chunk: chunk, chunkIndex: index)
        return spot.isWaiting || spot.isAdmitted ? spot : nil
    }

    /// The spot of a person known to be present.
    @inline(__always)
    func presentSpot(of place: UInt64) -> Spot {
        let index = Int(place >> Chunk.slotBits - self.firstChunk)
        return Spot(place: place, chunk: self.chunks[index]!, chunkIndex: index)
    }

    /// The place whose low bits are `low`, among those that are present.
    @inline(__always)
    func place(low: UInt32) -> UInt64 {
        self.nextPlace - UInt64(UInt32(truncatingIfNeeded: self.nextPlace) &- low)
    }

    /// The user at a place that is present.
    @inline(__always)
    func user(low: UInt32) -> UserID { self.presentSpot(of: self.place(low: low)).row.user }

    /// The number of people waiting before this place. O(log n): a step for each set bit of the chunk's number, and at
    /// most 7 within the chunk.
    @inline(__always)
    func waitingAhead(of spot: Spot) -> UInt64 {
        var count = 0
        var node = spot.chunkIndex
        while node > 0 {
            count += Int(self.chunkCounts[node - 1])
            node &= node - 1
        }
        let word = spot.slot >> 6
        let bitsBefore = (UInt64(1) << UInt64(spot.slot & 63)) &- 1
        count += spot.chunk.waitingCount(beforeWord: word) + (spot.chunk.waiting[word] & bitsBefore).nonzeroBitCount
        return UInt64(count)
    }

    /// The first waiting place from `place` on; `nextPlace` when there is none. Walks word by word.
    func firstWaiting(from place: UInt64) -> UInt64 {
        let chunkNumber = max(place >> Chunk.slotBits, self.firstChunk)
        var slot = chunkNumber << Chunk.slotBits > place ? 0 : Int(place & Chunk.slotMask)
        var index = Int(chunkNumber - self.firstChunk)
        while index < self.chunks.count {
            if let chunk = self.chunks[index], let found = chunk.firstWaiting(fromSlot: slot) {
                return (self.firstChunk + UInt64(index)) << Chunk.slotBits | UInt64(found)
            }
            slot = 0
            index += 1
        }
        return self.nextPlace
    }

    /// Whether the next place would be too far from the first one present.
    var isSpanFull: Bool { self.span >= Self.spanMax }

    /// From the first place of the first live chunk to the next place.
    private var span: UInt64 {
        guard self.chunkCount > 0 else { return 0 }
        return self.nextPlace - (self.firstChunk + UInt64(self.freedInFront)) << Chunk.slotBits
    }

    /// Bytes for chunks and their tables.
    var memoryBytes: Int {
        self.chunkCount * Chunk.bytes + self.chunks.capacity * MemoryLayout<Chunk?>.stride
            + self.chunkCounts.capacity * MemoryLayout<UInt32>.stride
    }

    // MARK: Coming, being admitted, going

    /// Gives `place` to a waiting person; skipped places stay empty for good. Amortised O(1), but for the tree over the
    /// words of the chunk.
    mutating func append(_ row: Row, at place: UInt64) -> Spot {
        precondition(place >= self.nextPlace, "place \(place) was given before")
        let number = place >> Chunk.slotBits
        if self.chunkCount == 0 {
            self.chunks.removeAll(keepingCapacity: true)
            self.chunkCounts.removeAll(keepingCapacity: true)
            self.firstChunk = number
            self.freedInFront = 0
        }
        let index = Int(number - self.firstChunk)
        while self.chunks.count <= index {
            self.chunks.append(nil)
            self.appendCount(0)
        }
        let chunk: Chunk
        if let present = self.chunks[index] {
            chunk = present
        } else {
            chunk = Chunk.allocate()
            self.chunks[index] = chunk
            self.chunkCount += 1
            self.freedInFront = min(self.freedInFront, index)
        }
        let spot = Spot(place: place, chunk: chunk, chunkIndex: index)
        chunk.rows.advanced(by: spot.slot).initialize(to: row)
        chunk.header.pointee.present += 1
        self.setWaiting(spot)
        self.nextPlace = place + 1
        return spot
    }

    /// From waiting to admitted.
    mutating func admit(_ spot: Spot, at now: Timestamp) {
        self.clearWaiting(spot)
        spot.chunk.admitted[spot.slot >> 6] |= 1 << UInt64(spot.slot & 63)
        spot.chunk.rows[spot.slot].since = now
    }

    /// Removes a person; frees the chunk when it is empty and all its places have been given.
    mutating func remove(_ spot: Spot) {
        if spot.isWaiting {
            self.clearWaiting(spot)
        } else {
            spot.chunk.admitted[spot.slot >> 6] &= ~(1 << UInt64(spot.slot & 63))
        }
        spot.chunk.header.pointee.present -= 1
        let number = self.firstChunk + UInt64(spot.chunkIndex)
        guard spot.chunk.header.pointee.present == 0, self.nextPlace >> Chunk.slotBits > number else { return }
        self.freeChunk(spot.chunkIndex)
    }

    /// Advances the counter to `place` over places of people who are gone: for a line that is restored.
    mutating func skip(to place: UInt64) {
        precondition(place >= self.nextPlace, "the next place never goes back")
        self.nextPlace = place
        precondition(self.span <= Self.spanMax, "a person from more than 2^32 places ago is still present")
    }

    // MARK: Lists

    /// Appends a person who is in no list to this one.
    @inline(__always)
    func append(_ spot: Spot, to list: inout List) {
        let low = UInt32(truncatingIfNeeded: spot.place)
        let row = spot.chunk.rows.advanced(by: spot.slot)
        if list.last == 0 {
            list.first = spot.place
            row.pointee.previous = low
        } else {
            let last = self.presentSpot(of: list.last)
            last.chunk.rows[last.slot].next = low
            row.pointee.previous = UInt32(truncatingIfNeeded: list.last)
        }
        row.pointee.next = low
        list.last = spot.place
    }

    @inline(__always)
    func unlink(_ spot: Spot, from list: inout List) {
        let row = spot.row
        let isFirst = list.first == spot.place
        let isLast = list.last == spot.place
        let next = self.presentSpot(of: self.place(low: row.next))
        let previous = self.presentSpot(of: self.place(low: row.previous))
        if isFirst {
            list.first = isLast ? 0 : next.place
            next.chunk.rows[next.slot].previous = row.next
        } else {
            previous.chunk.rows[previous.slot].next = isLast ? row.previous : row.next
        }
        if isLast {
            list.last = isFirst ? 0 : previous.place
        } else if !isFirst {
            next.chunk.rows[next.slot].previous = row.previous
        }
    }

    func setSince(_ spot: Spot, _ moment: Timestamp) { spot.chunk.rows[spot.slot].since = moment }

    // MARK: Counting

    private mutating func setWaiting(_ spot: Spot) {
        spot.chunk.waiting[spot.slot >> 6] |= 1 << UInt64(spot.slot & 63)
        spot.chunk.addWaiting(1, word: spot.slot >> 6)
        self.addWaiting(1, chunkIndex: spot.chunkIndex)
    }

    private mutating func clearWaiting(_ spot: Spot) {
        spot.chunk.waiting[spot.slot >> 6] &= ~(1 << UInt64(spot.slot & 63))
        spot.chunk.addWaiting(-1, word: spot.slot >> 6)
        self.addWaiting(-1, chunkIndex: spot.chunkIndex)
    }

    @inline(__always)
    private mutating func addWaiting(_ delta: Int32, chunkIndex: Int) {
        var node = chunkIndex + 1
        while node <= self.chunkCounts.count {
            self.chunkCounts[node - 1] &+= UInt32(bitPattern: delta)
            node += node & -node
        }
    }

    // MARK: Chunks

    /// Cuts the freed chunks off the front when they are half of all: each live chunk then moves at most once per cut,
    /// so this is amortised O(1) a chunk.
    private mutating func freeChunk(_ index: Int) {
        self.chunks[index]!.free()
        self.chunks[index] = nil
        self.chunkCount -= 1
        while self.freedInFront < self.chunks.count, self.chunks[self.freedInFront] == nil { self.freedInFront += 1 }
        guard self.freedInFront >= 16, self.freedInFront * 2 >= self.chunks.count else { return }
        self.chunks.removeFirst(self.freedInFront)
        self.firstChunk += UInt64(self.freedInFront)
        self.freedInFront = 0
        self.recountChunks()
    }

    private mutating func recountChunks() {
        self.chunkCounts.removeAll(keepingCapacity: true)
        for chunk in self.chunks {
            self.appendCount(UInt32(chunk?.waitingCount(beforeWord: Chunk.words) ?? 0))
        }
    }

    /// Adds a chunk with `own` people waiting to the tree: its node sums up the nodes below it.
    private mutating func appendCount(_ own: UInt32) {
        let node = self.chunkCounts.count + 1
        let end = node & (node - 1)
        var count = own
        var child = node - 1
        while child > end {
            count += self.chunkCounts[child - 1]
            child &= child - 1
        }
        self.chunkCounts.append(count)
    }

    // MARK: Walking and checking

    /// Everyone present, in the order of places.
    func forEachPresent<Failure: Error>(_ body: (Spot) throws(Failure) -> Void) throws(Failure) {
        for (index, chunk) in self.chunks.enumerated() {
            guard let chunk else { continue }
            let base = (self.firstChunk + UInt64(index)) << Chunk.slotBits
            for word in 0..<Chunk.words {
                var bits = chunk.waiting[word] | chunk.admitted[word]
                while bits != 0 {
                    let place = base | UInt64(word << 6 | bits.trailingZeroBitCount)
                    bits &= bits - 1
                    try body(Spot(place: place, chunk: chunk, chunkIndex: index))
                }
            }
        }
    }

    /// The first violation in bits and counts, in words; nil when there is none.
    func firstViolation() -> String? {
        var waiting: UInt64 = 0
        for (index, chunk) in self.chunks.enumerated() {
            let number = self.firstChunk + UInt64(index)
            let firstPlace = number << Chunk.slotBits
            guard let chunk else { continue }
            if index < self.freedInFront { return "chunk \(number) lives among those freed in front" }
            let edge = Spot(place: firstPlace, chunk: chunk, chunkIndex: index)
            if self.waitingAhead(of: edge) != waiting { return "people waiting before chunk \(number) are miscounted" }
            var present: UInt64 = 0
            var inChunk = 0
            for word in 0..<Chunk.words {
                if chunk.waitingCount(beforeWord: word) != inChunk {
                    return "people waiting before word \(word) of chunk \(number) are miscounted"
                }
                if chunk.waiting[word] & chunk.admitted[word] != 0 {
                    return "someone in word \(word) of chunk \(number) both waits and is admitted"
                }
                let bits = chunk.waiting[word] | chunk.admitted[word]
                let end = firstPlace + UInt64(word << 6 + 64 - bits.leadingZeroBitCount)
                if bits != 0, end > self.nextPlace { return "a place not yet given is taken: \(end - 1)" }
                inChunk += chunk.waiting[word].nonzeroBitCount
                present += UInt64(bits.nonzeroBitCount)
            }
            if present != chunk.header.pointee.present { return "people in chunk \(number) are miscounted" }
            if present == 0, self.nextPlace >> Chunk.slotBits > number { return "chunk \(number) is empty and kept" }
            waiting += UInt64(inChunk)
        }
        let living = self.chunks.count { $0 != nil }
        return living == self.chunkCount ? nil : "\(living) chunks live and \(self.chunkCount) are counted"
    }
}

/// The memory of 4,096 neighbouring places: header, bits, counts, rows, in one piece.
///
/// Rows are uninitialised until their place is given, so an almost empty chunk costs only the pages that it touches.
private struct Chunk {
    struct Header: BitwiseCopyable {
        var present: UInt64 = 0
    }

    static let slotBits: UInt64 = 12
    static let places = 1 << 12
    static let slotMask: UInt64 = 1 << 12 - 1
    static let words = 64
    private static let waitingOffset = 64
    private static let admittedOffset = waitingOffset + words * 8
    private static let countsOffset = admittedOffset + words * 8
    private static let rowsOffset = countsOffset + words * 2
    static let bytes = rowsOffset + places * MemoryLayout<People.Row>.stride

    private let base: UnsafeMutableRawPointer

    static func allocate() -> Chunk {
        let base = UnsafeMutableRawPointer.allocate(byteCount: self.bytes, alignment: 64)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: self.rowsOffset)
        return Chunk(base: base)
    }

    func free() { self.base.deallocate() }

    var header: UnsafeMutablePointer<Header> { self.base.assumingMemoryBound(to: Header.self) }
    var waiting: UnsafeMutablePointer<UInt64> { (self.base + Self.waitingOffset).assumingMemoryBound(to: UInt64.self) }
    var admitted: UnsafeMutablePointer<UInt64> {
        (self.base + Self.admittedOffset).assumingMemoryBound(to: UInt64.self)
    }
    var rows: UnsafeMutablePointer<People.Row> {
        (self.base + Self.rowsOffset).assumingMemoryBound(to: People.Row.self)
    }
    private var counts: UnsafeMutablePointer<UInt16> {
        (self.base + Self.countsOffset).assumingMemoryBound(to: UInt16.self)
    }

    @inline(__always)
    func waitingCount(beforeWord word: Int) -> Int {
        var count = 0
        var node = word
        while node > 0 {
            count += Int(self.counts[node - 1])
            node &= node - 1
        }
        return count
    }

    @inline(__always)
    func addWaiting(_ delta: Int16, word: Int) {
        var node = word + 1
        while node <= Self.words {
            self.counts[node - 1] &+= UInt16(bitPattern: delta)
            node += node & -node
        }
    }

    func firstWaiting(fromSlot slot: Int) -> Int? {
        var word = slot >> 6
        var bits = self.waiting[word] & (~0 << UInt64(slot & 63))
        while bits == 0 {
            word += 1
            guard word < Self.words else { return nil }
            bits = self.waiting[word]
        }
        return word << 6 | bits.trailingZeroBitCount
    }
}
