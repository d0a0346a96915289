import Booking
import Testing
import Wire

@Suite struct PollPauseTests {
    /// The pause in a line with `rate` admissions a second.
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

    @Test func `a line that can't move yet is asked about less often, and more often shortly before it can`() {
        func pause(left seconds: UInt64, order: UInt64 = 1) -> UInt32? {
            PollPause().seconds(for: Standing(order: order, seconds: seconds))
        }
        #expect(pause(left: 3_600) == 30)
        #expect(pause(left: 100) == 10)
        #expect(pause(left: 20) == 2)
        #expect(pause(left: 4) == 1)
        // Far back, where polls have to stay few and the user's admission is far away.
        #expect(pause(left: 20_010, order: 1_000_000) == 100)
    }

    @Test func `people who wait for an opening do not come all in one second`() {
        // A hundred seconds' joins, an hour before: each sleeps as long as told.
        let opening = 3_600.0
        var atOpening: [Double] = []
        for number in 0..<1_000 {
            var now = Double(number) / 10
            while now < opening {
                let left = UInt64((opening - now).rounded(.up)) + 1
                now += Double(PollPause().seconds(for: Standing(order: UInt64(number) + 1, seconds: left))!)
            }
            atOpening.append(now - opening)
        }
        // All within two seconds of it, and no tenth of a second has much more than its share of 100.
        #expect(atOpening.allSatisfy { $0 <= 2 })
        let busiest = Dictionary(grouping: atOpening) { Int($0 * 10) }.values.map(\.count).max()!
        #expect(busiest <= 200, "\(busiest) in a tenth of a second")
    }

    @Test func `nobody sleeps longer than the bound, however little moves`() {
        #expect(PollPause(secondsMax: 7).seconds(for: Standing(order: 1, seconds: 3_600)) == 7)
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
