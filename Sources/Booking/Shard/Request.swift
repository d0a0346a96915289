/// A request to a shard. The gateway has checked shapes, ranges and signatures; the shard decides.
///
/// What else is known of each, such as whether it changes anything: `Request+Traits.swift`.
public enum Request: Equatable, Sendable {
    // The line of a concert
    case join(ConcertID, UserID)
    case poll(Pass)
    case leave(Pass)
    // Its seats
    case schedules(ConcertID)
    case seats(ConcertID, ScheduleID)
    case reserve(Pass, ScheduleID, [SeatID])
    case release(Pass, [ReservationID])
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
