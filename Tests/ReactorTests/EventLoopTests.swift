import Glibc
import Reactor
import Testing

@Suite struct EventLoopTests {
    @Test func `a loop with nothing to do returns`() throws {
        try withLoop { $0.run() }
    }

    @Test func `stop ends the run after the turn`() throws {
        try withLoop { loop in
            var shots = 0
            let timer = LoopTimer(on: loop)
            timer.start(afterMilliseconds: 0, everyMilliseconds: 1) {
                shots += 1
                if shots == 3 { loop.stop() }
            }
            loop.run()
            #expect(shots == 3)
            timer.close()
        }
    }

    @Test func `stop before the run makes it return at once and the next one not`() throws {
        try withLoop { loop in
            var fired = false
            let timer = LoopTimer(on: loop)
            timer.start(afterMilliseconds: 0) { fired = true }
            loop.stop()
            loop.run()
            #expect(!fired)
            loop.run()
            #expect(fired)
            timer.close()
        }
    }

    @Test func `the end of a turn comes after timers and before the loop waits`() throws {
        try withLoop { loop in
            var story: [String] = []
            let first = LoopTimer(on: loop)
            first.start(afterMilliseconds: 1) { story.append("timer") }
            let second = LoopTimer(on: loop)
            second.start(afterMilliseconds: 50) {
                story.append("later timer")
                loop.onTurnEnd = nil
            }
            loop.onTurnEnd = { if story.last != "turn end" { story.append("turn end") } }
            loop.run()
            #expect(story == ["turn end", "timer", "turn end", "later timer"])
            first.close()
            second.close()
        }
    }

    @Test func `the clock of the loop moves with updateTime`() throws {
        try withLoop { loop in
            let before = loop.now
            let end = Clock.monotonicNanoseconds() + 5_000_000
            while Clock.monotonicNanoseconds() < end {}
            #expect(loop.now == before)
            loop.updateTime()
            #expect(loop.now >= before + 4)
        }
    }

    @Test func `closing waits for handles that are closing`() throws {
        let loop = try EventLoop()
        var isClosed = false
        let timer = LoopTimer(on: loop)
        timer.onClose = { isClosed = true }
        timer.close()
        loop.close()
        #expect(isClosed)
    }

    @Test func `a loop goes when it is closed, also with output that no turn came for`() throws {
        weak var gone: EventLoop?
        do {
            let loop = try EventLoop()
            gone = loop
            let connection = try Connection(on: loop, toPath: "/tmp/usher-no-such-socket")
            connection.append("never sent")
            connection.close()
            loop.close()
        }
        #expect(gone == nil)
    }

    @Test func `a handle left open traps when the loop is closed`() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop()
            _ = LoopTimer(on: loop)
            loop.close()
        }
    }

    @Test func `a loop that is dropped without close traps`() async {
        await #expect(processExitsWith: .failure) {
            _ = try EventLoop()
        }
    }
}
