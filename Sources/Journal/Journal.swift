public import Booking

/// One group commit: the facts of all decisions that gathered while the one before was under way.
public struct JournalBatch: Equatable, Sendable {
    /// The number of the batch's first fact; the shard's first fact ever is 1.
    public let firstSequence: UInt64
    /// Facts in the batch, at least 1.
    public let count: UInt32
    /// The shard's time when it was handed over.
    public let time: Timestamp
    /// The facts, encoded one after the other.
    public let bytes: [UInt8]

    public init(firstSequence: UInt64, count: UInt32, time: Timestamp, bytes: [UInt8]) {
        precondition(firstSequence >= 1 && count >= 1, "an empty batch is not written")
        self.firstSequence = firstSequence
        self.count = count
        self.time = time
        self.bytes = bytes
    }

    /// The number of the first fact after the batch.
    public var nextSequence: UInt64 { self.firstSequence + UInt64(self.count) }
}

/// Where the facts of one shard are kept.
///
/// One batch is under way at a time, and names the sequence it expects: a journal that has gone on without this owner
/// refuses it, so that a stale owner stops instead of forking history. That is all a local file needs, and what a
/// replicated log can give.
///
/// Not `Sendable`: a journal belongs to its shard's loop, whatever threads it uses inside.
public protocol Journal: AnyObject {
    /// What `stats` calls it.
    var kind: String { get }

    /// The number that the next fact gets.
    var nextSequence: UInt64 { get }

    /// Appends a batch whose `firstSequence` is `nextSequence`, while no other is under way. `whenDone` is called once,
    /// on the loop's thread, maybe before this returns: from a success on, the batch survives what the journal promises
    /// to survive.
    func append(_ batch: JournalBatch, whenDone: @escaping (Result<Void, JournalError>) -> Void)

    /// Every batch from the first that holds `sequence` on, in order.
    func replay(from sequence: UInt64, _ body: (JournalBatch) throws -> Void) throws
}

/// A journal that could not do what it was asked.
public enum JournalError: Error, Equatable, CustomStringConvertible {
    /// Somebody else has appended, or this batch came twice: whoever asked must stop.
    case outOfSequence(expected: UInt64, got: UInt64)

    public var description: String {
        switch self {
        case .outOfSequence(let expected, let got):
            "the journal goes on at fact \(expected), but was given fact \(got): another process owns it now"
        }
    }
}
