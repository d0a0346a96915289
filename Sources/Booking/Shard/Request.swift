/// A request to a shard. The gateway has checked shapes, ranges and signatures; the shard decides.
public enum Request: Equatable, Sendable {
    // The line of a concert
    case join(ConcertID, UserID)
    case poll(Pass)
    case leave(Pass)
    // Its seats
    case schedules(ConcertID)
    case seats(ConcertID, ScheduleID)
    case reserve(Pass, ScheduleID, [SeatID])
    case giveBack(Pass, [ReservationID])
    case reservations(ConcertID, UserID)
    case pay(Pass, [ReservationID])
    /// Needs no pass: the sale may be long over.
    case cancel(ConcertID, UserID, [ReservationID])
    // The points of a user
    case charge(UserID, Won, PaymentType)
    case use(UserID, Won)
    case balance(UserID)
    case history(UserID, HistoryQuery)
    // Between shards: take a payment's amount from a user, or return a cancellation's, once, however often it is asked
    case transfer(TransferOrder)
    /// The highest ids of the asking shard's slots that this shard has seen in transfers
    case transfersSeen(shard: UInt16)
    // Before a change of a user who lives on another shard than the concert: binds the idempotency key to the request
    // with this fingerprint
    case claim(UserID, fingerprint: UInt64)

    /// The slot whose owner can answer.
    public var slot: Slot {
        switch self {
        case .join(let concert, _), .schedules(let concert), .seats(let concert, _), .reservations(let concert, _),
            .cancel(let concert, _, _):
            Slot(of: concert)
        case .poll(let pass), .leave(let pass), .reserve(let pass, _, _), .giveBack(let pass, _), .pay(let pass, _):
            Slot(of: pass.concert)
        case .charge(let user, _, _), .use(let user, _), .balance(let user), .history(let user, _),
            .claim(let user, _):
            Slot(of: user)
        case .transfer(let order): Slot(of: order.user)
        // Every shard answers for itself.
        case .transfersSeen: Slot(checking: 0)!
        }
    }

    /// The user that this is about; nil for public information.
    public var user: UserID? {
        switch self {
        case .schedules, .seats, .transfersSeen: nil
        case .join(_, let user), .reservations(_, let user), .cancel(_, let user, _), .charge(let user, _, _),
            .use(let user, _), .balance(let user), .history(let user, _), .claim(let user, _):
            user
        case .transfer(let order): order.user
        case .poll(let pass), .leave(let pass), .reserve(let pass, _, _), .giveBack(let pass, _), .pay(let pass, _):
            pass.user
        }
    }

    /// The kind alone: for counting, and as the frame's kind.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case join = 1, poll, leave
        case schedules, seats, reserve, giveBack, reservations, pay
        case charge, use, balance, history
        case cancel = 15
        case claim = 32
        // 14 and 16, in protocol versions 1 and 2, did not name the concert.
        case debit, credit, transfersSeen
    }

    public var kind: Kind {
        switch self {
        case .join: .join
        case .poll: .poll
        case .leave: .leave
        case .schedules: .schedules
        case .seats: .seats
        case .reserve: .reserve
        case .giveBack: .giveBack
        case .reservations: .reservations
        case .pay: .pay
        case .charge: .charge
        case .use: .use
        case .balance: .balance
        case .history: .history
        case .transfer(let order): order.direction == .debit ? .debit : .credit
        case .transfersSeen: .transfersSeen
        case .cancel: .cancel
        case .claim: .claim
        }
    }
}

/// A page of a user's point history: newest first, `page` counted from 0.
public struct HistoryQuery: Equatable, Sendable {
    public static let sizeDefault: UInt32 = 20
    public static let sizeMax: UInt32 = 100
    /// A later page is refused as malformed, so that page times size can't overflow.
    public static let pageMax: UInt32 = 10_000_000

    /// Nil for both.
    public let only: TransactionType?
    public let page: UInt32
    public let size: UInt32

    public init(only: TransactionType? = nil, page: UInt32 = 0, size: UInt32 = HistoryQuery.sizeDefault) {
        self.only = only
        self.page = page
        self.size = size
    }
}
