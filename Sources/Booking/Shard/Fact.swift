/// A decided change of state, in the past tense. A shard's state changes only by applying facts, and its journal is the
/// list of them: outsiders may read it, so names and meanings stay.
///
/// Facts of one decision are in one batch of the journal, so a crash keeps all of them or none.
public enum Fact: Equatable, Sendable {
    // The line
    case joined(ConcertID, UserID, Place, at: Timestamp)
    case admitted(ConcertID, Place, at: Timestamp)
    case left(ConcertID, Place, at: Timestamp)
    /// A place was unused for too long, in line or inside; or the concert was over while its owner waited.
    case lapsed(ConcertID, Place, at: Timestamp)
    // Seats
    case held(ConcertID, Reservation)
    case released(ConcertID, ReservationID, ReleaseReason, at: Timestamp)
    // Payments, on the concert's shard
    case paymentStarted(PaymentOrder)
    /// The seats are sold and the place in line is used up. `balance` is the user's new balance.
    case paymentDone(ConcertID, PaymentID, balance: Won, at: Timestamp)
    case paymentRefused(ConcertID, PaymentID, at: Timestamp)
    /// The reservations are pinned: still sold, and can't be cancelled another time.
    case cancelStarted(CancellationOrder)
    /// The points are back, and the seats are free. `balance` is the user's new balance.
    case cancelDone(ConcertID, CancellationID, balance: Won, at: Timestamp)
    /// The cancellation's id belongs to another transfer on the user's shard: no points came back, and the reservations
    /// are sold as before.
    case cancelRefused(ConcertID, CancellationID, at: Timestamp)
    // Points, on the user's shard
    case charged(UserID, PointHistoryID, Won, PaymentType, at: Timestamp)
    case used(UserID, PointHistoryID, Won, at: Timestamp)
    /// The points of a payment or a cancellation.
    case transferred(TransferOrder, PointHistoryID, at: Timestamp)
    /// A debit without enough points. Kept until its payment is settled, so that no late duplicate of it is ever
    /// carried out.
    case transferRefused(TransferOrder, at: Timestamp)
    // As earlier versions wrote them, without the concert
    case debited(UserID, PointHistoryID, PaymentID, Won, at: Timestamp)
    case debitRefused(UserID, PaymentID, at: Timestamp)
    case credited(UserID, PointHistoryID, CancellationID, Won, at: Timestamp)
    // Ids
    /// This many ids of each slot are skipped: the journal is a restored older copy, and others may have seen them.
    case idsSkipped(UInt64, at: Timestamp)
    // Operations
    /// The answer to an operation, besides the change: repeats get the same answer.
    case answered(StoredAnswer)

    /// When it happened: in one journal, times never decrease.
    public var at: Timestamp {
        switch self {
        case .joined(_, _, _, let at), .admitted(_, _, let at), .left(_, _, let at), .lapsed(_, _, let at),
            .released(_, _, _, let at), .paymentDone(_, _, _, let at), .paymentRefused(_, _, let at),
            .charged(_, _, _, _, let at), .used(_, _, _, let at), .debited(_, _, _, _, let at),
            .debitRefused(_, _, let at), .cancelDone(_, _, _, let at), .credited(_, _, _, _, let at),
            .cancelRefused(_, _, let at), .transferred(_, _, let at), .transferRefused(_, let at),
            .idsSkipped(_, let at):
            at
        case .held(_, let reservation): reservation.heldAt
        case .paymentStarted(let order): order.at
        case .cancelStarted(let order): order.at
        case .answered(let answer): answer.at
        }
    }

    /// The kind alone, as the journal writes it.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case joined = 1, admitted, left, lapsed
        case held = 16, released
        case paymentStarted = 32, paymentDone, paymentRefused, cancelStarted, cancelDone, cancelRefused
        case charged = 48, used, debited, debitRefused, credited, transferred, transferRefused, idsSkipped
        case answered = 64
        /// The same, for a key that counts towards an address's limit.
        case answeredFromAddress = 65
    }
}

public enum ReleaseReason: UInt8, Sendable, CaseIterable {
    case lapsed = 0, released = 1
    /// Its owner left the line, used the place up by paying for other seats, or was gone when its payment was refused.
    case ownerGone = 2
}
