import Booking
import CSQLite
import Glibc
import Journal

/// Batches that compactions have dropped from a journal, kept in a file beside it for audits: `shard-3.archive`.
///
///     archive   base ──▶ batch ──▶ batch ──▶ ... ──▶ end
///     journal                          base ──▶ batch ──▶ ...        one chain; the parts may overlap
///
/// A compaction copies some batches, makes the copy durable, and only then drops them from the journal: a crash in
/// between leaves them in both. Readers take the archive up to the journal's base and the journal from there, so that
/// no batch is read twice; the next compaction finds the copies and only drops.
///
/// Facts that were dropped without being kept (`journal.archive` was off) leave a gap in the chain. An archive before a
/// gap is set aside under another name, and a new one begins behind it.
final class DroppedBatches {
    /// "Usha".
    private static let applicationID: Int64 = 0x5573_6861
    private static let version: Int64 = 1
    private static let busyMilliseconds: Int32 = 5_000

    private static let tables = """
        CREATE TABLE archive (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            id BLOB NOT NULL,
            base INTEGER NOT NULL,
            base_hash BLOB NOT NULL
        ) STRICT;
        \(BatchTable.definition)
        """

    private let files: JournalFiles
    let database: Database
    /// Facts up to it are not in the archive, or never existed.
    let base: ChainPoint
    private(set) var end: ChainPoint

    /// Opens an existing archive; nil when there is none. Refused: a file that is not an archive, a newer version's,
    /// another journal's.
    init?(_ files: JournalFiles, journal id: [UInt8], _ access: Database.Access) throws(JournalError) {
        guard JournalFiles.isThere(files.archive) else { return nil }
        self.files = files
        do throws(SQLiteFailure) {
            self.database = try Database(files.archive, access, busyMilliseconds: Self.busyMilliseconds)
            let application = try self.database.number("PRAGMA application_id")
            let version = try self.database.number("PRAGMA user_version")
            // Left by a crash before it had any content, or just being made.
            if application == 0, version == 0 { return nil }
            guard application == Self.applicationID else { throw Self.foreign("its application id is \(application)") }
            guard version <= Self.version else { throw Self.foreign("its version is \(version), a newer usher's") }
            let row = try Statement(self.database, "SELECT id, base, base_hash FROM archive")
            defer { row.reset() }
            guard try row.step(), row.number(1) >= 0, let hash = ChainHash(row.bytes(2)) else {
                throw Self.foreign("the row with its origin can't be read")
            }
            guard row.bytes(0) == id else { throw Self.foreign("it belongs to another journal") }
            self.base = ChainPoint(sequence: UInt64(row.number(1)), hash: hash)
            self.end = self.base
            if let last = try Self.last(self.database) { self.end = last }
        } catch {
            throw files.archiveError(error)
        }
    }

    /// Opens the archive for batches after `point`, or begins one there. One that ends before it is set aside.
    static func keeping(
        _ files: JournalFiles,
        journal id: [UInt8],
        after point: ChainPoint
    ) throws(JournalError) -> DroppedBatches {
        if let kept = try DroppedBatches(files, journal: id, .writer) {
            if try kept.contains(point) { return try kept.readyToWrite() }
            guard kept.end.sequence < point.sequence else {
                throw files.damage(
                    files.archive,
                    at: point.sequence,
                    "its history up to that fact differs from the journal's"
                )
            }
            try kept.setAside()
        }
        try self.create(files, journal: id, base: point)
        guard let kept = try DroppedBatches(files, journal: id, .writer) else {
            preconditionFailure("a new archive can't be opened")
        }
        return try kept.readyToWrite()
    }

    private func readyToWrite() throws(JournalError) -> DroppedBatches {
        do throws(SQLiteFailure) { try self.database.execute("PRAGMA synchronous = FULL") } catch {
            throw self.files.archiveError(error)
        }
        return self
    }

    /// Atomic: the whole archive appears, or nothing.
    private static func create(_ files: JournalFiles, journal id: [UInt8], base: ChainPoint) throws(JournalError) {
        // Created here and not by SQLite, with a mode that excludes other users from the start; -wal and -shm get the
        // same mode.
        let descriptor = try PlainFile.open(files.archive, O_RDWR | O_CREAT)
        close(descriptor)
        guard chmod(files.archive, 0o600) == 0 else { throw PlainFile.failure(files.archive, "chmod") }
        do throws(SQLiteFailure) {
            let database = try Database(files.archive, .writer, busyMilliseconds: Self.busyMilliseconds)
            try database.execute("PRAGMA journal_mode = WAL")
            try database.execute("PRAGMA synchronous = FULL")
            try database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
                try database.execute(Self.tables)
                try database.execute("PRAGMA application_id = \(Self.applicationID)")
                try database.execute("PRAGMA user_version = \(Self.version)")
                let insert = try Statement(database, "INSERT INTO archive VALUES (1, ?, ?, ?)")
                try insert.bind(1, id)
                try insert.bind(2, Int64(base.sequence))
                try insert.bind(3, base.hash.bytes)
                _ = try insert.step()
            }
        } catch {
            throw files.archiveError(error)
        }
        try PlainFile.syncDirectory(of: files.archive)
    }

    // MARK: Keeping

    /// Appends consecutive batches, durably; those that are here already must be identical.
    func keep(_ records: [JournalRecord]) throws(JournalError) {
        try self.database.transaction("BEGIN IMMEDIATE", mapping: { self.files.archiveError($0) }) {
            () throws(JournalError) in
            let insert: Statement
            do throws(SQLiteFailure) {
                insert = try Statement(self.database, "INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?)")
            } catch {
                throw self.files.archiveError(error)
            }
            for record in records {
                let point = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
                guard point.sequence > self.end.sequence else {
                    guard try self.contains(point) else {
                        throw self.damage(at: point.sequence, "its batch there differs from the journal's")
                    }
                    continue
                }
                guard record.batch.firstSequence == self.end.sequence + 1 else {
                    throw self.damage(at: self.end.sequence + 1, "the batch with that fact was never kept")
                }
                do throws(SQLiteFailure) {
                    try insert.bind(record.batch, epoch: record.epoch, hash: record.hash)
                    _ = try insert.step()
                } catch {
                    throw self.files.archiveError(error)
                }
                self.end = point
            }
        }
    }

    /// Copies the log back into the file, as far as readers allow, without waiting.
    func checkpoint() throws(JournalError) {
        do throws(SQLiteFailure) { _ = try self.database.checkpoint() } catch {
            guard error.primaryCode != SQLITE_BUSY else { return }
            throw self.files.archiveError(error)
        }
    }

    /// `shard-3.archive.1-5000` has facts 1 to 5,000, all in that one file: nothing may be left in the log, which
    /// SQLite would take for the next archive's. Refused while another process reads.
    private func setAside() throws(JournalError) {
        do throws(SQLiteFailure) { _ = try self.database.checkpoint(SQLITE_CHECKPOINT_TRUNCATE) } catch {
            throw self.files.archiveError(error)
        }
        let name = "\(self.files.archive).\(self.base.sequence + 1)-\(self.end.sequence)"
        guard rename(self.files.archive, name) == 0 else { throw PlainFile.failure(self.files.archive, "rename") }
        for suffix in ["-wal", "-shm"] { unlink(self.files.archive + suffix) }
        try PlainFile.syncDirectory(of: self.files.archive)
    }

    // MARK: Reading

    /// Whether a batch ends at `point` with its hash, or the archive begins there.
    func contains(_ point: ChainPoint) throws(JournalError) -> Bool {
        if point == self.base || point == self.end { return true }
        do throws(SQLiteFailure) {
            let row = try Statement(
                self.database,
                "SELECT first + count - 1, hash FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1"
            )
            defer { row.reset() }
            try row.bind(1, Int64(point.sequence))
            return try row.step() && row.number(0) == Int64(point.sequence) && row.bytes(1) == point.hash.bytes
        } catch {
            throw self.files.archiveError(error)
        }
    }

    /// The rows of the batches after `base`, in the columns that `SQLiteArchive` reads.
    func rows() throws(JournalError) -> Statement {
        do throws(SQLiteFailure) {
            return try Statement(self.database, "\(BatchTable.select) ORDER BY first")
        } catch {
            throw self.files.archiveError(error)
        }
    }

    private static func last(_ database: Database) throws(SQLiteFailure) -> ChainPoint? {
        let row = try Statement(database, "SELECT first + count - 1, hash FROM batch ORDER BY first DESC LIMIT 1")
        defer { row.reset() }
        guard try row.step() else { return nil }
        guard row.number(0) >= 1, let hash = ChainHash(row.bytes(1)) else {
            throw self.foreign("its last batch can't be read")
        }
        return ChainPoint(sequence: UInt64(row.number(0)), hash: hash)
    }

    private func damage(at sequence: UInt64, _ reason: String) -> JournalError {
        self.files.damage(self.files.archive, at: sequence, reason)
    }

    private static func foreign(_ reason: String) -> SQLiteFailure {
        SQLiteFailure(code: SQLITE_CORRUPT, call: "archive", message: reason)
    }
}

extension JournalFiles {
    /// Dropped batches, kept for audits; see `DroppedBatches`.
    public var archive: String { "\(self.directory)/shard-\(self.shard).archive" }

    func archiveError(_ failure: SQLiteFailure) -> JournalError {
        switch failure.primaryCode {
        case SQLITE_FULL: .full(file: self.archive)
        case SQLITE_BUSY, SQLITE_LOCKED: .busy(file: self.archive)
        case SQLITE_IOERR: .inputOutput(file: self.archive, code: failure.code, message: failure.message)
        case SQLITE_CORRUPT, SQLITE_NOTADB: self.damage(self.archive, at: 1, failure.message)
        default: .failed(file: self.archive, call: failure.call, message: failure.message)
        }
    }
}
