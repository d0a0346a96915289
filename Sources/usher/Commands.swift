import ArgumentParser
import Configuration
import Foundation
import Operator
import Server
import StandardStreams
import Supervisor

/// Without a subcommand it runs a cluster. (Flags of its own would take those of the subcommands.)
struct Cluster: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a cluster on this machine until Ctrl-C; or restart or reload a running one.",
        discussion: "usher cluster --shards 4 is usher cluster run --shards 4.",
        subcommands: [Run.self, Restart.self, Reload.self, TrustClock.self],
        defaultSubcommand: Run.self
    )
}

extension Cluster {
    struct Run: ParsableCommand, HandlesSignals {
        static let configuration = CommandConfiguration(
            abstract: "Run shards and gateways on this machine until Ctrl-C.",
            discussion: """
                Starts the shards, then the gateways, waits until all are ready, and prints the addresses. Processes that \
                die are restarted. Ctrl-C or SIGTERM finishes the requests in flight, then stops the cluster; a second one \
                stops it at once. SIGHUP reloads the settings.
                """
        )

        @OptionGroup var settings: SettingOptions

        func run() throws {
            try self.beginLog()
            let configuration = try self.settings.resolve()
            do {
                // Read once, here: later changes of the file apply at the next start.
                let catalogue = try CatalogueFile.load(configuration)
                try Supervisor.run(configuration, catalogue, reading: self.settings.readAgain)
            } catch { throw Failure(description: "\(error)") }
        }
    }

    struct Restart: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace the processes of a running cluster, one by one, by the program now on disk.",
            discussion: """
                Gateways first: each ends after its last answer, once its successor serves beside it. Then shards: each is \
                away for the time of a restart, and the gateways hold its requests. Clients see no error. The supervisor \
                is not replaced; stop and start the cluster for that.

                Ends with 1, and the reason, when a successor does not become ready. The old gateway then serves on, or \
                the shard is rolled back to its former program. Processes already replaced are not rolled back.
                """
        )

        enum Role: String, ExpressibleByArgument, CaseIterable {
            case gateways, shards
            var name: String { self == .gateways ? "gateway" : "shard" }
        }

        @Flag(help: "Required: one process after the other, while the cluster serves.")
        var rolling = false
        @Option(help: "Replace only these processes.") var only: Role?
        @OptionGroup var options: StateOptions

        func validate() throws {
            guard !self.rolling else { return }
            throw ValidationError("add --rolling: a running cluster has no other kind of restart")
        }

        func run() throws {
            let state = try self.options.resolve().stateDirectory
            do {
                try ControlCommand.restart(state, roles: (self.only.map { [$0] } ?? Role.allCases).map(\.name)) {
                    CommandOutput.outcome($0)
                }
            } catch { throw Failure(description: "\(error)") }
        }
    }

    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reload the settings of a running cluster, as SIGHUP does.",
            discussion: """
                Reads the sources of its start again: its flags, its environment and its file. All processes apply the \
                settings that can change at run time; the others are listed, and need a restart. If there is a mistake, \
                nothing changes, and this ends with 1.
                """
        )

        @OptionGroup var options: StateOptions

        func run() throws {
            let state = try self.options.resolve().stateDirectory
            do { try ControlCommand.reload(state) { CommandOutput.outcome($0) } } catch {
                throw Failure(description: "\(error)")
            }
        }
    }
}

extension Cluster {
    struct TrustClock: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm that the wall clock is right, after it jumped by a day or more.",
            discussion: """
                When the wall clock jumps forward by a day or more, the cluster does not follow it: changes are refused, \
                reading works, and changes resume by themselves once the clock is set right. If the clock is right now, and \
                was wrong before, this makes the cluster's time follow it. That can't be undone: places, holds and sales \
                whose time is over by that clock end.

                Ends with 1, and changes nothing, unless changes are suspended.
                """
        )

        @OptionGroup var options: StateOptions

        func run() throws {
            let state = try self.options.resolve().stateDirectory
            do { try ControlCommand.trustClock(state) { CommandOutput.line($0) } } catch {
                throw Failure(description: "\(error)")
            }
        }
    }
}

struct Shard: ParsableCommand, HandlesSignals {
    static let configuration = CommandConfiguration(
        abstract: "Run one shard alone; usher cluster runs all processes."
    )

    @Option(help: ArgumentHelp("The shard's number, from 0.", valueName: "number")) var index: Int
    @Flag(help: .hidden) var supervised = false
    @OptionGroup var settings: SettingOptions

    func run() throws {
        try self.beginLog()
        let configuration = try self.settings.resolve()
        guard (0..<configuration.cluster.shards).contains(self.index) else {
            throw Failure(
                description: "--index is \(self.index), but it must be below cluster.shards, which is "
                    + "\(configuration.cluster.shards)"
            )
        }
        do {
            try ShardProcess.run(
                configuration: configuration,
                index: self.index,
                reading: self.settings.readAgain,
                isSupervised: self.supervised
            )
        } catch { throw Failure(description: "\(error)") }
    }
}

struct Gateway: ParsableCommand, HandlesSignals {
    static let configuration = CommandConfiguration(
        abstract: "Run one gateway alone; usher cluster runs all processes."
    )

    @Option(help: ArgumentHelp("The gateway's number, from 0.", valueName: "number")) var index: Int
    @Flag(help: .hidden) var supervised = false
    @Option(help: .hidden) var clientListener: Int32?
    @Option(help: .hidden) var operatorListener: Int32?
    @Flag(help: .hidden) var successor = false
    @OptionGroup var settings: SettingOptions

    func run() throws {
        try self.beginLog()
        let configuration = try self.settings.resolve()
        guard (0..<configuration.cluster.gateways).contains(self.index) else {
            throw Failure(
                description: "--index is \(self.index), but it must be below cluster.gateways, which is "
                    + "\(configuration.cluster.gateways)"
            )
        }
        var post = GatewayProcess.Post(isSuccessor: self.successor)
        if let clientListener, let operatorListener { post.listeners = (clientListener, operatorListener) }
        do {
            try GatewayProcess.run(
                configuration: configuration,
                index: self.index,
                reading: self.settings.readAgain,
                isSupervised: self.supervised,
                post: post
            )
        } catch { throw Failure(description: "\(error)") }
    }
}

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a cluster's statistics, once.")

    @OptionGroup var options: StateOptions
    @Flag(help: "As JSON, for programs.") var json = false

    func run() throws {
        let state = try self.options.resolve().stateDirectory
        do { CommandOutput.line(try StatsCommand.text(state, json: self.json)) } catch {
            throw Failure(description: "\(error)")
        }
    }
}

struct Top: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a cluster's statistics, every second, until Ctrl-C."
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
            abstract: "Show every setting with its source, and every mistake.",
            discussion:
                "Ends with 0 when the settings and the files that they name have no mistake, else with 1."
        )

        @OptionGroup var settings: SettingOptions

        func run() throws {
            let loaded = try self.settings.load()
            var mistakes: [ConfigurationMistake] = []
            var note: String?
            do {
                note = CatalogueFile.note(on: try CatalogueFile.load(loaded.configuration), loaded.configuration)
            } catch { mistakes = error.list }
            mistakes += loaded.configuration.mistakesInFiles
            CommandOutput.line(ConfigurationReport.check(loaded, catalogueMistakes: mistakes, catalogueNote: note))
            guard loaded.mistakes.isEmpty, mistakes.isEmpty else { throw ExitCode(1) }
        }
    }

    struct Reference: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the table of all settings, as Markdown.")

        func run() { CommandOutput.line(ConfigurationReport.reference()) }
    }
}
