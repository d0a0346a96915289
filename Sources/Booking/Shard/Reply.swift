/// A shard's answer.
public enum Reply: Equatable, Sendable {
    case joined(Joined)
    case standing(Standing)
    case left
    /// Free seats of each schedule, in the catalogue's order.
    case schedules([UInt32])
    /// One status per seat, in the order of seat numbers.
    case seats([SeatStatus])
    case reservations([Reservation])
    case paid(Receipt)
    case points(PointsChange)
    case balance(Balance)
    case history([HistoryEntry])
    /// The user's balance after the debit.
    case debited(Won)
    /// The points are back; the reservations are cancelled.
    case cancelled(Receipt)
    /// The user's balance after the credit.
    case credited(Won)
    /// The key is this request's.
    case claimed
    /// For each slot of the asking shard: the highest id that came in a transfer. By slot.
    case transfersSeen([TransferMark])
    case refused(Refusal)
    /// A refusal, and how long it will stand.
    case refusedFor(Refusal, seconds: UInt32)

    /// Why nothing was done; nil if something was.
    public var refusal: Refusal? {
        switch self {
        case .refused(let refusal), .refusedFor(let refusal, _): refusal
        default: nil
        }
    }

    /// The outcome of the request is unknown: a shard gave no answer in time, or its journal refused the batch, which a
    /// restart may still find on the disk. It may have been carried out or not.
    public static let unanswered = Reply.refused(.unavailable)

    /// The kind alone, as the frame's kind.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case joined = 65, standing, left, schedules, seats, reservations, paid, points, balance, history, debited
        case cancelled, credited
        case claimed = 96, transfersSeen
        case refusedFor = 108
        case refused = 127
    }
}

/// A place in line, new or earlier: joining twice gives the same.
public struct Joined: Equatable, Sendable {
    public let place: Place
    public let issuedAt: Timestamp
    public let standing: Standing

    public init(place: Place, issuedAt: Timestamp, standing: Standing) {
        self.place = place
        self.issuedAt = issuedAt
        self.standing = standing
    }
}

public enum SeatStatus: UInt8, Sendable, CaseIterable { case available = 0, held = 1, sold = 2 }

/// The result of a payment or a cancellation.
public struct Receipt: Equatable, Sendable {
    public let user: UserID
    public let amount: Won
    /// The user's new balance.
    public let balance: Won
    public let reservations: [Reservation]

    public init(user: UserID, amount: Won, balance: Won, reservations: [Reservation]) {
        self.user = user
        self.amount = amount
        self.balance = balance
        self.reservations = reservations
    }
}

/// The result of a charge or use of points.
public struct PointsChange: Equatable, Sendable {
    public let amount: Won
    public let balance: Won
    public let type: TransactionType
    public let paymentType: PaymentType
    public let at: Timestamp

    public init(amount: Won, balance: Won, type: TransactionType, paymentType: PaymentType, at: Timestamp) {
        self.amount = amount
        self.balance = balance
        self.type = type
        self.paymentType = paymentType
        self.at = at
    }
}

public struct Balance: Equatable, Sendable {
    public let balance: Won
    /// Nil for a user who never had a point.
    public let updatedAt: Timestamp?

    public init(balance: Won, updatedAt: Timestamp?) {
        self.balance = balance
        self.updatedAt = updatedAt
    }
}

/// Why a shard, or the gateway in front of it, refused. The numbers are the wire's: never reuse one.
public enum Refusal: UInt16, Error, Sendable, CaseIterable {
    case unknownConcert = 1
    case tokenUnknown = 2
    case notAdmitted = 3
    case noSuchSchedule = 4
    case scheduleOver = 5
    case noSuchSeat = 6
    case seatTaken = 7
    case noSeats = 8
    case tooManySeats = 9
    case duplicateSeat = 10
    case noSuchReservation = 11
    case noReservations = 12
    case duplicateReservation = 13
    case holdExpired = 14
    case alreadyPaid = 15
    case paymentInProgress = 16
    case insufficientPoints = 17
    case chargeNotPositive = 18
    case chargeTooLarge = 19
    case balanceTooLarge = 20
    case wrongShard = 21
    case overloaded = 22
    case unavailable = 23
    case useNotPositive = 24
    case notPaid = 25
    case cancelTooLate = 26
    case cancelInProgress = 27
    case alreadyCancelled = 28
    /// The journal can't write for now, so nothing was changed; reads are answered.
    case storageUnavailable = 29
    /// The key came before with another request.
    case keyReused = 32
    /// One more key of a user who has as many as a shard keeps of one.
    case tooManyKeys = 40
    /// More seats of the concert than one user may hold at once, or have in all.
    case seatsPerUserExceeded = 55
    /// The last schedule of the concert has begun.
    case concertOver = 60
    /// The wall clock jumped absurdly, so nothing was changed; reads are answered.
    case clockSuspended = 70
    /// One more key of an address that has as many as a shard keeps of one.
    case tooManyKeysOfAddress = 65
    /// One more key when a shard keeps as many as it may.
    case keysFull = 66
    /// The time inside is over; the place stays only while its owner holds seats.
    case stayOver = 56
    /// The user has had the seat for the length of one hold, and others have had no chance at it since.
    case seatKeptTooLong = 57
    /// The id belongs to another transfer on the user's shard: one of the two shards was restored from an older copy.
    /// Nothing was moved.
    case transferConflict = 50
    /// Between shards only: a transfer that the user's shard once knew, and keeps too little of to identify.
    case transferForgotten = 51
}

extension Reply {
    public var kind: Kind {
        switch self {
        case .joined: .joined
        case .standing: .standing
        case .left: .left
        case .schedules: .schedules
        case .seats: .seats
        case .reservations: .reservations
        case .paid: .paid
        case .points: .points
        case .balance: .balance
        case .history: .history
        case .debited: .debited
        case .cancelled: .cancelled
        case .credited: .credited
        case .claimed: .claimed
        case .transfersSeen: .transfersSeen
        case .refused: .refused
        case .refusedFor: .refusedFor
        }
    }

    /// Whether a request of this kind can get this refusal. A gateway does not pass on any other, since it may be the
    /// answer to another request.
    public func answers(_ kind: Request.Kind) -> Bool { self.refusal != nil || self.kind == kind.traits.answer }
}
