import Booking
import Foundation
import Glibc
import Reactor
import Testing

@testable import Configuration

/// The catalogue of the last start, in the state folder.
@Suite struct CatalogueCopyTests {
    /// A state folder with `text` in place of the copy.
    private static func configuration(_ text: String?) throws -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.cluster.state = TestCluster.freshState().path
        try configuration.stateDirectory.prepare()
        if let text { try TextFile.write(Array(text.utf8), to: configuration.stateDirectory.catalogueFile) }
        return configuration
    }

    private static func remove(_ configuration: ServerConfiguration) {
        try? FileManager.default.removeItem(atPath: configuration.cluster.state)
    }

    /// Written, and read by a process with other settings.
    private static func again(_ catalogue: Catalogue) throws -> Catalogue {
        var configuration = try Self.configuration(String(decoding: CatalogueCopy(catalogue).bytes, as: UTF8.self))
        defer { Self.remove(configuration) }
        configuration.booking.maxActive = 7
        configuration.booking.timeZone = "America/New_York"
        return try CatalogueCopy.read(configuration)
    }

    private static func concert(
        _ id: UInt64,
        _ schedules: [(id: UInt64, at: Int64)],
        _ hall: Hall = .original,
        rules: ConcertRules = ConcertRules(),
        archived: [(id: UInt64, at: Int64)] = [],
        isArchived: Bool = false
    ) -> Concert {
        func made(_ schedules: [(id: UInt64, at: Int64)]) -> [Schedule] {
            schedules.map { Schedule(id: ScheduleID($0.id), playsAt: Timestamp(seconds: $0.at), hall: hall) }
        }
        return Concert(
            id: ConcertID(id),
            title: "콘서트 \"\(id)\"/",
            opensAt: Timestamp(seconds: 1_767_193_200),
            schedules: made(schedules),
            rules: rules,
            archived: made(archived),
            isArchived: isArchived
        )
    }

    @Test func `the built-in catalogue comes back as it was, in few bytes`() throws {
        let catalogue = Catalogue.original()
        #expect(try Self.again(catalogue) == catalogue)
        #expect(CatalogueCopy(catalogue).bytes.count < 5_000)
    }

    @Test func `schedules come back in their order, whatever their distances, halls and ids`() throws {
        let small = try Hall(sections: [Hall.Section(seats: 1...9, grade: "입석", price: .zero)])
        let catalogue = try Catalogue([
            Self.concert(1, [(5, 100), (6, 200), (7, 300), (8, 350), (9, 400), (3, 50), (4, 50), (12, 50)]),
            Self.concert(2, [(20, 900), (21, 800), (22, 700), (23, 700)], small),
            Self.concert(3, [], small, archived: [(30, 1), (31, 2)], isArchived: true),
            Self.concert(4, [(41, 5)], small, archived: [(40, 4)]),
            Self.concert(IdentifierLimits.max, [(IdentifierLimits.max, 7_258_118_399)]),
        ])
        #expect(try Self.again(catalogue) == catalogue)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let ids = (1...60 as ClosedRange<UInt64>).filter { _ in Bool.random(using: &random) }
            let schedules = ids.map { ($0, Int64.random(in: 0...3, using: &random) * 100 + Int64($0) * 50) }
            let catalogue = try Catalogue([Self.concert(1, schedules)])
            #expect(try Self.again(catalogue) == catalogue, "\(schedules)")
        }
    }

    @Test func `every rule comes back, whatever the settings are by then`() throws {
        var configuration = ServerConfiguration()
        for (index, setting) in Settings.all.filter({ $0.name.hasPrefix("booking.") }).enumerated() {
            guard setting.name != "booking.timeZone" else { continue }
            try setting.store(.text("\(11 + index)"), in: &configuration)
        }
        var again = ServerConfiguration()
        again.rules = configuration.rules
        again.booking.timeZone = configuration.booking.timeZone
        #expect(again.booking == configuration.booking, "rules that are settings become settings again")
        let catalogue = try Catalogue([Self.concert(1, [(1, 1)], rules: configuration.rules)])
        #expect(try Self.again(catalogue) == catalogue)
    }

    @Test func `a rule that an earlier version did not know is that of the settings`() throws {
        let text = #"""
            {"format": "usher-catalogue-1", "halls": [[{"from": 1, "to": 2, "grade": "A", "price": 3}]], "concerts": [{"id": 1,
             "title": "t", "opensAt": 5, "isArchived": false, "rules": {"holdTimeSeconds": 9}, "archived": [],
             "schedules": [[7, 1, 8, 0, 0]]}]}
            """#
        var configuration = try Self.configuration(text)
        defer { Self.remove(configuration) }
        configuration.booking.maxActive = 77
        let concert = try #require(try CatalogueCopy.read(configuration)[ConcertID(1)])
        #expect(concert.rules.holdTime == .seconds(9) && concert.rules.maxActive == 77)
        #expect(concert.schedules.map(\.playsAt) == [Timestamp(seconds: 8)])
    }

    @Test func `a copy that is missing, cut off or altered is refused in words, and no process ends by it`() throws {
        let whole = String(decoding: CatalogueCopy(Catalogue.original()).bytes, as: UTF8.self)
        let run = "[1,240,1893492000,86400,0]"
        var wrong: [String?] = [nil, "", "{}", String(whole.prefix(whole.count / 2))]
        wrong += [
            ("usher-catalogue-1", "usher-catalogue-2"), (run, "[]"), (run, "[1,240,1893492000,86400]"),
            (run, "[0,240,1893492000,86400,0]"), (run, "[1,0,1893492000,86400,0]"), (run, "[1,240,-1,86400,0]"),
            (run, "[1,240,1893492000,9223372036854775807,0]"), (run, "[1,240,1893492000,86400,9]"),
            (run, "[1,240,1893492000,86400,-1]"), (run, "[9007199254740991,240,1893492000,86400,0]"),
            (run, "[1,9223372036854775807,1893492000,86400,0]"), (run, "[1,480,1893492000,86400,0]"),
            (#""from":1,"#, #""from":0,"#), (#""from":1,"#, #""from":-9223372036854775808,"#),
            (#""to":10}"#, #""to":9223372036854775807}"#), (#""price":170000"#, #""price":-1"#),
            (#""id":1,"#, #""id":0,"#), (#""id":1,"#, #""id":2,"#), (#""opensAt":1767193200"#, #""opensAt":1e300"#),
            (#""maxActive":0"#, #""maxActive":-1"#), (#""maxActive":0"#, #""maxActivity":0"#),
        ].map { old, new in
            #expect(whole.contains(old), "\(old)")
            return whole.replacing(old, with: new, maxReplacements: 1)
        }
        for text in wrong {
            let configuration = try Self.configuration(text)
            defer { Self.remove(configuration) }
            let refused = #expect(throws: ConfigurationMistakes.self, "\(text ?? "")") {
                try CatalogueCopy.read(configuration)
            }
            #expect(refused?.list[0].place == configuration.stateDirectory.catalogueFile)
            #expect(refused?.list[0].remedy.hasPrefix("remove it and start the cluster") == true)
        }
    }
}
