/// The place of each user in one line: an extendible hash table that grows a segment at a time.
///
///     fingerprint: │ segment: top `depth` bits │ ... │ home slot: 10 bits │ 1 │
///
///     directory ──▶ segment: 1,024 entries of fingerprint (32 bits) and low bits of the place (32); 0 is free
///
/// A segment that is 80 % full is split in two by the next bit of its fingerprints; two that are nearly empty are
/// merged. So no join moves more than 819 entries: 10 to 20 µs, most of it the kernel's first touch of 16 KiB, where
/// one table for 10 million people would block for 0.1 s. Doubling the directory copies 8 bytes a segment, 128 KiB at
/// 10 million people; it never shrinks. Users themselves are in their rows: an entry costs 10 to 20 bytes a person, 14
/// on average over growth.
///
/// Fagin et al., "Extendible hashing", 1979. Pointers stay within this file, segments are freed by `deinit`.
struct UserTable: ~Copyable {
    /// People in one table, at most: the directory's bits and the slots' do not overlap; segments are half full.
    static let countMax = 1 << 30
    private static let depthMax = 21

    private(set) var count = 0
    private(set) var segmentCount = 1
    private var directory: [Segment] = [Segment.allocate(depth: 0)]
    private var depth = 0
    private let mask: UInt64
    private let factor: UInt64

    /// `seed` is secret: a client that knew it could pick user ids that fall into one segment.
    init(seed: UInt64) {
        self.mask = Self.mix(seed)
        self.factor = Self.mix(~seed) | 1
    }

    deinit { self.forEachSegment { $0.free() } }

    var memoryBytes: Int {
        self.segmentCount * Segment.bytes + self.directory.capacity * MemoryLayout<Segment>.stride
    }

    func place(of user: UserID, in people: borrowing People) -> UInt64? {
        let fingerprint = self.fingerprint(of: user)
        let segment = self.directory[self.directoryIndex(fingerprint)]
        var slot = Segment.home(fingerprint)
        while true {
            let entry = segment.entries[slot]
            if entry == 0 { return nil }
            if entry >> 32 == fingerprint >> 32 {
                let low = UInt32(truncatingIfNeeded: entry)
                if people.user(low: low) == user { return people.place(low: low) }
            }
            slot = (slot + 1) & Segment.slotMask
        }
    }

    /// `user` has no place yet in this table; `people` already has them at `place`.
    mutating func insert(_ user: UserID, at place: UInt64, in people: borrowing People) {
        let fingerprint = self.fingerprint(of: user)
        var segment = self.directory[self.directoryIndex(fingerprint)]
        while segment.header.pointee.count >= Segment.countMax {
            self.split(segment, fingerprint)
            segment = self.directory[self.directoryIndex(fingerprint)]
        }
        var slot = Segment.home(fingerprint)
        while segment.entries[slot] != 0 {
            let entry = segment.entries[slot]
            precondition(
                entry >> 32 != fingerprint >> 32 || people.user(low: UInt32(truncatingIfNeeded: entry)) != user,
                "user \(user) has a place in this line already"
            )
            slot = (slot + 1) & Segment.slotMask
        }
        segment.entries[slot] = fingerprint | place & 0xFFFF_FFFF
        segment.header.pointee.count += 1
        self.count += 1
    }

    mutating func remove(_ user: UserID, at place: UInt64) {
        let fingerprint = self.fingerprint(of: user)
        let segment = self.directory[self.directoryIndex(fingerprint)]
        segment.remove(fingerprint | place & 0xFFFF_FFFF)
        self.count -= 1
        while self.mergeIfSparse(fingerprint) {}
    }

    /// The first violation, in words; nil when there is none.
    func firstViolation() -> String? {
        var count = 0
        var segments = 0
        var violation: String?
        self.forEachSegment { segment in
            segments += 1
            count += segment.header.pointee.count
            violation = violation ?? self.violation(of: segment)
        }
        if let violation { return violation }
        if count != self.count { return "\(count) users have a place and \(self.count) are counted" }
        return segments == self.segmentCount ? nil : "\(segments) segments live and \(self.segmentCount) are counted"
    }

    /// Each entry is in its own segment, and no slot is free between its home and it.
    private func violation(of segment: Segment) -> String? {
        var count = 0
        var slot = 0
        while slot < Segment.slots {
            let entry = segment.entries[slot]
            if entry != 0 {
                count += 1
                let low = UInt32(truncatingIfNeeded: entry)
                if self.directory[self.directoryIndex(entry)].header != segment.header {
                    return "the user at place \(low) is in a foreign segment"
                }
                var probe = Segment.home(entry)
                while probe != slot, segment.entries[probe] != 0 { probe = (probe + 1) & Segment.slotMask }
                if probe != slot { return "the user at place \(low) cannot be found" }
            }
            slot += 1
        }
        return count == segment.header.pointee.count ? nil : "the users of a segment are miscounted"
    }

    // MARK: Segments

    private mutating func split(_ segment: Segment, _ fingerprint: UInt64) {
        let segmentDepth = segment.header.pointee.depth
        precondition(segmentDepth < Self.depthMax, "too many users share a fingerprint")
        if segmentDepth == self.depth {
            var doubled: [Segment] = []
            doubled.reserveCapacity(self.directory.count * 2)
            for segment in self.directory {
                doubled.append(segment)
                doubled.append(segment)
            }
            self.directory = doubled
            self.depth += 1
        }
        let low = Segment.allocate(depth: segmentDepth + 1)
        let high = Segment.allocate(depth: segmentDepth + 1)
        for slot in 0..<Segment.slots where segment.entries[slot] != 0 {
            let entry = segment.entries[slot]
            let isLow = (entry << UInt64(segmentDepth)) >> 63 == 0
            (isLow ? low : high).insert(entry)
        }
        let range = self.directoryRange(fingerprint, depth: segmentDepth)
        let middle = range.lowerBound + range.count / 2
        for index in range { self.directory[index] = index < middle ? low : high }
        segment.free()
        self.segmentCount += 1
    }

    /// Merges two neighbours that are each an eighth full or less. The directory keeps its length.
    private mutating func mergeIfSparse(_ fingerprint: UInt64) -> Bool {
        let segment = self.directory[self.directoryIndex(fingerprint)]
        let segmentDepth = segment.header.pointee.depth
        guard segment.header.pointee.count <= Segment.sparse, segmentDepth > 0 else { return false }
        let neighbourBits = fingerprint ^ 1 << UInt64(64 - segmentDepth)
        let neighbour = self.directory[self.directoryIndex(neighbourBits)]
        guard neighbour.header.pointee.depth == segmentDepth, neighbour.header.pointee.count <= Segment.sparse else {
            return false
        }
        for slot in 0..<Segment.slots where neighbour.entries[slot] != 0 { segment.insert(neighbour.entries[slot]) }
        segment.header.pointee.depth = segmentDepth - 1
        for index in self.directoryRange(fingerprint, depth: segmentDepth - 1) { self.directory[index] = segment }
        neighbour.free()
        self.segmentCount -= 1
        return true
    }

    private func forEachSegment(_ body: (Segment) -> Void) {
        var index = 0
        while index < self.directory.count {
            let segment = self.directory[index]
            index += 1 << (self.depth - segment.header.pointee.depth)
            body(segment)
        }
    }

    /// The range of directory entries whose top `depth` bits are those of `fingerprint`.
    private func directoryRange(_ fingerprint: UInt64, depth: Int) -> Range<Int> {
        let length = 1 << (self.depth - depth)
        let start = self.directoryIndex(fingerprint) & ~(length - 1)
        return start..<start + length
    }

    @inline(__always)
    private func directoryIndex(_ fingerprint: UInt64) -> Int {
        Int(truncatingIfNeeded: (fingerprint >> 1) >> UInt64(63 - self.depth))
    }

    // MARK: Fingerprints

    /// In the high 32 bits; never 0, as its lowest bit is set, so that no entry looks free.
    @inline(__always)
    private func fingerprint(of user: UserID) -> UInt64 {
        let folded = (user.rawValue ^ self.mask).foldedProduct(self.factor)
        let mixed = (folded ^ folded >> 32) &* 0x9E37_79B9_7F4A_7C15
        return mixed & 0xFFFF_FFFE_0000_0000 | 1 << 32
    }

    /// SplitMix64's output function (Steele et al., 2014).
    private static func mix(_ seed: UInt64) -> UInt64 {
        var bits = seed &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}

/// 1,024 slots, open addressing by linear probing; removal shifts the following entries back, so there are no
/// tombstones.
private struct Segment {
    struct Header: BitwiseCopyable {
        var count: Int
        /// How many leading bits of the fingerprint all entries share.
        var depth: Int
    }

    static let slots = 1_024
    static let slotMask = slots - 1
    /// 80 %: the search for an absent user then takes 13 slots of 8 bytes.
    static let countMax = slots * 4 / 5
    static let sparse = slots / 8
    static let bytes = MemoryLayout<Header>.stride + slots * 8

    let header: UnsafeMutablePointer<Header>
    var entries: UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(self.header + 1).assumingMemoryBound(to: UInt64.self)
    }

    static func allocate(depth: Int) -> Segment {
        let base = UnsafeMutableRawPointer.allocate(byteCount: self.bytes, alignment: 16)
        let header = base.initializeMemory(as: Header.self, repeating: Header(count: 0, depth: depth), count: 1)
        (base + MemoryLayout<Header>.stride).initializeMemory(as: UInt64.self, repeating: 0, count: self.slots)
        return Segment(header: header)
    }

    func free() { self.header.deallocate() }

    @inline(__always)
    static func home(_ entry: UInt64) -> Int { Int(truncatingIfNeeded: entry >> 33) & self.slotMask }

    func insert(_ entry: UInt64) {
        var slot = Self.home(entry)
        while self.entries[slot] != 0 { slot = (slot + 1) & Self.slotMask }
        self.entries[slot] = entry
        self.header.pointee.count += 1
    }

    /// Knuth, "The Art of Computer Programming" volume 3, section 6.4, algorithm R.
    func remove(_ entry: UInt64) {
        var hole = Self.home(entry)
        while self.entries[hole] != entry {
            precondition(self.entries[hole] != 0, "a removed user has no place")
            hole = (hole + 1) & Self.slotMask
        }
        var slot = hole
        while true {
            slot = (slot + 1) & Self.slotMask
            let candidate = self.entries[slot]
            if candidate == 0 { break }
            let fromHome = (slot - Self.home(candidate)) & Self.slotMask
            guard fromHome >= (slot - hole) & Self.slotMask else { continue }
            self.entries[hole] = candidate
            hole = slot
        }
        self.entries[hole] = 0
        self.header.pointee.count -= 1
    }
}
