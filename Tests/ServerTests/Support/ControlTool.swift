import Foundation

@testable import Server

/// `usher cluster restart` or `reload` as a process, and what it printed.
struct ControlTool {
    let status: Int32
    let output: String
    let errors: String

    /// Runs to its end.
    static func run(_ command: String, _ state: StateDirectory, _ arguments: String...) throws -> ControlTool {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: TestCluster.executable)
        process.arguments = ["cluster", command] + arguments + ["--state", state.path]
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What it says is less than a pipe holds.
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let problem = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return ControlTool(status: process.terminationStatus, output: text, errors: problem)
    }
}
