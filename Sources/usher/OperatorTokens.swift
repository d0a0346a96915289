import ArgumentParser
import Glibc
import Operator
import StandardStreams

struct OperatorTokens: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator-tokens",
        abstract: "Change the tokens of the operator's port.",
        discussion: """
            Each operator has a token of their own, with a role: view may read statistics; operate may also change what \
            runs. Only hashes of tokens are kept. While there is a token, every call of the operator's port but /healthz \
            and /readyz needs one; without any, the port is bound to this machine alone. Running gateways apply a change \
            within a second.
            """,
        subcommands: [List.self, Add.self, Remove.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tokens' names and roles.")
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.line(try OperatorTokensCommand.list(configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a token, and show it once.")
        @Argument(help: "The operator's name: letters, digits, '.', '_' and '-'.") var name: String
        @Argument(help: "view or operate.") var role: Role
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            let text: String
            do {
                text = try OperatorTokensCommand.add(self.name, mayOperate: self.role == .operate, configuration)
            } catch { throw Failure(description: "\(error)") }
            // A reader that is gone must be an error here, not the process's end: nobody has seen the token, so it is
            // removed.
            signal(SIGPIPE, SIG_IGN)
            do throws(CommandOutput.Failure) { try CommandOutput.write(text + "\n") } catch {
                CommandOutput.end(error, OperatorTokensCommand.revoke(self.name, configuration))
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a token: its bearer is refused at once.")
        @Argument(help: "The operator's name, as usher operator-tokens list shows it.") var name: String
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.outcome(try OperatorTokensCommand.remove(self.name, configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    enum Role: String, ExpressibleByArgument { case view, operate }
}
