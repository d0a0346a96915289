import Booking
import Foundation
import Journal
import Testing

@testable import JournalSQLite

/// Copies of journals, made file by file while an owner writes: a copy that starts is whole, and a torn one is not
/// reported as a loss.
@Suite struct JournalCopyTests {
    private let state = TemporaryState()
    private let copy = TemporaryState()

    private static let names = [".sqlite", ".sqlite-wal", ".snapshot", ".archive", ".archive-wal", ".head"]

    private func copy(_ names: [String] = JournalCopyTests.names) throws {
        try FileManager.default.createDirectory(atPath: self.copy.files.directory, withIntermediateDirectories: true)
        for name in names {
            let from = "\(self.state.files.directory)/shard-0\(name)"
            let to = "\(self.copy.files.directory)/shard-0\(name)"
            // Left by an earlier reader of the copy.
            if name == ".sqlite" {
                for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: to + suffix) }
            }
            try? FileManager.default.removeItem(atPath: to)
            guard FileManager.default.fileExists(atPath: from) else { continue }
            try FileManager.default.copyItem(atPath: from, toPath: to)
        }
    }

    /// The same by `cp`, while this process goes on.
    private func copyByProgram(pausing: Bool) throws -> Process {
        try FileManager.default.createDirectory(atPath: self.copy.files.directory, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let pause = pausing ? "sleep 0.05; " : ""
        process.arguments = [
            "-c",
            Self.names.map { name in
                let file = "\(self.state.files.directory)/shard-0\(name)"
                return "if [ -e \(file) ]; then cp -p \(file) \(self.copy.files.directory)/; fi; \(pause)"
            }.joined(),
        ]
        try process.run()
        return process
    }

    /// The batches that a start from the copy replays; throws its error.
    private func started() throws -> (owner: TestOwner, batches: [JournalBatch]) {
        let owner = try TestOwner(self.copy.files)
        let snapshot = try owner.journal.newestSnapshot()
        var found: [JournalBatch] = []
        try owner.journal.replay(after: snapshot?.sequence ?? 0) { found.append($0) }
        try owner.journal.begin()
        return (owner, found)
    }

    private func torn() throws -> String {
        let error = try #require(throws: JournalError.self) { try self.started() }
        guard case .torn = error else {
            Issue.record("it is told as \(error)")
            return ""
        }
        return "\(error)"
    }

    @Test func `a copy with a head that is newer than the rest starts, and is a copy until its first batch`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        for number in 0..<10 { try owner.append(TestOwner.content(number)) }
        #expect(!owner.journal.isCopy)
        try self.copy([".sqlite", ".sqlite-wal"])
        for number in 10..<20 { try owner.append(TestOwner.content(number)) }
        try self.copy([".head"])
        for life in 0..<3 {
            let (next, found) = try self.started()
            #expect(found.count == 10 + max(0, life - 1))
            #expect(next.journal.isCopy == (life < 2), "life \(life)")
            if life > 0 { try next.append([1]) }
            try next.journal.close()
        }
        // From now on its head counts.
        let old = try Data(contentsOf: URL(filePath: self.copy.files.database))
        let last = try TestOwner(self.copy.files)
        try last.journal.begin()
        try last.append([2])
        try last.journal.close()
        try old.write(to: URL(filePath: self.copy.files.database))
        let error = try #require(throws: JournalError.self) { try batches(self.copy.files) }
        #expect("\(error)".contains("it was truncated, or this is an old copy"))
    }

    @Test func `an original is none, whatever happens to it, and neither is one of an earlier version`() throws {
        try TestOwner.write(self.state.files, batches: 3)
        for _ in 0..<2 {
            let owner = try TestOwner(self.state.files)
            #expect(!owner.journal.isCopy)
            try owner.journal.begin()
            try owner.append([1])
        }
        // In the format of earlier versions.
        let head = try Data(contentsOf: URL(filePath: self.state.files.head))
        try self.copy()
        try head.prefix(JournalHead.homeOffset).write(to: URL(filePath: self.copy.files.head))
        let (owner, found) = try self.started()
        #expect(!owner.journal.isCopy && found.count == 5)
    }

    @Test func `a journal without its head counts as a copy, for nobody knows what is missing`() throws {
        try TestOwner.write(self.state.files, batches: 3)
        try FileManager.default.removeItem(atPath: self.state.files.head)
        let owner = try TestOwner(self.state.files)
        #expect(owner.journal.isCopy)
    }

    @Test func `a new journal and one that is begun anew are no copies`() throws {
        let owner = try TestOwner(self.state.files)
        #expect(!owner.journal.isCopy)
        try self.copy.files.makeAnew(
            TestOwner.origin,
            beginningWith: JournalSnapshot(sequence: 0, time: Timestamp(seconds: 5), bytes: [1])
        )
        #expect(!(try TestOwner(self.copy.files).journal.isCopy))
    }

    /// Batches until SQLite's log has begun anew.
    private func appendUntilTheLogBeginsAnew(_ owner: TestOwner, _ bytes: [UInt8]) throws -> Int {
        let path = "\(self.state.files.database)-wal"
        func salt() throws -> Data { try FileHandle(forReadingFrom: URL(filePath: path)).read(upToCount: 24) ?? Data() }
        let before = try salt()
        var count = 0
        while try salt() == before {
            try owner.append(bytes)
            count += 1
            try #require(count < JournalThread.checkpointFrames * 32)
        }
        // The mark in the new log comes with its first batch, or right behind it.
        try owner.append(bytes)
        return count + 1
    }

    @Test func `a file that was copied before the log began anew, and a log after it, are torn`() throws {
        let owner = try TestOwner(self.state.files, policy: .none)
        try owner.journal.begin()
        for number in 0..<50 { try owner.append(TestOwner.content(number)) }
        try self.copy([".sqlite"])
        _ = try self.appendUntilTheLogBeginsAnew(owner, [UInt8](repeating: 7, count: 3_000))
        try self.copy([".sqlite-wal", ".head"])
        #expect(try self.torn().contains("belongs to a torn copy"))
        // In the other order it is whole, up to where the file was copied at least.
        try self.copy([".sqlite", ".sqlite-wal", ".head"])
        #expect(try self.started().batches.count > 50)
    }

    @Test func `a log says behind which fact it began, whoever has copied back the one before`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        let database = try Database(self.state.files.database, .writer, busyMilliseconds: 1_000)
        #expect(try JournalSchema.logStart(database) == 0)
        for _ in 0..<3 { try owner.append([1]) }
        let log = try database.checkpoint()
        #expect(log.frames == log.copied)
        try owner.append([2])
        #expect([3, 4].contains(try JournalSchema.logStart(database)))
        try owner.renew()
        #expect(try JournalSchema.logStart(database) == 4)
    }

    @Test func `a copy without the log is torn, and one of a stopped journal needs none`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        for number in 0..<10 { try owner.append(TestOwner.content(number)) }
        // First not even the tables are in the file, then only some of the batches.
        for _ in 0..<2 {
            try self.copy([".sqlite", ".head"])
            #expect(try self.torn().contains("its log (-wal) is not here"))
            #expect(throws: JournalError.self) { try batches(self.copy.files) }
            _ = try Database(self.state.files.database, .writer, busyMilliseconds: 1_000).checkpoint()
            try owner.append([1])
        }
        try owner.journal.close()
        try self.copy([".sqlite", ".head"])
        let (next, found) = try self.started()
        #expect(found.count == 12 && next.journal.isCopy)
    }

    @Test func `a snapshot that is older than what was dropped is torn, and a newer one is not`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        for number in 0..<20 { try owner.append(TestOwner.content(number)) }
        let other = try SQLiteArchive(self.state.files)
        func compact(_ sequence: UInt64) throws {
            try other.write(JournalSnapshot(sequence: sequence, time: Timestamp(seconds: 5), bytes: [1]))
            try other.dropCovered(keeping: false)
        }
        try compact(5)
        try self.copy([".snapshot"])
        try compact(15)
        try self.copy([".sqlite", ".sqlite-wal", ".head"])
        #expect(try self.torn().contains("facts up to 15 were dropped, and there is no snapshot of them"))
        for number in 20..<30 { try owner.append(TestOwner.content(number)) }
        try self.copy([".sqlite", ".sqlite-wal"])
        try compact(25)
        try self.copy([".snapshot", ".head"])
        #expect(try self.started().batches.map(\.firstSequence) == [26, 27, 28, 29, 30])
    }

    /// Copies in the order that docs/operations.md names, while batches are appended and compactions run: each has
    /// everything acknowledged before it began, in one chain, or is reported as torn.
    @Test func `copies that are made while an owner writes are whole or torn`() throws {
        let owner = try TestOwner(self.state.files, policy: .none)
        try owner.journal.begin()
        var whole = 0
        for round in 0..<12 {
            for number in 0..<300 { try owner.append([UInt8](repeating: UInt8(number % 256), count: number * 7)) }
            let acknowledged = owner.journal.nextSequence - 1
            let copying = try self.copyByProgram(pausing: round % 3 == 2)
            while copying.isRunning { try owner.append([UInt8](repeating: 3, count: 2_000)) }
            do throws(JournalError) {
                let found = try batches(self.copy.files)
                #expect((found.last?.nextSequence ?? 1) - 1 >= acknowledged, "round \(round)")
                #expect(found.first?.firstSequence == 1)
                whole += 1
            } catch {
                guard case .torn = error else {
                    Issue.record("round \(round): \(error)")
                    continue
                }
            }
            try? FileManager.default.removeItem(atPath: self.copy.files.directory)
        }
        #expect(whole > 0)
        try owner.journal.close()
    }
}
