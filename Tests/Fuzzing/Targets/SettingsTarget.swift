@testable import Configuration

/// Settings files. Every mistake is reported; valid settings are written as a file that gives the same settings.
enum SettingsTarget {
    private static let file = MemoryFile()
    private static let written = MemoryFile()

    /// Loading all sources takes milliseconds, so only one in so many valid files is loaded.
    private static let loadedOneIn: UInt = 16

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        self.file.replace(with: input)
        let settings: SettingsFile
        var mistakes: [ConfigurationMistake]
        do throws(ConfigurationMistake) { (settings, mistakes) = try SettingsFile.read(self.file.path) } catch {
            return try self.checkWords(error)
        }
        var configuration = ServerConfiguration()
        for setting in Settings.all {
            guard let value = settings.values[setting.name] else { continue }
            do throws(Setting.Refusal) { try setting.store(.json(value), in: &configuration) } catch {
                mistakes.append(ConfigurationMistake(place: "here", problem: error.problem, remedy: setting.allowed))
            }
        }
        for mistake in mistakes { try self.checkWords(mistake) }
        guard mistakes.isEmpty, input.reduce(0 as UInt, { $0 &* 31 &+ UInt($1) }) % self.loadedOneIn == 0 else {
            return
        }
        try self.checkLoading(configuration)
    }

    private static func checkWords(_ mistake: ConfigurationMistake) throws(BrokenProperty) {
        try require(!mistake.place.isEmpty && !mistake.problem.isEmpty, "a mistake is told without words: \(mistake)")
        try require("\(mistake)".utf8.count < 10_000, "a mistake is told at a length that nobody reads")
    }

    private static func checkLoading(_ configuration: ServerConfiguration) throws(BrokenProperty) {
        let loaded = LoadedConfiguration(environment: [:], file: self.file.path)
        try require(loaded.configuration == configuration, "a file is read otherwise when it is loaded")
        // Settings that are valid alone may contradict each other.
        guard loaded.mistakes.isEmpty else { return }
        configuration.fileContent().withUnsafeBytes { self.written.replace(with: $0) }
        let again = LoadedConfiguration(environment: [:], file: self.written.path)
        try require(again.mistakes.isEmpty, "settings were taken, and are refused when written: \(again.mistakes)")
        try require(again.configuration == configuration, "settings are others after they were written and read")
    }
}
