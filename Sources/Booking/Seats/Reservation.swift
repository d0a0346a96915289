/// One seat of one schedule, held or bought by one user.
///
///            held ──pay──▶ paid ──cancel, and the points are back──▶ cancelled
///              └──deadline passes, or released──▶ cancelled
public struct Reservation: Equatable, Sendable {
    public enum Status: UInt8, Sendable, CaseIterable { case held = 0, paid = 1, cancelled = 2 }

    public let id: ReservationID
    public let user: UserID
    public let schedule: ScheduleID
    public let seat: SeatID
    /// Fixed when the seat was held, as `grade` is: a later catalogue does not change the price of a hold.
    public let price: Won
    /// Nil only in a hold that an earlier version recorded without it: the catalogue fills it in when the fact is
    /// applied.
    public var grade: String?
    public let heldAt: Timestamp
    /// When the hold lapses if it isn't paid.
    public let until: Timestamp
    public var status: Status
    /// The payment under way, or the one that bought the seat. Stays when the purchase is cancelled.
    public var payment: PaymentID?

    public init(
        id: ReservationID,
        user: UserID,
        schedule: ScheduleID,
        seat: SeatID,
        price: Won,
        grade: String? = nil,
        heldAt: Timestamp,
        until: Timestamp,
        status: Status = .held,
        payment: PaymentID? = nil
    ) {
        self.id = id
        self.user = user
        self.schedule = schedule
        self.seat = seat
        self.price = price
        self.grade = grade
        self.heldAt = heldAt
        self.until = until
        self.status = status
        self.payment = payment
    }

    /// The same reservation once it is over.
    var cancelled: Reservation {
        var reservation = self
        reservation.status = .cancelled
        return reservation
    }

    /// A payment has begun and is not decided: the hold does not lapse, and can't be released.
    public var isPinned: Bool { self.status == .held && self.payment != nil }
}
