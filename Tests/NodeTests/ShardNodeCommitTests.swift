import Booking
import Node
import Testing

/// When replies leave, told by a journal that is done when the test says so.
@Suite struct ShardNodeCommitTests {
    /// Replies by number, on their way through.
    private final class Outside {
        private let stage = ShardStage()
        private(set) var sent: [UInt64] = []
        private(set) var unanswered: [UInt64] = []
        private(set) var hasEnded = false
        private(set) var isToRebuild = false
        private var factCount: UInt64 = 1_000

        init() { self.stage.dial() }

        var batches: [ShardEffects.Append] { self.stage.batches }
        var gate: CommitGate { self.stage.gate }

        /// The first of `replies` are answers to changes, one for each of `facts`; further facts have answers that do not count.
        func decide(_ replies: [UInt64], facts: Int) {
            for (index, number) in replies.enumerated() {
                self.ask(number, index < facts ? .charge(UserID(1), Won(1), .free) : .balance(UserID(1)))
            }
            for _ in 0..<max(0, facts - replies.count) {
                self.factCount += 1
                self.ask(self.factCount, .charge(UserID(1), Won(1), .free))
            }
        }

        private func ask(_ number: UInt64, _ request: Request) {
            do { self.note(try self.stage.ask(number, request)) } catch { preconditionFailure("\(error)") }
        }

        func turn(_ replies: [UInt64], facts: Int) {
            self.decide(replies, facts: facts)
            self.step(.turnEnded)
        }

        func finish(_ event: ShardNode.JournalEvent = .durable) { self.step(.journal(event)) }

        @discardableResult
        func step(_ event: ShardNode.Event) -> [ShardStage.Effect] {
            let effects = self.stage.step(event)
            self.note(effects)
            return effects
        }

        /// The journal holds nothing.
        func rebuild() {
            self.isToRebuild = false
            self.note(self.stage.rebuild())
        }

        private func note(_ effects: [ShardStage.Effect]) {
            for effect in effects {
                switch effect {
                case .reply(let number, .refused(.unavailable), _): if number < 1_000 { self.unanswered.append(number) }
                case .reply(let number, _, _): if number < 1_000 { self.sent.append(number) }
                case .rebuild: self.isToRebuild = true
                case .ended: self.hasEnded = true
                default: break
                }
            }
        }
    }

    @Test func `a read leaves at once when nothing is under way`() {
        let outside = Outside()
        outside.turn([1, 2], facts: 0)
        #expect(outside.sent == [1, 2] && outside.batches.isEmpty)
    }

    @Test func `a write and the reads after it wait for its commit`() {
        let outside = Outside()
        outside.turn([1], facts: 2)
        outside.turn([2], facts: 0)
        #expect(outside.sent == [] && outside.batches.map(\.count) == [2])
        outside.finish()
        #expect(outside.sent == [1, 2] && outside.gate.isIdle)
        #expect(outside.gate.durableSequence == 2)
    }

    @Test func `what gathers during a commit goes with the next, as one`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 1)
        outside.turn([3], facts: 3)
        outside.finish()
        #expect(outside.sent == [1])
        #expect(outside.batches.map(\.firstSequence) == [1, 2])
        #expect(outside.batches.map(\.count) == [1, 4])
        outside.finish()
        #expect(outside.sent == [1, 2, 3] && outside.gate.batchCount == 2)
    }

    @Test func `after a failure no reply leaves, and nothing is committed`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 1)
        outside.finish(.failed)
        #expect(outside.gate.hasFailed && !outside.isToRebuild)
        outside.turn([3], facts: 0)
        outside.turn([4], facts: 1)
        #expect(outside.sent == [] && outside.batches.count == 1)
    }

    @Test func `a full disk undoes what waits, and reads leave until it has room again`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 2)
        outside.finish(.refused)
        #expect(outside.isToRebuild)
        outside.rebuild()
        #expect(outside.sent == [] && outside.unanswered == [1, 2] && outside.gate.isSuspended)
        outside.turn([3], facts: 0)
        #expect(outside.sent == [3])

        #expect(outside.step(.renewalDue) == [.renew])
        #expect(outside.step(.renewalDue) == [])
        #expect(outside.step(.journal(.notRenewed)) == [] && outside.gate.isSuspended)
        #expect(outside.step(.renewalDue) == [.renew])
        #expect(outside.step(.journal(.renewed)) == [.recovered] && !outside.gate.isSuspended)
        #expect(outside.step(.renewalDue) == [])

        outside.turn([4], facts: 1)
        #expect(outside.batches.last?.firstSequence == 1 && outside.batches.last?.count == 1)
        outside.finish()
        #expect(outside.sent == [3, 4] && outside.gate.durableSequence == 1 && !outside.gate.hasFailed)
    }

    @Test func `a state that can't be built anew, or a journal that is lost meanwhile, ends it`() {
        let lost = Outside()
        lost.turn([1], facts: 1)
        lost.finish(.refused)
        lost.finish(.failed)
        #expect(lost.gate.hasFailed && !lost.gate.isSuspended)

        let stale = Outside()
        stale.turn([1], facts: 1)
        stale.finish(.refused)
        stale.rebuild()
        stale.step(.renewalDue)
        stale.finish(.failed)
        #expect(stale.gate.hasFailed)
        stale.turn([2], facts: 0)
        #expect(stale.sent == [])
    }

    @Test func `what is decided in the turn in which a commit ends waits for its own`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.decide([2], facts: 1)
        outside.finish()
        #expect(outside.sent == [1] && !outside.gate.isIdle)
        #expect(outside.batches.map(\.firstSequence) == [1, 2])
        outside.finish()
        #expect(outside.sent == [1, 2] && outside.gate.isIdle)
    }

    @Test func `the end waits for what was decided in the turn of the last commit`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.step(.stop)
        outside.decide([2], facts: 1)
        outside.finish()
        #expect(!outside.hasEnded && outside.sent == [1])
        outside.finish()
        #expect(outside.hasEnded && outside.sent == [1, 2])
    }

    @Test func `the end waits for the last commit`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.turn([2], facts: 1)
        outside.step(.stop)
        outside.finish()
        #expect(!outside.hasEnded && outside.sent == [1])
        outside.finish()
        #expect(outside.hasEnded && outside.sent == [1, 2])
        let idle = Outside()
        #expect(idle.step(.stop) == [.ended])
        #expect(idle.step(.stop) == [])
    }

    @Test func `the end of a shard whose disk is full, or that has failed, waits for nothing`() {
        let full = Outside()
        full.turn([1], facts: 1)
        full.step(.stop)
        full.finish(.refused)
        #expect(!full.hasEnded)
        full.rebuild()
        #expect(full.hasEnded && full.unanswered == [1])
        let failed = Outside()
        failed.turn([1], facts: 1)
        failed.step(.stop)
        failed.finish(.failed)
        #expect(failed.hasEnded && failed.sent == [])
    }

    @Test func `the end waits for a journal that is asked whether it can write again`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        outside.finish(.refused)
        outside.rebuild()
        #expect(outside.step(.renewalDue) == [.renew])
        #expect(outside.step(.stop) == [])
        #expect(outside.step(.renewalDue) == [])
        #expect(outside.step(.journal(.notRenewed)) == [.ended])
    }

    @Test func `a batch has a time that is no earlier than its facts`() {
        let outside = Outside()
        outside.turn([1], facts: 1)
        #expect(outside.batches[0].time == ShardStage.start)
    }
}
