import Booking
import Foundation
import Journal
import Testing

@testable import JournalSQLite

@Suite struct SQLiteJournalTests {
    private let state = TemporaryState()

    // MARK: Appending and reading

    @Test(arguments: [.commit, .interval(milliseconds: 5), .none] as [JournalPolicy])
    func `what was appended is read back, in order, by the next owner`(policy: JournalPolicy) throws {
        var expected: [JournalBatch] = []
        for life in 1...3 as ClosedRange<UInt64> {
            let owner = try TestOwner(self.state.files, policy: policy)
            var found: [JournalBatch] = []
            try owner.journal.replay(after: 0) { found.append($0) }
            #expect(found == expected)
            try owner.journal.begin()
            #expect(owner.journal.epoch == life)
            #expect(owner.journal.nextSequence == (expected.last?.nextSequence ?? 1))
            for number in 0..<5 {
                let batch = TestOwner.batch(
                    owner.journal.nextSequence,
                    TestOwner.content(number),
                    count: UInt32(number + 1)
                )
                try owner.append(batch)
                expected.append(batch)
            }
            try owner.journal.close()
        }
        #expect(try batches(self.state.files) == expected)
    }

    @Test func `a replay begins after any batch, and nowhere else`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        for count in [1, 3, 2] as [UInt32] { try owner.append([7], count: count) }
        var firsts: [UInt64] = []
        try owner.journal.replay(after: 4) { firsts.append($0.firstSequence) }
        #expect(firsts == [5])
        try owner.journal.replay(after: 6) { _ in Issue.record("there is nothing after the end") }
        for sequence in [2, 3, 5, 7] as [UInt64] {
            #expect(throws: JournalError.self) { try owner.journal.replay(after: sequence) { _ in } }
        }
    }

    @Test func `a batch that is out of sequence is refused`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        try owner.append([1], count: 2)
        for wrong in [1, 2, 4] as [UInt64] {
            #expect(throws: JournalError.outOfSequence(expected: 3, got: wrong)) {
                try owner.append(TestOwner.batch(wrong, [1]))
            }
        }
        try owner.append([1])
    }

    @Test func `the hashes of a journal are as they were in version 1`() {
        let start = ChainHash(journal: Array(0..<16))
        let next = start.next(TestOwner.batch(1, [1, 2, 3]), epoch: 1)
        #expect("\(start)" == "71dc2cfc46b87e8258ded9f327f7b274770f05c27de416fa3d87ce4c99626905")
        #expect("\(next)" == "9ae0507e1c1e0cfe949c2f52d560fa00cdf1a32a2c00ae261ebbe63a6a0463aa")
        #expect(ChainHash(next.bytes) == next && ChainHash([1]) == nil)
    }

    // MARK: Owners

    @Test func `there is one owner at a time, and the second is told who`() throws {
        let first = try TestOwner(self.state.files)
        #expect(throws: JournalError.inUse(file: self.state.files.database, by: getpid())) {
            _ = try TestOwner(self.state.files)
        }
        try first.journal.begin()
        try first.append([1])
    }

    @Test func `an owner that was overtaken is refused, and stays refused`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        try owner.append([1])
        let other = try Database(self.state.files.database, .writer, busyMilliseconds: 1_000)
        try other.execute("UPDATE journal SET epoch = epoch + 1")
        #expect(throws: JournalError.notOwner(file: self.state.files.database)) { try owner.append([2]) }
        try other.execute("UPDATE journal SET epoch = epoch - 1")
        #expect(throws: JournalError.notOwner(file: self.state.files.database)) { try owner.append([2]) }
        #expect(throws: JournalError.notOwner(file: self.state.files.database)) { try owner.renew() }
    }

    @Test func `an owner that was overtaken can't renew itself`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        try owner.renew()
        try owner.append([1])
        let other = try Database(self.state.files.database, .writer, busyMilliseconds: 0)
        try other.execute("UPDATE journal SET epoch = epoch + 1")
        #expect(throws: JournalError.notOwner(file: self.state.files.database)) { try owner.renew() }
    }

    @Test func `nobody else may read the files`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        try owner.append([1])
        try owner.journal.write(JournalSnapshot(sequence: 1, time: Timestamp(seconds: 1), bytes: [1]))
        func mode(_ path: String) -> Int {
            ((try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int) ?? 0
        }
        #expect(mode(self.state.files.directory) == 0o700)
        #expect(
            self.state.names == [
                "shard-0.head", "shard-0.lock", "shard-0.snapshot", "shard-0.sqlite", "shard-0.sqlite-shm",
                "shard-0.sqlite-wal",
            ]
        )
        for name in self.state.names { #expect(mode("\(self.state.files.directory)/\(name)") == 0o600, "\(name)") }
    }

    // MARK: Refusals

    @Test func `a newer version's journal is refused`() throws {
        try TestOwner.write(self.state.files, batches: 1)
        let database = try Database(self.state.files.database, .writer, busyMilliseconds: 0)
        try database.execute("PRAGMA user_version = 3")
        let refusal = JournalError.newer(file: self.state.files.database, version: 3, newest: 2)
        #expect(throws: refusal) { _ = try SQLiteArchive(self.state.files) }
        #expect(throws: refusal) { _ = try TestOwner(self.state.files) }
    }

    @Test func `what is no journal, or another shard's, is refused`() throws {
        #expect(throws: JournalError.self) { _ = try SQLiteArchive(self.state.files) }
        try TestOwner.write(self.state.files, batches: 1)
        let other = JournalOrigin(shard: 0, shardCount: 8, slotMapVersion: 1)
        let error = try #require(throws: JournalError.self) { _ = try TestOwner(self.state.files, origin: other) }
        #expect("\(error)".contains("is the journal of shard 0 of 1, slot map version 1, and this is shard 0 of 8"))
        let database = try Database(self.state.files.database, .writer, busyMilliseconds: 0)
        try database.execute("PRAGMA application_id = 7")
        #expect(throws: JournalError.self) { _ = try TestOwner(self.state.files) }
    }

    @Test func `an empty journal is never put in the place of one that is gone`() throws {
        try TestOwner.write(self.state.files, batches: 3)
        try FileManager.default.removeItem(atPath: self.state.files.database)
        let error = try #require(throws: JournalError.self) { _ = try TestOwner(self.state.files) }
        #expect("\(error)".contains("is not there, but"))
    }

    // MARK: Trouble

    @Test func `a full disk refuses a batch, and takes the same one when space is back`() throws {
        _ = try TestOwner(self.state.files)
        let archive = try SQLiteArchive(self.state.files)
        let writer = try JournalWriter(self.state.files, .commit, at: archive.forEachRecord(after: 0) { _ in })
        try writer.begin()
        let pages = try writer.database.number("PRAGMA page_count")
        try writer.database.execute("PRAGMA max_page_count = \(pages + 2)")
        var number: UInt64 = 1
        var refused: JournalError?
        while refused == nil {
            do { try writer.append(TestOwner.batch(number, [UInt8](repeating: 1, count: 3_000))) } catch {
                refused = error
                break
            }
            number += 1
        }
        let full = JournalError.full(file: self.state.files.database)
        #expect(refused == full && full.isPassing)
        let batch = TestOwner.batch(number, [UInt8](repeating: 2, count: 3_000))
        #expect(throws: full) { try writer.append(batch) }
        #expect(writer.end.sequence == number - 1)
        #expect(try batches(self.state.files).count == Int(number) - 1)
        try writer.database.execute("PRAGMA max_page_count = 1000000")
        try writer.append(batch)
        #expect(try batches(self.state.files).last == batch)
    }

    @Test func `a file that can't grow is an I/O error, which passes`() async {
        let path = self.state.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let files = JournalFiles(state: path, shard: 0)
            let owner = try TestOwner(files)
            try owner.journal.begin()
            try owner.append([1])
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let before = limit.rlim_cur
            limit.rlim_cur = 40_000
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let batch = TestOwner.batch(2, [UInt8](repeating: 7, count: 60_000))
            var epoch = owner.journal.epoch
            for _ in 0..<2 {
                do throws(JournalError) {
                    try owner.append(batch)
                    exit(11)
                } catch {
                    guard case .inputOutput = error, error.isPassing else { exit(12) }
                }
            }
            guard try batches(files).count == 1 else { exit(13) }
            // A small page still fits: the journal can write, though not that batch.
            try owner.renew()
            guard owner.journal.epoch == epoch + 1, try batches(files).count == 1 else { exit(15) }
            epoch += 1
            limit.rlim_cur = before
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            try owner.renew()
            try owner.append(batch)
            try owner.journal.close()
            guard try batches(files).last == batch, owner.journal.epoch == epoch + 1 else { exit(14) }
        }
    }

    @Test func `the policies say what is at stake`() {
        #expect(JournalPolicy.commit.risk == nil)
        #expect(JournalPolicy.interval(milliseconds: 20).risk?.contains("up to 20 ms") == true)
        #expect(JournalPolicy.none.risk?.contains("may be damaged") == true)
    }

    // MARK: Checkpoints and snapshots

    @Test func `a log under steady load does not grow for ever`() throws {
        let owner = try TestOwner(self.state.files, policy: .none)
        try owner.journal.begin()
        let bytes = [UInt8](repeating: 9, count: 16_000)
        let path = "\(self.state.files.database)-wal"
        // Far more than the log at which a checkpoint begins, and then until four times the log's size was written:
        // when the checkpointer runs depends on the machine.
        var (count, size) = (0, 0)
        repeat {
            for _ in 0..<JournalThread.checkpointFrames / 8 { try owner.append(bytes) }
            count += JournalThread.checkpointFrames / 8
            size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            try #require(count < JournalThread.checkpointFrames * 32, "\(size) bytes of log after \(count) batches")
        } while count < JournalThread.checkpointFrames || count * bytes.count < 4 * size
        try owner.journal.close()
        #expect(try batches(self.state.files).count == count)
    }

    @Test func `facts that a snapshot covers are dropped, and it takes their place`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        for number in 0..<600 { try owner.append(TestOwner.content(number)) }
        let other = try SQLiteArchive(self.state.files)
        let snapshot = JournalSnapshot(sequence: 500, time: Timestamp(seconds: 5), bytes: [1, 2, 3])
        try other.write(snapshot)
        try other.dropCovered(keeping: false)
        try owner.append([1])
        #expect(throws: JournalError.self) { try other.replay(after: 0) { _ in } }
        try owner.journal.close()

        let next = try SQLiteArchive(self.state.files)
        #expect(next.base.sequence == 500)
        #expect(try next.newestSnapshot() == snapshot)
        let after = try batches(self.state.files)
        #expect(after.map(\.firstSequence) == Array(501...601))
        try FileManager.default.removeItem(atPath: self.state.files.snapshot)
        let error = try #require(throws: JournalError.self) { try batches(self.state.files) }
        #expect("\(error)".contains("facts up to 500 were dropped, and there is no snapshot of them"))
    }

    @Test func `all facts may be covered`() throws {
        for life in 1...3 as ClosedRange<UInt64> {
            let owner = try TestOwner(self.state.files)
            try owner.journal.begin()
            #expect(owner.journal.nextSequence == life * 2 - 1)
            for _ in 0..<2 { try owner.append([UInt8(life)]) }
            try owner.journal.write(JournalSnapshot(sequence: life * 2, time: Timestamp(seconds: 5), bytes: []))
            try SQLiteArchive(self.state.files).dropCovered(keeping: false)
            try owner.journal.close()
        }
        #expect(try batches(self.state.files) == [])
    }

    @Test func `a snapshot goes only where a batch ends`() throws {
        let owner = try TestOwner(self.state.files)
        try owner.journal.begin()
        try owner.append([1], count: 3)
        for sequence in [1, 2, 4] as [UInt64] {
            #expect(throws: JournalError.self) {
                try owner.journal.write(JournalSnapshot(sequence: sequence, time: Timestamp(seconds: 5), bytes: []))
            }
        }
    }

    @Test func `a snapshot ahead of batches that were lost is where the journal goes on`() throws {
        // As after a loss of power with a policy that syncs late: the snapshot was durable, the batches were not.
        let copy = TemporaryState()
        let owner = try TestOwner(self.state.files, policy: .none)
        try owner.journal.begin()
        try owner.append([1])
        try FileManager.default.copyItem(atPath: self.state.files.directory, toPath: copy.files.directory)
        try owner.append([2])
        try owner.journal.write(JournalSnapshot(sequence: 2, time: Timestamp(seconds: 5), bytes: [5]))
        try FileManager.default.copyItem(atPath: self.state.files.snapshot, toPath: copy.files.snapshot)

        let next = try TestOwner(copy.files, policy: .none)
        try next.journal.begin()
        #expect(next.journal.nextSequence == 3)
        try next.append([3])
        try next.journal.close()
        #expect(try batches(copy.files).map(\.bytes) == [[3]])
    }
}
