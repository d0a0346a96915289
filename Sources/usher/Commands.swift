import ArgumentParser
import Server

struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run shards and gateways on this machine until Ctrl-C.",
        discussion: """
            Starts the shards, then the gateways, waits until all are ready, and says where to look. What dies is \
            started again. Ctrl-C or SIGTERM lets requests that are under way finish, and stops all; a second one \
            stops at once.
            """
    )

    @OptionGroup var settings: SettingOptions

    func run() throws {
        let configuration = try self.settings.resolve()
        do {
            // Read here too, so that a mistake is told once and not by every shard.
            _ = try CatalogueFile.load(configuration)
            try Supervisor.run(configuration)
        } catch { throw Failure(description: "\(error)") }
    }
}

struct Shard: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one shard alone; usher cluster runs all that are needed."
    )

    @Option(help: ArgumentHelp("Which shard this is, from 0.", valueName: "number")) var index: Int
    @Flag(help: .hidden) var supervised = false
    @OptionGroup var settings: SettingOptions

    func run() throws {
        let configuration = try self.settings.resolve()
        guard (0..<configuration.cluster.shards).contains(self.index) else {
            throw Failure(
                description: "--index is \(self.index), but it must be below cluster.shards, which is "
                    + "\(configuration.cluster.shards)"
            )
        }
        do {
            try ShardProcess.run(configuration: configuration, index: self.index, isSupervised: self.supervised)
        } catch { throw Failure(description: "\(error)") }
    }
}

struct Gateway: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one gateway alone; usher cluster runs all that are needed."
    )

    @Option(help: ArgumentHelp("Which gateway this is, from 0.", valueName: "number")) var index: Int
    @Flag(help: .hidden) var supervised = false
    @OptionGroup var settings: SettingOptions

    func run() throws {
        let configuration = try self.settings.resolve()
        guard (0..<configuration.cluster.gateways).contains(self.index) else {
            throw Failure(
                description: "--index is \(self.index), but it must be below cluster.gateways, which is "
                    + "\(configuration.cluster.gateways)"
            )
        }
        do {
            try GatewayProcess.run(configuration: configuration, index: self.index, isSupervised: self.supervised)
        } catch { throw Failure(description: "\(error)") }
    }
}

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a cluster is doing, once.")

    @OptionGroup var options: StateOptions
    @Flag(help: "As JSON, for programs.") var json = false

    func run() throws {
        let state = try self.options.resolve().stateDirectory
        do { print(try StatsCommand.text(state, json: self.json)) } catch { throw Failure(description: "\(error)") }
    }
}

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a cluster is doing, every second, until Ctrl-C."
    )

    @OptionGroup var options: StateOptions

    func run() throws {
        let state = try self.options.resolve().stateDirectory
        do { try StatsCommand.top(state) } catch { throw Failure(description: "\(error)") }
    }
}

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain the settings, and find every mistake in them.",
        subcommands: [Check.self, Reference.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show every setting, where it came from, and every mistake.",
            discussion: "Ends with 0 when the settings and the catalogue are right, and with 1 when they are not."
        )

        @OptionGroup var settings: SettingOptions

        func run() throws {
            let loaded = try self.settings.load()
            var mistakes: [ConfigurationMistake] = []
            do { _ = try CatalogueFile.load(loaded.configuration) } catch { mistakes = error.list }
            print(ConfigurationReport.check(loaded, catalogueMistakes: mistakes))
            guard loaded.mistakes.isEmpty, mistakes.isEmpty else { throw ExitCode(1) }
        }
    }

    struct Reference: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the table of all settings, as Markdown.")

        func run() { print(ConfigurationReport.reference()) }
    }
}
