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

        private(set) var isRenewing = false

        func renew(whenDone: @escaping (Result<Void, JournalError>) -> Void) {
            precondition(self.whenDone == nil)
            self.isRenewing = true
            self.whenDone = whenDone
        }

        func finishRenewal(_ result: Result<Void, JournalError>) {
            self.isRenewing = false
            self.whenDone.take()!(result)
        }

        func begin() {}
        func drain() {}
        func close() {}
        func newestSnapshot() -> JournalSnapshot? { nil }
        func replay(after: UInt64, _ body: (JournalBatch) throws(JournalError) -> Void) {}
        func write(_ snapshot: JournalSnapshot) {}
    }

    /// Replies by number, on their way through.
    private final class Outside {
        let journal = SlowJournal()
        private(set) var commit: GroupCommit!
        var gathering: [Int] = []
        private var aside: [Int] = []
        private(set) var sent: [Int] = []
        private(set) var unanswered: [Int] = []
        private(set) var troubles: [JournalError] = []
        private(set) var failures: [JournalError] = []
        /// What a rebuild gives; nil for one that fails.
        var rebuilds: UInt64? = 0

        init() {
            self.commit = GroupCommit(
                self.journal,
                takeOutput: { [unowned self] in
                    for number in 0..<self.decidedFacts {
                        self.commit.gather(.left(ConcertID(1), Place(UInt64(number + 1)), at: Timestamp(seconds: 1)))
                    }
                    self.decidedFacts = 0
                },
                setAside: { [unowned self] in
                    precondition(self.aside.isEmpty, "replies of two commits are mixed")
                    swap(&self.gathering, &self.aside)
                },
                sendSetAside: { [unowned self] in
                    self.sent += self.aside
                    self.aside = []
                },
                undo: { [unowned self] error throws(JournalError) in
                    self.troubles.append(error)
                    self.unanswered += self.aside + self.gathering
                    self.aside = []
                    self.gathering = []
                    guard let sequence = self.rebuilds else { throw .busy(file: "y") }
                    return sequence
                },
                onFailure: { [unowned self] in self.failures.append($0) }
            )
        }

        /// Facts that the machine has recorded, and that nobody has taken yet.
        private var decidedFacts = 0

        func decide(_ replies: [Int], facts: Int) {
            self.gathering += replies
            self.decidedFacts += facts
        }

        func turn(_ replies: [Int], facts: Int) {
            self.decide(replies, facts: facts)
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
        outside.journal.finish(.failure(.notOwner(file: "x")))
        #expect(outside.failures == [.notOwner(file: "x")] && outside.troubles == [])
        outside.turn([3], facts: 0)
        outside.turn([4], facts: 1)
        #expect(outside.sent == [] && outside.journal.batches.count == 1)
    }

    @Test func `a full disk undoes what waits, and reads leave until it has room again`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 2)
        outside.journal.finish(.failure(.full(file: "x")))
        #expect(outside.sent == [] && outside.unanswered == [1, 2] && outside.commit.isSuspended)
        outside.turn([3], facts: 0)
        #expect(outside.sent == [3])

        var told: [JournalError?] = []
        outside.commit.tryAgain { told.append($0) }
        outside.commit.tryAgain { told.append($0) }
        outside.journal.finishRenewal(.failure(.full(file: "x")))
        #expect(told == [.full(file: "x")] && outside.commit.isSuspended)
        outside.commit.tryAgain { told.append($0) }
        outside.journal.finishRenewal(.success(()))
        #expect(told == [.full(file: "x"), nil] && !outside.commit.isSuspended)

        outside.turn([4], facts: 1)
        #expect(outside.journal.batches.last?.firstSequence == 1 && outside.journal.batches.last?.count == 1)
        outside.journal.finish()
        #expect(outside.sent == [3, 4] && outside.commit.durableSequence == 1 && outside.failures == [])
    }

    @Test func `a state that can't be built anew, or a journal that is lost meanwhile, ends it`() {
        let lost = Outside()
        lost.rebuilds = nil
        lost.turn([1], facts: 1)
        lost.journal.finish(.failure(.full(file: "x")))
        #expect(lost.failures == [.busy(file: "y")] && !lost.commit.isSuspended)

        let stale = Outside()
        stale.turn([1], facts: 1)
        stale.journal.finish(.failure(.full(file: "x")))
        stale.commit.tryAgain { _ in }
        stale.journal.finishRenewal(.failure(.notOwner(file: "x")))
        #expect(stale.failures == [.notOwner(file: "x")])
        stale.turn([2], facts: 0)
        #expect(stale.sent == [])
    }

    @Test func `what is decided in the turn in which a commit ends waits for its own`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.decide([2], facts: 1)
        outside.journal.finish()
        #expect(outside.sent == [1] && !outside.commit.isIdle)
        #expect(outside.journal.batches.map(\.firstSequence) == [1, 2])
        outside.journal.finish()
        #expect(outside.sent == [1, 2] && outside.commit.isIdle)
    }

    @Test func `the end waits for what was decided in the turn of the last commit`() {
        let outside = Outside()
        var ends = 0
        outside.turn([1], facts: 1)
        outside.commit.finish(at: Timestamp(seconds: 2)) { ends += 1 }
        outside.decide([2], facts: 1)
        outside.journal.finish()
        #expect(ends == 0 && outside.sent == [1])
        outside.journal.finish()
        #expect(ends == 1 && outside.sent == [1, 2])
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
