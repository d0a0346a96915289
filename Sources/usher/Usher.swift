import ArgumentParser
import CommandLineTool
import Configuration
import Reactor

/// The `usher` command: flags and subcommands only; the work is in the rooms below.
@main struct Usher: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usher",
        abstract: "A waiting line for concert on-sales, and the booking behind it.",
        discussion: """
            usher cluster runs everything on this machine, in the foreground, until Ctrl-C:

              usher cluster --shards 4 --port 8080 --state .usher

            Every setting can be set in a JSON file (--config FILE), in the environment (USHER_GATEWAY_PORT=8080), or \
            by a flag (--set gateway.port=8080). usher config reference lists all settings, and usher config check \
            shows their values.
            """,
        version: "usher 0.1.0",
        subcommands: [
            Cluster.self, Stats.self, Top.self, Config.self, Keys.self, OperatorTokens.self, Journal.self, Shard.self,
            Gateway.self,
        ]
    )

    static func main() {
        Signals.hold()
        self.runToEnd { command in
            guard let server = command as? any HandlesSignals, server.handlesSignals else { return Signals.release() }
        }
    }
}

/// A command that installs handlers for SIGHUP, SIGINT and SIGTERM: until then the signals are blocked. Other commands
/// die of them as usual.
protocol HandlesSignals {
    var handlesSignals: Bool { get }
}

extension HandlesSignals {
    var handlesSignals: Bool { true }

    /// Called before any output: see `Logs.begin()`.
    func beginLog() throws { do { try Logs.begin() } catch { throw Failure(description: "\(error)") } }
}

/// Ends a command with a sentence for people, without a usage text: the flags were right, the environment was not.
struct Failure: Error, CustomStringConvertible {
    let description: String
}
