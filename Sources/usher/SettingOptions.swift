import ArgumentParser
import Configuration
import Foundation
import StandardStreams

/// The setting flags, for all subcommands that need them.
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

    /// Settings without a mistake; otherwise the command ends.
    func resolve() throws -> ServerConfiguration { try resolved(self.load()) }

    /// Like `resolve`; where no file is named, the settings of the folder's last cluster come before the defaults.
    func resolveSettled() throws -> ServerConfiguration {
        let loaded = try self.load()
        let state = loaded.configuration.stateDirectory
        guard loaded.file == nil, FileManager.default.fileExists(atPath: state.configurationFile) else {
            return try resolved(loaded)
        }
        var settled = self
        settled.config = state.configurationFile
        // The cluster may have been started elsewhere, or the folder moved.
        settled.state = state.path
        return try settled.resolve()
    }

    /// Reads the same sources again, after `resolve()` found the flags well-formed.
    func readAgain() -> LoadedConfiguration? { try? self.load() }
}

/// The flags of subcommands for an existing cluster: its folder only.
struct StateOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("A JSON file of settings; USHER_CONFIG names one, too.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: help("cluster.state", "folder"))
    var state: String?

    /// Settings without a mistake; otherwise the command ends.
    func resolve() throws -> ServerConfiguration {
        let flags = self.state.map { [(name: "cluster.state", text: $0)] } ?? []
        let environment = ProcessInfo.processInfo.environment
        return try resolved(LoadedConfiguration(flags: flags, environment: environment, file: self.config))
    }
}

private func help(_ setting: String, _ valueName: String) -> ArgumentHelp {
    ArgumentHelp("\(Settings.help(setting))", valueName: valueName)
}

/// The loaded settings, if they have no mistake. Notes go to standard error.
private func resolved(_ loaded: LoadedConfiguration) throws -> ServerConfiguration {
    for note in loaded.notes { StandardError.write("note: \(note)\n") }
    guard loaded.mistakes.isEmpty else { throw Failure(description: ConfigurationReport.text(loaded.mistakes)) }
    return loaded.configuration
}
