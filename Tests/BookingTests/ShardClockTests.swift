import Testing

@testable import Booking

struct ShardClockTests {
    private static let start = Timestamp(seconds: 1_800_000_000)

    /// A clock with two adjustable sources.
    private struct Hands {
        var clock: ShardClock
        var wall = ShardClockTests.start
        var monotonic = Nanoseconds.seconds(7)

        init(after last: Timestamp = .distantPast) {
            self.clock = ShardClock(after: last, wall: self.wall, monotonic: self.monotonic, jumpMax: .seconds(2))
        }

        /// Time passes, and the wall clock is set on top of that. Returns seconds since the start.
        mutating func pass(_ span: Nanoseconds, set jump: Nanoseconds = .zero) -> (
            seconds: Double, note: ShardClock.Note?
        ) {
            self.monotonic = Nanoseconds(self.monotonic.rawValue + span.rawValue)
            self.wall = self.wall + span + jump
            let (time, note) = self.clock.read(wall: self.wall, monotonic: self.monotonic)
            return (Double((time - ShardClockTests.start).rawValue) / 1e9, note)
        }

        mutating func trust() -> Bool { self.clock.trust(wall: self.wall, monotonic: self.monotonic) }
    }

    @Test func `it is the wall clock as long as that goes on as time does`() {
        var hands = Hands()
        for second in 1...100 { #expect(hands.pass(.seconds(1)) == (Double(second), nil)) }
    }

    @Test func `it follows a jump forward, and tells a large one`() {
        var hands = Hands()
        #expect(hands.pass(.seconds(1), set: .seconds(2)) == (3, nil))
        #expect(hands.pass(.seconds(1), set: .seconds(3_600)) == (3_604, .jumpedForward(.seconds(3_600))))
        #expect(hands.pass(.seconds(1)) == (3_605, nil))
    }

    @Test func `a jump back makes it slower, until the wall clock has caught up`() {
        var hands = Hands()
        #expect(hands.pass(.seconds(1), set: .seconds(-5)) == (0.9, .fellBehind(Nanoseconds(4_900_000_000))))
        #expect(hands.pass(.seconds(10)) == (9.9, nil))
        #expect(hands.clock.isBehind)
        // 5 s behind are made up for in 50 s.
        #expect(hands.pass(.seconds(38)) == (44.1, nil))
        #expect(hands.pass(.seconds(1)) == (45, .caughtUp))
        #expect(hands.pass(.seconds(1)) == (46, nil))
        #expect(!hands.clock.isBehind)
    }

    @Test func `small steps back are made up for without a word`() {
        var hands = Hands()
        var last = 0.0
        for step in 1...1_000 {
            let (seconds, note) = hands.pass(.milliseconds(10), set: step % 100 == 0 ? .milliseconds(-50) : .zero)
            #expect(seconds >= last + 0.009 - 1e-9 && note == nil)
            last = seconds
        }
    }

    @Test func `forward and back again it goes on, and never back`() {
        var hands = Hands()
        #expect(hands.pass(.seconds(1), set: .seconds(3_600)).note == .jumpedForward(.seconds(3_600)))
        let back = hands.pass(.seconds(1), set: .seconds(-3_600))
        #expect(back == (3_601.9, .fellBehind(Nanoseconds(3_599_900_000_000))))
        #expect(hands.pass(.seconds(100)) == (3_691.9, nil))
        // Set forward while it is behind, but not to the shard's time: still behind.
        #expect(hands.pass(.seconds(10), set: .seconds(60)) == (3_700.9, nil))
        #expect(hands.pass(.seconds(1), set: .seconds(4_000)).note == .jumpedForward(Nanoseconds(471_100_000_000)))
    }

    @Test func `after a restart it goes on from the journal's time, and says so`() {
        var ahead = Hands(after: Self.start + .seconds(100))
        #expect(ahead.clock.time == Self.start + .seconds(100))
        #expect(ahead.pass(.seconds(1)) == (100.9, .fellBehind(Nanoseconds(99_900_000_000))))
        // The time while the shard was down is no jump.
        var later = Hands(after: Self.start - .seconds(86_400))
        #expect(later.pass(.seconds(1)) == (1, nil))
    }

    // MARK: Absurd jumps

    private static let day = 86_400.0
    private static let tenYears = Nanoseconds.days(3_650)

    @Test func `ten years on for a moment change nothing`() {
        var hands = Hands()
        #expect(hands.pass(.seconds(1)) == (1, nil))
        #expect(hands.pass(.milliseconds(50), set: Self.tenYears) == (1.05, .suspended(Self.tenYears)))
        #expect(hands.clock.isSuspended && hands.clock.suspendedSince == Self.start + .milliseconds(1_050))
        #expect(hands.pass(.milliseconds(50)) == (1.1, nil))
        #expect(hands.pass(.milliseconds(900), set: Nanoseconds(-Self.tenYears.rawValue)) == (2, .resumed))
        #expect(!hands.clock.isSuspended && hands.clock.suspendedSince == nil)
        #expect(hands.pass(.seconds(1)) == (3, nil))
    }

    @Test func `a day is absurd, and a nanosecond less is followed`() {
        var hands = Hands()
        #expect(hands.pass(.zero, set: Nanoseconds(Nanoseconds.days(1).rawValue - 1)).note != nil)
        #expect(!hands.clock.isSuspended)
        hands = Hands()
        #expect(hands.pass(.zero, set: .days(1)) == (0, .suspended(.days(1))))
    }

    @Test func `while it is suspended time goes on, for as long as that takes`() {
        var hands = Hands()
        _ = hands.pass(.zero, set: Self.tenYears)
        for hour in 1...100 { #expect(hands.pass(.seconds(3_600)) == (Double(hour) * 3_600, nil)) }
        // Corrected, but an hour late: behind, as usual.
        let back = Nanoseconds(-Self.tenYears.rawValue - Nanoseconds.seconds(3_600).rawValue)
        let (seconds, note) = hands.pass(.seconds(10), set: back)
        #expect(seconds == 360_009 && note == .resumed && hands.clock.isBehind)
        #expect(hands.pass(.seconds(40_000)).note == .caughtUp)
    }

    @Test func `a wall clock that comes down to less than a day ahead is followed from there`() {
        var hands = Hands()
        _ = hands.pass(.zero, set: .days(400))
        #expect(hands.pass(.seconds(1), set: .days(-200)) == (1, nil))
        #expect(
            hands.pass(.seconds(1), set: Nanoseconds(-Nanoseconds.days(200).rawValue + 3_600_000_000_000)).note
                == .resumed
        )
        #expect(hands.pass(.seconds(1)) == (3_603, nil))
    }

    @Test func `a day back for a moment is no jump forward when it is over`() {
        var hands = Hands()
        #expect(hands.pass(.milliseconds(100), set: .days(-1)).note == .fellBehind(Nanoseconds(86_399_990_000_000)))
        #expect(hands.pass(.milliseconds(100), set: .days(1)) == (0.2, .caughtUp))
    }

    @Test func `somebody who knows may say that the wall clock is right`() {
        var hands = Hands()
        #expect(hands.trust() == false)
        _ = hands.pass(.seconds(1), set: .days(3))
        #expect(hands.trust() == true)
        #expect(!hands.clock.isSuspended)
        #expect(hands.pass(.seconds(1)) == (Self.day * 3 + 2, nil))
        #expect(hands.trust() == false)
    }

    @Test func `a machine that slept for two days has no clock that jumped`() {
        // The monotonic clock of the shells goes on meanwhile.
        var hands = Hands()
        #expect(hands.pass(.days(2)) == (Self.day * 2, nil))
    }

    @Test func `at a start, only what another clock says makes a wall clock absurd`() {
        func clock(after last: Nanoseconds, expected: Nanoseconds?) -> ShardClock {
            ShardClock(
                after: Self.start - last,
                expected: expected.map { Self.start + $0 },
                wall: Self.start,
                monotonic: .seconds(7),
                jumpMax: .seconds(2)
            )
        }
        #expect(clock(after: Self.tenYears, expected: nil).time == Self.start)
        #expect(!clock(after: Self.tenYears, expected: .seconds(-3_600)).isSuspended)
        let absurd = clock(after: Self.tenYears, expected: .days(-3))
        #expect(absurd.isSuspended && absurd.time == Self.start - .days(3))
        // The journal says that it was later.
        let ahead = clock(after: .days(2), expected: .days(-3))
        #expect(ahead.isSuspended && ahead.time == Self.start - .days(2))
        #expect(clock(after: .zero, expected: .days(-3)).time == Self.start)
        #expect(!clock(after: .zero, expected: .days(3)).isSuspended)
    }

    @Test func `a monotonic clock that does not go on is none that goes back`() {
        var hands = Hands()
        hands.monotonic = .seconds(1)
        #expect(hands.clock.read(wall: Self.start, monotonic: .zero).time == Self.start)
        #expect(hands.clock.read(wall: Self.start - .seconds(9), monotonic: .zero).time == Self.start)
    }
}
