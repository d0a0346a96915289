/// What has happened, in the past tense. A shard's state changes only by taking in facts, and its journal is the list
/// of them: outsiders may read it, so names and meanings stay.
///
/// Facts of one decision stand together in one batch of the journal, so a crash keeps all of them or none.
public enum Fact: Equatable, Sendable {
    // The line
    case joined(ConcertID, UserID, Place, at: Timestamp)
    case admitted(ConcertID, Place, at: Timestamp)
    case left(ConcertID, Place, at: Timestamp)
    /// A place went unused for too long, in line or inside; or the concert was over while its owner waited.
    case lapsed(ConcertID, Place, at: Timestamp)
    // Seats
    case held(ConcertID, Reservation)
    case released(ConcertID, ReservationID, ReleaseReason, at: Timestamp)
    // Payments, on the concert's shard
    case paymentStarted(PaymentOrder)
    /// The seats are sold and the place in line is used up. `balance` is the user's, right after.
    case paymentDone(ConcertID, PaymentID, balance: Won, at: Timestamp)
    case paymentRefused(ConcertID, PaymentID, at: Timestamp)
    /// The reservations are pinned: still sold, and never to be cancelled another time.
    case cancelStarted(CancellationOrder)
    /// The points are back, and the seats are free. `balance` is the user's, right after.
    case cancelDone(ConcertID, CancellationID, balance: Won, at: Timestamp)
    /// The user's shard knows the number of the cancellation as another transfer's: no points came back, and the
    /// reservations are sold as before.
    case cancelRefused(ConcertID, CancellationID, at: Timestamp)
    // Points, on the user's shard
    case charged(UserID, PointHistoryID, Won, PaymentType, at: Timestamp)
    case used(UserID, PointHistoryID, Won, at: Timestamp)
    /// The points of a payment or a cancellation.
    case transferred(TransferOrder, PointHistoryID, at: Timestamp)
    /// A debit for which there were not enough points. Kept until its payment is settled, so that no late duplicate of it
    /// is ever carried out.
    case transferRefused(TransferOrder, at: Timestamp)
    // As earlier versions wrote them, which did not say for which concert
    case debited(UserID, PointHistoryID, PaymentID, Won, at: Timestamp)
    case debitRefused(UserID, PaymentID, at: Timestamp)
    case credited(UserID, PointHistoryID, CancellationID, Won, at: Timestamp)
    // Ids
    /// So many ids of each slot are never given: the journal was put back from an older copy, and others may have seen them.
    case idsSkipped(UInt64, at: Timestamp)
    // Operations
    /// What was answered, beside what it changed: asked again, it is answered the same.
    case answered(KeptAnswer)

    /// When it happened: of two facts of one journal, the later one never has the earlier time.
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
        /// The same, to a key that counts for an address.
        case answeredFromAddress = 65
    }
}

public enum ReleaseReason: UInt8, Sendable, CaseIterable {
    case lapsed = 0, givenBack = 1
    /// Its owner left the line, used the place up by paying for other seats, or was gone when a payment of it was refused.
    case ownerGone = 2
}
