import Foundation
import Glibc
import Reactor
import StandardStreams
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics
@testable import Supervisor

/// Whoever reads the log stops reading: nothing waits for them, and what they miss is counted.
@Suite struct LogReaderTests {
    /// A cluster whose standard error and output are pipes that nobody reads; the readers' ends.
    private final class Unread {
        let process = Process()
        let state = TestCluster.freshState()
        let errors = Pipe()
        let output = Pipe()
        private var settings: String { "\(self.state.path).json" }

        init() throws {
            self.process.executableURL = URL(filePath: TestCluster.executable)
            self.process.arguments = [
                "cluster", "--state", self.state.path, "--host", "127.0.0.1", "--port", "0", "--operator-port", "0",
                "--shards", "2", "--set", "journal.kind=memory", "--set", "cluster.hangTimeoutSeconds=600",
                "--config", self.settings,
            ]
            try "{}".write(toFile: self.settings, atomically: true, encoding: .utf8)
            self.process.standardError = self.errors
            self.process.standardOutput = self.output
            // Full before the start: not even the first line, or the greeting, finds room.
            for pipe in [self.errors, self.output] { try Self.fill(pipe.fileHandleForWriting.fileDescriptor) }
            try self.process.run()
            for pipe in [self.errors, self.output] { try pipe.fileHandleForWriting.close() }
        }

        deinit {
            if self.process.isRunning { kill(self.process.processIdentifier, SIGKILL) }
            for path in [self.state.path, self.settings] { try? FileManager.default.removeItem(atPath: path) }
        }

        /// Through a description of its own, so that the pipe's other users go on waiting as usual.
        private static func fill(_ descriptor: Int32) throws {
            let own = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(own >= 0)
            defer { close(own) }
            let bytes = [UInt8](repeating: UInt8(ascii: "."), count: 4_096)
            for size in [4_096, 1] { while write(own, bytes, size) > 0 {} }
        }

        /// Has the supervisor log so much that lines are dropped: a long mistake, again and again.
        func overflow() throws {
            let level = String(repeating: "x", count: 50_000)
            try #"{"log": {"level": "\#(level)"}}"#.write(toFile: self.settings, atomically: true, encoding: .utf8)
            try TestCluster.eventually("lines are dropped") {
                kill(self.process.processIdentifier, SIGHUP)
                return try self.stats().supervisor?.logLinesDropped ?? 0 > 0
            }
        }

        func file() throws -> ClusterFile { try ClusterFile.read(self.state) }

        func stats() throws -> ClusterStats {
            try JSONDecoder().decode(ClusterStats.self, from: Data(StatsCommand.text(self.state, json: true).utf8))
        }

        /// Reads the log from now on.
        func readLog() -> LogText {
            let text = LogText()
            let reader = self.errors.fileHandleForReading
            Thread.detachNewThread {
                while true {
                    let data = reader.availableData
                    text.add(data)
                    if data.isEmpty { return }
                }
            }
            return text
        }
    }

    private final class LogText: @unchecked Sendable {
        // Touched under the lock.
        private let lock = NSLock()
        private var data = Data()
        private var hasEnded = false

        /// Nothing is the end.
        func add(_ more: Data) {
            self.lock.withLock {
                self.data += more
                self.hasEnded = more.isEmpty
            }
        }

        var text: String { self.lock.withLock { String(decoding: self.data, as: UTF8.self) } }
        var isWhole: Bool { self.lock.withLock { self.hasEnded } }
    }

    @Test func `a cluster starts, serves, replaces who dies and stops while nobody reads its log`() throws {
        let cluster = try Unread()
        try TestCluster.eventually("it is up") { (try? cluster.file()) != nil || !cluster.process.isRunning }
        let before = try cluster.file()
        let client = BookingClient(port: before.port)
        #expect(try client.charge(1, 1).status == 200)
        try cluster.overflow()
        #expect(try client.charge(1, 1).status == 200)
        #expect(
            try cluster.stats().troubles.contains {
                $0.hasSuffix("were dropped by the supervisor, as their reader was slow")
            }
        )
        kill(before.shards[0], SIGKILL)
        try TestCluster.trap(before.gateways[0])
        try TestCluster.eventually("others serve in their places") {
            let file = try cluster.file()
            return file.shards[0] != before.shards[0] && file.gateways[0] != before.gateways[0]
                && file.shards[0] > 0 && file.gateways[0] > 0
        }
        try TestCluster.eventually("requests are answered") { (try? client.charge(1, 1).status) == 200 }
        kill(cluster.process.processIdentifier, SIGTERM)
        cluster.process.waitUntilExit()
        #expect(cluster.process.terminationStatus == 0)
    }

    @Test func `when somebody reads again, the log goes on, and says how many lines are missing`() throws {
        let cluster = try Unread()
        try TestCluster.eventually("it is up") { (try? cluster.file()) != nil || !cluster.process.isRunning }
        try cluster.overflow()
        let dropped = try #require(try cluster.stats().supervisor?.logLinesDropped)
        let log = cluster.readLog()
        try TestCluster.eventually("it flows again") {
            kill(cluster.process.processIdentifier, SIGHUP)
            return log.text.contains("log lines dropped")
        }
        kill(cluster.process.processIdentifier, SIGTERM)
        cluster.process.waitUntilExit()
        try TestCluster.eventually("its end is read") { log.isWhole }
        let lines = log.text.drop { $0 == "." }.split(separator: "\n")
        let told = lines.compactMap { line in
            line.firstMatch(of: /supervisor: log lines dropped, their reader is slow  count=([0-9]+)/).flatMap {
                UInt64($0.output.1)
            }
        }
        #expect(told.reduce(0, +) >= dropped, "\(told)")
        #expect(lines.last?.contains("supervisor: stopped") == true, "\(lines.suffix(3))")
        let form = #/^[0-9]{4}-.*Z [a-z]+ [a-z]+( [0-9]+)?: /#
        #expect(lines.allSatisfy { $0.contains(form) })
    }

    @Test func `what a child says of its trap is in the log, before its death is told`() throws {
        let cluster = try TestCluster()
        try cluster.waitUntilUp()
        let pid = try cluster.file().gateways[0]
        try TestCluster.trap(pid)
        try cluster.logged("process died  ")
        let lines = cluster.errorText.split(separator: "\n")
        let death = try #require(lines.firstIndex { $0.contains("process died  ") })
        // The runtime's report, where it has its program for that.
        let report = lines.firstIndex { $0.contains("Program crashed") || $0.contains("Crash") }
        #expect(report ?? 0 < death)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }
}

@Suite struct ChildLogTests {
    @Test func `a child that nobody listens to gives up each write after a moment`() throws {
        let loop = try EventLoop()
        let log = try ChildLog(on: loop)
        // The supervisor's loop does not turn: as if it were frozen.
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
        var written = 0
        while true {
            let count = write(log.childEnd, bytes, bytes.count)
            guard count > 0 else { break }
            written += count
        }
        #expect(errno == EAGAIN && written > 0)
        log.finish()
        loop.run()
        loop.close()
    }
}
