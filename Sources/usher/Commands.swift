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
        abstract: "Run shards and gateways on this machine until Ctrl-C; or restart, reload, or tell those that run.",
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
                Starts the shards, then the gateways, waits until all are ready, and says where to look. What dies is \
                started again. Ctrl-C or SIGTERM lets requests that are under way finish, and stops all; a second one \
                stops at once. SIGHUP has the settings read again.
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
            abstract: "Replace the processes of a running cluster, one by one, by the program that is on the disk now.",
            discussion: """
                Gateways first: each has its successor serving beside it, and ends after its last answer. Then shards: each \
                is away for as long as it takes to start, and the gateways hold its requests. Nobody hears an error. The \
                supervisor stays; it is replaced by stopping and starting the cluster.

                Ends with 1, and says why, when a successor does not get ready. A gateway goes on in that case, and a \
                shard is started again with the program that it had; who was replaced before stays so.
                """
        )

        enum Role: String, ExpressibleByArgument, CaseIterable {
            case gateways, shards
            var name: String { self == .gateways ? "gateway" : "shard" }
        }

        @Flag(help: "One after the other, while all serve. There is no other way; stop and start for that.")
        var rolling = false
        @Option(help: "Replace only these.") var only: Role?
        @OptionGroup var options: StateOptions

        func validate() throws {
            guard !self.rolling else { return }
            throw ValidationError("add --rolling: a cluster that runs is restarted in no other way")
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
            abstract: "Have a running cluster read its settings again, as SIGHUP does.",
            discussion: """
                From where it read them at its start: its flags, its environment and its file. What can change while it \
                runs is taken over by all processes; what needs a restart is named. A mistake in any of it changes \
                nothing, and ends this with 1.
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
            abstract: "Say that the wall clock is right, after it jumped by a day or more.",
            discussion: """
                A wall clock that jumps forward by a day or more is not followed: changes are refused, reading works, and \
                all goes on by itself when the clock is set right. If it is right now, and was wrong before, this has the \
                cluster's time follow it. That can't be undone: places, holds and sales whose time is over by that clock end.

                Ends with 1, and changes nothing, while nothing is suspended.
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
        abstract: "Run one shard alone; usher cluster runs all that are needed."
    )

    @Option(help: ArgumentHelp("Which shard this is, from 0.", valueName: "number")) var index: Int
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
        abstract: "Run one gateway alone; usher cluster runs all that are needed."
    )

    @Option(help: ArgumentHelp("Which gateway this is, from 0.", valueName: "number")) var index: Int
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
    static let configuration = CommandConfiguration(abstract: "Show what a cluster is doing, once.")

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
            discussion:
                "Ends with 0 when the settings and the files that they name are right, and with 1 when they are not."
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
