import ArgumentParser
import Configuration
import Foundation
import StandardStreams

/// The flags that set settings, for all subcommands that need them.
struct SettingOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("A JSON file of settings; USHER_CONFIG names one, too.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: help("cluster.shards", "count"))
    var shards: String?

    @Option(name: .long, help: help("cluster.gateways", "count"))
    var gateways: String?

    @Option(name: .long, help: help("gateway.host", "address"))
    var host: String?

    @Option(name: .long, help: help("gateway.port", "port"))
    var port: String?

    @Option(name: .long, help: help("operator.port", "port"))
    var operatorPort: String?

    @Option(name: .long, help: help("cluster.state", "folder"))
    var state: String?

    @Option(name: .long, help: help("catalogue.file", "file"))
    var catalogue: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Any setting, by its name; may be given many times.", valueName: "name=value")
    )
    var set: [String] = []

    /// Settings from flags, environment and file, with all their mistakes.
    func load() throws -> LoadedConfiguration {
        var flags: [(name: String, text: String)] = []
        let short = [
            ("cluster.shards", self.shards), ("cluster.gateways", self.gateways), ("gateway.host", self.host),
            ("gateway.port", self.port), ("operator.port", self.operatorPort), ("cluster.state", self.state),
            ("catalogue.file", self.catalogue),
        ]
        for (name, text) in short { if let text { flags.append((name, text)) } }
        for pair in self.set {
            guard let equals = pair.firstIndex(of: "=") else {
                throw Failure(description: "--set \(pair) has no '='; write it as --set gateway.port=8080")
            }
            flags.append((String(pair[..<equals]), String(pair[pair.index(after: equals)...])))
        }
        return LoadedConfiguration(flags: flags, environment: ProcessInfo.processInfo.environment, file: self.config)
    }

    /// Settings without a mistake, or the end of this command.
    func resolve() throws -> ServerConfiguration { try resolved(self.load()) }

    /// As `resolve`; where no file is named, what the folder's last cluster was started with comes before the defaults.
    func resolveSettled() throws -> ServerConfiguration {
        let loaded = try self.load()
        let state = loaded.configuration.stateDirectory
        guard loaded.file == nil, FileManager.default.fileExists(atPath: state.configurationFile) else {
            return try resolved(loaded)
        }
        var settled = self
        settled.config = state.configurationFile
        // It may have been started elsewhere, or the folder have been moved.
        settled.state = state.path
        return try settled.resolve()
    }

    /// The same sources once more, after `resolve()` found no mistake in how the flags are written.
    func readAgain() -> LoadedConfiguration? { try? self.load() }
}

/// The flags of subcommands that look after a cluster that is there: where it is, and no more.
struct StateOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("A JSON file of settings; USHER_CONFIG names one, too.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: help("cluster.state", "folder"))
    var state: String?

    /// Settings without a mistake, or the end of this command.
    func resolve() throws -> ServerConfiguration {
        let flags = self.state.map { [(name: "cluster.state", text: $0)] } ?? []
        let environment = ProcessInfo.processInfo.environment
        return try resolved(LoadedConfiguration(flags: flags, environment: environment, file: self.config))
    }
}

private func help(_ setting: String, _ valueName: String) -> ArgumentHelp {
    ArgumentHelp("\(Settings.help(setting))", valueName: valueName)
}

/// What was loaded, when nothing is wrong with it. Notes go to standard error.
private func resolved(_ loaded: LoadedConfiguration) throws -> ServerConfiguration {
    for note in loaded.notes { StandardError.write("note: \(note)\n") }
    guard loaded.mistakes.isEmpty else { throw Failure(description: ConfigurationReport.text(loaded.mistakes)) }
    return loaded.configuration
}
