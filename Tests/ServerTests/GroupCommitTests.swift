import Booking
import Journal
import Testing

@testable import Server

/// When replies leave, told by a journal that is done when the test says so.
@Suite struct GroupCommitTests {
    private final class SlowJournal: Journal {
        let kind = "slow"
        var nextSequence: UInt64 = 1
        let epoch: UInt64 = 1
        private(set) var batches: [JournalBatch] = []
        private var whenDone: ((Result<Void, JournalError>) -> Void)?

        var isBusy: Bool { self.whenDone != nil }

        func append(_ batch: JournalBatch, whenDone: @escaping (Result<Void, JournalError>) -> Void) {
            precondition(self.whenDone == nil && batch.firstSequence == self.nextSequence)
            self.batches.append(batch)
            self.whenDone = whenDone
        }

        func finish(_ result: Result<Void, JournalError> = .success(())) {
            if case .success = result { self.nextSequence = self.batches.last!.nextSequence }
            self.whenDone.take()!(result)
        }

        func begin() {}
        func drain() {}
        func close() {}
        func newestSnapshot() -> JournalSnapshot? { nil }
        func replay(after: UInt64, _ body: (JournalBatch) throws(JournalError) -> Void) {}
        func write(_ snapshot: JournalSnapshot) {}
        func dropCovered() {}
    }

    /// Replies by number, on their way through.
    private final class Outside {
        let journal = SlowJournal()
        private(set) var commit: GroupCommit!
        var gathering: [Int] = []
        private var aside: [Int] = []
        private(set) var sent: [Int] = []
        private(set) var failures: [JournalError] = []

        init() {
            self.commit = GroupCommit(
                self.journal,
                setAside: { [unowned self] in
                    precondition(self.aside.isEmpty, "replies of two commits are mixed")
                    swap(&self.gathering, &self.aside)
                },
                sendSetAside: { [unowned self] in
                    self.sent += self.aside
                    self.aside = []
                },
                onFailure: { [unowned self] in self.failures.append($0) }
            )
        }

        func turn(_ replies: [Int], facts: Int) {
            self.gathering += replies
            for number in 0..<facts {
                self.commit.gather(.left(ConcertID(1), Place(UInt64(number + 1)), at: Timestamp(seconds: 1)))
            }
            self.commit.endTurn(at: Timestamp(seconds: 1))
        }
    }

    @Test func `a read leaves at once when nothing is under way`() {
        let outside = Outside()
        outside.turn([1, 2], facts: 0)
        #expect(outside.sent == [1, 2] && outside.journal.batches.isEmpty)
    }

    @Test func `a write and the reads after it wait for its commit`() {
        let outside = Outside()
        outside.turn([1], facts: 2)
        outside.turn([2], facts: 0)
        #expect(outside.sent == [] && outside.journal.batches.map(\.count) == [2])
        outside.journal.finish()
        #expect(outside.sent == [1, 2] && outside.commit.isIdle)
        #expect(outside.commit.durableSequence == 2)
    }

    @Test func `what gathers during a commit goes with the next, as one`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 1)
        outside.turn([3], facts: 3)
        outside.journal.finish()
        #expect(outside.sent == [1])
        #expect(outside.journal.batches.map(\.firstSequence) == [1, 2])
        #expect(outside.journal.batches.map(\.count) == [1, 4])
        outside.journal.finish()
        #expect(outside.sent == [1, 2, 3] && outside.commit.batchCount == 2)
    }

    @Test func `after a failure no reply leaves, and nothing is committed`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 1)
        outside.journal.finish(.failure(.full(file: "x")))
        #expect(outside.failures == [.full(file: "x")])
        outside.turn([3], facts: 0)
        outside.turn([4], facts: 1)
        #expect(outside.sent == [] && outside.journal.batches.count == 1)
    }

    @Test func `the end waits for the last commit`() {
        let outside = Outside()
        var ends = 0
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 1)
        outside.commit.finish(at: Timestamp(seconds: 2)) { ends += 1 }
        outside.journal.finish()
        #expect(ends == 0 && outside.sent == [1])
        outside.journal.finish()
        #expect(ends == 1 && outside.sent == [1, 2])
        let idle = Outside()
        idle.commit.finish(at: Timestamp(seconds: 2)) { ends += 1 }
        #expect(ends == 2)
    }
}
