import Booking
import Testing

@Suite struct CatalogueTests {
    private static func concert(_ id: UInt64, _ schedules: [UInt64], _ rules: ConcertRules = ConcertRules()) -> Concert
    {
        Concert(
            id: ConcertID(id),
            title: "concert \(id)",
            opensAt: Stage.start,
            schedules: schedules.map { Schedule(id: ScheduleID($0), playsAt: Stage.start, hall: .original) },
            rules: rules
        )
    }

    @Test func `the original catalogue has 8 concerts of 240 schedules`() {
        let catalogue = Catalogue.original()
        #expect(catalogue.concerts.map(\.id.rawValue) == Array(1...8))
        #expect(catalogue.concerts.flatMap(\.schedules).map(\.id.rawValue) == Array(1...1920))
        #expect(catalogue.concerts.allSatisfy { $0.schedules.allSatisfy { $0.hall == .original } })
        #expect(catalogue.concerts[0].schedules[1].playsAt.seconds == 1_893_492_000 + 86_400)
    }

    @Test func `concerts are in the order of their ids, and found by them`() throws {
        let catalogue = try Catalogue([Self.concert(9, [3, 1]), Self.concert(2, [2])])
        #expect(catalogue.concerts.map(\.id.rawValue) == [2, 9])
        #expect(catalogue[ConcertID(9)]?.schedules.map(\.id.rawValue) == [3, 1])
        #expect(catalogue[ConcertID(3)] == nil)
        #expect(catalogue[ConcertID(9)]?.slot == Slot(key: "concert:9"))
    }

    @Test func `ids that stand twice are refused, and named`() {
        #expect {
            try Catalogue([Self.concert(4, []), Self.concert(4, [])])
        } throws: { error in
            "\(error)".contains("concert 4")
        }
        #expect {
            try Catalogue([Self.concert(1, [5]), Self.concert(2, [5])])
        } throws: { error in
            "\(error)".contains("schedule 5") && "\(error)".contains("1 and 2")
        }
        #expect(throws: CatalogueError.self) { try Catalogue([Self.concert(1, [5, 5])]) }
    }

    @Test(
        arguments: [
            { $0.admissionsPerSecond = 0 },
            { $0.admissionsPerSecond = 1_000_001 },
            { $0.maxSeatsPerReservation = 0 },
            { $0.maxSeatsPerReservation = 101 },
            { $0.heldSeatsPerUserMax = 0 },
            { $0.heldSeatsPerUserMax = 1_001 },
            { $0.waitingLifetime = .zero },
            { $0.admittedLifetime = .zero },
            { $0.holdTime = Nanoseconds(-1) },
            { $0.cancelTime = Nanoseconds(-1) },
            { $0.cancelNotice = Nanoseconds(-1) },
        ] as [@Sendable (inout ConcertRules) -> Void]
    )
    func `rules out of their ranges are refused`(change: @Sendable (inout ConcertRules) -> Void) {
        var rules = ConcertRules()
        #expect(rules.violation == nil)
        change(&rules)
        #expect(throws: CatalogueError.self) { try Catalogue.init([Self.concert(1, [], rules)]) }
    }

    // MARK: What is over

    private static func concert(_ id: UInt64, playing schedules: [(id: UInt64, after: Int64)]) -> Concert {
        Concert(
            id: ConcertID(id),
            title: "concert \(id)",
            opensAt: Stage.start,
            schedules: schedules.map {
                Schedule(id: ScheduleID($0.id), playsAt: Stage.start + .minutes($0.after), hall: .original)
            },
            rules: ConcertRules()
        )
    }

    private static func after(_ minutes: Int64) -> Timestamp { Stage.start + .minutes(minutes) }

    @Test func `a concert is upcoming, open, and over from when its last play begins`() {
        let concert = Self.concert(1, playing: [(1, 50), (2, 20)])
        #expect(concert.state(at: Self.after(-1)) == .upcoming)
        #expect(concert.state(at: Self.after(0)) == .open)
        #expect(concert.state(at: Self.after(49)) == .open)
        #expect(concert.state(at: Self.after(50)) == .over)
        #expect(Self.concert(1, playing: []).state(at: Self.after(1_000_000)) == .open)
        #expect(Self.concert(1, playing: [(1, -5)]).state(at: Self.after(-1)) == .over)
    }

    @Test func `what is over and was taken out stays, archived, and comes back when it is put back`() throws {
        let earlier = try Catalogue([
            Self.concert(1, playing: [(11, 10), (12, 100)]), Self.concert(2, playing: [(21, 10)]),
            Self.concert(3, playing: [(31, 10), (32, 100)]),
        ])
        let file = try Catalogue([Self.concert(1, playing: [(12, 100)]), Self.concert(4, playing: [(41, 200)])])
        let kept = file.archiving(earlier, at: Self.after(10))
        // Concert 3 has a play to come: its shard reports that it is missing.
        #expect(kept.concerts.map(\.id.rawValue) == [1, 2, 4])
        #expect(kept.archived == [ConcertID(2)])
        #expect(kept[ConcertID(1)]?.listedSchedules.map(\.id.rawValue) == [12])
        #expect(kept[ConcertID(1)]?.archivedSchedules.map(\.id.rawValue) == [11])
        #expect(kept[ConcertID(2)]?.listedSchedules.isEmpty == true)
        #expect(kept[ConcertID(2)]?.schedules.map(\.id.rawValue) == [21])
        #expect(kept[ConcertID(2)]?.endsAt == Self.after(10))
        // Repeating gives the same.
        #expect(file.archiving(kept, at: Self.after(10)) == kept)
        #expect(earlier.archiving(kept, at: Self.after(10)).archived == [])
        #expect(earlier.archiving(earlier, at: Self.after(1_000)) == earlier)
        // A minute before, nothing was over.
        #expect(file.archiving(earlier, at: Self.after(9)) == file)
    }

    @Test func `a schedule id that another concert has now is that one's`() throws {
        let earlier = try Catalogue([Self.concert(1, playing: [(11, 10), (12, 10)])])
        let file = try Catalogue([Self.concert(2, playing: [(11, 100)])])
        let kept = file.archiving(earlier, at: Self.after(10))
        #expect(kept[ConcertID(1)]?.schedules.map(\.id.rawValue) == [12])
        #expect(kept[ConcertID(2)]?.schedules.map(\.id.rawValue) == [11])
    }

    // MARK: Its digest

    @Test func `the digest tells catalogues apart by all that two processes have to agree on`() throws {
        let hall = try Hall(sections: [Hall.Section(seats: 1...3, grade: "A", price: Won(5))])
        func digest(
            concert: UInt64 = 1,
            opensAt: Timestamp = Stage.start,
            schedules: [UInt64] = [1, 2],
            playsAt: Timestamp = Stage.start,
            hall: Hall,
            archived: Bool = false
        ) throws -> UInt64 {
            try Catalogue([
                Concert(
                    id: ConcertID(concert),
                    title: "t",
                    opensAt: opensAt,
                    schedules: schedules.map { Schedule(id: ScheduleID($0), playsAt: playsAt, hall: hall) },
                    rules: ConcertRules(),
                    isArchived: archived
                )
            ]).digest
        }
        func made(_ seats: ClosedRange<UInt32>, _ grade: String, _ price: Int64) throws -> Hall {
            try Hall(sections: [Hall.Section(seats: seats, grade: grade, price: Won(price))])
        }
        let digests = [
            try digest(hall: hall), try digest(concert: 2, hall: hall), try digest(opensAt: Self.after(1), hall: hall),
            try digest(schedules: [2, 1], hall: hall), try digest(schedules: [1], hall: hall),
            try digest(schedules: [], hall: hall), try digest(playsAt: Self.after(1), hall: hall),
            try digest(hall: made(1...4, "A", 5)), try digest(hall: made(1...3, "B", 5)),
            try digest(hall: made(1...3, "A", 6)), try digest(hall: hall, archived: true),
        ]
        #expect(Set(digests).count == digests.count)
        #expect(!digests.contains(0))
        #expect(try digest(hall: hall) == digests[0])
        // Every version with the same protocol keeps it.
        #expect(Catalogue.original().digest == 0xabe6_1789_2c25_af35)
    }
}
