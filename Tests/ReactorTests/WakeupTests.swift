import Foundation
import Reactor
import Synchronization
import Testing

@Suite struct WakeupTests {
    @Test func `news from eight threads all arrive`() throws {
        let sent = Counter()
        try withLoop { loop in
            var taken = 0
            var wakes = 0
            var wakeup: Wakeup?
            wakeup = try Wakeup(on: loop) {
                wakes += 1
                taken += sent.value.exchange(0, ordering: .relaxed)
                if taken == 80_000 { wakeup?.close() }
            }
            let sender = try #require(wakeup?.sender)
            for _ in 0..<8 {
                Thread.detachNewThread {
                    for _ in 0..<10_000 {
                        sent.value.add(1, ordering: .relaxed)
                        sender.send()
                    }
                }
            }
            loop.run()
            #expect(taken == 80_000)
            #expect(wakes >= 1 && wakes <= 80_000)
        }
    }

    @Test func `sending while it closes and afterwards is safe`() throws {
        for _ in 0..<50 {
            let done = DispatchSemaphore(value: 0)
            try withLoop { loop in
                let wakeup = try Wakeup(on: loop) {}
                let sender = wakeup.sender
                Thread.detachNewThread {
                    for _ in 0..<200 { sender.send() }
                    done.signal()
                }
                wakeup.close()
                sender.send()
                loop.run()
            }
            done.wait()
        }
    }

    private final class Counter: Sendable { let value = Atomic(0) }
}
