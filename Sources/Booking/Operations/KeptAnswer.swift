/// The answer to one operation, kept so that it can be given again: a fact, and an item of a snapshot.
public struct KeptAnswer: Equatable, Sendable {
    /// As much of the answer as does not follow from the request, which comes again, and from what never changes.
    public enum Outcome: Equatable, Sendable {
        case joined(Joined)
        case left
        /// The first of the seats that were held; the others have the numbers after it.
        case held(ReservationID)
        case givenBack
        /// What the payment comes to: while it is under way, whoever asks waits for it.
        case paying(PaymentID)
        case points(balance: Won)
        /// What the cancellation comes to; as for payments.
        case cancelling(CancellationID)
        /// The change itself is another shard's, which keeps its answer.
        case claimed
        case refused(Refusal)

        /// The kind alone, as a fact's bytes have it. The numbers stay.
        public enum Kind: UInt8, Sendable, CaseIterable {
            case joined = 1, left, held, givenBack, paying, points, cancelling
            case claimed = 32
            case refused = 127
        }
    }

    public let operation: Operation
    /// Of the request: see `Request.fingerprint`.
    public let fingerprint: UInt64
    public let outcome: Outcome
    public let at: Timestamp

    public init(operation: Operation, fingerprint: UInt64, outcome: Outcome, at: Timestamp) {
        self.operation = operation
        self.fingerprint = fingerprint
        self.outcome = outcome
        self.at = at
    }
}
