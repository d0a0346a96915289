/// One mistake in the settings or the catalogue: its place, the problem and the remedy.
public struct ConfigurationMistake: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file, the variable, the flag, or the path inside a catalogue.
    public let place: String
    public let problem: String
    /// What is allowed, or what to do.
    public let remedy: String

    /// `remedy` says what to do.
    public init(place: String, problem: String, remedy: String) {
        self.place = place
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(self.place): \(self.problem); \(self.remedy)" }

    /// `removal` is how one gets rid of it in that place.
    static func unknownName(_ name: String, place: String, removal: String) -> ConfigurationMistake {
        if let removed = RemovedSetting[name] { return removed.mistake(in: place, removal: removal) }
        let names = Settings.all.map(\.name)
        let meant = NearestName.of(name, among: names).map { [$0] } ?? names.filter { $0.hasSuffix("." + name) }
        return ConfigurationMistake(
            place: place,
            problem: "there is no setting \(name)",
            remedy: meant.isEmpty
                ? "remove it; usher config reference lists all settings"
                : "did you mean \(meant.joined(separator: " or "))?"
        )
    }
}

/// All mistakes, reported together. Never empty.
public struct ConfigurationMistakes: Error, Equatable, Sendable, CustomStringConvertible {
    public let list: [ConfigurationMistake]

    public init(list: [ConfigurationMistake]) {
        precondition(!list.isEmpty, "mistakes without a mistake")
        self.list = list
    }

    public init(place: String, problem: String, remedy: String) {
        self.init(list: [ConfigurationMistake(place: place, problem: problem, remedy: remedy)])
    }

    public var description: String { ConfigurationReport.text(self.list) }
}
