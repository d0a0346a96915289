public import Booking
import Wire

/// The catalogue as people write it: halls, concerts, and when they play. `deploy/catalogue.example.json` shows every
/// part. Reading goes on after a mistake, so one run names all of them, each with its path in the file.
public enum CatalogueFile {
    /// The catalogue that a configuration names, or the built-in one when it names none. A configuration written by a
    /// supervisor names the catalogue of its start.
    public static func load(_ configuration: ServerConfiguration) throws(ConfigurationMistakes) -> Catalogue {
        let path = configuration.catalogue.file
        guard !path.isEmpty else { return .original(rules: configuration.rules) }
        guard !configuration.catalogue.isCopy else { return try CatalogueCopy.read(configuration) }
        let bytes: [UInt8]
        let (tree, repeated): (JSONTree, [JSONTree.Repeated])
        do {
            bytes = try TextFile.read(path)
            (tree, repeated) = try JSONTree.read(bytes)
        } catch let error as FileError {
            throw ConfigurationMistakes(
                place: path,
                problem: "the catalogue \(error.reason)",
                remedy: "name a file that can be read in catalogue.file, or leave it empty for the built-in one"
            )
        } catch {
            throw ConfigurationMistakes(
                place: path,
                problem: "the catalogue is not JSON: \(error)",
                remedy: "see deploy/catalogue.example.json for how it looks"
            )
        }
        guard repeated.isEmpty else { throw ConfigurationMistakes(list: repeated.map { $0.mistake(in: path) }) }
        return try Self.read(tree, path: path, configuration)
    }

    /// The catalogue with which the facts in a state folder were made, for commands on its journals: that of the last
    /// start, whatever these settings name. Before a first start, the settings' own.
    public static func loadSettled(_ configuration: ServerConfiguration) throws(ConfigurationMistakes) -> Catalogue {
        let settled = LoadedConfiguration(environment: [:], file: configuration.stateDirectory.configurationFile)
        guard settled.configuration.catalogue.isCopy else { return try Self.load(configuration) }
        return try CatalogueCopy.read(configuration)
    }

    /// A note for `usher config check` that the running cluster uses another catalogue; nil where no cluster runs in
    /// the state folder, or one with the same catalogue.
    public static func note(on catalogue: Catalogue, _ configuration: ServerConfiguration) -> String? {
        let state = configuration.stateDirectory
        guard (try? ClusterFile.read(state)) != nil, let running = try? CatalogueCopy.read(configuration),
            catalogue.archiving(running, at: .now) != running
        else { return nil }
        return "the cluster running in \(state.path) uses the catalogue of its start; "
            + "this one applies at the next start"
    }

    /// Like `load`, from a document in memory. Callers that read many pass the configuration's zone, which takes
    /// milliseconds to build.
    static func read(
        _ tree: JSONTree,
        path: String,
        _ configuration: ServerConfiguration,
        zone: Zone? = nil
    ) throws(ConfigurationMistakes) -> Catalogue {
        var reader = CatalogueReader(configuration, zone ?? configuration.zone)
        let concerts = reader.read(tree)
        guard reader.tree.mistakes.isEmpty else {
            throw ConfigurationMistakes(
                list: reader.tree.mistakes.map {
                    let place = $0.place.isEmpty ? path : "\(path): \($0.place)"
                    return ConfigurationMistake(place: place, problem: $0.problem, remedy: $0.remedy)
                }
            )
        }
        do { return try Catalogue(concerts) } catch {
            throw ConfigurationMistakes(place: path, problem: error.reason, remedy: "correct the file")
        }
    }
}

/// Turns a tree into concerts. Wrong parts are left out, and listed in `tree.mistakes`.
struct CatalogueReader {
    static let titleLengthMax = 200
    static let gradeLengthMax = 20
    static let schedulesPerConcertMax = 100_000
    static let everyHoursMax = 8_784
    /// Moments past the year 2200 are typing errors, and nanoseconds since 1970 overflow in 2262.
    static let momentMax: Int64 = 7_258_118_400

    var tree = TreeReader()
    private let configuration: ServerConfiguration
    private let zone: Zone
    private var halls: [String: Hall?] = [:]
    /// The first place of each concert or schedule id.
    private var concertPlaces: [UInt64: String] = [:]
    private var schedulePlaces: [UInt64: String] = [:]

    init(_ configuration: ServerConfiguration, _ zone: Zone) {
        self.configuration = configuration
        self.zone = zone
    }

    mutating func read(_ document: JSONTree) -> [Concert] {
        guard let top = self.tree.object(document, at: "", names: ["halls", "concerts"]) else { return [] }
        for (index, hall) in self.tree.list(top, "halls", at: "").enumerated() {
            self.readHall(hall, "halls[\(index)]")
        }
        var concerts: [Concert] = []
        for (index, concert) in self.tree.list(top, "concerts", at: "").enumerated() {
            if let concert = self.readConcert(concert, "concerts[\(index)]") { concerts.append(concert) }
        }
        return concerts
    }

    // MARK: Halls

    private mutating func readHall(_ value: JSONTree, _ path: String) {
        guard let hall = self.tree.object(value, at: path, names: ["name", "sections"]),
            let name = self.tree.text(hall, "name", at: path, lengthMax: Self.titleLengthMax)
        else { return }
        guard self.halls[name] == nil else {
            self.tree.refuse("\(path).name", "is '\(name)', the name of another hall", "give each hall its own name")
            return
        }
        // Known from now on, even if its sections are wrong: each mistake is reported once.
        self.halls[name] = .some(nil)
        let count = self.tree.mistakes.count
        let sections = self.tree.list(hall, "sections", at: path).enumerated().compactMap { (index, section) in
            self.readSection(section, "\(path).sections[\(index)]")
        }
        guard self.tree.mistakes.count == count else { return }
        do { self.halls[name] = try Hall(sections: sections) } catch {
            self.tree.refuse("\(path).sections", "do not make a hall", error.reason)
        }
    }

    private mutating func readSection(_ value: JSONTree, _ path: String) -> Hall.Section? {
        guard let section = self.tree.object(value, at: path, names: ["from", "to", "grade", "price"]) else {
            return nil
        }
        let from = self.tree.whole(section, "from", at: path, 1...Hall.seatCountMax)
        let to = self.tree.whole(section, "to", at: path, 1...Hall.seatCountMax)
        let grade = self.tree.text(section, "grade", at: path, lengthMax: Self.gradeLengthMax)
        let price = self.tree.whole(section, "price", at: path, 0...100_000_000)
        guard let from, let to, let grade, let price else { return nil }
        guard from <= to else {
            self.tree.refuse(
                "\(path).to",
                "is \(to), which is before from (\(from))",
                "it must be the section's last seat"
            )
            return nil
        }
        return Hall.Section(seats: UInt32(from)...UInt32(to), grade: grade, price: Won(Int64(price)))
    }

    private mutating func hall(_ members: [String: JSONTree], at path: String) -> Hall? {
        guard let name = self.tree.text(members, "hall", at: path, lengthMax: Self.titleLengthMax) else { return nil }
        if let hall = self.halls[name] { return hall }
        let hint = NearestName.hint(name, among: self.halls.keys.sorted())
        self.tree.refuse("\(path).hall", "is '\(name)', but no hall has that name\(hint)", "name one of halls")
        return nil
    }

    // MARK: Concerts

    private mutating func readConcert(_ value: JSONTree, _ path: String) -> Concert? {
        let names = ["id", "title", "opensAt", "hall", "schedules", "rules"]
        guard let concert = self.tree.object(value, at: path, names: names) else { return nil }
        let id = self.tree.whole(concert, "id", at: path, 1...Int(IdentifierLimits.max)).map { UInt64($0) }
        if let id, let other = self.concertPlaces.updateValue(path, forKey: id) {
            self.tree.refuse("\(path).id", "is \(id), the same as \(other)'s", "give each concert its own id")
        }
        let title = self.tree.text(concert, "title", at: path, lengthMax: Self.titleLengthMax)
        let opensAt = self.moment(concert, "opensAt", at: path)
        let rules = self.rules(concert["rules"], "\(path).rules")
        let schedules = self.schedules(concert, path)
        guard let id, let title, let opensAt else { return nil }
        return Concert(id: ConcertID(id), title: title, opensAt: opensAt, schedules: schedules, rules: rules)
    }

    /// The configuration's rules, overridden by the concert's own; names and ranges are those of `booking.*`.
    private mutating func rules(_ value: JSONTree?, _ path: String) -> ConcertRules {
        var own = self.configuration
        let settings = Settings.all.filter { $0.name.hasPrefix("booking.") && $0.name != "booking.timeZone" }
        let names = settings.map { $0.components[1] }
        guard let value, let members = self.tree.object(value, at: path, names: names) else { return own.rules }
        for (name, setting) in zip(names, settings) {
            guard let value = members[name] else { continue }
            do throws(Setting.Refusal) { try setting.store(.json(value), in: &own) } catch {
                self.tree.refuse("\(path).\(name)", error.problem, "it must be \(setting.allowed)")
            }
        }
        return own.rules
    }

    private mutating func schedules(_ concert: [String: JSONTree], _ path: String) -> [Schedule] {
        let place = "\(path).schedules"
        switch concert["schedules"] {
        case .some(.list(let listed)):
            // The concert's hall is needed only by schedules without one of their own.
            let hall = concert["hall"] == nil ? nil : self.hall(concert, at: path)
            return listed.enumerated().compactMap { (index, value) in
                self.listedSchedule(value, "\(place)[\(index)]", hall: hall, concertHasHall: concert["hall"] != nil)
            }
        case .some(.object(let members)):
            return self.generatedSchedules(members, place, hall: self.hall(concert, at: path))
        case let other:
            let problem = other.map { "is \($0.summary)" } ?? "is missing"
            self.tree.refuse(
                place,
                problem,
                "list schedules, or write an object with firstId, count, first and everyHours"
            )
            return []
        }
    }

    private mutating func listedSchedule(
        _ value: JSONTree,
        _ path: String,
        hall inherited: Hall?,
        concertHasHall: Bool
    ) -> Schedule? {
        guard let members = self.tree.object(value, at: path, names: ["id", "playDateTime", "hall"]) else { return nil }
        let id = self.tree.whole(members, "id", at: path, 1...Int(IdentifierLimits.max)).map { UInt64($0) }
        if let id { self.claim(id, "\(path).id") }
        let playsAt = self.moment(members, "playDateTime", at: path)
        var hall = inherited
        if members["hall"] != nil {
            hall = self.hall(members, at: path)
        } else if !concertHasHall {
            self.tree.refuse("\(path).hall", "is missing, here and at the concert", "name one of halls in either place")
        }
        guard let id, let playsAt, let hall else { return nil }
        return Schedule(id: ScheduleID(id), playsAt: playsAt, hall: hall)
    }

    /// Schedules at equal distances in the zone's local time: daily ones keep their time of day through summer time.
    private mutating func generatedSchedules(_ value: [String: JSONTree], _ path: String, hall: Hall?) -> [Schedule] {
        let names = ["firstId", "count", "first", "everyHours"]
        guard let members = self.tree.object(.object(value), at: path, names: names) else { return [] }
        let firstID = self.tree.whole(members, "firstId", at: path, 1...Int(IdentifierLimits.max))
        let count = self.tree.whole(members, "count", at: path, 1...Self.schedulesPerConcertMax)
        let first = self.localTime(members, "first", at: path)
        let everyHours = self.tree.whole(members, "everyHours", at: path, 1...Self.everyHoursMax)
        guard let firstID, let count, let first, let everyHours else { return [] }
        guard firstID <= Int(IdentifierLimits.max) - count else {
            self.tree.refuse("\(path).firstId", "is \(firstID), too large for \(count) ids", "start lower")
            return []
        }
        var schedules: [Schedule] = []
        for index in 0..<count {
            let offset = Int64(index) * Int64(everyHours) * 3_600
            let time = LocalTime(secondsAsIfGreenwich: first.secondsAsIfGreenwich + offset)
            guard let moment = self.moment(time, at: path) else { return [] }
            let id = UInt64(firstID + index)
            guard self.claim(id, "\(path) (id \(id))") else { return [] }
            if let hall { schedules.append(Schedule(id: ScheduleID(id), playsAt: moment, hall: hall)) }
        }
        return schedules
    }

    /// Records where a schedule's id was first seen; refuses a repeated id.
    @discardableResult private mutating func claim(_ id: UInt64, _ place: String) -> Bool {
        guard let other = self.schedulePlaces.updateValue(place, forKey: id) else { return true }
        self.tree.refuse(place, "is \(id), the same as \(other)", "schedule ids are unique over all concerts")
        return false
    }

    // MARK: Times

    private mutating func moment(_ members: [String: JSONTree], _ name: String, at path: String) -> Timestamp? {
        self.localTime(members, name, at: path).flatMap { self.moment($0, at: "\(path).\(name)") }
    }

    private mutating func localTime(_ members: [String: JSONTree], _ name: String, at path: String) -> LocalTime? {
        guard let text = self.tree.text(members, name, at: path, lengthMax: 100) else { return nil }
        if let time = LocalTime(text) { return time }
        self.tree.refuse("\(path).\(name)", "is '\(text)', which is not a time", "write it as yyyy-MM-dd HH:mm:ss")
        return nil
    }

    private mutating func moment(_ time: LocalTime, at path: String) -> Timestamp? {
        guard let seconds = self.zone.seconds(of: time) else {
            self.tree.refuse(
                path,
                "is \(time), which clocks of \(self.zone.name) skip",
                "choose a time that exists there"
            )
            return nil
        }
        guard (0..<Self.momentMax).contains(seconds) else {
            self.tree.refuse(path, "is \(time), out of range", "it must be from 1970 to 2199")
            return nil
        }
        return Timestamp(seconds: seconds)
    }
}
