import Reactor
import Testing

@Suite struct ClockTests {
    @Test func `the monotonic clock never goes back`() {
        var last = Clock.monotonicNanoseconds()
        for _ in 0..<10_000 {
            let now = Clock.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
    }

    @Test func `the wall clock is past the year 2025`() {
        #expect(Clock.wallNanoseconds() > 1_735_689_600_000_000_000)
    }
}
