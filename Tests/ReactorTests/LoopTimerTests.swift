import Reactor
import Testing

@Suite struct LoopTimerTests {
    @Test func `a timer fires once, not before its time`() throws {
        try withLoop { loop in
            let begin = loop.now
            var times: [UInt64] = []
            let timer = LoopTimer(on: loop)
            timer.start(afterMilliseconds: 20) { times.append(loop.now) }
            #expect(timer.isActive)
            loop.run()
            #expect(times.count == 1)
            #expect(times[0] >= begin + 20)
            #expect(!timer.isActive)
            timer.close()
        }
    }

    @Test func `a repeating timer fires until it is stopped`() throws {
        try withLoop { loop in
            var shots = 0
            let timer = LoopTimer(on: loop)
            timer.start(afterMilliseconds: 1, everyMilliseconds: 1) {
                shots += 1
                if shots == 5 { timer.stop() }
            }
            loop.run()
            #expect(shots == 5)
            timer.close()
        }
    }

    @Test func `a second start replaces the first`() throws {
        try withLoop { loop in
            var fired: [String] = []
            let timer = LoopTimer(on: loop)
            timer.start(afterMilliseconds: 1) { fired.append("first") }
            timer.start(afterMilliseconds: 2) { fired.append("second") }
            loop.run()
            #expect(fired == ["second"])
            timer.close()
        }
    }

    @Test func `a timer may be started again and closed from its own shot`() throws {
        try withLoop { loop in
            var shots = 0
            let timer = LoopTimer(on: loop)
            timer.onFire = { [unowned timer] in
                shots += 1
                if shots < 3 { timer.start(afterMilliseconds: 0) } else { timer.close() }
                if shots == 3 { timer.close() }  // the second time does nothing
            }
            timer.start(afterMilliseconds: 0)
            loop.run()
            #expect(shots == 3)
        }
    }

    @Test func `a timer that does not keep the loop alive lets it end`() throws {
        try withLoop { loop in
            let timer = LoopTimer(on: loop) { Issue.record("fired") }
            timer.start(afterMilliseconds: 50_000)
            timer.keepsLoopAlive = false
            #expect(!timer.keepsLoopAlive)
            loop.run()
            timer.close()
        }
    }

    @Test func `a closed timer can't be started`() async {
        await #expect(processExitsWith: .failure) {
            let timer = LoopTimer(on: try EventLoop())
            timer.close()
            timer.start(afterMilliseconds: 0)
        }
    }
}
