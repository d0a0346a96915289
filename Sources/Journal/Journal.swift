public import Booking

/// One group commit: the facts of all decisions made while the previous commit was under way.
public struct JournalBatch: Equatable, Sendable {
    /// The number of the batch's first fact; the shard's first fact ever is 1.
    public let firstSequence: UInt64
    /// Facts in the batch, at least 1.
    public let count: UInt32
    /// The shard's time when it was handed to the journal.
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

/// The encoded state of a shard after a batch: facts up to it need not be replayed.
public struct JournalSnapshot: Equatable, Sendable {
    /// The number of the last fact in it, which ends a batch. 0 is the state before any fact.
    public let sequence: UInt64
    /// The shard's time when it was taken.
    public let time: Timestamp
    public let bytes: [UInt8]

    public init(sequence: UInt64, time: Timestamp, bytes: [UInt8]) {
        self.sequence = sequence
        self.time = time
        self.bytes = bytes
    }
}

/// Access to a shard's history for any process, its owner or not: reading it, and storing snapshots of its state.
///
/// Every read is verified; altered, truncated or lost data throws, and nothing is skipped.
public protocol JournalArchive: AnyObject {
    /// The newest snapshot, from which a restart has the least to replay; nil when there is none yet.
    func newestSnapshot() throws(JournalError) -> JournalSnapshot?

    /// Every batch with facts after `sequence`, in order. `sequence` is the last of a batch, or 0. An error of `body`
    /// ends the replay.
    func replay(after sequence: UInt64, _ body: (JournalBatch) throws(JournalError) -> Void) throws(JournalError)

    /// Stores a snapshot in place of older ones. It is durable when this returns.
    func write(_ snapshot: JournalSnapshot) throws(JournalError)
}

/// The storage of one shard's facts, for its owner.
///
///     opened ──replay──▶ ... ──begin──▶ owned ──append──▶ under way ──whenDone──▶ owned ... ──close──▶ gone
///
/// One batch is under way at a time, and names the sequence it expects: a journal that has moved on without this owner
/// refuses it, so that a stale owner stops instead of forking history. Each owner has an epoch, higher than the one
/// before it. A local file needs no more than this, and a replicated log can provide it.
///
/// Not `Sendable`: a journal belongs to its shard's loop, whatever threads it uses inside.
public protocol Journal: JournalArchive {
    /// Its name in `stats`.
    var kind: String { get }

    /// The number of the next fact. Known once the history is replayed to its end, or after `begin`.
    var nextSequence: UInt64 { get }

    /// The owner's epoch, counted from 1; 0 before `begin`.
    var epoch: UInt64 { get }

    /// The history is replayed and verified: from now on this owner appends. Earlier owners are refused. When that
    /// can't be written for now, `trouble` says why.
    func begin() throws(JournalError)

    /// Why this owner could not begin yet, after `begin`: nothing is appended before `renew` has succeeded.
    var trouble: JournalError? { get }

    /// The files are a copy, and nothing was appended to them yet: the original may have gone on.
    var isCopy: Bool { get }

    /// Appends a batch whose `firstSequence` is `nextSequence`, while no other is under way. `whenDone` is called once,
    /// on the loop's thread, by `drain()` or before this returns: after a success, the batch survives whatever the
    /// journal promises to survive. After a failure that `isPassing`, the same batch may be retried.
    func append(_ batch: JournalBatch, whenDone: @escaping (Result<Void, JournalError>) -> Void)

    /// Begins a new epoch of this same owner at the journal's end, as after a failure that `isPassing`: once that has
    /// succeeded, the journal can write again, and remains of a failed batch are never found in it. While no batch is
    /// under way; `whenDone` is called as for `append`.
    func renew(whenDone: @escaping (Result<Void, JournalError>) -> Void)

    /// Calls `whenDone` of a finished batch. The loop calls it when the journal has woken it; it never blocks.
    func drain()

    /// Ends this ownership, while nothing is under way. O(bytes written since the last checkpoint).
    func close() throws(JournalError)
}

extension Journal {
    /// Most journals begin or fail for good.
    public var trouble: JournalError? { nil }

    /// Most journals can't be copied.
    public var isCopy: Bool { false }
}
