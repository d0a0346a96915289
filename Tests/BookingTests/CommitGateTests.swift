import Booking
import Testing

struct CommitGateTests {
    @Test func `what changed nothing leaves at once`() {
        var gate = CommitGate(durableSequence: 0)
        #expect(gate.isIdle)
        #expect(gate.endTurn() == .release)
        #expect(gate.durableSequence == 0)
    }

    @Test func `a turn's facts are one batch, and its replies wait for it`() {
        var gate = CommitGate(durableSequence: 40)
        gate.gather()
        gate.gather()
        #expect(!gate.isIdle)
        #expect(gate.endTurn() == .commit(.init(firstSequence: 41, count: 2)))
        #expect(!gate.isIdle)
        #expect(gate.durableSequence == 40)
        gate.committed()
        #expect(gate.durableSequence == 42)
        #expect(gate.batchCount == 1)
        #expect(gate.endTurn() == .release)
    }

    @Test func `reads wait for the batch under way`() {
        var gate = CommitGate(durableSequence: 0)
        gate.gather()
        #expect(gate.endTurn() == .commit(.init(firstSequence: 1, count: 1)))
        #expect(gate.endTurn() == .wait)
        gate.committed()
        #expect(gate.endTurn() == .release)
    }

    @Test func `what gathers during a commit goes with the next one`() {
        var gate = CommitGate(durableSequence: 0)
        gate.gather()
        #expect(gate.endTurn() == .commit(.init(firstSequence: 1, count: 1)))
        gate.gather()
        gate.gather()
        #expect(gate.endTurn() == .wait)
        gate.gather()
        gate.committed()
        #expect(gate.endTurn() == .commit(.init(firstSequence: 2, count: 3)))
        gate.committed()
        #expect(gate.durableSequence == 4)
        #expect(gate.isIdle)
    }

    @Test func `after a failure nothing leaves and nothing is committed`() {
        var gate = CommitGate(durableSequence: 7)
        gate.gather()
        _ = gate.endTurn()
        gate.failed()
        #expect(gate.hasFailed)
        #expect(gate.endTurn() == .wait)
        gate.gather()
        #expect(gate.endTurn() == .wait)
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
