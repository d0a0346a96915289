import Seeded
import Testing

@testable import Booking

/// Forecasts of the time left in full lines, compared with the actual wait.
@Suite struct RoomForecastTests {
    private static let start = Timestamp(seconds: 1_700_000_000)

    private func seconds(_ line: inout Line, _ place: UInt64, after span: Nanoseconds = .zero) -> UInt64? {
        line.standing(of: Place(place), at: Self.start + span)?.seconds
    }

    private func makeLine(
        _ rules: LineRules,
        people: UInt64,
        opensAfter: Nanoseconds = .zero
    ) -> Line {
        var line = Line(rules: rules, opensAt: Self.start + opensAfter, hashSeed: 42)
        for user in 1...people { line.applyJoined(UserID(user), place: line.nextPlace, at: Self.start) }
        return line
    }

    private func admit(_ line: inout Line, after span: Nanoseconds) {
        while let place = line.nextAdmission(at: Self.start + span) { line.applyAdmitted(place, at: Self.start + span) }
    }

    // MARK: What is certain

    @Test func `before the opening the time to it counts, and then the rate`() {
        var line = self.makeLine(LineRules(admissionsPerSecond: 10), people: 25, opensAfter: .seconds(3_600))
        #expect(self.seconds(&line, 1) == 3_601)
        #expect(self.seconds(&line, 25) == 3_603)
        #expect(self.seconds(&line, 1, after: .milliseconds(3_599_950)) == 1)
        #expect(self.seconds(&line, 1, after: .seconds(3_600)) == 1)
        #expect(self.seconds(&line, 25, after: .seconds(4_000)) == 3)
    }

    @Test func `with nobody seen to go, the first place comes free when the first stay ends`() {
        var line = self.makeLine(LineRules(admissionsPerSecond: 1, maxActive: 3), people: 20)
        for second in 0...2 as ClosedRange<Int64> { self.admit(&line, after: .seconds(second)) }
        #expect(line.totals.admitted == 3)
        #expect(self.seconds(&line, 4, after: .seconds(2)) == 298)
        #expect(self.seconds(&line, 4, after: .seconds(200)) == 100)
        #expect(self.seconds(&line, 4, after: .milliseconds(299_500)) == 1)
        // Three every five minutes, from the last of these on.
        let later = self.seconds(&line, 9, after: .seconds(2))!
        #expect((500...700).contains(later), "\(later) s")
    }

    @Test func `whoever gets one of the places that are free already waits for the rate alone`() {
        var line = self.makeLine(LineRules(admissionsPerSecond: 1, maxActive: 3), people: 20)
        self.admit(&line, after: .zero)
        #expect(self.seconds(&line, 2) == 1)
        #expect(self.seconds(&line, 3) == 2)
        #expect(self.seconds(&line, 4) == 300)
    }

    @Test func `before the opening, whoever does not fit waits for a stay to end as well`() {
        let rules = LineRules(admissionsPerSecond: 50, maxActive: 100, admittedLifetime: .seconds(60))
        var line = self.makeLine(rules, people: 250, opensAfter: .seconds(600))
        #expect(self.seconds(&line, 100) == 602)
        let (second, third) = (self.seconds(&line, 101)!, self.seconds(&line, 250)!)
        #expect((660...662).contains(second), "\(second) s")
        #expect((715...800).contains(third), "\(third) s")
    }

    @Test func `people who all stay to the end come in waves, and are foretold so`() {
        let rules = LineRules(admissionsPerSecond: 50, maxActive: 1_000)
        var line = self.makeLine(rules, people: 3_000)
        for tick in 0...2_000 as ClosedRange<Int64> { self.admit(&line, after: .milliseconds(tick * 10)) }
        #expect(line.totals.admitted == 1_000)
        // The first of them goes after 300 s, the last after 320.
        let told = [1_001, 1_500, 2_000].map { self.seconds(&line, $0, after: .seconds(50))! }
        #expect(told[0] == 250 && (255...268).contains(told[1]) && (262...280).contains(told[2]), "\(told) s")
    }

    @Test func `a place of somebody who stays on for a hold is foretold for when that ends`() {
        let rules = LineRules(admissionsPerSecond: 10, maxActive: 2, admittedLifetime: .seconds(300))
        var line = self.makeLine(rules, people: 5)
        self.admit(&line, after: .zero)
        self.admit(&line, after: .milliseconds(100))
        let over = Self.start + .seconds(301)
        for place: UInt64 in 1...2 { line.linger(Place(place), until: Self.start + .seconds(590), at: over) }
        #expect(self.seconds(&line, 3, after: .seconds(301)) == 289)
        #expect(self.seconds(&line, 3, after: .seconds(500)) == 90)
        // The forecast covers one lifetime.
        line.applyExpired(Place(1), at: Self.start + .seconds(520))
        self.admit(&line, after: .seconds(520))
        #expect(self.seconds(&line, 4, after: .seconds(520)) == 70)
        line.applyUsedUp(Place(2), at: Self.start + .seconds(530))
        #expect(self.seconds(&line, 4, after: .seconds(530)) == 1)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `after a pause in which nobody could go, the lifetimes alone say how long it takes`() {
        var line = self.makeLine(LineRules(admissionsPerSecond: 10, maxActive: 1), people: 40)
        for second in 0..<20 as Range<Int64> {
            self.admit(&line, after: .seconds(second))
            line.applyUsedUp(Place(UInt64(second) + 1), at: Self.start + .seconds(second + 1))
        }
        self.admit(&line, after: .seconds(20))
        #expect(self.seconds(&line, 22, after: .seconds(20))! <= 3)
        line.resume(at: Self.start + .seconds(20))
        #expect(self.seconds(&line, 22, after: .seconds(20)) == 300)
    }

    // MARK: What is seen

    /// How long people stay, and how many may be inside.
    struct Crowd: Sendable, CustomStringConvertible {
        let maxActive: UInt32
        /// The mean stay of people who leave early, in seconds.
        let meanStay: Double
        /// The share of people who stay to the end, in hundredths.
        let stayToTheEnd: Int
        var description: String { "\(self.maxActive) inside, \(self.meanStay) s, \(self.stayToTheEnd) % to the end" }
    }

    private static let crowds = [
        Crowd(maxActive: 1, meanStay: 20, stayToTheEnd: 0), Crowd(maxActive: 5, meanStay: 3, stayToTheEnd: 0),
        Crowd(maxActive: 50, meanStay: 60, stayToTheEnd: 0), Crowd(maxActive: 50, meanStay: 40, stayToTheEnd: 30),
        Crowd(maxActive: 500, meanStay: 30, stayToTheEnd: 5), Crowd(maxActive: 500, meanStay: 30, stayToTheEnd: 60),
        Crowd(maxActive: 200, meanStay: 1, stayToTheEnd: 100),
    ]

    /// For each of many moments and places: the forecast, and the actual wait.
    private func outcomes(_ crowd: Crowd, seed: UInt64) -> [(told: Double, took: Double)] {
        var random = SeededRandom(seed: seed)
        let rules = LineRules(admissionsPerSecond: 50, maxActive: crowd.maxActive, waitingLifetime: .days(1))
        let people = UInt64(crowd.maxActive) * 8 + 40
        var line = self.makeLine(rules, people: people)
        var leaves: [(at: Timestamp, place: Place)] = []
        var open: [(place: UInt64, at: Timestamp, told: UInt64)] = []
        var outcomes: [(told: Double, took: Double)] = []
        var now = Self.start
        while line.totals.waiting > 0 {
            now = now + .milliseconds(200)
            while let expired = line.firstExpired(at: now) { line.applyExpired(expired.place, at: now) }
            for leave in leaves where leave.at <= now { line.applyUsedUp(leave.place, at: now) }
            leaves.removeAll { $0.at <= now }
            while let place = line.nextAdmission(at: now) {
                line.applyAdmitted(place, at: now)
                for told in open where told.place == place.rawValue {
                    outcomes.append((Double(told.told), Double((now - told.at).rawValue) / 1e9))
                }
                open.removeAll { $0.place == place.rawValue }
                guard random.below(100) >= crowd.stayToTheEnd else { continue }
                // Exponential, by the sum of many small chances.
                let stay = Self.exponential(&random) * crowd.meanStay
                if stay < 299 { leaves.append((now + Nanoseconds(Int64(stay * 1e9)), place)) }
            }
            let place = UInt64(random.below(Int(people))) + 1
            // Until some have gone, only the lifetimes are known.
            guard line.totals.usedUp + line.totals.expired >= 5, random.once(in: 4),
                line.entry(at: Place(place))?.state == .waiting
            else { continue }
            open.append((place, now, line.standing(of: Place(place), at: now)!.seconds))
        }
        return outcomes
    }

    /// With mean 1: von Neumann's method, which needs comparisons only.
    private static func exponential(_ random: inout SeededRandom) -> Double {
        func unit() -> Double { Double(random.next() >> 11) * 0x1p-53 }
        var whole = 0.0
        while true {
            let first = unit()
            var (last, next, count) = (first, unit(), 1)
            while next < last {
                last = next
                next = unit()
                count += 1
            }
            if count % 2 == 1 { return whole + first }
            whole += 1
        }
    }

    @Test(arguments: Self.crowds)
    func `what is told is within a factor of three of what it takes`(crowd: Crowd) {
        let all = (1...3).flatMap { self.outcomes(crowd, seed: $0) }
        // Seconds are whole, and short waits are chance.
        let wrong = all.filter { $0.told > 3 * $0.took + 10 || $0.told < $0.took / 3 - 10 }
        #expect(all.count > 50)
        #expect(wrong.count * 20 <= all.count, "\(wrong.count) of \(all.count): \(wrong.prefix(10))")
    }
}
