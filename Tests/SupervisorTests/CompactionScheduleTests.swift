import Booking
import Testing

@testable import Supervisor

@Suite struct CompactionScheduleTests {
    private static let start = Timestamp(seconds: 100)
    private static let rules = CompactionSchedule.Rules(bytes: 1_000_000, age: .seconds(3_600))

    private static func schedule(_ rules: CompactionSchedule.Rules = Self.rules) -> CompactionSchedule {
        CompactionSchedule(shards: 3, rules: rules, at: Self.start)
    }

    @Test func `a journal is compacted when it is long enough, and then begins anew`() {
        var schedule = Self.schedule()
        schedule.wrote(999_999, by: 1)
        #expect(schedule.next(at: Self.start) == nil)
        schedule.wrote(1_000_000, by: 1)
        #expect(schedule.next(at: Self.start) == 1 && schedule.running == 1)
        schedule.wrote(1_500_000, by: 1)
        #expect(schedule.ended(true, at: Self.start + .seconds(1)) == nil && schedule.running == nil)
        #expect(schedule.next(at: Self.start + .seconds(2)) == nil)
        schedule.wrote(1_999_999, by: 1)
        #expect(schedule.next(at: Self.start + .seconds(2)) == nil)
        schedule.wrote(2_000_000, by: 1)
        #expect(schedule.next(at: Self.start + .seconds(2)) == 1)
    }

    @Test func `one is compacted at a time, the longest first`() {
        var schedule = Self.schedule()
        for shard in 0..<3 { schedule.wrote(UInt64(shard + 1) * 1_000_000, by: shard) }
        for shard in [2, 1, 0] {
            #expect(schedule.next(at: Self.start) == shard)
            #expect(schedule.next(at: Self.start) == nil)
            _ = schedule.ended(true, at: Self.start)
        }
        #expect(schedule.next(at: Self.start) == nil)
    }

    @Test func `an old one is compacted if there is something to it`() {
        var schedule = Self.schedule()
        schedule.wrote(CompactionSchedule.step - 1, by: 0)
        schedule.wrote(CompactionSchedule.step, by: 1)
        #expect(schedule.next(at: Self.start + .seconds(3_599)) == nil)
        #expect(schedule.next(at: Self.start + .seconds(3_600)) == 1)
        _ = schedule.ended(true, at: Self.start + .seconds(3_601))
        schedule.wrote(3 * CompactionSchedule.step, by: 1)
        #expect(schedule.next(at: Self.start + .seconds(7_200)) == nil)
        #expect(schedule.next(at: Self.start + .seconds(7_201)) == 1)

        var ageless = Self.schedule(.init(bytes: 1_000_000, age: nil))
        ageless.wrote(CompactionSchedule.step, by: 1)
        #expect(ageless.next(at: .distantFuture) == nil)
    }

    @Test func `a failure is followed by a pause that doubles, up to an hour, until one is done`() {
        var schedule = Self.schedule()
        var now = Self.start
        schedule.wrote(1_000_000, by: 0)
        for seconds: Int64 in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
            #expect(schedule.next(at: now) == 0)
            #expect(schedule.ended(false, at: now) == .seconds(seconds))
            #expect(schedule.next(at: now + .seconds(seconds - 1)) == nil)
            now = now + .seconds(seconds)
        }
        #expect(schedule.next(at: now) == 0)
        #expect(schedule.ended(true, at: now) == nil)
        schedule.wrote(2_000_000, by: 0)
        #expect(schedule.next(at: now) == 0)
        #expect(schedule.ended(false, at: now) == .seconds(60))
    }

    @Test func `the others are compacted while one pauses`() {
        var schedule = Self.schedule()
        schedule.wrote(2_000_000, by: 0)
        schedule.wrote(1_000_000, by: 1)
        #expect(schedule.next(at: Self.start) == 0)
        _ = schedule.ended(false, at: Self.start)
        #expect(schedule.next(at: Self.start) == 1)
    }

    @Test func `a shard that starts again counts from what it finds`() {
        var schedule = Self.schedule()
        schedule.wrote(1_200_000, by: 0)
        #expect(schedule.next(at: Self.start) == 0)
        schedule.started(0)
        schedule.wrote(1_300_000, by: 0)
        _ = schedule.ended(true, at: Self.start)
        // Nobody knows which snapshot it found: once more does no harm.
        #expect(schedule.next(at: Self.start) == 0)
        _ = schedule.ended(true, at: Self.start)
        schedule.started(0)
        schedule.wrote(10, by: 0)
        #expect(schedule.next(at: Self.start) == nil)
    }
}
