import ArgumentParser
import Operator
import StandardStreams

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the keys that sign tokens, without anybody's token changing.",
        discussion: """
            A new key signs the places that are given from ten seconds after it was added. Tokens given before keep the key \
            of their time, so remove an old key only when they are all over (a waiting token lives 30 minutes after its \
            last use), or at once if strangers know it: then everyone whose token it signed has to join again, and keeps \
            their place.
            """,
        subcommands: [List.self, Add.self, Remove.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show which keys there are, never their secrets.")
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.line(try KeysCommand.list(configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a key that signs from ten seconds from now on.")
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.outcome(try KeysCommand.add(configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a key: the tokens that it signed are over.")
        @Argument(help: "The key's number, as usher keys list shows it.") var id: UInt8
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.outcome(try KeysCommand.remove(self.id, configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }
}
