import Testing

@testable import Booking

struct ShardClockTests {
    private static let start = Timestamp(seconds: 1_800_000_000)

    /// A clock and two hands to turn.
    private struct Hands {
        var clock: ShardClock
        var wall = ShardClockTests.start
        var monotonic = Nanoseconds.seconds(7)

        init(after last: Timestamp = .distantPast) {
            self.clock = ShardClock(after: last, wall: self.wall, monotonic: self.monotonic, jumpMax: .seconds(2))
        }

        /// Time passes, and the wall clock is set on top of that. Gives seconds since the start.
        mutating func pass(_ span: Nanoseconds, set jump: Nanoseconds = .zero) -> (
            seconds: Double, note: ShardClock.Note?
        ) {
            self.monotonic = Nanoseconds(self.monotonic.rawValue + span.rawValue)
            self.wall = self.wall + span + jump
            let (time, note) = self.clock.read(wall: self.wall, monotonic: self.monotonic)
            return (Double((time - ShardClockTests.start).rawValue) / 1e9, note)
        }
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
        // What has passed while nobody ran is no jump.
        var later = Hands(after: Self.start - .seconds(86_400))
        #expect(later.pass(.seconds(1)) == (1, nil))
    }

    @Test func `a monotonic clock that does not go on is none that goes back`() {
        var hands = Hands()
        hands.monotonic = .seconds(1)
        #expect(hands.clock.read(wall: Self.start, monotonic: .zero).time == Self.start)
        #expect(hands.clock.read(wall: Self.start - .seconds(9), monotonic: .zero).time == Self.start)
    }
}
