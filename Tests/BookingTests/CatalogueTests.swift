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
}
