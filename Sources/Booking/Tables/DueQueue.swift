import HeapModule

/// Identifiers with deadlines: the earliest first, of two at the same moment the lower one.
///
///     insert ──▶ due, or stale: ended early ──its time comes, or most are stale──▶ gone
///
/// The owner knows which are stale and counts them (`noteStale`): they are skipped when they come up, and swept out
/// when they are more than half, so that repeated beginning and ending leaves nothing behind. Amortised O(log n).
struct DueQueue<ID: Identifier> {
    private struct Entry: Comparable {
        let at: Timestamp
        let id: ID
        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.id) < (right.at, right.id) }
    }

    private var heap = Heap<Entry>()
    private var staleCount = 0
    /// The earliest deadline, possibly of a stale one; `distantFuture` when there is none. Read at every request.
    private(set) var firstAt = Timestamp.distantFuture

    /// Fewer stale ones are not worth a sweep.
    private static var staleCountMin: Int { 64 }

    /// Without stale ones.
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

    /// One of them ended early.
    mutating func noteStale() { self.staleCount += 1 }

    var needsSweep: Bool { self.staleCount > Self.staleCountMin && self.staleCount > self.heap.count / 2 }

    /// Keeps those that are not stale. O(n).
    mutating func sweep(keeping isDue: (ID) -> Bool) {
        self.heap = Heap(self.heap.unordered.filter { isDue($0.id) })
        self.staleCount = 0
        self.firstAt = self.heap.min?.at ?? .distantFuture
    }
}
