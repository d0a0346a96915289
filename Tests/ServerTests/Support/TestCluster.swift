import Foundation
import Glibc
import Testing

@testable import Configuration

/// A real `usher cluster`, started from the executable beside the test bundle, in a folder of its own under /tmp.
///
/// Whatever a test leaves running is killed when it goes.
final class TestCluster {
    let state: StateDirectory
    private let process = Process()
    private let output = Pipe()
    private let errorFile: String
    private(set) var outputText = ""
    private var isForgotten = false

    /// The one that was built with the tests, unless TESTED_EXECUTABLE names another.
    static var executable: String {
        if let other = ProcessInfo.processInfo.environment["TESTED_EXECUTABLE"] { return other }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return bundle.prefix { _ in true }.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/usher"
    }

    /// A folder path that nobody uses; short, for the sake of sockets.
    static func freshState() -> StateDirectory { StateDirectory(path: "/tmp/usher-t\(UInt32.random(in: 0 ... .max))") }

    private static let patience = [
        "--set", "cluster.hangTimeoutSeconds=600", "--set", "gateway.silentShardSeconds=600",
    ]

    /// Starts, and returns at once. Ports are free ones unless `arguments` say otherwise. Where it `isPatient`, a process on a
    /// machine that is slow, or that a test has frozen, is no process that hangs.
    init(
        in state: StateDirectory = TestCluster.freshState(),
        arguments: [String] = [],
        environment: [String: String] = [:],
        isPatient: Bool = true,
        executable: String = TestCluster.executable
    ) throws {
        self.state = state
        self.errorFile = "/tmp/usher-e\(UInt32.random(in: 0 ... .max))"
        _ = FileManager.default.createFile(atPath: self.errorFile, contents: nil)
        self.process.executableURL = URL(filePath: executable)
        self.process.arguments =
            [
                "cluster", "--state", state.path, "--host", "127.0.0.1", "--port", "0", "--operator-port", "0",
                "--shards", "2",
            ]
            // Quicker, and all that most tests need.
            + (arguments.contains { $0.hasPrefix("journal.kind=") } ? [] : ["--set", "journal.kind=memory"])
            + (isPatient ? Self.patience : [])
            + arguments
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.process.standardOutput = self.output
        self.process.standardError = try FileHandle(forWritingTo: URL(filePath: self.errorFile))
        try self.process.run()
    }

    /// Another cluster has taken the folder over: it stays when this one goes.
    func forget() { self.isForgotten = true }

    deinit {
        if self.process.isRunning { kill(self.process.processIdentifier, SIGKILL) }
        defer { try? FileManager.default.removeItem(atPath: self.errorFile) }
        guard !self.isForgotten else { return }
        if let file = try? ClusterFile.read(self.state) {
            for pid in file.shards + file.gateways where pid > 0 { kill(pid, SIGKILL) }
        }
        try? FileManager.default.removeItem(atPath: self.state.path)
    }

    var processID: Int32 { self.process.processIdentifier }

    var isRunning: Bool { self.process.isRunning }

    /// What it has logged until now. Lines come a moment after what they tell of: nothing waits for its log.
    var errorText: String { (try? String(contentsOfFile: self.errorFile, encoding: .utf8)) ?? "" }

    /// Waits until it says that it is up; fails when it ends instead.
    func waitUntilUp() throws {
        while !self.outputText.contains("  stop ") {
            let data = self.output.fileHandleForReading.availableData
            guard !data.isEmpty else {
                self.process.waitUntilExit()
                throw Failure(description: "it ended with \(self.process.terminationStatus): \(self.errorText)")
            }
            self.outputText += String(decoding: data, as: UTF8.self)
        }
    }

    /// Waits for its end and gives its exit status.
    ///
    /// Foundation learns of an end when a socket closes that all descendants inherit. A program that reports a trap may keep it
    /// open for ever, so an end that is not told within 5 s is looked for here.
    func waitUntilOver() -> Int32 {
        var looks = 0
        while self.process.isRunning {
            usleep(10_000)
            looks = Self.isGone(self.processID) ? looks + 1 : 0
            var status: Int32 = 0
            if looks > 500, waitpid(self.processID, &status, WNOHANG) == self.processID {
                return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
            }
        }
        return self.process.terminationReason == .exit ? self.process.terminationStatus : -1
    }

    func signal(_ signal: Int32) { kill(self.processID, signal) }

    /// The process ids of its children that call themselves so.
    func childIDs(named name: String) -> [Int32] {
        let text =
            (try? String(contentsOfFile: "/proc/\(self.processID)/task/\(self.processID)/children", encoding: .utf8))
        return (text ?? "").split(separator: " ").compactMap { Int32($0) }.filter {
            (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == name + "\n"
        }
    }

    func children(named name: String) -> Int { self.childIDs(named: name).count }

    func file() throws -> ClusterFile { try ClusterFile.read(self.state) }

    /// Names in the state folder, sorted.
    var leftBehind: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.state.path)) ?? []).sorted()
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// Waits until it has logged `text`, and gives that line.
    @discardableResult func logged(_ text: String) throws -> Substring {
        var line: Substring?
        try Self.eventually("it logs: \(text)\n\(self.errorText)") {
            line = self.errorText.split(separator: "\n").first { $0.contains(text) }
            return line != nil
        }
        return try #require(line)
    }

    /// Looks again and again until `condition` holds, for a minute at most.
    static func eventually(_ what: String, _ condition: () throws -> Bool) throws {
        for _ in 0..<6_000 {
            if try condition() { return }
            usleep(10_000)
        }
        throw Failure(description: "never: \(what)")
    }

    /// Ends a process as a trap does: the runtime reports it, and then lets the instruction trap again. A signal from outside
    /// has to come again instead, and not before the report is made: the program that makes it would wait for ever.
    static func trap(_ pid: Int32) throws {
        var looks = 0
        try Self.eventually("process \(pid) dies") {
            if looks % 500 == 0 { kill(pid, SIGTRAP) }
            looks += 1
            return Self.isGone(pid)
        }
    }

    /// Whether a process is gone, or waits only for its parent to notice.
    static func isGone(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return true }
        return text.split(separator: ")").last?.hasPrefix(" Z") ?? true
    }
}
