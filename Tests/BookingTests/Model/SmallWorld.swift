import Booking

/// A world so small that people compete all the time: 3 concerts, 2 plays of 6 seats each, 8 users, short lifetimes.
enum SmallWorld {
    static let start = Timestamp(seconds: 1_800_000_000)
    static let users = (1...8).map { UserID($0) }

    /// Small enough that shards forget all the time.
    static let recordLimits: RecordLimits = {
        var limits = RecordLimits()
        limits.overPerUserMax = 5
        limits.unpaidLifetime = .seconds(60)
        limits.refundedLifetime = .seconds(90)
        limits.historyLinesPerUserMax = 7
        return limits
    }()

    /// Seats 1-2 at 60,000, 3-5 at 20,000, and seat 6 for nothing.
    static let hall: Hall = {
        do {
            return try Hall(sections: [
                Hall.Section(seats: 1...2, grade: "VIP", price: Won(60_000)),
                Hall.Section(seats: 3...5, grade: "A", price: Won(20_000)),
                Hall.Section(seats: 6...6, grade: "FREE", price: .zero),
            ])
        } catch { preconditionFailure("\(error)") }
    }()

    /// Concert 1 is fast and unbounded, concert 2 slow and narrow with a play that is soon over, concert 3 opens later.
    static let catalogue: Catalogue = {
        var narrow = Self.rules
        narrow.admissionsPerSecond = 2
        narrow.maxActive = 2
        var late = Self.rules
        late.admissionsPerSecond = 20
        late.maxActive = 3
        late.maxSeatsPerReservation = 2
        late.seatsPerUserMax = 5
        do {
            return try Catalogue([
                Self.concert(1, opensAt: Self.start, playsAfter: .seconds(86_400), Self.rules),
                Self.concert(2, opensAt: Self.start, playsAfter: .seconds(200), narrow),
                Self.concert(3, opensAt: Self.start + .seconds(20), playsAfter: .seconds(86_400), late),
            ])
        } catch { preconditionFailure("\(error)") }
    }()

    private static let rules: ConcertRules = {
        var rules = ConcertRules()
        rules.waitingLifetime = .seconds(60)
        rules.admittedLifetime = .seconds(30)
        rules.holdTime = .seconds(20)
        // The first plays of concerts 1 and 3 can be cancelled for 20 s only, that of concert 2 never.
        rules.cancelTime = .seconds(40)
        rules.cancelNotice = .seconds(86_380)
        rules.maxSeatsPerReservation = 3
        rules.heldSeatsPerUserMax = 4
        return rules
    }()

    private static func concert(
        _ id: UInt64,
        opensAt: Timestamp,
        playsAfter: Nanoseconds,
        _ rules: ConcertRules
    ) -> Concert {
        let schedules = [
            Schedule(id: ScheduleID(id * 10), playsAt: Self.start + playsAfter, hall: Self.hall),
            Schedule(id: ScheduleID(id * 10 + 1), playsAt: Self.start + .seconds(864_000), hall: Self.hall),
        ]
        return Concert(id: ConcertID(id), title: "concert \(id)", opensAt: opensAt, schedules: schedules, rules: rules)
    }
}
