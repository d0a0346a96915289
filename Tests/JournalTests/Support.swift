import Booking
import Foundation
import Journal
import Testing

@testable import JournalSQLite

/// A folder of its own under /tmp, removed after the test.
final class TemporaryState {
    let path = "/tmp/usher-j\(UInt32.random(in: 0 ... .max))"
    init() { try? FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    var files: JournalFiles { JournalFiles(state: self.path, shard: 0) }

    /// The names of the journal's files.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: self.files.directory)) ?? []).sorted()
    }
}

/// Waits for the outcome of batches without a loop: the journal's wake-up opens a semaphore.
final class TestOwner {
    static let origin = JournalOrigin(shard: 0, shardCount: 1, slotMapVersion: 1)

    let journal: SQLiteJournal
    private let woken: DispatchSemaphore

    init(_ files: JournalFiles, policy: JournalPolicy = .commit, origin: JournalOrigin = TestOwner.origin)
        throws(JournalError)
    {
        let woken = DispatchSemaphore(value: 0)
        self.woken = woken
        self.journal = try SQLiteJournal(files, origin: origin, policy: policy) { woken.signal() }
    }

    /// Appends a batch of one fact's worth of bytes, and waits.
    func append(_ bytes: [UInt8], count: UInt32 = 1) throws(JournalError) {
        try self.append(Self.batch(self.journal.nextSequence, bytes, count: count))
    }

    func append(_ batch: JournalBatch) throws(JournalError) {
        try self.wait { self.journal.append(batch, whenDone: $0) }
    }

    func renew() throws(JournalError) { try self.wait { self.journal.renew(whenDone: $0) } }

    private func wait(
        for task: (@escaping (Result<Void, JournalError>) -> Void) -> Void
    ) throws(JournalError) {
        var result: Result<Void, JournalError>?
        task { result = $0 }
        while true {
            self.journal.drain()
            if let result { return try result.get() }
            self.woken.wait()
        }
    }

    static func batch(_ first: UInt64, _ bytes: [UInt8], count: UInt32 = 1) -> JournalBatch {
        JournalBatch(
            firstSequence: first,
            count: count,
            time: Timestamp(seconds: 1_800_000_000 + Int64(first)),
            bytes: bytes
        )
    }

    /// A journal of `count` batches, closed.
    static func write(_ files: JournalFiles, batches count: Int, policy: JournalPolicy = .commit) throws {
        let owner = try TestOwner(files, policy: policy)
        try owner.journal.begin()
        for number in 0..<count { try owner.append(self.content(number)) }
        try owner.journal.close()
    }

    /// The content of the batch with this number: lengths from 0 to 99 bytes.
    static func content(_ number: Int) -> [UInt8] {
        (0..<(number * 37 % 100)).map { UInt8(truncatingIfNeeded: $0 &* number) }
    }
}

extension JournalFiles {
    /// Makes the head count, as if an owner had written its file: for tests that write images of a journal.
    func makeHeadOriginal() throws {
        guard JournalHead.isCopy(self) else { return }
        let descriptor = try PlainFile.open(self.head, O_RDWR)
        defer { close(descriptor) }
        let home = try JournalHead.home(self.head)
        #expect(pwrite(descriptor, home, home.count, off_t(JournalHead.homeOffset)) == home.count)
    }
}

/// All batches of a journal, as another process sees them.
func batches(_ files: JournalFiles) throws(JournalError) -> [JournalBatch] {
    let archive = try SQLiteArchive(files)
    var batches: [JournalBatch] = []
    let snapshot = try archive.newestSnapshot()
    try archive.replay(after: snapshot?.sequence ?? 0) { batches.append($0) }
    return batches
}
