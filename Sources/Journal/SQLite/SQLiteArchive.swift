import Booking

/// One batch as it is kept: whose it was, and the hash of the journal up to its end.
public struct JournalRecord: Equatable, Sendable {
    public let batch: JournalBatch
    public let epoch: UInt64
    public let hash: ChainHash
}

/// A shard's journal in SQLite, as any process may see it: read with every link of the chain checked, snapshots written,
/// facts dropped that a snapshot covers. Its owner may append meanwhile.
///
///     base ──▶ batch ──▶ batch ──▶ ... ──▶ end         each hash is over the one before and the batch
///       facts up to base are in a snapshot      ▲
///                                               └ not before the head, see `JournalHead`
public final class SQLiteArchive: JournalArchive {
    public let files: JournalFiles
    private let database: Database
    let header: JournalSchema.Header
    /// Where the newest snapshot stands, once it was read.
    private var snapshotPoint: ChainPoint?
    /// Where the last replay ended.
    private(set) var end: ChainPoint?

    /// How many batches are dropped in one transaction: some milliseconds in which an owner waits.
    static let dropStep = 256
    private static let busyMilliseconds: Int32 = 5_000

    /// Opens a journal that is there. Refused: another shard's than `origin`, if that is given; a newer version's; what is
    /// no journal.
    public init(_ files: JournalFiles, origin: JournalOrigin? = nil) throws(JournalError) {
        self.files = files
        guard files.exist else {
            throw .foreign(file: files.database, reason: "is not there: no shard ever kept a journal in this folder")
        }
        do throws(SQLiteFailure) {
            self.database = try Database(files.database, .reader, busyMilliseconds: Self.busyMilliseconds)
        } catch {
            throw files.error(error, at: 1)
        }
        try JournalSchema.check(self.database, files)
        self.header = try JournalSchema.header(self.database, files)
        if let origin, origin != self.header.origin {
            throw .foreign(
                file: files.database,
                reason: "is the journal of \(self.header.origin), and this is \(origin): "
                    + "start with the number of shards that it was written with"
            )
        }
    }

    /// Whose journal it is.
    public var origin: JournalOrigin { self.header.origin }
    /// The last owner's epoch when this was opened.
    public var epoch: UInt64 { self.header.epoch }
    /// The last fact that is only in a snapshot; 0 when none was dropped. As it was when this was opened.
    public var base: ChainPoint { self.header.base }
    /// Whether the head is there, which tells a journal that was cut off from one that ends.
    public func hasHead() throws(JournalError) -> Bool { try JournalHead.read(self.files) != nil }

    // MARK: Reading

    public func newestSnapshot() throws(JournalError) -> JournalSnapshot? {
        let content = try SnapshotFile.read(journal: self.header.id, self.files)
        self.snapshotPoint = content?.point
        return content?.snapshot
    }

    public func replay(
        after sequence: UInt64,
        _ body: (JournalBatch) throws(JournalError) -> Void
    ) throws(JournalError) {
        try self.forEachRecord(after: sequence) { record throws(JournalError) in try body(record.batch) }
    }

    /// As `replay`, with what is kept beside each batch. Gives the end of the journal. All of it is one view: what an owner
    /// appends meanwhile is not in it.
    @discardableResult
    public func forEachRecord(
        after sequence: UInt64,
        _ body: (JournalRecord) throws(JournalError) -> Void
    ) throws(JournalError) -> ChainPoint {
        // Before the batches: an owner that appends meanwhile moves it past what is seen here.
        let head = try JournalHead.read(self.files)
        var point: ChainPoint?
        try self.database.transaction("BEGIN", mapping: { self.files.error($0, at: sequence + 1) }) {
            () throws(JournalError) in
            let start = try self.start(after: sequence)
            let header = try JournalSchema.header(self.database, self.files)
            point = try self.walk(from: start, head: head, epochMax: header.epoch, body)
        }
        guard let point else { preconditionFailure("a replay without an end") }
        self.end = point
        return point
    }

    private func walk(
        from start: ChainPoint,
        head: ChainPoint?,
        epochMax: UInt64,
        _ body: (JournalRecord) throws(JournalError) -> Void
    ) throws(JournalError) -> ChainPoint {
        var point = start
        var epochs: ClosedRange<UInt64> = 0...epochMax
        try self.check(head, isAt: point)
        let rows = try self.statement(
            "SELECT first, count, epoch, time, bytes, hash FROM batch WHERE first > ? ORDER BY first",
            start.sequence
        )
        defer { rows.reset() }
        while try self.step(rows, at: point.sequence + 1) {
            let record = try self.record(rows, after: point, epochs)
            epochs = record.epoch...epochMax
            let next = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
            if let head, head.sequence > point.sequence, head.sequence < next.sequence {
                throw self.damage(at: point.sequence + 1, "a batch ended at fact \(head.sequence), and none does now")
            }
            try self.check(head, isAt: next)
            try body(record)
            point = next
        }
        if let head, head.sequence > point.sequence {
            throw self.damage(
                at: point.sequence + 1,
                "it ends at fact \(point.sequence), but was durable up to fact \(head.sequence): its end was cut off, or "
                    + "this is an old copy"
            )
        }
        return point
    }

    private func record(
        _ row: Statement,
        after point: ChainPoint,
        _ epochs: ClosedRange<UInt64>
    ) throws(JournalError) -> JournalRecord {
        let expected = point.sequence + 1
        let first = row.number(0)
        guard first == Int64(expected) else {
            throw self.damage(at: expected, "the batch with that fact is gone: the next one begins at fact \(first)")
        }
        guard let count = UInt32(exactly: row.number(1)), count >= 1 else {
            throw self.damage(at: expected, "a batch has \(row.number(1)) facts")
        }
        guard let owner = UInt64(exactly: row.number(2)), owner >= 1, epochs.contains(owner) else {
            throw self.damage(at: expected, "a batch is of epoch \(row.number(2)), which has no place there")
        }
        let time = Timestamp(nanoseconds: row.number(3))
        let batch = JournalBatch(firstSequence: expected, count: count, time: time, bytes: row.bytes(4))
        let hash = point.hash.next(batch, epoch: owner)
        guard row.bytes(5) == hash.bytes else {
            throw self.damage(at: expected, "the batch's hash is not that of its content and the batch before")
        }
        return JournalRecord(batch: batch, epoch: owner, hash: hash)
    }

    /// The point at `sequence`: the base, the end of a batch, or the newest snapshot when the journal ends before it.
    private func start(after sequence: UInt64) throws(JournalError) -> ChainPoint {
        let header = try JournalSchema.header(self.database, self.files)
        guard header.id == self.header.id else { throw self.damage(at: 1, "another journal was put in its place") }
        if sequence > 0, self.snapshotPoint?.sequence != sequence { _ = try self.newestSnapshot() }
        let snapshot = self.snapshotPoint.flatMap { $0.sequence == sequence ? $0 : nil }
        guard sequence >= header.base.sequence else {
            throw self.damage(
                at: sequence + 1,
                "facts up to \(header.base.sequence) were dropped, and there is no snapshot of them"
            )
        }
        var kept: ChainPoint? = sequence == header.base.sequence ? header.base : nil
        if kept == nil, let last = try self.lastBatch(from: sequence), last.sequence == sequence { kept = last }
        if let kept {
            guard snapshot == nil || snapshot == kept else {
                throw self.damage(at: sequence, "the snapshot at that fact is of another history")
            }
            return kept
        }
        // Facts that were never made durable may be lost while a snapshot of them is kept: it is the end then.
        if let snapshot, try self.lastBatch(from: .max)?.sequence ?? header.base.sequence < sequence { return snapshot }
        throw self.damage(at: sequence, "no batch ends at that fact")
    }

    /// The end of the last batch that begins at `sequence` or before.
    func lastBatch(from sequence: UInt64) throws(JournalError) -> ChainPoint? {
        let row = try self.statement(
            "SELECT first, count, hash FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1",
            min(sequence, UInt64(Int64.max))
        )
        defer { row.reset() }
        guard try self.step(row, at: 1) else { return nil }
        guard row.number(0) >= 1, row.number(1) >= 1, let hash = ChainHash(row.bytes(2)),
            let end = UInt64(exactly: row.number(0).addingReportingOverflow(row.number(1) - 1).partialValue)
        else { throw self.damage(at: sequence, "the batch with that fact can't be read") }
        return ChainPoint(sequence: end, hash: hash)
    }

    private func check(_ head: ChainPoint?, isAt point: ChainPoint) throws(JournalError) {
        guard let head, head.sequence == point.sequence, head != point else { return }
        throw self.damage(at: point.sequence, "the history up to that fact is another than was durable")
    }

    // MARK: Figures

    /// Bytes on the disk, by file, and where things stand.
    public struct Figures: Equatable, Sendable {
        public let databaseBytes: UInt64
        public let logBytes: UInt64
        public let snapshotBytes: UInt64
        /// Batches that are kept, and the last fact of them.
        public let batches: UInt64
        public let lastSequence: UInt64
        public let headSequence: UInt64?
    }

    /// Looks at the ends only: nothing is verified. O(batches) for their number, a millisecond for 100,000.
    public func figures() throws(JournalError) -> Figures {
        let last = try self.lastBatch(from: .max)?.sequence ?? self.base.sequence
        let count: Int64
        do throws(SQLiteFailure) { count = try self.database.number("SELECT count(*) FROM batch") } catch {
            throw self.files.error(error, at: 1)
        }
        return Figures(
            databaseBytes: PlainFile.size(self.files.database),
            logBytes: PlainFile.size("\(self.files.database)-wal"),
            snapshotBytes: PlainFile.size(self.files.snapshot),
            batches: UInt64(clamping: count),
            lastSequence: last,
            headSequence: try JournalHead.read(self.files)?.sequence
        )
    }

    /// Runs `body` as the only compaction of this journal; refused while another runs.
    public func compacting(_ body: () throws(JournalError) -> Void) throws(JournalError) {
        let lock = try OwnerLock(self.files.compactionLock, of: "the compaction of \(self.files.database)")
        try body()
        withExtendedLifetime(lock) {}
    }

    // MARK: Snapshots

    public func write(_ snapshot: JournalSnapshot) throws(JournalError) {
        var point: ChainPoint?
        try self.database.transaction("BEGIN", mapping: { self.files.error($0, at: snapshot.sequence) }) {
            () throws(JournalError) in point = try self.start(after: snapshot.sequence)
        }
        guard let point else { preconditionFailure("a snapshot without a place in the chain") }
        try SnapshotFile.write(snapshot, hash: point.hash, journal: self.header.id, self.files)
        self.snapshotPoint = point
    }

    /// Reads the snapshot back first: facts are dropped only for one that is whole.
    public func dropCovered() throws(JournalError) {
        guard let snapshot = try self.newestSnapshot(), let point = self.snapshotPoint else { return }
        try self.database.transaction("BEGIN", mapping: { self.files.error($0, at: snapshot.sequence) }) {
            () throws(JournalError) in _ = try self.start(after: snapshot.sequence)
        }
        do throws(SQLiteFailure) {
            let writer = try Database(self.files.database, .writer, busyMilliseconds: Self.busyMilliseconds)
            try writer.execute("PRAGMA synchronous = FULL")
            let select = try Statement(
                writer,
                """
                SELECT max(first), count(*) FROM
                (SELECT first FROM batch WHERE first <= ?1 AND first + count - 1 <= ?1 ORDER BY first LIMIT \(Self.dropStep))
                """
            )
            let move = try Statement(
                writer,
                """
                UPDATE journal SET (base, base_hash) = (SELECT first + count - 1, hash FROM batch WHERE first = ?1)
                """
            )
            let delete = try Statement(writer, "DELETE FROM batch WHERE first <= ?1")
            var dropped: Int64 = 0
            repeat {
                try writer.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
                    try select.bind(1, Int64(point.sequence))
                    _ = try select.step()
                    let last = select.number(0)
                    dropped = select.number(1)
                    select.reset()
                    guard dropped > 0 else { return }
                    for statement in [move, delete] {
                        try statement.bind(1, last)
                        _ = try statement.step()
                    }
                }
            } while dropped == Self.dropStep
        } catch {
            throw self.files.error(error, at: snapshot.sequence)
        }
    }

    // MARK: Helpers

    private func damage(at sequence: UInt64, _ reason: String) -> JournalError {
        self.files.damage(self.files.database, at: sequence, reason)
    }

    private func statement(_ sql: String, _ number: UInt64) throws(JournalError) -> Statement {
        do throws(SQLiteFailure) {
            let statement = try Statement(self.database, sql)
            try statement.bind(1, Int64(clamping: number))
            return statement
        } catch {
            throw self.files.error(error, at: 1)
        }
    }

    private func step(_ statement: Statement, at sequence: UInt64) throws(JournalError) -> Bool {
        do throws(SQLiteFailure) { return try statement.step() } catch { throw self.files.error(error, at: sequence) }
    }
}
