import ArgumentParser
import Operator
import StandardStreams

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the keys that sign tokens; tokens already given stay the same.",
        discussion: """
            A new key signs the places given from ten seconds after it was added. Earlier tokens keep the key of their time, \
            so remove an old key only when all of its tokens have expired (a waiting token lives 30 minutes after its last \
            use), or at once if it has leaked: then every user whose token it signed has to join again, and keeps their \
            place.
            """,
        subcommands: [List.self, Add.self, Remove.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the keys, without their secrets.")
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.line(try KeysCommand.list(configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a key that signs in ten seconds.")
        @OptionGroup var options: StateOptions

        func run() throws {
            let configuration = try self.options.resolve()
            do { CommandOutput.outcome(try KeysCommand.add(configuration)) } catch {
                throw Failure(description: "\(error)")
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a key: its tokens become invalid.")
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
