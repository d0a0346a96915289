/// Seats of one concert that a user pays for, or cancels, together: what has to be known of it to move the points once and to
/// give its answer again.
public struct SeatOrder<ID: SeatOrderID>: Equatable, Sendable {
    public let id: ID
    public let concert: ConcertID
    public let user: UserID
    public let reservations: [ReservationID]
    public let amount: Won
    /// When it began.
    public let at: Timestamp
    /// Of a payment.
    private let usedUp: Place?
}

/// The number of a payment or a cancellation: says which way its points go.
public protocol SeatOrderID: Identifier {
    static var direction: Transfer.Direction { get }
}

extension PaymentID: SeatOrderID {
    public static var direction: Transfer.Direction { .debit }
}

extension CancellationID: SeatOrderID {
    public static var direction: Transfer.Direction { .credit }
}

/// A payment that has begun: its reservations and price.
public typealias PaymentOrder = SeatOrder<PaymentID>
/// A cancellation that has begun: its reservations and refund.
public typealias CancellationOrder = SeatOrder<CancellationID>

extension SeatOrder where ID == PaymentID {
    public init(
        id: PaymentID,
        concert: ConcertID,
        user: UserID,
        place: Place,
        reservations: [ReservationID],
        amount: Won,
        at: Timestamp
    ) {
        self.id = id
        self.concert = concert
        self.user = user
        self.reservations = reservations
        self.amount = amount
        self.at = at
        self.usedUp = place
    }

    /// The place in line, which a payment uses up.
    public var place: Place {
        guard let place = self.usedUp else { preconditionFailure("payment \(self.id) is of no place") }
        return place
    }
}

extension SeatOrder where ID == CancellationID {
    public init(
        id: CancellationID,
        concert: ConcertID,
        user: UserID,
        reservations: [ReservationID],
        amount: Won,
        at: Timestamp
    ) {
        self.id = id
        self.concert = concert
        self.user = user
        self.reservations = reservations
        self.amount = amount
        self.at = at
        self.usedUp = nil
    }
}
