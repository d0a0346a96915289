public import Booking
public import Journal

/// One batch as stored: its owner's epoch, and the hash of the journal up to its end.
public struct JournalRecord: Equatable, Sendable {
    public let batch: JournalBatch
    public let epoch: UInt64
    public let hash: ChainHash

    public init(batch: JournalBatch, epoch: UInt64, hash: ChainHash) {
        self.batch = batch
        self.epoch = epoch
        self.hash = hash
    }
}

/// A shard's journal in SQLite, for any process: reading with every link of the chain verified, writing snapshots,
/// dropping facts that a snapshot covers. Its owner may append meanwhile.
///
///     base ──▶ batch ──▶ batch ──▶ ... ──▶ end         each hash is over the one before and the batch
///       facts up to base are in a snapshot      ▲
///                                               └ not before the head, see `JournalHead`
///
/// **Copies.** The head of a copy is ignored. Instead the file and its log must fit each other: SQLite finds no error
/// in their pages, and the chain reaches the start of the log. So a copy made while an owner wrote is either whole, up
/// to a moment during the copying, or refused as torn.
public final class SQLiteArchive: JournalArchive {
    public let files: JournalFiles
    private let database: Database
    let header: JournalSchema.Header
    /// The position of the newest snapshot, once it was read.
    private var snapshotPoint: ChainPoint?
    /// The end of the last replay.
    private(set) var end: ChainPoint?
    /// The files were copied, and nothing was appended to them since.
    public let isCopy: Bool

    /// Batches dropped in one transaction, for which an owner waits.
    static let dropStep = 16
    static let busyMilliseconds: Int32 = 5_000

    /// Checks that the files are this user's, before anything is written: root may read everyone's.
    public func requireOwner() throws(JournalError) { try self.files.refuseUntrusted(.owner) }

    /// Opens an existing journal. Refused: one of another shard than its file's name says, or than `origin`, if given;
    /// a newer version's; a file that is not a journal.
    public init(_ files: JournalFiles, origin: JournalOrigin? = nil) throws(JournalError) {
        self.files = files
        try files.refuseUntrusted(.reader)
        self.isCopy = JournalHead.isCopy(files)
        guard files.exist else {
            let others = JournalFiles.shards(in: files.state)
            guard let origin = JournalFiles.anyOrigin(in: files.state), files.shard >= origin.shardCount else {
                throw others.isEmpty
                    ? .foreign(file: files.database, reason: "is not there, nor is any other shard's")
                    : files.missing("there are those of \(Self.named(others))")
            }
            throw .foreign(
                file: files.database,
                reason: "is not there: the journals in this folder are of \(origin.shardCount) shards, counted from 0"
            )
        }
        do throws(SQLiteFailure) {
            self.database = try Database(files.database, .reader, busyMilliseconds: Self.busyMilliseconds)
        } catch {
            throw files.inWords(files.error(error, at: 1), isCopy: self.isCopy)
        }
        do throws(JournalError) {
            try JournalSchema.check(self.database, files)
            self.header = try JournalSchema.header(self.database, files)
        } catch {
            throw files.inWords(error, isCopy: self.isCopy)
        }
        if let origin { try self.refuse(unless: origin) }
        guard self.header.origin.shard == files.shard else {
            throw .foreign(
                file: files.database,
                reason: "is the journal of \(self.header.origin), under the name of shard \(files.shard)'s"
            )
        }
    }

    /// Refuses a journal of another shard, or of another number of shards.
    func refuse(unless origin: JournalOrigin) throws(JournalError) {
        guard origin != self.header.origin else { return }
        let isMisnamed = origin.shard != self.header.origin.shard
        throw .foreign(
            file: self.files.database,
            reason: "is the journal of \(self.header.origin), and this is \(origin): "
                + (isMisnamed
                    ? "its files are under another shard's name"
                    : "start with the number of shards that it was written with")
        )
    }

    private static func named(_ shards: [Int]) -> String {
        "shard\(shards.count == 1 ? "" : "s") " + shards.map(String.init).joined(separator: ", ")
    }

    /// Whose journal it is.
    public var origin: JournalOrigin { self.header.origin }
    /// The last owner's epoch at opening.
    public var epoch: UInt64 { self.header.epoch }
    /// The last fact that is only in a snapshot; 0 when none was dropped. As of opening.
    public var base: ChainPoint { self.header.base }
    /// Whether the head exists, which distinguishes a truncated journal from a complete one.
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

    /// As `replay`, with the stored fields of each batch. Returns the end of the journal. All of it is one view: an
    /// owner's later batches are not in it.
    @discardableResult
    public func forEachRecord(
        after sequence: UInt64,
        _ body: (JournalRecord) throws(JournalError) -> Void
    ) throws(JournalError) -> ChainPoint {
        // Before the batches: an appending owner moves the head beyond this view.
        let head = try JournalHead.read(self.files)
        var point: ChainPoint?
        do throws(JournalError) {
            try self.database.transaction("BEGIN", mapping: { self.files.error($0, at: sequence + 1) }) {
                () throws(JournalError) in
                try self.checkPages(head)
                let start = try self.start(after: sequence)
                let header = try JournalSchema.header(self.database, self.files)
                point = try self.walk(from: start, head: head, 0...header.epoch, body)
            }
        } catch {
            throw self.files.inWords(error, isCopy: self.isCopy)
        }
        guard let point else { preconditionFailure("a replay has not set its end") }
        self.end = point
        return point
    }

    /// As `forEachRecord`, from the first batch that is kept anywhere: archived batches come first. `begin` gets the
    /// point before the first; the facts up to that are unknown, or never existed.
    @discardableResult
    public func forEachKeptRecord(
        _ begin: (ChainPoint) -> Void = { _ in },
        _ body: (JournalRecord) throws(JournalError) -> Void
    ) throws(JournalError) -> ChainPoint {
        let head = try JournalHead.read(self.files)
        var end: ChainPoint?
        do throws(JournalError) {
            try self.database.transaction("BEGIN", mapping: { self.files.error($0, at: 1) }) {
                () throws(JournalError) in
                // The view begins here. It contains what is dropped later; what was dropped before is in the archive.
                try self.checkPages(head)
                let header = try self.currentHeader()
                guard header.id == self.header.id else {
                    throw self.damage(at: 1, "another journal was put in its place")
                }
                var epochs: ClosedRange<UInt64> = 0...header.epoch
                if let archived = try self.archived(before: header) {
                    begin(archived.base)
                    epochs = try self.walk(archived, to: header.base, epochs, body)
                } else {
                    begin(header.base)
                }
                end = try self.walk(from: header.base, head: head, epochs, body)
            }
        } catch {
            throw self.files.inWords(error, isCopy: self.isCopy)
        }
        guard let end else { preconditionFailure("a replay has not set its end") }
        return end
    }

    /// The archive, if it reaches the journal's start. Throws when it must, and does not.
    func archived(before header: JournalSchema.Header) throws(JournalError) -> DroppedBatches? {
        let archived = try DroppedBatches(self.files, journal: header.id, .reader)
        if let archived, archived.end.sequence >= header.base.sequence { return archived }
        guard header.expectsArchive else { return nil }
        let end = archived?.end.sequence ?? 0
        throw self.files.damage(
            self.files.archive,
            at: end + 1,
            (archived == nil ? "it is gone" : "it ends at fact \(end)")
                + ", but facts up to \(header.base.sequence) were put into it"
        )
    }

    /// Returns the epochs that later batches may have.
    private func walk(
        _ archived: DroppedBatches,
        to base: ChainPoint,
        _ epochs: ClosedRange<UInt64>,
        _ body: (JournalRecord) throws(JournalError) -> Void
    ) throws(JournalError) -> ClosedRange<UInt64> {
        var point = archived.base
        var epochs = epochs
        let rows = try archived.rows()
        defer { rows.reset() }
        while point.sequence < base.sequence {
            do throws(SQLiteFailure) { guard try rows.step() else { break } } catch {
                throw self.files.archiveError(error)
            }
            let record = try self.record(rows, after: point, epochs, self.files.archive)
            epochs = record.epoch...epochs.upperBound
            point = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
            try body(record)
        }
        guard point == base else {
            throw self.files.damage(
                self.files.archive,
                at: point.sequence,
                "the journal continues at fact \(base.sequence + 1), not from the history in this archive"
            )
        }
        return epochs
    }

    /// For a copy: checks that its file and its log are of one state. O(file).
    private func checkPages(_ head: JournalHead.Reading?) throws(JournalError) {
        guard let head, !head.isOriginal else { return }
        let found: String
        do throws(SQLiteFailure) { found = try self.database.text("PRAGMA integrity_check(1)") } catch {
            throw self.files.error(error, at: 1)
        }
        guard found != "ok" else { return }
        throw self.damage(at: 1, "the file and its log (-wal) do not fit each other: \(found)")
    }

    /// For a copy: checks that everything before the start of its log is there. For an original the head tells more.
    private func check(_ end: ChainPoint, _ head: JournalHead.Reading?) throws(JournalError) {
        let logStart: UInt64
        let fileBytes: Int64
        do throws(SQLiteFailure) {
            logStart = try JournalSchema.logStart(self.database)
            fileBytes = try self.database.number("PRAGMA page_count") * self.database.number("PRAGMA page_size")
        } catch {
            throw self.files.error(error, at: end.sequence + 1)
        }
        // Without a log, all pages are in the file.
        let size = PlainFile.size(self.files.database)
        guard size >= UInt64(clamping: fileBytes) || PlainFile.size("\(self.files.database)-wal") > 0 else {
            throw self.damage(at: end.sequence + 1, "the file is truncated: it has \(size) of \(fileBytes) bytes")
        }
        guard let head, !head.isOriginal else { return }
        guard end.sequence >= logStart else {
            throw self.damage(
                at: end.sequence + 1,
                "the file ends at fact \(end.sequence), and its log (-wal) begins behind fact \(logStart)"
            )
        }
        guard head.point.sequence <= end.sequence || PlainFile.size("\(self.files.database)-wal") > 0 else {
            throw self.damage(
                at: end.sequence + 1,
                "it ends at fact \(end.sequence), was durable up to fact \(head.point.sequence), and its log (-wal) is not here"
            )
        }
    }

    private func walk(
        from start: ChainPoint,
        head reading: JournalHead.Reading?,
        _ allowed: ClosedRange<UInt64>,
        _ body: (JournalRecord) throws(JournalError) -> Void
    ) throws(JournalError) -> ChainPoint {
        let head = reading.flatMap { $0.isOriginal ? $0.point : nil }
        var point = start
        var epochs = allowed
        try self.check(head, isAt: point)
        let rows = try self.statement(
            "\(BatchTable.select) WHERE first > ? ORDER BY first",
            start.sequence
        )
        defer { rows.reset() }
        while try self.step(rows, at: point.sequence + 1) {
            let record = try self.record(rows, after: point, epochs, self.files.database)
            epochs = record.epoch...epochs.upperBound
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
                "it ends at fact \(point.sequence), but was durable up to fact \(head.sequence): it was truncated, or "
                    + "this is an old copy"
            )
        }
        try self.check(point, reading)
        return point
    }

    private func record(
        _ row: Statement,
        after point: ChainPoint,
        _ epochs: ClosedRange<UInt64>,
        _ file: String
    ) throws(JournalError) -> JournalRecord {
        func damage(_ reason: String) -> JournalError { self.files.damage(file, at: point.sequence + 1, reason) }
        let expected = point.sequence + 1
        let first = row.number(0)
        guard first == Int64(expected) else {
            throw damage("the batch with that fact is gone: the next one begins at fact \(first)")
        }
        guard let count = UInt32(exactly: row.number(1)), count >= 1 else {
            throw damage("a batch has \(row.number(1)) facts")
        }
        guard let owner = UInt64(exactly: row.number(2)), owner >= 1, epochs.contains(owner) else {
            throw damage("a batch is of epoch \(row.number(2)), which is out of order")
        }
        let time = Timestamp(nanoseconds: row.number(3))
        let batch = JournalBatch(firstSequence: expected, count: count, time: time, bytes: row.bytes(4))
        let hash = point.hash.next(batch, epoch: owner)
        guard row.bytes(5) == hash.bytes else {
            throw damage("the batch's hash does not match its content and the batch before")
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
                throw self.damage(at: sequence, "the snapshot at that fact belongs to another history")
            }
            return kept
        }
        // Facts that were never durable may be lost while a snapshot of them exists: then the snapshot is the end.
        if let snapshot, try self.lastBatch(from: .max)?.sequence ?? header.base.sequence < sequence { return snapshot }
        throw self.damage(at: sequence, "no batch ends at that fact")
    }

    /// The end of the last batch that begins at or before `sequence`.
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
        throw self.damage(at: point.sequence, "the history up to that fact differs from the durable one")
    }

    // MARK: Figures

    /// Bytes on the disk by file, and the main positions.
    public struct Figures: Equatable, Sendable {
        public let databaseBytes: UInt64
        public let logBytes: UInt64
        public let snapshotBytes: UInt64
        public let archiveBytes: UInt64
        /// The first fact in the archive, if that reaches the journal.
        public let archivedFrom: UInt64?
        /// Why it does not, when it must.
        public let archiveTrouble: JournalDamage?
        /// Stored batches, and their last fact.
        public let batches: UInt64
        public let lastSequence: UInt64
        public let headSequence: UInt64?
    }

    /// Reads the ends only: nothing is verified. O(batches) for their number, a millisecond for 100,000.
    public func figures() throws(JournalError) -> Figures {
        let last = try self.lastBatch(from: .max)?.sequence ?? self.base.sequence
        let count: Int64
        do throws(SQLiteFailure) { count = try self.database.number("SELECT count(*) FROM batch") } catch {
            throw self.files.error(error, at: 1)
        }
        var archived: DroppedBatches?
        var trouble: JournalDamage?
        do throws(JournalError) { archived = try self.archived(before: self.header) } catch {
            guard case .damaged(let damage) = error else { throw error }
            trouble = damage
        }
        return Figures(
            databaseBytes: PlainFile.size(self.files.database),
            logBytes: PlainFile.size("\(self.files.database)-wal"),
            snapshotBytes: PlainFile.size(self.files.snapshot),
            archiveBytes: PlainFile.size(self.files.archive),
            archivedFrom: archived.map { $0.base.sequence + 1 },
            archiveTrouble: trouble,
            batches: UInt64(clamping: count),
            lastSequence: last,
            headSequence: try JournalHead.read(self.files)?.point.sequence
        )
    }

    /// The shard's time of the last write; `distantPast` without any. Reads the snapshot when all facts are in it.
    public func lastTime() throws(JournalError) -> Timestamp {
        let row = try self.statement("SELECT time FROM batch WHERE first > ? ORDER BY first DESC LIMIT 1", 0)
        defer { row.reset() }
        if try self.step(row, at: 1) { return Timestamp(nanoseconds: row.number(0)) }
        return try self.newestSnapshot()?.time ?? .distantPast
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

    /// A snapshot must be at the end of a batch, with the same hash, or at the very end.
    func checkPlace(of snapshot: JournalSnapshot) throws(JournalError) {
        try self.database.transaction("BEGIN", mapping: { self.files.error($0, at: snapshot.sequence) }) {
            () throws(JournalError) in _ = try self.start(after: snapshot.sequence)
        }
    }

    /// The current header; `header` is as of opening.
    func currentHeader() throws(JournalError) -> JournalSchema.Header {
        try JournalSchema.header(self.database, self.files)
    }

    /// Whole batches after `point` that end at or before `sequence`, at most `countMax`.
    func records(after point: ChainPoint, to sequence: UInt64, countMax: Int) throws(JournalError) -> [JournalRecord] {
        let header = try self.currentHeader()
        let rows = try self.statement(
            "\(BatchTable.select) WHERE first > ? ORDER BY first",
            point.sequence
        )
        defer { rows.reset() }
        var point = point
        var records: [JournalRecord] = []
        while records.count < countMax, try self.step(rows, at: point.sequence + 1) {
            let record = try self.record(rows, after: point, 0...header.epoch, self.files.database)
            guard record.batch.nextSequence - 1 <= sequence else { break }
            point = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
            records.append(record)
        }
        return records
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
