/// The seats of one schedule: free, held or sold, and to whom.
///
///     free ──take──▶ held ──sell──▶ sold
///       ▲─────────free─┘             │
///       └──────────────────take back─┘
struct SeatBoard {
    /// 0 is a free seat; otherwise a reservation's number, with `soldBit` once it is paid. 8 bytes a seat.
    private var cells: [UInt64]
    /// Stored, not counted: it is read far more often than it changes.
    private(set) var heldCount: UInt32 = 0
    private(set) var soldCount: UInt32 = 0

    /// Reservation numbers stay below 2^53.
    private static let soldBit: UInt64 = 1 << 63

    init(seatCount: Int) { self.cells = Array(repeating: 0, count: seatCount) }

    var freeCount: UInt32 { UInt32(self.cells.count) - self.heldCount - self.soldCount }

    func isFree(_ seat: SeatID) -> Bool { self.cells[Int(seat.rawValue) - 1] == 0 }

    /// In the order of seat numbers. O(seats).
    var statuses: [SeatStatus] {
        self.cells.map { $0 == 0 ? .available : $0 & Self.soldBit == 0 ? .held : .sold }
    }

    mutating func hold(_ seat: SeatID, for reservation: ReservationID) {
        precondition(self.isFree(seat), "seat \(seat) is held or sold already")
        self.cells[Int(seat.rawValue) - 1] = reservation.rawValue
        self.heldCount += 1
    }

    mutating func free(_ seat: SeatID, of reservation: ReservationID) {
        precondition(
            self.cells[Int(seat.rawValue) - 1] == reservation.rawValue,
            "seat \(seat) is not held by \(reservation)"
        )
        self.cells[Int(seat.rawValue) - 1] = 0
        self.heldCount -= 1
    }

    mutating func sell(_ seat: SeatID, to reservation: ReservationID) {
        precondition(
            self.cells[Int(seat.rawValue) - 1] == reservation.rawValue,
            "seat \(seat) is not held by \(reservation)"
        )
        self.cells[Int(seat.rawValue) - 1] |= Self.soldBit
        self.heldCount -= 1
        self.soldCount += 1
    }

    mutating func release(_ seat: SeatID, of reservation: ReservationID) {
        precondition(
            self.cells[Int(seat.rawValue) - 1] == reservation.rawValue | Self.soldBit,
            "seat \(seat) is not sold to \(reservation)"
        )
        self.cells[Int(seat.rawValue) - 1] = 0
        self.soldCount -= 1
    }

    /// The reservation on a seat, and whether it is paid; nil for a free seat.
    func occupant(of seat: SeatID) -> (reservation: ReservationID, isSold: Bool)? {
        let cell = self.cells[Int(seat.rawValue) - 1]
        guard cell != 0 else { return nil }
        return (ReservationID(cell & ~Self.soldBit), cell & Self.soldBit != 0)
    }

    func checkInvariants() {
        let held = self.cells.count { $0 != 0 && $0 & Self.soldBit == 0 }
        let sold = self.cells.count { $0 & Self.soldBit != 0 }
        precondition(held == self.heldCount, "a board counts \(self.heldCount) held seats and has \(held)")
        precondition(sold == self.soldCount, "a board counts \(self.soldCount) sold seats and has \(sold)")
    }
}
