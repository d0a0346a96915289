import Booking

/// A world so small that people meet in it all the time: 4 concerts with halls of 6 seats, short lives. Only
/// the plays are many: fans go to the first two that are not sold out. One concert is over while people still wait.
enum SmallWorld {
    /// When every simulation begins.
    static let start = Timestamp(seconds: 1_800_000_000)
    static let seatCount = 6
    /// That people come from.
    static let addressCount = 4
    /// Per concert.
    static let playCount = 24

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

    /// How long a simulation lasts at most, and longer: what plays within is over in some of them.
    static let soon = Self.start + .seconds(3_600)

    /// Concert 1 is wide open, concert 2 slow and narrow, concert 3 opens later, and concert 4 is slow and over soon.
    static let catalogue: Catalogue = {
        var narrow = Self.rules
        narrow.admissionsPerSecond = 2
        narrow.maxActive = 2
        // Below the usual wait, so that only polls keep a place.
        narrow.waitingLifetime = .seconds(5)
        var late = Self.rules
        late.admissionsPerSecond = 20
        late.maxActive = 3
        late.maxSeatsPerReservation = 2
        late.seatsPerUserMax = 12
        do {
            return try Catalogue([
                Self.concert(1, opensAt: Self.start, playsAfter: .seconds(86_400), Self.rules),
                Self.concert(2, opensAt: Self.start, playsAfter: .seconds(86_400), narrow),
                Self.concert(3, opensAt: Self.start + .seconds(3), playsAfter: .seconds(86_400), late),
                Concert(
                    id: ConcertID(4),
                    title: "concert 4",
                    opensAt: Self.start,
                    schedules: [4, 6].map { seconds in
                        Schedule(
                            id: ScheduleID(400 + UInt64(seconds) / 2 - 2),
                            playsAt: Self.start + .seconds(seconds),
                            hall: Self.hall
                        )
                    },
                    rules: narrow
                ),
            ])
        } catch { preconditionFailure("\(error)") }
    }()

    private static let rules: ConcertRules = {
        var rules = ConcertRules()
        rules.waitingLifetime = .seconds(20)
        rules.admittedLifetime = .seconds(10)
        rules.holdTime = .seconds(4)
        // The first play can be cancelled in the first 20 s of a simulation only, the others for a few seconds.
        rules.cancelTime = .seconds(6)
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
        let schedules = (0..<Self.playCount).map { day in
            Schedule(
                id: ScheduleID(id * 100 + UInt64(day)),
                playsAt: Self.start + playsAfter + .seconds(Int64(day) * 86_400),
                hall: Self.hall
            )
        }
        return Concert(id: ConcertID(id), title: "concert \(id)", opensAt: opensAt, schedules: schedules, rules: rules)
    }
}
