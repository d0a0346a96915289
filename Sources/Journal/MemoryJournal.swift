/// A journal in memory: done at once, and gone with its process. For trying Usher and for tests: a shard that dies
/// loses its line, seats and points.
public final class MemoryJournal: Journal {
    public let kind = "memory"
    public private(set) var nextSequence: UInt64 = 1
    public private(set) var epoch: UInt64 = 0
    private let keepsBatches: Bool
    private var batches: [JournalBatch] = []
    private var snapshot: JournalSnapshot?

    /// Only tests that replay need `keepsBatches`: kept facts grow without bound.
    public init(keepsBatches: Bool) { self.keepsBatches = keepsBatches }

    public func begin() { self.epoch += 1 }

    public func append(_ batch: JournalBatch, whenDone: @escaping (Result<Void, JournalError>) -> Void) {
        guard batch.firstSequence == self.nextSequence else {
            return whenDone(.failure(.outOfSequence(expected: self.nextSequence, got: batch.firstSequence)))
        }
        self.nextSequence = batch.nextSequence
        if self.keepsBatches { self.batches.append(batch) }
        whenDone(.success(()))
    }

    public func renew(whenDone: @escaping (Result<Void, JournalError>) -> Void) {
        self.epoch += 1
        whenDone(.success(()))
    }

    public func drain() {}
    public func close() {}

    public func newestSnapshot() -> JournalSnapshot? { self.snapshot }

    public func replay(
        after sequence: UInt64,
        _ body: (JournalBatch) throws(JournalError) -> Void
    ) throws(JournalError) {
        for batch in self.batches where batch.firstSequence > sequence { try body(batch) }
    }

    public func write(_ snapshot: JournalSnapshot) { self.snapshot = snapshot }
}
