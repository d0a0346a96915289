import Booking
import Testing
import Wire

@Suite struct PollPauseTests {
    /// What a line says at `rate` admissions a second.
    private func pause(_ order: UInt64, rate: UInt64, _ pause: PollPause = PollPause()) -> UInt32? {
        pause.seconds(for: Standing(order: order, seconds: (order + rate - 1) / rate))
    }

    @Test func `where few stand it is a tenth of the time that is left, from 1 to 30 seconds`() {
        #expect(self.pause(1, rate: 1) == 1)
        #expect(self.pause(19, rate: 1) == 1)
        #expect(self.pause(200, rate: 1) == 20)
        #expect(self.pause(5_000, rate: 1) == 30)
        #expect(self.pause(300_000, rate: 50) == 30)
    }

    @Test func `where many stand it grows with the place, up to a bound`() {
        #expect(self.pause(600_000, rate: 50) == 60)
        #expect(self.pause(10_000_000, rate: 50) == 300)
        #expect(self.pause(1_000_000, rate: 5_000, PollPause(frontPerSecond: 20_000)) == 50)
        #expect(self.pause(1_000_000, rate: 50, PollPause(secondsMax: 40)) == 40)
    }

    @Test func `where few stand the bound holds, too`() {
        #expect(self.pause(5_000, rate: 1, PollPause(secondsMax: 6)) == 6)
        #expect(self.pause(5_000, rate: 1, PollPause(secondsMax: 1)) == 1)
    }

    @Test func `nobody sleeps through more than half of the time that is left`() {
        #expect(self.pause(1_000_000, rate: 5_000) == 100)
        #expect(self.pause(1_000_000, rate: 50_000) == 10)
        #expect(self.pause(20_000, rate: 20_000) == 1)
    }

    @Test func `whoever is inside need not ask`() { #expect(PollPause().seconds(for: .admitted) == nil) }

    @Test func `a long line's polls a second stay near what they should be`() {
        var perSecond = 0.0
        for order in stride(from: UInt64(50), to: 1_000_000, by: 100) {
            perSecond += 100 / Double(self.pause(order, rate: 5_000)!)
        }
        // 10,000 · (1 + ln 100) is 56,000; whole seconds add to it.
        #expect((50_000...75_000).contains(perSecond), "\(perSecond) a second")
    }
}
