public import Booking
import FoundationEssentials
import Wire

/// The catalogue of a cluster's start, in its state folder (`catalogue.running.json`). Written by the supervisor; read
/// by all processes of the cluster, also after a restart, and by commands on its journals. So a changed or half-written
/// catalogue file does not affect a running cluster.
///
/// It also keeps entries that were taken out of the catalogue once they were over: see `Catalogue.archiving`. Times are
/// seconds since 1970, which no change of time zone rules affects, and all rules are included, whatever the defaults
/// become:
///
///     {"format": "usher-catalogue-1",
///      "halls": [[{"from": 1, "to": 50, "grade": "A", "price": 100000}]],
///      "concerts": [{"id": 1, "title": "...", "opensAt": 1767193200, "isArchived": false,
///                    "rules": {"admissionsPerSecond": 50, ...},
///                    "schedules": [[first id, count, first time, seconds between, hall's index], ...],
///                    "archived": [...]}]}
public struct CatalogueCopy: Codable {
    static let format = "usher-catalogue-1"
    /// Far above the copy of the largest catalogue file (`TextFile.bytesMax`); the same for the schedules of an entry.
    public static let bytesMax = 1 << 30
    private static let runCountMax: Int64 = 1 << 24

    struct Section: Codable, Equatable {
        let from: Int
        let to: Int
        let grade: String
        let price: Int64

        var hallSection: Hall.Section {
            get throws(CatalogueError) {
                guard (1...Hall.seatCountMax).contains(self.from), (self.from...Hall.seatCountMax).contains(self.to)
                else { throw CatalogueError("a section has other seats than a hall may have") }
                return Hall.Section(
                    seats: UInt32(self.from)...UInt32(self.to),
                    grade: self.grade,
                    price: Won(self.price)
                )
            }
        }
    }

    struct Concert: Codable {
        let id: UInt64
        let title: String
        let opensAt: Int64
        let isArchived: Bool
        /// By the names of `booking.*`. A rule missing in the copy of an earlier version has the settings' value.
        let rules: [String: Int]
        let schedules: [[Int64]]
        let archived: [[Int64]]
    }

    let format: String
    let halls: [[Section]]
    let concerts: [Concert]

    // MARK: Writing

    /// The copy of a catalogue.
    public init(_ catalogue: Catalogue) {
        var halls: [Hall] = []
        self.format = Self.format
        self.concerts = catalogue.concerts.map { concert in
            Concert(
                id: concert.id.rawValue,
                title: concert.title,
                opensAt: concert.opensAt.seconds,
                isArchived: concert.isArchived,
                rules: Self.rules(concert.rules),
                schedules: Self.runs(concert.listedSchedules, &halls),
                archived: Self.runs(concert.archivedSchedules, &halls)
            )
        }
        self.halls = halls.map { hall in
            hall.sections.map { section in
                Section(
                    from: Int(section.seats.lowerBound),
                    to: Int(section.seats.upperBound),
                    grade: section.grade,
                    price: section.price.rawValue
                )
            }
        }
    }

    /// As it is written: JSON.
    public var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return try Array(encoder.encode(self)) + [0x0A] } catch {
            preconditionFailure("a catalogue that is no JSON: \(error)")
        }
    }

    private static var ruleSettings: [Setting] {
        Settings.all.filter { $0.name.hasPrefix("booking.") && $0.name != "booking.timeZone" }
    }

    private static func rules(_ rules: ConcertRules) -> [String: Int] {
        var configuration = ServerConfiguration()
        configuration.rules = rules
        var values: [String: Int] = [:]
        for setting in Self.ruleSettings { values[setting.components[1]] = Int(setting.text(in: configuration)) }
        return values
    }

    /// Schedules with consecutive ids, equal distances and the same hall become one entry.
    private static func runs(_ schedules: ArraySlice<Schedule>, _ halls: inout [Hall]) -> [[Int64]] {
        var runs: [[Int64]] = []
        for schedule in schedules {
            let id = Int64(schedule.id.rawValue)
            let time = schedule.playsAt.seconds
            // Neighbouring schedules mostly share a hall.
            var hall = runs.last.map { Int($0[4]) } ?? 0
            if hall >= halls.count || halls[hall] != schedule.hall {
                hall = halls.firstIndex(of: schedule.hall) ?? halls.count
                if hall == halls.count { halls.append(schedule.hall) }
            }
            if let last = runs.last, last[0] + last[1] == id, last[4] == hall {
                let distance = time - (last[2] + (last[1] - 1) * last[3])
                if last[1] == 1 || last[3] == distance {
                    runs[runs.count - 1] = [last[0], last[1] + 1, last[2], distance, last[4]]
                    continue
                }
            }
            runs.append([id, 1, time, 0, Int64(hall)])
        }
        return runs
    }

    // MARK: Reading

    /// The catalogue of the last start in a state folder. Refuses a missing or altered file.
    public static func read(_ configuration: ServerConfiguration) throws(ConfigurationMistakes) -> Catalogue {
        let path = configuration.stateDirectory.catalogueFile
        do {
            let bytes = try TextFile.read(path, bytesMax: Self.bytesMax)
            let copy = try JSONDecoder().decode(Self.self, from: Data(bytes))
            return try copy.catalogue(configuration)
        } catch {
            let problem =
                switch error {
                case let error as FileError: error.reason
                case let error as CatalogueError: error.reason
                default: "it is not what usher cluster writes there"
                }
            throw ConfigurationMistakes(
                place: path,
                problem: "the catalogue of the cluster's last start can't be read: \(problem)",
                remedy: "remove it and start the cluster, with a catalogue.file that has all concerts with a history"
            )
        }
    }

    private func catalogue(_ configuration: ServerConfiguration) throws -> Catalogue {
        guard self.format == Self.format else {
            throw CatalogueError("its format is \(self.format), and this version reads \(Self.format)")
        }
        let halls = try self.halls.map { try Hall(sections: $0.map { try $0.hallSection }) }
        return try Catalogue(
            self.concerts.map { concert in
                guard (1...IdentifierLimits.max).contains(concert.id) else {
                    throw CatalogueError("a concert's id is out of range")
                }
                return Booking.Concert(
                    id: ConcertID(concert.id),
                    title: concert.title,
                    opensAt: try Self.moment(concert.opensAt),
                    schedules: try Self.schedules(concert.schedules, halls),
                    rules: try Self.rules(concert.rules, configuration),
                    archived: try Self.schedules(concert.archived, halls),
                    isArchived: concert.isArchived
                )
            }
        )
    }

    private static func schedules(_ runs: [[Int64]], _ halls: [Hall]) throws -> [Schedule] {
        var schedules: [Schedule] = []
        for run in runs {
            guard run.count == 5, (1...Int64(IdentifierLimits.max)).contains(run[0]),
                (1...Self.runCountMax).contains(run[1]),
                run[0] + run[1] <= Int64(IdentifierLimits.max) + 1, run[3].magnitude < CatalogueReader.momentMax,
                halls.indices.contains(Int(run[4]))
            else { throw CatalogueError("it has schedules out of range") }
            for index in 0..<run[1] {
                let id = ScheduleID(UInt64(run[0] + index))
                let moment = try Self.moment(run[2].addingReportingOverflow(index * run[3]).partialValue)
                schedules.append(Schedule(id: id, playsAt: moment, hall: halls[Int(run[4])]))
            }
        }
        return schedules
    }

    private static func moment(_ seconds: Int64) throws -> Timestamp {
        guard (0..<CatalogueReader.momentMax).contains(seconds) else {
            throw CatalogueError("it has a time out of range")
        }
        return Timestamp(seconds: seconds)
    }

    private static func rules(_ values: [String: Int], _ configuration: ServerConfiguration) throws -> ConcertRules {
        var own = configuration
        for (name, value) in values {
            guard let setting = Self.ruleSettings.first(where: { $0.components[1] == name }) else {
                throw CatalogueError("it has a rule \(name), which this version does not know")
            }
            do throws(Setting.Refusal) { try setting.store(.json(.whole(value)), in: &own) } catch {
                throw CatalogueError("its rule \(name) \(error.problem)")
            }
        }
        return own.rules
    }
}
