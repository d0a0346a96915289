import Booking
import Node
import Testing

struct CommitGateTests {
    @Test func `what changed nothing leaves at once`() {
        var gate = CommitGate(durableSequence: 0)
        #expect(gate.isIdle)
        #expect(gate.endTurn(at: .zero) == .release)
        #expect(gate.durableSequence == 0)
    }

    @Test func `a turn's facts are one batch, and its replies wait for it`() {
        var gate = CommitGate(durableSequence: 40)
        gate.gather()
        gate.gather()
        #expect(!gate.isIdle)
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 41, count: 2)))
        #expect(!gate.isIdle)
        #expect(gate.durableSequence == 40)
        gate.committed()
        #expect(gate.durableSequence == 42)
        #expect(gate.batchCount == 1)
        #expect(gate.endTurn(at: .zero) == .release)
    }

    @Test func `reads wait for the batch under way`() {
        var gate = CommitGate(durableSequence: 0)
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 1, count: 1)))
        #expect(gate.endTurn(at: .zero) == .wait)
        gate.committed()
        #expect(gate.endTurn(at: .zero) == .release)
    }

    @Test func `what gathers during a commit goes with the next one`() {
        var gate = CommitGate(durableSequence: 0)
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 1, count: 1)))
        gate.gather()
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .wait)
        gate.gather()
        gate.committed()
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 2, count: 3)))
        gate.committed()
        #expect(gate.durableSequence == 4)
        #expect(gate.isIdle)
    }

    @Test func `a refused batch is undone with all that gathered since, and then only reads leave`() {
        var gate = CommitGate(durableSequence: 7)
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 8, count: 1)))
        gate.gather()
        gate.refused()
        #expect(!gate.isSuspended && !gate.isIdle)
        #expect(gate.endTurn(at: .zero) == .wait)
        gate.rebuilt(upTo: 7)
        #expect(gate.isSuspended && gate.isIdle && !gate.hasFailed)
        #expect(gate.endTurn(at: .zero) == .release)
        #expect(gate.durableSequence == 7 && gate.batchCount == 0)
        gate.mended()
        #expect(!gate.isSuspended)
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 8, count: 1)))
    }

    @Test func `a batch that was kept after all counts`() {
        var gate = CommitGate(durableSequence: 7)
        gate.gather()
        gate.gather()
        _ = gate.endTurn(at: .zero)
        gate.refused()
        gate.rebuilt(upTo: 9)
        gate.mended()
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .commit(.init(firstSequence: 10, count: 1)))
    }

    @Test func `a suspension can end in a failure`() {
        var gate = CommitGate(durableSequence: 7)
        gate.gather()
        _ = gate.endTurn(at: .zero)
        gate.refused()
        gate.rebuilt(upTo: 7)
        gate.failed()
        #expect(gate.hasFailed && !gate.isSuspended && gate.endTurn(at: .zero) == .wait)
    }

    @Test func `nothing is recorded while the journal can't write, nor durable facts lost`() async {
        await #expect(processExitsWith: .failure) {
            var gate = CommitGate(durableSequence: 0)
            gate.gather()
            _ = gate.endTurn(at: .zero)
            gate.refused()
            gate.rebuilt(upTo: 0)
            gate.gather()
        }
        await #expect(processExitsWith: .failure) {
            var gate = CommitGate(durableSequence: 7)
            gate.gather()
            _ = gate.endTurn(at: .zero)
            gate.refused()
            gate.rebuilt(upTo: 6)
        }
    }

    @Test func `the next commit waits for its time, and takes along what gathers meanwhile`() {
        var gate = CommitGate(durableSequence: 0, pace: .milliseconds(2))
        gate.gather()
        #expect(gate.endTurn(at: .milliseconds(10)) == .commit(.init(firstSequence: 1, count: 1)))
        gate.gather()
        gate.committed()
        #expect(gate.endTurn(at: .milliseconds(11)) == .pause(.milliseconds(1)) && !gate.isIdle)
        gate.gather()
        #expect(gate.endTurn(at: .milliseconds(12)) == .commit(.init(firstSequence: 2, count: 2)))
        gate.committed()
        #expect(gate.endTurn(at: .milliseconds(12)) == .release)
        gate.gather()
        #expect(gate.endTurn(at: .milliseconds(60)) == .commit(.init(firstSequence: 4, count: 1)))
        gate.committed()
        gate.gather()
        #expect(gate.endTurn(at: .milliseconds(60), isLast: true) == .commit(.init(firstSequence: 5, count: 1)))
    }

    @Test func `after a failure nothing leaves and nothing is committed`() {
        var gate = CommitGate(durableSequence: 7)
        gate.gather()
        _ = gate.endTurn(at: .zero)
        gate.failed()
        #expect(gate.hasFailed)
        #expect(gate.endTurn(at: .zero) == .wait)
        gate.gather()
        #expect(gate.endTurn(at: .zero) == .wait)
        #expect(!gate.isIdle)
        #expect(gate.durableSequence == 7)
    }

    @Test func `a commit that nobody began can't be done`() async {
        await #expect(processExitsWith: .failure) {
            var gate = CommitGate(durableSequence: 0)
            gate.committed()
        }
        await #expect(processExitsWith: .failure) {
            var gate = CommitGate(durableSequence: 0)
            gate.gather()
            gate.failed()
        }
    }
}
