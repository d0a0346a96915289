/// One piece of a shard's state: a snapshot is a list of items, as the journal is a list of facts.
///
///     time · counter ...
///     · concert · person ... reservation ... payment ... cancellation ... freedSeat ... forgotten · concert ...
///     · pointTotals · historyLine ... · transferMarks ... · transfer ... · transfersDecided ... · answer ...
///
/// The same state gives the same items in the same order, whether it came from decisions, facts or a snapshot. State
/// that follows from no fact is left out: when people were last seen, which requests wait, when a transfer was last
/// sent.
public enum SnapshotItem: Equatable, Sendable {
    /// The time of the last fact; `distantPast` before the first.
    case time(Timestamp)
    /// The last id given in a slot. By slot; slots without ids are left out.
    case counter(Slot, UInt64)
    /// People, reservations and payments up to the next concert belong to this one. By id; concerts without any join
    /// are left out.
    case concert(ConcertID, Line.Totals, admissionDue: Timestamp, paymentsRefused: UInt64)
    /// By place.
    case person(Line.Entry)
    /// By id, which is the order of creation.
    case reservation(Reservation)
    /// By id. `balance` is the user's right after, nil while the payment is under way.
    case payment(PaymentOrder, balance: Won?)
    /// By id. `balance` is the user's right after, nil while the cancellation is under way.
    case cancellation(CancellationOrder, balance: Won?)
    /// A recently freed seat, and the deadline of its last user's hold. Oldest first.
    case freedSeat(ScheduleID, SeatID, UserID, until: Timestamp, at: Timestamp)
    /// The concert's finished and forgotten payments and cancellations; left out while both are 0.
    case forgotten(payments: UInt64, cancellations: UInt64)
    /// Points moved for payments and cancellations since the beginning; left out before the first debit.
    case pointTotals(debited: Won, credited: Won)
    /// The sums of a user's dropped history lines, before the user's lines.
    case historyForgotten(UserID, charged: Won, used: Won)
    /// By user, then oldest first. Balances follow from it.
    case historyLine(UserID, HistoryEntry)
    /// By slot.
    case transferMarks(Slot, TransferLedger.Marks)
    /// Refused debits by slot, then those that moved points, each group by age.
    case transfer(TransferID, TransferLedger.Entry)
    /// The highest counter of a transfer that another shard has decided. By slot, then shard.
    case transfersDecided(Slot, shard: UInt16, counter: UInt64)
    // In snapshots of earlier versions, in place of `transfer`: by payment, then by cancellation, with the user's
    // balance right after
    case debit(PaymentID, Points.Debit)
    case credit(CancellationID, balance: Won)
    /// Clients' keys first, each group by age.
    case answer(StoredAnswer)

    /// The kind alone, as encoded in a snapshot. A kind whose fields change gets a new number.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case time = 1, counter
        /// Reservations of earlier versions have no grade.
        case concert = 16, person, ungradedReservation, payment, cancellation, freedSeat, forgotten
        case reservation = 26
        case historyLine = 32, debit, credit, pointTotals, transferMarks, transfer, transfersDecided
        case historyForgotten = 45
        case answer = 48
        /// The same, for a key that counts towards an address's limit.
        case answerFromAddress = 49
    }
}

/// A history that does not fit the shard that should apply it: the catalogue or the number of shards has changed since
/// it was written. An operator's mistake, undone by restoring the old setting.
public struct SnapshotError: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { self.reason }
}
