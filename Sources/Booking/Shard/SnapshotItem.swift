/// One piece of a shard's state: a snapshot is the list of them, as the journal is the list of facts.
///
///     time · counter ...
///     · concert · person ... reservation ... payment ... cancellation ... freedSeat ... forgotten · concert ...
///     · pointTotals · historyLine ... · transferMarks ... · transfer ... · transfersDecided ... · answer ...
///
/// The same state gives the same items in the same order, whether it came from decisions, from facts or from a snapshot.
/// What follows from no fact is not in it: when somebody was last seen, who waits for an answer, when a transfer was
/// last asked for.
public enum SnapshotItem: Equatable, Sendable {
    /// When the last fact happened; `distantPast` before the first.
    case time(Timestamp)
    /// The last id given in a slot. By slot; slots that gave none are left out.
    case counter(Slot, UInt64)
    /// People, reservations and payments up to the next concert are this one's. By id; concerts that nobody ever joined
    /// are left out.
    case concert(ConcertID, Line.Totals, admissionDue: Timestamp, paymentsRefused: UInt64)
    /// By place.
    case person(Line.Entry)
    /// By id, which is the order in which they were made.
    case reservation(Reservation)
    /// By id. `balance` is the user's right after, nil while the payment is under way.
    case payment(PaymentOrder, balance: Won?)
    /// By id. `balance` is the user's right after, nil while the cancellation is under way.
    case cancellation(CancellationOrder, balance: Won?)
    /// A seat that became free a moment ago, and the deadline of the hold that its user had. Oldest first.
    case freedSeat(ScheduleID, SeatID, UserID, until: Timestamp, at: Timestamp)
    /// How many payments and cancellations of the concert are done and forgotten; left out while none are.
    case forgotten(payments: UInt64, cancellations: UInt64)
    /// What moved for payments and cancellations since the beginning; left out before the first debit.
    case pointTotals(debited: Won, credited: Won)
    /// What the lines of a user that are forgotten moved, before the user's lines.
    case historyForgotten(UserID, charged: Won, used: Won)
    /// By user, then oldest first. Balances follow from it.
    case historyLine(UserID, HistoryEntry)
    /// By slot.
    case transferMarks(Slot, TransferLedger.Marks)
    /// Refused debits by slot, then what moved points, each as old as it is.
    case transfer(TransferID, TransferLedger.Entry)
    /// The highest counter of a transfer that another shard has decided. By slot, then shard.
    case transfersDecided(Slot, shard: UInt16, counter: UInt64)
    // As earlier versions kept them, in place of `transfer`: by payment, then by cancellation, with the user's balance
    // right after
    case debit(PaymentID, Points.Debit)
    case credit(CancellationID, balance: Won)
    /// Those to clients' keys first, each by age.
    case answer(KeptAnswer)

    /// The kind alone, as a snapshot's bytes have it. A kind whose fields change gets a new number.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case time = 1, counter
        /// Those of earlier versions have no grade.
        case concert = 16, person, ungradedReservation, payment, cancellation, freedSeat, forgotten
        case reservation = 26
        case historyLine = 32, debit, credit, pointTotals, transferMarks, transfer, transfersDecided
        case historyForgotten = 45
        case answer = 48
        /// The same, to a key that counts for an address.
        case answerFromAddress = 49
    }
}

/// A history that does not fit the shard that should take it in: the catalogue or the number of shards is another one
/// than when it was written. An operator's mistake, which putting back the old setting undoes.
public struct Misfit: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { self.reason }
}
