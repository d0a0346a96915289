import ArgumentParser
import Configuration
import JournalHistory
import Server
import StandardStreams

struct Journal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify, measure, export, audit and compact what the shards have written down.",
        discussion:
            "All of them work while the cluster runs. They end with 1 when a journal is not whole, and say where.",
        subcommands: [Verify.self, Stat.self, Export.self, Audit.self, Compact.self, Begin.self]
    )

    struct Which: ParsableArguments {
        @Option(help: "Which shard's journal, from 0; all of the state folder when left out.") var shard: Int?
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
        static let configuration = CommandConfiguration(abstract: "Show sizes and positions, without reading it all.")
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
                A line for each batch comes before its facts and has what its hash is made of, so that anyone can check \
                the chain from the lines alone. The last line says where the export ends: without it, the export was cut \
                off.
                """
        )
        @Option(help: "Which shard's journal, from 0.") var shard: Int
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
            abstract: "Tell who joined a concert's line when, who was let in when, and whether the order was kept.",
            discussion: """
                From what is written down alone, every link of the chain checked on the way; also while the shard writes. \
                Ends with 0 when the order was kept from the first place on, with 3 when it was kept from the first fact on \
                that is kept and earlier ones are not, with 4 when no fact is about that concert, and with 1 when anybody \
                was let in past someone who waited, naming the fact. With --export it reads \
                the lines that `usher journal export` printed, so that anyone can check them without the journal.
                """
        )
        @Option(help: "The concert's id.") var concert: UInt64
        @Option(help: "Read this export instead of a journal; - is the standard input.") var export: String?
        @Option(help: "A hash that was published: it must be that of this history, at some fact.") var hash: String?
        @Flag(help: "Print lines of JSON.") var json = false
        @Flag(help: "Print only what it comes to.") var summary = false
        @OptionGroup var settings: SettingOptions

        func validate() throws {
            guard self.json, self.summary else { return }
            throw ValidationError("--json and --summary are two forms: choose one")
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
            abstract: "Begin the journal of a shard anew, when its files are lost and there is no copy of them.",
            discussion: """
                The shard then has no places, seats and points. Users of other shards keep what they have, and seats that \
                were sold by this shard are for sale again. Refused while its journal is there.
                """
        )
        @Option(help: "Which shard's journal, from 0.") var shard: Int
        @Flag(help: "Say that all that was in it is given up.") var acceptLoss = false
        @OptionGroup var settings: SettingOptions

        func validate() throws {
            guard !self.acceptLoss else { return }
            throw ValidationError("this gives up all that the journal had: say so with --accept-loss")
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
            abstract: "Write a snapshot of what the facts come to, and drop the facts in it.",
            discussion: """
                They go to a file for audits, beside the journal, unless journal.archive is off. Lifetimes are those that the \
                folder's last cluster was started with (STATE/config.json), unless --config names others; the catalogue is \
                always that of the last start.
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
