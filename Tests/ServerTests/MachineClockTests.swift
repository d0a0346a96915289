import Booking
import Foundation
import Logging
import Testing

@testable import Configuration

/// What processes other than shards take for the time, and what is kept of it.
@Suite struct MachineClockTests {
    /// Two hands to turn.
    private final class Hands {
        var wall = Timestamp(seconds: 1_800_000_000)
        var sinceBoot = Nanoseconds.seconds(7)
        var readings: ClockReadings { ClockReadings(wall: { self.wall }, sinceBoot: { self.sinceBoot }) }

        func pass(_ span: Nanoseconds, set jump: Nanoseconds = .zero) {
            self.sinceBoot = Nanoseconds(self.sinceBoot.rawValue + span.rawValue)
            self.wall = self.wall + span + jump
        }

        func clock(expected: Timestamp? = nil, after last: Timestamp = .distantPast) -> MachineClock {
            let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            return MachineClock(expected: expected, after: last, readings: self.readings, tellingAs: .debug, log: log)
        }
    }

    @Test func `it is the wall clock, also when that is set, as long as it is sane`() {
        let hands = Hands()
        let clock = hands.clock()
        for jump in [0, 3_600, -7_200, 80_000, -400_000] as [Int64] {
            hands.pass(.seconds(1), set: .seconds(jump))
            #expect(clock.now == hands.wall && clock.ahead == nil)
        }
    }

    @Test func `an absurd wall clock is not believed, until it is sane or somebody says that it is right`() {
        let hands = Hands()
        let clock = hands.clock()
        let begun = clock.now
        hands.pass(.seconds(1), set: .days(3_650))
        #expect(clock.now == begun + .seconds(1))
        #expect(clock.isSuspended && clock.ahead == .days(3_650))
        hands.pass(.seconds(1), set: .days(-3_650))
        #expect(clock.now == begun + .seconds(2) && !clock.isSuspended)
        hands.pass(.seconds(1), set: .days(2))
        #expect(clock.ahead == .days(2))
        clock.trust()
        #expect(clock.now == hands.wall && clock.ahead == nil)
    }

    @Test(arguments: [true, false])
    func `a process that starts while the wall clock is far behind follows it when it is set right`(isSameBoot: Bool) {
        let hands = Hands()
        let right = hands.wall
        hands.wall = right + .days(-9_490)
        let clock = isSameBoot ? hands.clock(expected: right) : hands.clock(after: right + .seconds(-3_600))
        #expect(clock.now == hands.wall && !clock.isSuspended)
        hands.pass(.seconds(1), set: .days(9_490))
        #expect(clock.now == hands.wall && !clock.isSuspended)
        hands.pass(.seconds(1), set: .days(2))
        _ = clock.now
        #expect(clock.isSuspended)
    }

    @Test func `what is kept of it lets the next process tell an absurd clock, in the same boot`() throws {
        let hands = Hands()
        let reference = hands.clock().reference
        #expect(!reference.isSuspended)
        hands.pass(.days(40), set: .days(400))
        let expected = try #require(
            reference.expected(boot: ClockReference.currentBoot, sinceBoot: hands.sinceBoot)
        )
        #expect(hands.wall - expected == .days(400))
        let next = hands.clock(expected: expected)
        #expect(next.isSuspended && next.now == expected)
        #expect(reference.expected(boot: "another", sinceBoot: hands.sinceBoot) == nil)
        // Stopped in that state, and the machine started anew.
        let kept = next.reference
        #expect(kept.isSuspended)
        #expect(kept.expected(boot: "another", sinceBoot: .seconds(1)) == Timestamp(seconds: expected.seconds))
    }

    @Test func `the file comes back as it was written, and one that can't be read says nothing`() throws {
        let state = TestCluster.freshState()
        try FileManager.default.createDirectory(atPath: state.path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        #expect(ClockReference.read(state) == nil && state.expectedTime() == nil)
        let reference = ClockReference(boot: "b", offset: -5, isSuspended: true, time: 9)
        try reference.write(to: state)
        #expect(ClockReference.read(state) == reference)
        #expect(state.expectedTime() == Timestamp(seconds: 9))
        // What is written down for good is not written down by such a clock.
        #expect(throws: StartError.self) { try state.saneTime() }
        #expect(ClockReference.read(state)?.lastKnown == Timestamp(seconds: 9))
        // No time that there can be.
        try ClockReference(boot: "b", offset: 0, isSuspended: true, time: .max).write(to: state)
        #expect(ClockReference.read(state) == nil && state.expectedTime() == nil)
        try Data("{".utf8).write(to: URL(filePath: state.clockFile))
        #expect(ClockReference.read(state) == nil)
        #expect(ClockReference.currentBoot.count == 36)
    }
}
