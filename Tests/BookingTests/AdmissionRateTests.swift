import Booking
import Seeded
import Testing

@Suite struct AdmissionRateTests {
    private static let start = Timestamp(seconds: 1_700_000_000)

    @Test(
        arguments: [
            (1, 1_000_000_000, 1), (3, 333_333_334, 1), (10, 100_000_000, 1), (50, 20_000_000, 5),
            (7_000, 142_858, 700),
            (UInt32.max, 1, 429_496_729),
        ] as [(UInt32, Int64, Int)]
    )
    func `the interval is rounded up and the burst is a tenth of the rate`(rate: UInt32, interval: Int64, burst: Int) {
        let rate = AdmissionRate(perSecond: rate)
        #expect(rate.interval == Nanoseconds(interval))
        #expect(rate.burst == burst)
    }

    @Test(arguments: [1, 3, 10, 19, 20, 50, 99, 5_000, 1_000_000, .max] as [UInt32])
    func `after a quiet time exactly the burst may enter`(perSecond: UInt32) {
        let rate = AdmissionRate(perSecond: perSecond)
        #expect(rate.allowed(at: Self.start, opensAt: .distantPast) == rate.burst)
        #expect(rate.allowed(at: .distantFuture, opensAt: .distantPast) == rate.burst)
    }

    @Test func `nobody enters before the opening, one at it, and the time before earned nothing`() {
        let rate = AdmissionRate(perSecond: 50)
        #expect(rate.allowed(at: Self.start - Nanoseconds(1), opensAt: Self.start) == 0)
        #expect(rate.allowed(at: Self.start, opensAt: Self.start) == 1)
        #expect(rate.allowed(at: Self.start + .milliseconds(20), opensAt: Self.start) == 2)
        #expect(rate.allowed(at: Self.start + .milliseconds(60_000), opensAt: Self.start) == 5)
    }

    @Test func `each admission moves the due moment on by one interval`() {
        var rate = AdmissionRate(perSecond: 50)
        rate.applyAdmission(at: Self.start, opensAt: Self.start)
        #expect(rate.due == Self.start + .milliseconds(20))
        rate.applyAdmission(at: Self.start + .milliseconds(25), opensAt: Self.start)
        #expect(rate.due == Self.start + .milliseconds(40), "5 ms late, made good")
        #expect(rate.allowed(at: Self.start + .milliseconds(39), opensAt: Self.start) == 0)
        #expect(rate.allowed(at: Self.start + .milliseconds(40), opensAt: Self.start) == 1)
    }

    @Test func `an admission that the rate forbids costs one interval, however many there were`() {
        var rate = AdmissionRate(perSecond: 1)
        for _ in 0..<1_000 { rate.applyAdmission(at: Self.start, opensAt: .distantPast) }
        #expect(rate.due == Self.start + .seconds(1))
    }

    /// Ticks at random moments, 10 to 20 ms apart; each admits as many as allowed.
    @Test(arguments: [1, 2, 7, 10, 15, 19, 25, 50, 333, 5_000] as [UInt32], [1, 2] as [UInt64])
    func `late ticks lose no rate, and no second sees more than rate and burst`(perSecond: UInt32, seed: UInt64) {
        var rate = AdmissionRate(perSecond: perSecond)
        var random = SeededRandom(seed: seed)
        var admissions: [Int64] = []
        var elapsed: Int64 = 0
        while elapsed < 20_000_000_000 {
            let now = Self.start + Nanoseconds(elapsed)
            for _ in 0..<rate.allowed(at: now, opensAt: Self.start) {
                rate.applyAdmission(at: now, opensAt: Self.start)
                admissions.append(elapsed)
            }
            elapsed += Int64.random(in: 10_000_000...20_000_000, using: &random)
        }
        let expected = 20 * Double(perSecond)
        #expect(abs(Double(admissions.count) - expected) <= max(1, expected / 100), "seed \(seed)")
        #expect(mostInOneSecond(admissions) <= Int(perSecond) + rate.burst, "seed \(seed)")
    }

    @Test(arguments: [1, 10, 50, 1_000] as [UInt32])
    func `people who come in bursts never get more than rate and burst in any second`(perSecond: UInt32) {
        var rate = AdmissionRate(perSecond: perSecond)
        var random = SeededRandom(seed: UInt64(perSecond))
        var admissions: [Int64] = []
        var elapsed: Int64 = 0
        for _ in 0..<20_000 {
            let now = Self.start + Nanoseconds(elapsed)
            let allowed = rate.allowed(at: now, opensAt: .distantPast)
            for _ in 0..<min(allowed, Int.random(in: 0...3, using: &random)) {
                rate.applyAdmission(at: now, opensAt: .distantPast)
                admissions.append(elapsed)
            }
            elapsed += Int64.random(in: 0...3_000_000_000, using: &random) >> Int64.random(in: 0...30, using: &random)
        }
        #expect(mostInOneSecond(admissions) <= Int(perSecond) + rate.burst)
    }

    @Test func `a rate of 0 traps`() async {
        await #expect(processExitsWith: .failure) { _ = AdmissionRate(perSecond: 0) }
    }

    private func mostInOneSecond(_ moments: [Int64]) -> Int {
        var first = 0
        var most = 0
        for (index, moment) in moments.enumerated() {
            while moment - moments[first] >= 1_000_000_000 { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }
}
