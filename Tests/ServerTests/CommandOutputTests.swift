import Foundation
import Glibc
import Testing
import Wire

@testable import Configuration

/// What commands do when their output can't be written: never success.
@Suite(.cluster("--shards", "1", "--set", "journal.kind=sqlite")) struct CommandOutputTests {
    private static var state: StateDirectory { ServedCluster.shared.state }

    /// Runs a shell's line with `$USHER` and `$STATE`; status and what it said on standard error.
    private static func shell(_ line: String) throws -> (status: Int32, errors: String) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", line]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["USHER": TestCluster.executable, "STATE": Self.state.path]
        ) { $1 }
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    private static let commands = [
        "journal export --shard 0 --state $STATE", "journal verify --state $STATE", "journal stat --state $STATE",
        "journal audit --concert 1 --state $STATE", "journal audit --concert 1 --json --state $STATE",
        "journal audit --concert 1 --summary --state $STATE", "stats --state $STATE", "stats --json --state $STATE",
        "top --state $STATE", "keys list --state $STATE", "operator-tokens list --state $STATE",
        "config check", "config reference", "--help", "--version", "help journal audit", "cluster --help",
        "--generate-completion-script bash", "--experimental-dump-help", "cluster reload --state $STATE",
    ]

    @Test(arguments: Self.commands)
    func `a full disk, and a closed output, end it with an error that says so`(command: String) throws {
        let full = try Self.shell("$USHER \(command) > /dev/full")
        #expect(full.status == 1 && full.errors.contains("standard output cannot be written: No space left on device"))
        let closed = try Self.shell("$USHER \(command) >&-")
        #expect(closed.status == 1 && closed.errors.contains("standard output is closed"), "\(closed)")
        // What the shell opened for reading takes nothing either.
        let refused = try Self.shell("$USHER \(command) 1</dev/null")
        #expect(refused.status == 1 && refused.errors.contains("Bad file descriptor"), "\(refused)")
    }

    @Test(arguments: Self.commands)
    func `a reader that is gone ends it by SIGPIPE and without a word, or with words where that is ignored`(
        command: String
    ) throws {
        // The reader is gone before the first byte: `true` ends, and only then is the command started.
        let pipe = #"exec 3> >(exec true); wait $!; "#
        let usual = try Self.shell(pipe + #"env --default-signal=PIPE "# + "$USHER \(command) >&3")
        #expect(usual.status == 128 + SIGPIPE && usual.errors.isEmpty, "\(usual)")
        let ignored = try Self.shell("trap '' PIPE; " + pipe + #"env --ignore-signal=PIPE "# + "$USHER \(command) >&3")
        #expect(ignored.status == 1 && ignored.errors.contains("Broken pipe"), "\(ignored)")
    }

    @Test func `a token that could not be shown is not in force`() throws {
        for output in ["> /dev/full", ">&-", "> >(exec true)"] {
            let result = try Self.shell(
                "env --ignore-signal=PIPE $USHER operator-tokens add ann view --state $STATE \(output)"
            )
            guard result.status != 0 else {
                // A reader that was not gone yet has it.
                #expect(output.contains("true"))
                #expect(try Self.shell("$USHER operator-tokens remove ann --state $STATE").status == 0)
                continue
            }
            #expect(result.errors.contains("the token could not be shown, and was removed"), "\(result)")
        }
        let file = OperatorTokenFile(path: "\(Self.state.path)/operator.tokens")
        #expect(try file.load().isEmpty)
    }

    @Test func `a change that could not be told is told on standard error`() throws {
        let result = try Self.shell("$USHER keys add --state $STATE > /dev/full")
        #expect(result.status == 1 && result.errors.contains("the change was made: added key 2"), "\(result)")
    }
}

/// One way to print: what `print` and the like lose, they lose without a word.
@Suite struct OutputSourceTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(arguments: ["usher", "Server", "CommandLineTool", "simulator", "benchmarks"])
    func `sources print by CommandOutput alone`(room: String) throws {
        let folder = Self.root.appending(path: "Sources/\(room)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(!files.isEmpty)
        let other =
            /(?:^|[^\w.`])(?:print|debugPrint|dump|puts|printf|fputs|putchar)\(|FileHandle\.standard|STDOUT_FILENO|\bstdout\b/
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                #expect(line.firstMatch(of: other) == nil, "\(room)/\(file): \(line)")
            }
        }
    }
}
