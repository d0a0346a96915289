/// The requests that a gateway has sent to one shard and that are not answered yet.
///
/// A request's id is its row in the table and the row's age: an answer to a row that was used again since, or that was
/// never sent, finds nothing. So no id comes twice before a row was used four billion times, which makes it the number of
/// an operation as well. Every operation is O(1); rows are never given back, so the table is as large as the most that
/// were ever in flight at once, which `countMax` bounds.
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

    /// Nil when the bound is reached.
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

    /// Removes and gives those that `isOver` picks. O(rows).
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
