import ArgumentParser
import Configuration
import JournalHistory
import Server
import StandardStreams

struct Journal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify, measure, export, audit and compact the shards' journals.",
        discussion:
            "These commands work while the cluster runs. They end with 1 when a journal is damaged, and say where.",
        subcommands: [Verify.self, Stat.self, Export.self, Audit.self, Compact.self, Begin.self]
    )

    struct Which: ParsableArguments {
        @Option(help: "The shard's number, from 0; without it, all shards of the state folder.") var shard: Int?
        @OptionGroup var settings: SettingOptions
    }

    /// Prints the result of `body` for each journal, and goes on with the others after a failure. `isSettled` uses the
    /// settings of the folder's cluster; `changes` says that `body` has effects, which stay even if its result can't be
    /// printed.
    private static func forEach(
        _ which: Which,
        isSettled: Bool = false,
        changes: Bool = false,
        _ body: (ServerConfiguration, Int) throws(StartError) -> String
    ) throws {
        let configuration = try isSettled ? which.settings.resolveSettled() : which.settings.resolve()
        let state = configuration.stateDirectory
        let shards: [Int]
        do throws(StartError) { shards = try JournalCommand.shards(in: state, only: which.shard) } catch {
            throw Failure(description: "\(error)")
        }
        var failures: [String] = []
        for shard in shards {
            do throws(StartError) {
                let text = try body(configuration, shard)
                let told = "\(JournalCommand.path(state, shard: shard))\n\(text)\n"
                if changes { CommandOutput.outcome(told) } else { CommandOutput.line(told) }
            } catch {
                failures.append("\(error)")
            }
        }
        guard failures.isEmpty else { throw Failure(description: failures.joined(separator: "\n")) }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check every link of the chain and every fact.")
        @OptionGroup var which: Which

        func run() throws {
            try Journal.forEach(self.which) { configuration, shard throws(StartError) in
                try JournalCommand.verify(configuration.stateDirectory, shard: shard)
            }
        }
    }

    struct Stat: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show sizes and positions, without a full read.")
        @OptionGroup var which: Which

        func run() throws {
            try Journal.forEach(self.which) { configuration, shard throws(StartError) in
                try JournalCommand.stat(configuration.stateDirectory, shard: shard)
            }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every fact in words, a line of JSON each.",
            discussion: """
                A line for each batch comes before its facts and has the input of its hash, so that anyone can check the \
                chain from the lines alone. The last line says where the export ends: an export without it was cut off.
                """
        )
        @Option(help: "The shard's number, from 0.") var shard: Int
        @OptionGroup var settings: SettingOptions

        func run() throws {
            let state = try self.settings.resolve().stateDirectory
            do throws(StartError) {
                try JournalCommand.export(state, shard: self.shard) { CommandOutput.text($0) }
            } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Audit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show when each user joined a concert's line and was let in, and whether the order was kept.",
            discussion: """
                Reads the journal alone, and checks every link of its chain; also while the shard writes. Ends with 0 when \
                the order was kept from the first place on; with 3 when earlier facts are no longer there, and the order \
                was kept from the first remaining fact on; with 4 when no fact is about that concert; and with 1, naming \
                the fact, when a person was let in past a waiting one. With --export it reads the lines printed by \
                `usher journal export`, so that anyone can check them without the journal.
                """
        )
        @Option(help: "The concert's id.") var concert: UInt64
        @Option(help: "Read this export instead of a journal; - is the standard input.") var export: String?
        @Option(help: "A published hash, which this history must have had at some fact.") var hash: String?
        @Flag(help: "Print lines of JSON.") var json = false
        @Flag(help: "Print only the result.") var summary = false
        @OptionGroup var settings: SettingOptions

        func validate() throws {
            guard self.json, self.summary else { return }
            throw ValidationError("--json and --summary exclude each other: choose one")
        }

        func run() throws {
            let form: LineAuditor.Form = self.json ? .json : self.summary ? .summary : .text
            let state = self.export == nil ? try self.settings.resolve().stateDirectory : nil
            var verdict = LineAuditor.Verdict.nothing
            let output = GatheredOutput()
            defer { output.flush() }
            do throws(StartError) {
                if let export {
                    verdict = try LineAuditor.run(
                        export: export,
                        concert: self.concert,
                        form: form,
                        published: self.hash,
                        write: output.line
                    )
                } else if let state {
                    verdict = try LineAuditor.run(
                        state,
                        concert: self.concert,
                        form: form,
                        published: self.hash,
                        write: output.line
                    )
                }
            } catch {
                throw Failure(description: "\(error)")
            }
            guard verdict == .kept else { throw ExitCode(verdict.rawValue) }
        }
    }

    struct Begin: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin a shard's journal anew, when its files are lost and there is no copy of them.",
            discussion: """
                The shard then has no places, seats or points. Users of other shards keep theirs, and seats sold by this \
                shard are for sale again. Refused while the journal exists.
                """
        )
        @Option(help: "The shard's number, from 0.") var shard: Int
        @Flag(help: "Confirm that everything in the journal is lost.") var acceptLoss = false
        @OptionGroup var settings: SettingOptions

        func validate() throws {
            guard !self.acceptLoss else { return }
            throw ValidationError("this gives up everything that the journal had: confirm it with --accept-loss")
        }

        func run() throws {
            let configuration = try self.settings.resolveSettled()
            do throws(StartError) {
                CommandOutput.outcome(try JournalCommand.begin(configuration, shard: self.shard))
            } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Compact: ParsableCommand, HandlesSignals {
        static let configuration = CommandConfiguration(
            abstract: "Write a snapshot of the state, and drop the facts that it covers.",
            discussion: """
                The facts go to a file for audits, beside the journal, unless journal.archive is off. Lifetimes are those of \
                the folder's last cluster (STATE/config.json), unless --config names others; the catalogue is always that \
                of the last start.
                """
        )
        @OptionGroup var which: Which
        @Flag(help: .hidden) var supervised = false

        var handlesSignals: Bool { self.supervised && self.which.shard != nil }

        func run() throws {
            if self.supervised, let shard = self.which.shard {
                try self.beginLog()
                let configuration = try self.which.settings.resolve()
                do throws(StartError) { return try CompactionProcess.run(configuration, shard: shard) } catch {
                    throw Failure(description: "\(error)")
                }
            }
            try Journal.forEach(self.which, isSettled: true, changes: true) { configuration, shard throws(StartError) in
                try JournalCommand.compact(configuration, shard: shard)
            }
        }
    }
}
