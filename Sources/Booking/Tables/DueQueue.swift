import HeapModule

/// Identifiers that fall due, each at a moment of its own: the earliest first, of two at once the lower one.
///
///     insert ──▶ due, or stale: over before its time ──its time comes, or most are stale──▶ gone
///
/// Whoever owns it knows which are stale and says how many (`noteStale`): they are skipped when they come up, and swept out
/// when they are more than half, so that what is begun and ended again and again leaves nothing behind. Amortised O(log n).
struct DueQueue<ID: Identifier> {
    private struct Entry: Comparable {
        let at: Timestamp
        let id: ID
        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.id) < (right.at, right.id) }
    }

    private var heap = Heap<Entry>()
    private var staleCount = 0
    /// When the first falls due, which may be stale; `distantFuture` when there is none. Asked at every request.
    private(set) var firstAt = Timestamp.distantFuture

    /// So few are not worth a sweep.
    private static var staleCountMin: Int { 64 }

    /// Without those that are stale.
    var count: Int { self.heap.count - self.staleCount }
    /// The earliest, which may be stale.
    var first: ID? { self.heap.min?.id }
    /// In no order; some may be stale.
    var all: [ID] { self.heap.unordered.map(\.id) }

    mutating func insert(_ id: ID, at moment: Timestamp) {
        self.heap.insert(Entry(at: moment, id: id))
        self.firstAt = min(self.firstAt, moment)
    }

    mutating func removeFirst(isStale: Bool) {
        _ = self.heap.popMin()
        if isStale { self.staleCount -= 1 }
        self.firstAt = self.heap.min?.at ?? .distantFuture
    }

    /// One of them is over before its time.
    mutating func noteStale() { self.staleCount += 1 }

    var needsSweep: Bool { self.staleCount > Self.staleCountMin && self.staleCount > self.heap.count / 2 }

    /// Keeps those that are not stale. O(n).
    mutating func sweep(keeping isDue: (ID) -> Bool) {
        self.heap = Heap(self.heap.unordered.filter { isDue($0.id) })
        self.staleCount = 0
        self.firstAt = self.heap.min?.at ?? .distantFuture
    }
}
