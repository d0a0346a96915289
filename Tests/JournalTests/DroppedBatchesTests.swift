import Booking
import Foundation
import Journal
import Testing

@testable import JournalSQLite

@Suite struct DroppedBatchesTests {
    private let state = TemporaryState()
    private var files: JournalFiles { self.state.files }

    /// All kept batches, and the fact after which they begin.
    private func kept() throws -> (after: UInt64, batches: [JournalBatch]) {
        var after: UInt64 = .max
        var batches: [JournalBatch] = []
        try SQLiteArchive(self.files).forEachKeptRecord({ after = $0.sequence }) { record throws(JournalError) in
            batches.append(record.batch)
        }
        return (after, batches)
    }

    private func snapshot(_ sequence: UInt64) throws -> SQLiteArchive {
        let archive = try SQLiteArchive(self.files)
        try archive.write(JournalSnapshot(sequence: sequence, time: Timestamp(seconds: 5), bytes: [1]))
        return archive
    }

    private func compact(_ sequence: UInt64, keeping: Bool = true) throws {
        try self.snapshot(sequence).dropCovered(keeping: keeping)
    }

    /// The journal's own first batch.
    private func first() throws -> UInt64 { try SQLiteArchive(self.files).base.sequence + 1 }

    @Test func `what is dropped is kept, in one history with the rest`() throws {
        let owner = try TestOwner(self.files)
        try owner.journal.begin()
        for number in 0..<600 { try owner.append(TestOwner.content(number), count: number == 7 ? 3 : 1) }
        let all = try self.kept()
        #expect(all.after == 0 && all.batches.count == 600)
        try self.compact(300)
        #expect(try self.first() == 301)
        #expect(try self.kept() == all)
        try self.compact(602)
        #expect(try self.first() == 603)
        #expect(try self.kept() == all)
        try owner.append([7])
        #expect(try self.kept().batches.count == 601)
        try owner.journal.close()
        let mode = try FileManager.default.attributesOfItem(atPath: self.files.archive)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let figures = try SQLiteArchive(self.files).figures()
        #expect(figures.archivedFrom == 1 && figures.archiveBytes > 0)
    }

    @Test func `an audit reads one moment, whatever is appended and dropped meanwhile`() throws {
        let owner = try TestOwner(self.files)
        try owner.journal.begin()
        for number in 0..<40 { try owner.append(TestOwner.content(number)) }
        try self.compact(10)
        var seen: [UInt64] = []
        let reader = try SQLiteArchive(self.files)
        try reader.forEachKeptRecord { record throws(JournalError) in
            seen.append(record.batch.firstSequence)
            guard seen.count == 5 || seen.count == 20 else { return }
            try owner.append([1])
            do { try self.compact(UInt64(seen.count) + 10) } catch { Issue.record(error) }
        }
        #expect(seen == Array(1...40))
        #expect(try self.kept().batches.count == 42)
        try owner.journal.close()
    }

    @Test func `a crash between keeping and dropping loses nothing, and doubles nothing`() throws {
        try TestOwner.write(self.files, batches: 30)
        let all = try self.kept()
        // The part of a compaction before the crash: archived, and still in the journal.
        let archive = try self.snapshot(20)
        let header = try archive.currentHeader()
        let dropped = try DroppedBatches.keeping(self.files, journal: header.id, after: header.base)
        try dropped.keep(archive.records(after: header.base, to: 20, countMax: 12))
        #expect(dropped.end.sequence == 12)
        #expect(try self.first() == 1)
        #expect(try self.kept() == all)
        try self.compact(20)
        #expect(try self.first() == 21)
        #expect(try self.kept() == all)
        try self.compact(20)
        #expect(try self.kept() == all)
    }

    @Test func `an archive that was left empty by a crash is made anew`() throws {
        try TestOwner.write(self.files, batches: 5)
        try Data().write(to: URL(filePath: self.files.archive))
        let all = try self.kept()
        try self.compact(4)
        #expect(try self.kept() == all)
    }

    @Test func `without an archive, what was dropped is unknown`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(20, keeping: false)
        let kept = try self.kept()
        #expect(kept.after == 20 && kept.batches.count == 10)
        #expect(try SQLiteArchive(self.files).figures().archivedFrom == nil)
    }

    @Test func `an archive begins where keeping was switched on`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(10, keeping: false)
        try self.compact(20)
        let kept = try self.kept()
        #expect(kept.after == 10 && kept.batches.count == 20)
        #expect(try self.first() == 21)
    }

    @Test func `an archive before a gap is set aside, whole`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(10)
        try self.compact(20, keeping: false)
        #expect(try self.kept().after == 20)
        try self.compact(25)
        let kept = try self.kept()
        #expect(kept.after == 20 && kept.batches.count == 10)
        let old = try Database("\(self.files.archive).1-10", .reader, busyMilliseconds: 0)
        #expect(try old.number("SELECT count(*) FROM batch") == 10)
    }

    @Test func `an archive that was altered, or is another's, is refused`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(20)
        let writer = try Database(self.files.archive, .writer, busyMilliseconds: 0)
        try writer.execute("UPDATE batch SET time = time + 1 WHERE first = 7")
        let error = try #require(throws: JournalError.self) { try self.kept() }
        guard case .damaged(let damage) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(damage.file == self.files.archive && damage.sequence == 7)
        try writer.execute("UPDATE batch SET time = time - 1 WHERE first = 7")
        #expect(try self.kept().batches.count == 30)
        try writer.execute("DELETE FROM batch WHERE first = 20; UPDATE batch SET count = 2 WHERE first = 19")
        #expect(throws: JournalError.self) { try self.kept() }
        try writer.execute("UPDATE archive SET id = x'00'")
        #expect(throws: JournalError.self) { try self.kept() }
        #expect(throws: JournalError.self) { try self.compact(25) }
    }

    @Test func `an archive that lost its end, or is gone, is noticed, and a new one begins`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(20)
        let writer = try Database(self.files.archive, .writer, busyMilliseconds: 0)
        try writer.execute("DELETE FROM batch WHERE first = 20")
        let short = try #require(throws: JournalError.self) { try self.kept() }
        #expect("\(short)".contains("damaged at fact 20: it ends at fact 19, but facts up to 20 were put into it"))
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: self.files.archive + suffix) }
        let gone = try #require(throws: JournalError.self) { try self.kept() }
        #expect("\(gone)".contains("it is gone, but facts up to 20 were put into it"))
        #expect(try SQLiteArchive(self.files).figures().archiveTrouble?.sequence == 1)
        let trouble = try self.snapshot(25).dropCovered(keeping: true)
        #expect(trouble?.reason.contains("it is gone") == true)
        #expect(try self.kept().after == 20)
    }

    @Test func `a journal of version 1 claims no archive, and learns to`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(20)
        let writer = try Database(self.files.database, .writer, busyMilliseconds: 0)
        try writer.execute("ALTER TABLE journal DROP COLUMN archived; PRAGMA user_version = 1")
        #expect(try self.kept().batches.count == 30)
        try FileManager.default.removeItem(atPath: self.files.archive)
        #expect(try self.kept().batches.count == 10)
        try self.compact(25)
        #expect(try self.kept().after == 20)
        #expect(try writer.number("PRAGMA user_version") == 2)
        #expect(try writer.number("SELECT archived FROM journal") == 25)
    }

    @Test func `a restart needs no archive`() throws {
        try TestOwner.write(self.files, batches: 30)
        try self.compact(20)
        try Data("nothing".utf8).write(to: URL(filePath: self.files.archive))
        let owner = try TestOwner(self.files)
        try owner.journal.begin()
        #expect(owner.journal.nextSequence == 31)
        try owner.journal.close()
    }
}
