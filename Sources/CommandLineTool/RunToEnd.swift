public import ArgumentParser
import Glibc
import StandardStreams

extension ParsableCommand {
    /// The body of `main()`, with every byte of the output checked: help, the version and completion scripts are
    /// printed as results are (`CommandOutput`), and closed standard descriptors are opened first.
    ///
    /// - Parameter prepare: gets the parsed command before it runs; nil before a text is printed in place of one, and
    ///   when the command has failed.
    public static func runToEnd(_ prepare: ((any ParsableCommand)?) -> Void = { _ in }) -> Never {
        StandardDescriptors.open()
        // A file at its size limit is reported as an error by the write.
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try Self.parseAsRoot()
            prepare(command)
            try command.run()
        } catch {
            prepare(nil)
            let status = Self.exitCode(for: error).rawValue
            let text = Self.fullMessage(for: error)
            guard status != EXIT_SUCCESS else {
                if !text.isEmpty { CommandOutput.line(text) }
                CommandOutput.finish()
                Glibc.exit(EXIT_SUCCESS)
            }
            if !text.isEmpty { StandardError.write(text + "\n") }
            StandardError.flush()
            Glibc.exit(status)
        }
        StandardError.flush()
        CommandOutput.finish()
        Glibc.exit(EXIT_SUCCESS)
    }
}
