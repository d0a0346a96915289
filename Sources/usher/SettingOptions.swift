import ArgumentParser
import Foundation
import Server

/// The flags that set settings, for all subcommands that need them.
struct SettingOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("A JSON file of settings; USHER_CONFIG names one, too.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("cluster.shards")))
    var shards: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("cluster.gateways")))
    var gateways: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("gateway.host")))
    var host: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("gateway.port")))
    var port: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("operator.port")))
    var operatorPort: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("cluster.state")))
    var state: String?

    @Option(name: .long, help: ArgumentHelp(stringLiteral: Settings.help("catalogue.file")))
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
                throw ValidationError("--set \(pair) has no '=': write --set gateway.port=8080")
            }
            flags.append((String(pair[..<equals]), String(pair[pair.index(after: equals)...])))
        }
        return LoadedConfiguration(flags: flags, environment: ProcessInfo.processInfo.environment, file: self.config)
    }

    /// Settings without a mistake, or the end of this command.
    func resolve() throws -> ServerConfiguration {
        let loaded = try self.load()
        for note in loaded.notes { FileHandle.standardError.write(Data("note: \(note)\n".utf8)) }
        guard loaded.mistakes.isEmpty else { throw Failure(description: ConfigurationReport.text(loaded.mistakes)) }
        return loaded.configuration
    }
}
