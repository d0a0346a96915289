import Booking
import Foundation
import Glibc
import Testing

@testable import Configuration
@testable import Operator
@testable import Statistics

/// A machine whose wall clock is years ahead: for a moment, over a restart, and for good. The clock is shifted for the
/// cluster's processes alone, by a small library that is loaded before the others, so a C compiler has to be there.
@Suite(.serialized, .enabled(if: ShiftedClock.compiler != nil, "there is no C compiler")) struct AbsurdClockTests {
    private let clock: ShiftedClock
    private static let tenYears = 3_650 * 86_400

    init() throws { self.clock = try ShiftedClock() }

    private func cluster(in state: StateDirectory) throws -> TestCluster {
        let cluster = try TestCluster(
            in: state,
            arguments: ["--set", "journal.kind=sqlite"],
            environment: self.clock.environment
        )
        try cluster.waitUntilUp()
        return cluster
    }

    private static func isSuspended(_ client: BookingClient) throws -> Bool {
        let answer = try client.charge(1, 1)
        guard answer.status == 503 else { return false }
        #expect(answer.code == "CLOCK_SUSPENDED" && answer["Retry-After"] == "5")
        return true
    }

    private static func trustClock(_ state: StateDirectory) -> Result<String, StartError> {
        var lines: [String] = []
        do throws(StartError) { try ControlCommand.trustClock(state) { lines.append($0) } } catch {
            return .failure(error)
        }
        return .success(lines.joined(separator: "\n"))
    }

    @Test func `changes are suspended while the clock is absurd, over restarts too, and go on when it is right`() throws
    {
        let state = TestCluster.freshState()
        let cluster = try self.cluster(in: state)
        let file = try cluster.file()
        let client = BookingClient(port: file.port)
        let operators = BookingClient(port: file.operatorPort)
        #expect(try client.charge(1, 100).status == 200)
        let token = try client.enter(1, 1)
        let held = try client.reserve(1, 1, [1], token)
        #expect(held.status == 200)

        self.clock.shift(by: Self.tenYears)
        #expect(try Self.isSuspended(client))
        // What can be read is, and nothing has run out.
        #expect(try client.balance(1).json["balance"] == 100)
        #expect(try client.poll(1, token).json["remainingWaitingOrder"] == 0)
        #expect(try client.reservations(1, 1).json.each("reservationStatus") == ["SUSPEND"])
        let readiness = try operators.call("GET", "/readyz")
        #expect(readiness.status == 503 && readiness.text.contains("3650 days ahead"), "\(readiness.text)")
        #expect(readiness.text.contains("usher cluster trust-clock"))
        #expect(try StatsCommand.stats(state).troubles.contains { $0.contains("the wall clock is 3650 days ahead") })
        // What a command writes down for good goes by it as little; this process's own clock is not shifted.
        let shifted = ClockReadings(wall: { Timestamp.now + .seconds(Int64(Self.tenYears)) })
        #expect(throws: StartError.self) { try state.saneTime(shifted) }

        // A shard that dies meanwhile does not believe the clock either.
        kill(file.shards[0], SIGKILL)
        kill(file.shards[1], SIGKILL)
        try TestCluster.eventually("the shards are back") {
            guard let now = try? cluster.file() else { return false }
            return !now.shards.contains { $0 == 0 || file.shards.contains($0) }
        }
        #expect(try Self.isSuspended(client))

        self.clock.shift(by: 0)
        try TestCluster.eventually("changes are taken") { try client.charge(1, 1).status == 200 }
        #expect(try client.pay(1, held.json.eachWhole("reservationId"), token).code == "INSUFFICIENT_POINTS")
        try TestCluster.eventually("it is ready") { try operators.call("GET", "/readyz").status == 200 }
        guard case .failure(let error) = Self.trustClock(state) else {
            Issue.record("the clock was trusted, though nothing was suspended")
            return
        }
        #expect("\(error)".contains("nothing is suspended"))
        #expect(cluster.errorText.contains("the wall clock jumped absurdly"))
    }

    @Test func `a cluster that was stopped meanwhile starts suspended, and follows the clock when an operator says so`()
        throws
    {
        let state = TestCluster.freshState()
        let first = try self.cluster(in: state)
        #expect(try BookingClient(port: first.file().port).charge(1, 100).status == 200)
        self.clock.shift(by: Self.tenYears)
        first.signal(SIGTERM)
        #expect(first.waitUntilOver() == 0)
        first.forget()

        let second = try self.cluster(in: state)
        let client = BookingClient(port: try second.file().port)
        #expect(try Self.isSuspended(client))
        #expect(try client.balance(1).json["balance"] == 100)
        guard case .success(let text) = Self.trustClock(state) else {
            Issue.record("the clock is not trusted")
            return
        }
        #expect(text.contains("The wall clock is trusted"))
        let charged = try client.charge(1, 1)
        #expect(charged.status == 200)
        let year = Int(try #require(charged.json["updatedAt"].string).prefix(4))!
        #expect(year >= Calendar(identifier: .gregorian).component(.year, from: Date()) + 9)
        let operators = BookingClient(port: try second.file().operatorPort)
        try TestCluster.eventually("it is ready") { try operators.call("GET", "/readyz").status == 200 }
    }
}

/// Shifts the wall clock of processes that are started with `environment`.
private final class ShiftedClock {
    private let folder: String
    private let shift: UnsafeMutablePointer<Int>

    static let compiler: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        for name in ["cc", "clang", "gcc"] {
            for folder in folders where access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        }
        return nil
    }()

    var environment: [String: String] { ["LD_PRELOAD": "\(self.folder)/clock.so"] }

    init() throws {
        self.folder = "/tmp/usher-c\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let (source, file) = ("\(self.folder)/clock.c", "\(self.folder)/shift")
        try Self.source(reading: file).write(toFile: source, atomically: true, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(filePath: Self.compiler!)
        compiler.arguments = ["-shared", "-fPIC", "-O1", "-o", "\(self.folder)/clock.so", source]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        let descriptor = open(file, O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0 && ftruncate(descriptor, 4_096) == 0)
        let memory = mmap(nil, 4_096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        close(descriptor)
        self.shift = try #require(memory).bindMemory(to: Int.self, capacity: 1)
    }

    deinit {
        munmap(self.shift, 4_096)
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    func shift(by seconds: Int) { self.shift.pointee = seconds }

    private static func source(reading file: String) -> String {
        """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>
        static volatile long *shift;
        int clock_gettime(clockid_t clock, struct timespec *time) {
            int code = syscall(SYS_clock_gettime, clock, time);
            if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return code;
            if (!shift) {
                int descriptor = open("\(file)", O_RDONLY | O_CLOEXEC);
                if (descriptor < 0) return code;
                void *memory = mmap(0, 4096, PROT_READ, MAP_SHARED, descriptor, 0);
                close(descriptor);
                if (memory == MAP_FAILED) return code;
                shift = memory;
            }
            time->tv_sec += *shift;
            return code;
        }

        """
    }
}
