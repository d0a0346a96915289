import Foundation

@testable import Configuration

/// A command of `usher` as a process, and what it printed.
struct UsherCommand {
    let status: Int32
    let output: String
    let errors: String

    /// `usher cluster restart` or `reload`.
    static func run(_ command: String, _ state: StateDirectory, _ arguments: String...) throws -> UsherCommand {
        try self.run(["cluster", command] + arguments + ["--state", state.path])
    }

    /// Runs to its end.
    static func run(_ arguments: [String]) throws -> UsherCommand {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: TestCluster.executable)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What it says is less than a pipe holds.
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let problem = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return UsherCommand(status: process.terminationStatus, output: text, errors: problem)
    }
}
