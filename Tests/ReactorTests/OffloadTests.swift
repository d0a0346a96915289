import Foundation
import Reactor
import Testing

@Suite struct OffloadTests {
    @Test func `work is done on another thread and its result comes back to the loop`() throws {
        try withLoop { loop in
            let here = pthread_self()
            var there: pthread_t?
            var back: pthread_t?
            loop.offload({ pthread_self() }) {
                there = $0
                back = pthread_self()
            }
            loop.run()
            #expect(there != nil && there != here)
            #expect(back == here)
        }
    }

    @Test func `what is sent to the worker need not be Sendable`() throws {
        final class Ledger { var rows = [1, 2, 3] }
        try withLoop { loop in
            let ledger = Ledger()
            var sum = 0
            loop.offload({
                ledger.rows.append(4)
                return ledger.rows.reduce(0, +)
            }) { sum = $0 }
            loop.run()
            #expect(sum == 10)
        }
    }

    @Test func `the pool's threads are there before the first work, or an error says how many are missing`() throws {
        #expect(EventLoop.poolSize >= 1)
        try withLoop { loop in
            try loop.startPool()
            var isDone = false
            loop.offload({ true }) { isDone = $0 }
            loop.run()
            #expect(isDone)
        }
    }

    @Test func `a thousand works all come back, and closing the loop waits for them`() throws {
        var sum = 0
        try withLoop { loop in
            for number in 1...1_000 { loop.offload({ number }) { sum += $0 } }
        }
        #expect(sum == 500_500)
    }
}
