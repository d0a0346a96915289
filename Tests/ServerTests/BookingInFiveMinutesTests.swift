import Configuration
import Foundation
import Testing

/// The README's first booking, run as it stands there.
@Suite struct BookingInFiveMinutesTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func `booking in five minutes works as the README says`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let address = try #require(cluster.outputText.firstMatch(of: /http:\/\/(?:localhost|127\.0\.0\.1):(\d+)/))
            .output.1
        let script = try Self.commands().replacing("127.0.0.1:8080", with: "127.0.0.1:\(address)")
            .replacing(
                ".build/release/usher stats",
                with: "\(TestCluster.executable) stats --state \(cluster.state.path)"
            )

        let shell = Process()
        let output = Pipe()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-c", "set -eu\n" + script]
        (shell.standardOutput, shell.standardError) = (output, output)
        try shell.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()

        #expect(shell.terminationStatus == 0, "\(text)")
        for part in ["\"tokenId\":\"", "you are in", "SUSPEND", "\"pointBalance\":5000", "SUCCESS", "SHARD"] {
            #expect(text.contains(part), "\(part) is missing in:\n\(text)")
        }
        #expect(!text.contains("\"code\":"), "\(text)")
    }

    /// All commands of that section, in order.
    private static func commands() throws -> String {
        let readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
        let section = try #require(
            readme.components(separatedBy: "\n## ").first { $0.hasPrefix("Booking in five minutes") }
        )
        let blocks = section.components(separatedBy: "```sh\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(blocks.count > 5)
        return blocks.joined()
    }
}
