/// A journal in memory: done at once, and gone with its process. For trying Usher and for tests: a shard that dies
/// forgets its line, seats and points.
public final class MemoryJournal: Journal {
    public let kind = "memory"
    public private(set) var nextSequence: UInt64 = 1
    private let keepsBatches: Bool
    private var batches: [JournalBatch] = []

    /// Only a test that replays needs `keepsBatches`: kept facts grow without end.
    public init(keepsBatches: Bool) { self.keepsBatches = keepsBatches }

    public func append(_ batch: JournalBatch, whenDone: @escaping (Result<Void, JournalError>) -> Void) {
        guard batch.firstSequence == self.nextSequence else {
            return whenDone(.failure(.outOfSequence(expected: self.nextSequence, got: batch.firstSequence)))
        }
        self.nextSequence = batch.nextSequence
        if self.keepsBatches { self.batches.append(batch) }
        whenDone(.success(()))
    }

    public func replay(from sequence: UInt64, _ body: (JournalBatch) throws -> Void) throws {
        for batch in self.batches where batch.nextSequence > sequence { try body(batch) }
    }
}
