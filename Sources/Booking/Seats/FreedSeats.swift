import DequeModule

/// Recently freed seats and their last users: a user can't renew a hold forever by releasing a seat and holding it
/// again before others can.
///
///     held ──released, lapsed, cancelled──▶ freed ──held again──▶ by the same user: until the old deadline, or not at all
///                                             │                   by another: as any free seat
///                                             └──`pause` later──▶ forgotten: others had their chance
///
/// So one user keeps a seat for the length of one hold, however often it is released in between; then it is free to
/// others for `pause`. At most one entry a seat, and only of seats freed within `pause` of the last one. Follows from
/// the facts alone.
struct FreedSeats {
    struct Seat: Hashable {
        /// The schedule's position in the concert.
        let position: UInt32
        let number: UInt32
    }

    struct Freed: Equatable {
        let user: UserID
        /// The deadline of the ended hold.
        let until: Timestamp
        let at: Timestamp
    }

    private struct Entry {
        let freed: Freed
        let number: UInt64
    }

    private struct Aged {
        let seat: Seat
        let at: Timestamp
        let number: UInt64
    }

    /// How long a seat is reserved for others before its last user may start a new hold. Pages refresh the seats each
    /// second, and a person needs a few seconds to choose.
    static let pause = Nanoseconds.seconds(10)

    private var table = SteadyTable<Seat, Entry>()
    /// Oldest first; may contain outdated entries, which are skipped.
    private var aged = Deque<Aged>()
    private var count: UInt64 = 0

    subscript(seat: Seat) -> Freed? { self.table[seat]?.freed }

    /// A seat became free. Amortised O(1).
    mutating func insert(_ seat: Seat, _ freed: Freed) {
        while let oldest = self.aged.first, oldest.at + Self.pause <= freed.at {
            self.aged.removeFirst()
            if self.table[oldest.seat]?.number == oldest.number { self.table.removeValue(forKey: oldest.seat) }
        }
        self.count += 1
        self.table.updateValue(Entry(freed: freed, number: self.count), forKey: seat)
        self.aged.append(Aged(seat: seat, at: freed.at, number: self.count))
        // Seats that are held and released repeatedly leave entries behind.
        if self.aged.count > 64, self.aged.count > self.table.count * 2 {
            self.aged = self.aged.filter { self.table[$0.seat]?.number == $0.number }
        }
    }

    /// A seat is held again.
    mutating func remove(_ seat: Seat) {
        if !self.table.isEmpty { self.table.removeValue(forKey: seat) }
    }

    /// Oldest first.
    func forEach(_ body: (Seat, Freed) -> Void) {
        for each in self.aged {
            guard let entry = self.table[each.seat], entry.number == each.number else { continue }
            body(each.seat, entry.freed)
        }
    }
}
