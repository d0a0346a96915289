import Testing

@testable import Edge

/// Transcripts: what happens to a connection, and what it does about each, without sockets.
@Suite struct HTTPConnectionStateTests {
    private typealias Step = HTTPConnectionState.Step
    private typealias Stage = HTTPConnectionState.Stage

    private static let pipelinedMax: UInt32 = 4

    /// A connection that reads, with so many requests unanswered.
    private static func reading(unanswered: Int = 0) -> HTTPConnectionState {
        var state = HTTPConnectionState(isIntroduced: true)
        for _ in 0..<unanswered { _ = state.requestRead(last: nil) }
        return state
    }

    private static func paused(unanswered: Int) -> HTTPConnectionState {
        var state = self.reading(unanswered: unanswered)
        _ = state.roomIsOver()
        return state
    }

    private static func ending(_ farewell: HTTPConnectionState.Farewell) -> HTTPConnectionState {
        var state = self.reading()
        _ = state.requestRead(last: farewell)
        return state
    }

    private static var lingering: HTTPConnectionState {
        var state = self.ending(.early)
        _ = state.answered(isHandingOver: false)
        return state
    }

    private static var closing: HTTPConnectionState {
        var state = self.reading()
        state.closed()
        return state
    }

    // MARK: Requests and answers

    @Test func `requests are numbered, and answered in that order`() {
        var state = HTTPConnectionState(isIntroduced: true)
        #expect(state.stage == .reading)
        #expect(state.receipt == .requests)
        #expect(state.requestRead(last: nil) == 0)
        #expect(state.requestRead(last: nil) == 1)
        #expect(state.unanswered == 2)
        #expect(state.nextAnswer == 0)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.nextAnswer == 1)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.unanswered == 0)
        #expect(state.stage == .reading)
    }

    @Test func `a last request is answered, and then the connection closes`() {
        var state = Self.reading(unanswered: 1)
        #expect(state.requestRead(last: .agreed) == 1)
        #expect(state.stage == .ending(after: 1, .agreed))
        #expect(state.receipt == .nothing)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.answered(isHandingOver: false) == .close)
        #expect(state.stage == .closing)
    }

    @Test func `while the server hands over, it lingers behind its last answer`() {
        var state = Self.ending(.agreed)
        #expect(state.answered(isHandingOver: true) == .linger)
        #expect(state.stage == .lingering)
        #expect(state.awaited == .peersEnd)
        #expect(state.peerEnded() == .close)
        #expect(state.stage == .closing)
    }

    @Test func `behind a refusal it lingers, as the peer may be sending more`() {
        var state = Self.reading(unanswered: 2)
        #expect(state.refused() == 2)
        #expect(state.stage == .ending(after: 2, .early))
        #expect(state.refused() == nil)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.answered(isHandingOver: false) == .linger)
        #expect(state.receipt == .nothing)
    }

    @Test(arguments: [HTTPConnectionState.Farewell.agreed, .early])
    func `a peer that has ended its side is not waited for behind the last answer`(
        farewell: HTTPConnectionState.Farewell
    ) {
        var state = Self.ending(farewell)
        #expect(state.peerEnded() == .nothing)
        #expect(state.stage == .ending(after: 0, .mutual))
        #expect(state.answered(isHandingOver: true) == .close)
    }

    @Test func `a peer that ends its side gets the answers under way, and its half request is dropped`() {
        var state = Self.reading(unanswered: 2)
        #expect(state.peerEnded() == .dropUnfinished)
        #expect(state.stage == .ending(after: 1, .mutual))
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.answered(isHandingOver: false) == .close)
    }

    @Test func `a peer that ends its side with nothing under way is let go`() {
        var state = Self.reading()
        #expect(state.peerEnded() == .close)
        #expect(state.stage == .closing)
        #expect(state.answered(isHandingOver: false) == .nothing)
    }

    // MARK: Expect: 100-continue

    @Test func `100 Continue comes at once where no answer is due`() {
        var state = Self.reading()
        state.continueExpected()
        #expect(state.needsMore() == .sendContinue)
        #expect(state.needsMore() == .nothing)
    }

    @Test func `100 Continue does not overtake the answers before it`() {
        var state = Self.reading(unanswered: 2)
        state.continueExpected()
        #expect(state.needsMore() == .nothing)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.answered(isHandingOver: false) == .sendContinue)
        #expect(state.requestRead(last: nil) == 2)
        #expect(state.answered(isHandingOver: false) == .nothing)
    }

    @Test func `a body that came all the same needs no 100 Continue`() {
        var state = Self.reading(unanswered: 1)
        state.continueExpected()
        _ = state.requestRead(last: nil)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.answered(isHandingOver: false) == .nothing)
        #expect(state.needsMore() == .nothing)
    }

    @Test func `100 Continue is sent while reading is paused, but not behind a refusal`() {
        var state = Self.paused(unanswered: 1)
        state.continueExpected()
        #expect(state.answered(isHandingOver: false) == .sendContinue)
        state.continueExpected()
        #expect(state.refused() == 1)
        #expect(state.answered(isHandingOver: false) == .linger)
    }

    // MARK: Room

    @Test func `reading pauses with too many unanswered, and goes on when half have left`() {
        var state = Self.reading(unanswered: 3)
        #expect(state.mayRead(pipelinedMax: Self.pipelinedMax))
        _ = state.requestRead(last: nil)
        #expect(!state.mayRead(pipelinedMax: Self.pipelinedMax))
        #expect(state.roomIsOver() == .stopReading)
        #expect(state.stage == .paused)
        #expect(state.roomIsOver() == .nothing)
        _ = state.answered(isHandingOver: false)
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: false) == .nothing)
        _ = state.answered(isHandingOver: false)
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: true) == .nothing)
        #expect(state.stage == .paused)
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: false) == .readOn)
        #expect(state.stage == .reading)
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: false) == .nothing)
    }

    @Test func `nothing is read beside a large answer`() {
        var state = Self.reading(unanswered: 1)
        state.largeAnswerAwaited()
        #expect(!state.mayRead(pipelinedMax: Self.pipelinedMax))
        _ = state.roomIsOver()
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: false) == .nothing)
        _ = state.answered(isHandingOver: false)
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: false) == .readOn)
        #expect(state.mayRead(pipelinedMax: Self.pipelinedMax))
        // The next one is small.
        _ = state.requestRead(last: nil)
        #expect(state.mayRead(pipelinedMax: Self.pipelinedMax))
    }

    @Test func `a connection that is ending stops reading and goes on, and reads no request`() {
        var state = Self.ending(.agreed)
        #expect(state.roomIsOver() == .stopReading)
        #expect(state.stage == .ending(after: 0, .agreed))
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: true) == .nothing)
        #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: false) == .startReading)
        #expect(state.receipt == .nothing)
    }

    @Test func `room is asked for only where it matters`() {
        for state in [
            Self.reading(), Self.paused(unanswered: 4), Self.lingering, HTTPConnectionState(isIntroduced: false),
        ] {
            var state = state
            var asked = 0
            func isFull() -> Bool {
                asked += 1
                return false
            }
            #expect(state.roomHasGrown(pipelinedMax: Self.pipelinedMax, isFull: isFull()) == .nothing)
            #expect(asked == 0)
        }
    }

    // MARK: The header of a proxy

    @Test func `after the header of a proxy, what comes is requests`() {
        var state = HTTPConnectionState(isIntroduced: false)
        #expect(state.stage == .introducing)
        #expect(state.receipt == .prelude)
        #expect(state.awaited == .prelude)
        #expect(state.refused() == nil)
        state.introduced()
        #expect(state == HTTPConnectionState(isIntroduced: true))
        #expect(state.awaited == .request)
    }

    @Test func `a client with too many connections is told so behind its header`() {
        var state = HTTPConnectionState(isIntroduced: false)
        #expect(state.rejectedConnections() == .linger)
        #expect(state.receipt == .nothing)
        #expect(state.peerEnded() == .close)
    }

    // MARK: Time

    @Test func `a request is waited for only while nothing is due and reading goes on`() {
        #expect(Self.reading().awaited == .request)
        #expect(Self.reading(unanswered: 1).awaited == .nothing)
        #expect(Self.paused(unanswered: 0).awaited == .nothing)
        #expect(Self.ending(.agreed).awaited == .nothing)
        #expect(Self.lingering.awaited == .peersEnd)
        #expect(Self.closing.awaited == .nothing)
    }

    @Test func `an idle connection closes, and one with an answer due does not`() {
        var idle = Self.reading()
        #expect(idle.idled() == .close)
        #expect(idle.stage == .closing)
        var waiting = Self.reading(unanswered: 1)
        #expect(waiting.idled() == .nothing)
        #expect(waiting.stage == .reading)
    }

    // MARK: Draining

    @Test func `a drain ends a connection at rest, and lingers while the server hands over`() {
        var closed = Self.reading()
        #expect(closed.drained(isBetweenRequests: true, isHandingOver: false) == .close)
        var lingering = Self.reading()
        #expect(lingering.drained(isBetweenRequests: true, isHandingOver: true) == .linger)
        var introducing = HTTPConnectionState(isIntroduced: false)
        #expect(introducing.drained(isBetweenRequests: true, isHandingOver: true) == .linger)
    }

    @Test func `a drain waits for the answers under way, and for a request that has come by half`() {
        var answering = Self.paused(unanswered: 3)
        #expect(answering.drained(isBetweenRequests: true, isHandingOver: false) == .nothing)
        #expect(answering.stage == .ending(after: 2, .agreed))
        for _ in 0..<2 { #expect(answering.answered(isHandingOver: true) == .nothing) }
        #expect(answering.answered(isHandingOver: true) == .linger)
        var half = Self.reading(unanswered: 1)
        #expect(half.drained(isBetweenRequests: false, isHandingOver: false) == .nothing)
        #expect(half == Self.reading(unanswered: 1))
    }

    // MARK: All of them

    /// What an event makes of a state: the step, and the stage after it.
    private struct Outcome: Equatable {
        let step: Step
        let stage: Stage

        init(_ step: Step, _ stage: Stage) {
            self.step = step
            self.stage = stage
        }
    }

    /// One of each stage, with one request unanswered where there can be any.
    private static let states: [HTTPConnectionState] = [
        HTTPConnectionState(isIntroduced: false), Self.reading(unanswered: 1), Self.paused(unanswered: 1),
        Self.ending(.agreed), Self.lingering, Self.closing,
    ]

    private static func outcomes(_ event: (inout HTTPConnectionState) -> Step) -> [Outcome] {
        self.states.map { state in
            var state = state
            let step = event(&state)
            return Outcome(step, state.stage)
        }
    }

    @Test func `every event has its answer in every state`() {
        let ending = Stage.ending(after: 0, .agreed)
        #expect(
            Self.outcomes { $0.roomIsOver() } == [
                Outcome(.nothing, .introducing), Outcome(.stopReading, .paused), Outcome(.nothing, .paused),
                Outcome(.stopReading, ending), Outcome(.nothing, .lingering), Outcome(.stopReading, .closing),
            ]
        )
        #expect(
            Self.outcomes { $0.roomHasGrown(pipelinedMax: 4, isFull: false) } == [
                Outcome(.nothing, .introducing), Outcome(.nothing, .reading), Outcome(.readOn, .reading),
                Outcome(.startReading, ending), Outcome(.nothing, .lingering), Outcome(.startReading, .closing),
            ]
        )
        #expect(
            Self.outcomes { $0.answered(isHandingOver: false) } == [
                Outcome(.nothing, .introducing), Outcome(.nothing, .reading), Outcome(.nothing, .paused),
                Outcome(.close, .closing), Outcome(.nothing, .lingering), Outcome(.nothing, .closing),
            ]
        )
        let mutual = Stage.ending(after: 0, .mutual)
        #expect(
            Self.outcomes { $0.peerEnded() } == [
                Outcome(.close, .closing), Outcome(.dropUnfinished, mutual), Outcome(.dropUnfinished, mutual),
                Outcome(.nothing, mutual), Outcome(.close, .closing), Outcome(.nothing, .closing),
            ]
        )
        #expect(
            Self.outcomes { $0.drained(isBetweenRequests: true, isHandingOver: false) } == [
                Outcome(.close, .closing), Outcome(.nothing, ending), Outcome(.nothing, ending),
                Outcome(.nothing, ending), Outcome(.nothing, .lingering), Outcome(.nothing, .closing),
            ]
        )
        #expect(Self.outcomes { $0.idled() } == Self.states.map { Outcome(.nothing, $0.stage) })
        #expect(Self.outcomes { $0.needsMore() } == Self.states.map { Outcome(.nothing, $0.stage) })
        let closed = Self.outcomes {
            $0.closed()
            return .nothing
        }
        #expect(closed == Self.states.map { _ in Outcome(.nothing, .closing) })
        #expect(Self.states.map(\.receipt) == [.prelude, .requests, .requests, .nothing, .nothing, .nothing])
        let refusals = Self.states.map { state -> UInt32? in
            var state = state
            return state.refused()
        }
        #expect(refusals == [nil, 1, 1, nil, nil, nil])
    }

    @Test func `a request that nobody reads is a bug`() async {
        await #expect(processExitsWith: .failure) {
            var state = HTTPConnectionState(isIntroduced: false)
            _ = state.requestRead(last: nil)
        }
    }
}
