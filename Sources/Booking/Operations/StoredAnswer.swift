/// The answer to one operation, kept for repeats of its request: a fact, and an item of a snapshot.
public struct StoredAnswer: Equatable, Sendable {
    /// The part of the answer that follows neither from the request, which a repeat brings again, nor from constants.
    public enum Outcome: Equatable, Sendable {
        case joined(Joined)
        case left
        /// The first of the held seats; the others have the numbers after it.
        case held(ReservationID)
        case released
        /// The payment decides the answer: while it is under way, repeats wait for it.
        case paying(PaymentID)
        case points(balance: Won)
        /// The cancellation decides the answer; as for payments.
        case cancelling(CancellationID)
        /// The change itself is on another shard, which keeps its answer.
        case claimed
        case refused(Refusal)

        /// The kind alone, as encoded in a fact. The numbers stay.
        public enum Kind: UInt8, Sendable, CaseIterable {
            case joined = 1, left, held, released, paying, points, cancelling
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
