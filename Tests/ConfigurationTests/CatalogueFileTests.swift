import Booking
import TestSupport
import Testing
import Wire

@testable import Configuration

@Suite struct CatalogueFileTests {
    @Test func `the example in deploy is right, and says what it looks like it says`() throws {
        var configuration = ServerConfiguration()
        configuration.catalogue.file =
            String(#filePath.dropLast("Tests/ConfigurationTests/CatalogueFileTests.swift".count))
            + "deploy/catalogue.example.json"
        let catalogue = try CatalogueFile.load(configuration)
        #expect(catalogue.concerts.map(\.id) == [ConcertID(1), ConcertID(2)])
        let first = catalogue.concerts[0]
        #expect(first.opensAt == Timestamp(seconds: 1_772_449_200))
        #expect(first.schedules.map(\.id) == [ScheduleID(1), ScheduleID(2)])
        #expect(first.schedules.map(\.hall.seatCount) == [50, 60_000])
        #expect(first.rules.admissionsPerSecond == 200)
        #expect(first.rules.holdTime == .seconds(420))
        #expect(first.rules.waitingLifetime == .seconds(1_800))
        let second = catalogue.concerts[1]
        #expect(second.rules == configuration.rules)
        #expect(second.schedules.count == 240)
        #expect(second.schedules[239].id == ScheduleID(339))
        #expect(second.schedules[239].playsAt - second.schedules[0].playsAt == .seconds(239 * 86_400))
        #expect(second.schedules[0].hall == .original)
    }

    @Test func `without a file there is the original catalogue, with the configured rules`() throws {
        var configuration = ServerConfiguration()
        configuration.booking.admissionsPerSecond = 7
        #expect(try CatalogueFile.load(configuration) == .original(rules: configuration.rules))
    }

    @Test func `daily schedules keep their time of day through summer time`() throws {
        var configuration = ServerConfiguration()
        configuration.booking.timeZone = "Europe/Berlin"
        let schedules = #"{"firstId": 1, "count": 2, "first": "2026-03-28 19:00:00", "everyHours": 24}"#
        let catalogue = try Self.read(Self.document(schedules: schedules), configuration)
        let times = catalogue.concerts[0].schedules.map(\.playsAt)
        #expect(times[1] - times[0] == .seconds(23 * 3_600))
    }

    /// What stands in the file, and all that is said about it.
    static let bad: [(String, [String])] = [
        ("[]", [": is a list; it must be an object with halls, concerts"]),
        ("{}", ["halls: is missing; it must be a list", "concerts: is missing; it must be a list"]),
        (
            #"{"halls": [], "concerts": []}"#,
            [
                "halls: is empty; it must have at least one element",
                "concerts: is empty; it must have at least one element",
            ]
        ),
        (
            document(extra: #", "concert": 1"#),
            ["concert: is not known here; did you mean 'concerts'?; the names here are halls, concerts"]
        ),
        // Halls.
        (document(hall: "7"), ["halls[0]: is 7; it must be an object with name, sections", noHall]),
        (
            document(hall: #"{"sections": []}"#),
            ["halls[0].name: is missing; it must be a text of 1 to 200 characters", noHall]
        ),
        (
            document(hall: #"{"name": "h", "sections": []}"#),
            ["halls[0].sections: is empty; it must have at least one element"]
        ),
        (
            document(hall: #"{"name": "h", "sections": [{"from": 1, "to": 5}]}"#),
            [
                "halls[0].sections[0].grade: is missing; it must be a text of 1 to 20 characters",
                "halls[0].sections[0].price: is missing; it must be a whole number from 0 to 100000000",
            ]
        ),
        (
            document(section: #""from": 0, "to": 5, "grade": "A", "price": 1"#),
            ["halls[0].sections[0].from: is 0, which is out of range; it must be a whole number from 1 to 200000"]
        ),
        (
            document(section: #""from": 1, "to": 200001, "grade": "A", "price": 1"#),
            ["halls[0].sections[0].to: is 200001, which is out of range; it must be a whole number from 1 to 200000"]
        ),
        (
            document(section: #""from": 5, "to": 1, "grade": "A", "price": 1"#),
            ["halls[0].sections[0].to: is 1, which is before from (5); it must be the section's last seat"]
        ),
        (
            document(section: #""from": 1, "to": 5, "grade": "", "price": -1"#),
            [
                "halls[0].sections[0].grade: is empty; it must be a text of 1 to 20 characters",
                "halls[0].sections[0].price: is -1, which is out of range; "
                    + "it must be a whole number from 0 to 100000000",
            ]
        ),
        (
            document(section: #""from": 2, "to": 5, "grade": "A", "price": 1"#),
            [
                "halls[0].sections: do not make a hall; section A starts at seat 2, but the next free number is 1: "
                    + "list sections in the order of their seats, without gaps or overlaps"
            ]
        ),
        (
            document(section: #""from": 1, "to": 5, "grade": "A", "price": 1, "prise": 2"#),
            [
                "halls[0].sections[0].prise: is not known here; did you mean 'price'?; "
                    + "the names here are from, to, grade, price"
            ]
        ),
        (
            #"{"halls": [\#(hall), \#(hall)], "concerts": [\#(concert())]}"#,
            ["halls[1].name: is 'h', the name of another hall; give each hall its own name"]
        ),
        // Concerts.
        (
            document(concert: "null"),
            ["concerts[0]: is null; it must be an object with id, title, opensAt, hall, schedules, rules"]
        ),
        (
            document(concert: concert(id: "0")),
            ["concerts[0].id: is 0, which is out of range; it must be a whole number from 1 to 9007199254740991"]
        ),
        (
            document(concert: concert(id: "9007199254740992")),
            [
                "concerts[0].id: is 9007199254740992, which is out of range; "
                    + "it must be a whole number from 1 to 9007199254740991"
            ]
        ),
        (
            document(concert: concert(id: #""1""#)),
            [
                "concerts[0].id: is '1', which is not a whole number; "
                    + "it must be a whole number from 1 to 9007199254740991"
            ]
        ),
        (
            document(concert: concert() + ", " + concert(schedules: #"[{"id": 2, "playDateTime": "\#(day)"}]"#)),
            ["concerts[1].id: is 1, the same as concerts[0]'s; give each concert its own id"]
        ),
        (
            document(concert: concert(title: #""""#)),
            ["concerts[0].title: is empty; it must be a text of 1 to 200 characters"]
        ),
        (
            document(concert: concert(title: "[]")),
            ["concerts[0].title: is a list, which is not a text; it must be a text of 1 to 200 characters"]
        ),
        (
            document(concert: concert(opensAt: "tomorrow")),
            ["concerts[0].opensAt: is 'tomorrow', which is not a time; write it as yyyy-MM-dd HH:mm:ss"]
        ),
        (
            document(concert: concert(opensAt: "2026-02-30 00:00:00")),
            ["concerts[0].opensAt: is '2026-02-30 00:00:00', which is not a time; write it as yyyy-MM-dd HH:mm:ss"]
        ),
        (
            document(concert: concert(opensAt: "2263-01-01 00:00:00")),
            ["concerts[0].opensAt: is 2263-01-01 00:00:00, out of range; it must be from 1970 to 2199"]
        ),
        (
            document(concert: concert(opensAt: "1969-01-01 00:00:00")),
            ["concerts[0].opensAt: is 1969-01-01 00:00:00, out of range; it must be from 1970 to 2199"]
        ),
        (
            document(concert: concert(hall: #""hh""#)),
            ["concerts[0].hall: is 'hh', but no hall has that name; did you mean 'h'?; name one of halls"]
        ),
        (
            document(
                concert: concert(rules: #"{"admissionsPerSecond": 0, "holdTime": 1, "maxSeatsPerReservation": "x"}"#)
            ),
            [
                "concerts[0].rules.holdTime: is not known here; did you mean 'holdTimeSeconds'?; the names here are "
                    + "admissionsPerSecond, maxActive, waitingLifetimeSeconds, admittedLifetimeSeconds, "
                    + "holdTimeSeconds, cancelTimeSeconds, cancelNoticeSeconds, maxSeatsPerReservation, "
                    + "heldSeatsPerUserMax, seatsPerUserMax",
                "concerts[0].rules.admissionsPerSecond: is 0, which is out of range; "
                    + "it must be a whole number from 1 to 1000000 (people)",
                "concerts[0].rules.maxSeatsPerReservation: is 'x', which is not a whole number; "
                    + "it must be a whole number from 1 to 100 (seats)",
            ]
        ),
        // Schedules.
        (
            document(schedules: "5"),
            [
                "concerts[0].schedules: is 5; "
                    + "list schedules, or write an object with firstId, count, first and everyHours"
            ]
        ),
        (
            document(schedules: #"[{"playDateTime": "\#(day)"}]"#),
            ["concerts[0].schedules[0].id: is missing; it must be a whole number from 1 to 9007199254740991"]
        ),
        (
            document(schedules: #"[{"id": 1}]"#),
            ["concerts[0].schedules[0].playDateTime: is missing; it must be a text of 1 to 100 characters"]
        ),
        (
            document(schedules: #"[{"id": 1, "playDateTime": "\#(day)"}, {"id": 1, "playDateTime": "\#(day)"}]"#),
            [
                "concerts[0].schedules[1].id: is 1, the same as concerts[0].schedules[0].id; "
                    + "schedule ids are unique over all concerts"
            ]
        ),
        (
            document(schedules: #"[{"id": 1, "playDateTime": "\#(day)", "hall": "x"}]"#),
            ["concerts[0].schedules[0].hall: is 'x', but no hall has that name; did you mean 'h'?; name one of halls"]
        ),
        (
            document(
                concert:
                    #"{"id": 1, "title": "t", "opensAt": "\#(day)", "schedules": \#(oneSchedule)}"#
            ),
            ["concerts[0].schedules[0].hall: is missing, here and at the concert; name one of halls in either place"]
        ),
        (
            document(schedules: #"{"firstId": 1, "count": 0, "first": "\#(day)", "everyHours": 24}"#),
            ["concerts[0].schedules.count: is 0, which is out of range; it must be a whole number from 1 to 100000"]
        ),
        (
            document(schedules: #"{"firstId": 1, "count": 2, "first": "\#(day)", "everyHour": 24}"#),
            [
                "concerts[0].schedules.everyHour: is not known here; did you mean 'everyHours'?; "
                    + "the names here are firstId, count, first, everyHours",
                "concerts[0].schedules.everyHours: is missing; it must be a whole number from 1 to 8784",
            ]
        ),
        (
            document(schedules: #"{"firstId": 9007199254740990, "count": 5, "first": "\#(day)", "everyHours": 24}"#),
            ["concerts[0].schedules.firstId: is 9007199254740990, too large for 5 ids; start lower"]
        ),
        (
            document(schedules: #"{"firstId": 1, "count": 100000, "first": "\#(day)", "everyHours": 24}"#),
            ["concerts[0].schedules: is 2200-01-01 19:00:00, out of range; it must be from 1970 to 2199"]
        ),
    ]

    @Test(arguments: bad) func `a bad file is refused in exact words`(document: String, expected: [String]) throws {
        let error = #expect(throws: ConfigurationMistakes.self) { try Self.read(document, ServerConfiguration()) }
        let words = expected.map { $0.hasPrefix(": ") ? "c.json\($0)" : "c.json: \($0)" }
        #expect(error?.list.map { $0.description } == words)
    }

    @Test func `a time that clocks skip is refused`() throws {
        var configuration = ServerConfiguration()
        configuration.booking.timeZone = "Europe/Berlin"
        let document = Self.document(
            schedules: #"{"firstId": 1, "count": 3, "first": "2026-03-28 02:30:00", "everyHours": 24}"#
        )
        let error = #expect(throws: ConfigurationMistakes.self) { try Self.read(document, configuration) }
        #expect(
            error?.list.map { $0.description } == [
                "c.json: concerts[0].schedules: is 2026-03-29 02:30:00, which clocks of Europe/Berlin skip; "
                    + "choose a time that exists there"
            ]
        )
    }

    @Test func `a file that is missing or no JSON is refused with the reason`() throws {
        var configuration = ServerConfiguration()
        configuration.catalogue.file = "/nowhere/catalogue.json"
        let missing = #expect(throws: ConfigurationMistakes.self) { try CatalogueFile.load(configuration) }
        #expect(missing?.list.map(\.problem) == ["the catalogue cannot be opened: No such file or directory"])
        let file = try TemporaryFile("{")
        configuration.catalogue.file = file.path
        let broken = #expect(throws: ConfigurationMistakes.self) { try CatalogueFile.load(configuration) }
        #expect(broken?.list.first?.problem.hasPrefix("the catalogue is not JSON: ") == true)
    }

    // MARK: Documents

    private static let day = "2030-01-01 19:00:00"
    private static let hall = #"{"name": "h", "sections": [{"from": 1, "to": 5, "grade": "A", "price": 1}]}"#
    private static let oneSchedule = #"[{"id": 1, "playDateTime": "2030-01-01 19:00:00"}]"#
    private static let noHall = "concerts[0].hall: is 'h', but no hall has that name; name one of halls"

    private static func concert(
        id: String = "1",
        title: String = #""t""#,
        opensAt: String = day,
        hall: String = #""h""#,
        rules: String = "{}",
        schedules: String = #"[{"id": 1, "playDateTime": "2030-01-01 19:00:00"}]"#
    ) -> String {
        """
        {"id": \(id), "title": \(title), "opensAt": "\(opensAt)", "hall": \(hall), "rules": \(rules), \
        "schedules": \(schedules)}
        """
    }

    private static func document(hall: String = hall, concert: String = concert(), extra: String = "") -> String {
        #"{"halls": [\#(hall)], "concerts": [\#(concert)]\#(extra)}"#
    }

    private static func document(section: String) -> String {
        self.document(hall: #"{"name": "h", "sections": [{\#(section)}]}"#)
    }

    private static func document(schedules: String) -> String {
        self.document(concert: self.concert(schedules: schedules))
    }

    private static func read(_ text: String, _ configuration: ServerConfiguration) throws -> Catalogue {
        try CatalogueFile.read(JSONTree.read(Array(text.utf8)).tree, path: "c.json", configuration)
    }
}
