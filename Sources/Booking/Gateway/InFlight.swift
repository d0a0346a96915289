/// The requests that a gateway has sent to one shard and that have no answer yet.
///
/// A request's id is its row in the table and the row's generation: an answer to a reused row, or to a request that was
/// never sent, finds nothing. An id repeats only after four billion uses of its row, so it serves as the number of an
/// operation too. Every call is O(1). Rows are never freed, so the table has the size of the largest number in flight
/// so far, at most `countMax`.
struct InFlight {
    private struct Row {
        var age: UInt32 = 0
        var pending: Gateway.Pending?
    }

    private let countMax: Int
    private var rows: [Row] = []
    private var free: [UInt32] = []

    var count: Int { self.rows.count - self.free.count }

    init(countMax: Int) { self.countMax = countMax }

    /// Nil when `countMax` is reached.
    mutating func insert(_ pending: consuming Gateway.Pending) -> UInt64? {
        if let row = self.free.popLast() {
            self.rows[Int(row)].age &+= 1
            self.rows[Int(row)].pending = pending
            return Self.id(row: row, age: self.rows[Int(row)].age)
        }
        guard self.rows.count < self.countMax else { return nil }
        self.rows.append(Row(pending: pending))
        return Self.id(row: UInt32(self.rows.count - 1), age: 0)
    }

    mutating func remove(_ id: UInt64) -> Gateway.Pending? {
        let row = Int(id & 0xFFFF_FFFF)
        guard row < self.rows.count, self.rows[row].age == UInt32(id >> 32) else { return nil }
        guard let pending = self.rows[row].pending.take() else { return nil }
        self.free.append(UInt32(row))
        return pending
    }

    /// Removes and returns the requests that `isOver` selects. O(rows).
    mutating func removeAll(where isOver: (Gateway.Pending) -> Bool) -> [Gateway.Pending] {
        var removed: [Gateway.Pending] = []
        for row in self.rows.indices {
            guard let pending = self.rows[row].pending, isOver(pending) else { continue }
            self.rows[row].pending = nil
            self.free.append(UInt32(row))
            removed.append(pending)
        }
        return removed
    }

    func contains(_ id: UInt64) -> Bool {
        let row = Int(id & 0xFFFF_FFFF)
        return row < self.rows.count && self.rows[row].age == UInt32(id >> 32) && self.rows[row].pending != nil
    }

    /// In no particular order. O(rows).
    func forEach(_ body: (UInt64, Gateway.Pending) -> Void) {
        for (row, entry) in self.rows.enumerated() {
            guard let pending = entry.pending else { continue }
            body(Self.id(row: UInt32(row), age: entry.age), pending)
        }
    }

    private static func id(row: UInt32, age: UInt32) -> UInt64 { UInt64(age) << 32 | UInt64(row) }

    func checkInvariants() {
        precondition(Set(self.free).count == self.free.count, "a row is free twice")
        precondition(self.rows.count <= self.countMax, "more requests are in flight than allowed")
        for (row, entry) in self.rows.enumerated() {
            precondition((entry.pending == nil) == self.free.contains(UInt32(row)), "a row is used and free at once")
        }
    }
}
