import ArgumentParser
import Server

struct Journal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify, measure, export and compact what the shards have written down.",
        discussion:
            "All of them work while the cluster runs. They end with 1 when a journal is not whole, and say where.",
        subcommands: [Verify.self, Stat.self, Export.self, Compact.self]
    )

    struct Which: ParsableArguments {
        @Option(help: "Which shard's journal, from 0; all of the state folder when left out.") var shard: Int?
        @OptionGroup var settings: SettingOptions
    }

    /// Prints what `body` says of each journal, and goes on after a failure: the others are looked at, too.
    private static func forEach(
        _ which: Which,
        _ body: (ServerConfiguration, Int) throws(StartError) -> String
    ) throws {
        let configuration = try which.settings.resolve()
        let state = configuration.stateDirectory
        let shards: [Int]
        do throws(StartError) { shards = try JournalCommand.shards(in: state, only: which.shard) } catch {
            throw Failure(description: "\(error)")
        }
        var failures: [String] = []
        for shard in shards {
            do throws(StartError) {
                let text = try body(configuration, shard)
                print("\(JournalCommand.path(state, shard: shard))\n\(text)\n")
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
                the chain from the lines alone.
                """
        )
        @Option(help: "Which shard's journal, from 0.") var shard: Int
        @OptionGroup var settings: SettingOptions

        func run() throws {
            let state = try self.settings.resolve().stateDirectory
            do throws(StartError) {
                try JournalCommand.export(state, shard: self.shard) { print($0, terminator: "") }
            } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Compact: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a snapshot of what the facts come to, and drop the facts in it.",
            discussion: "Export the facts first if they are to be kept."
        )
        @OptionGroup var which: Which

        func run() throws {
            try Journal.forEach(self.which) { configuration, shard throws(StartError) in
                try JournalCommand.compact(configuration, shard: shard)
            }
        }
    }
}
