import CSQLite
import Glibc
import Journal

/// The shard to which a journal belongs: with another number of shards, concerts and users move to others.
public struct JournalOrigin: Equatable, Sendable, CustomStringConvertible {
    public let shard: Int
    public let shardCount: Int
    public let slotMapVersion: UInt32

    public init(shard: Int, shardCount: Int, slotMapVersion: UInt32) {
        self.shard = shard
        self.shardCount = shardCount
        self.slotMapVersion = slotMapVersion
    }

    public var description: String {
        "shard \(self.shard) of \(self.shardCount), slot map version \(self.slotMapVersion)"
    }
}

/// The tables of a journal, by version.
///
///     journal   one row: its shard, its owner's epoch, where the kept batches begin, and up to which
///               fact the dropped ones are in the archive
///     batch     see `BatchTable`
///     log_start one row: a fact committed before SQLite's log last began, which must be found with that log; from
///               version 2 on, wherever an owner or a compaction has begun
enum JournalSchema {
    /// "Ushr", so that `file` and people can recognise it.
    static let applicationID: Int64 = 0x5573_6872
    static let version: Int64 = 2

    /// Migrations from one version to the next: at index 0 from 1 to 2. An owner runs them when it begins.
    static let migrations = ["ALTER TABLE journal ADD COLUMN archived INTEGER NOT NULL DEFAULT 0"]

    private static let tables = """
        CREATE TABLE journal (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            id BLOB NOT NULL,
            shard INTEGER NOT NULL,
            shard_count INTEGER NOT NULL,
            slot_map INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            base INTEGER NOT NULL,
            base_hash BLOB NOT NULL,
            archived INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        \(BatchTable.definition)
        """

    /// The content of the `journal` row.
    struct Header: Equatable {
        let id: [UInt8]
        let origin: JournalOrigin
        let epoch: UInt64
        /// The last dropped fact.
        let base: ChainPoint
        /// The last fact that was archived before it was dropped; 0 for none, and in version 1.
        let archived: UInt64

        /// Whether the archive must have the batches dropped last, and so all that it keeps before them.
        var expectsArchive: Bool { self.base.sequence > 0 && self.archived == self.base.sequence }
    }

    /// Makes a journal without facts, unless there is one. Atomic: all of it appears, or nothing. Only its owner calls
    /// this. `check` may refuse before anything is made.
    static func createIfMissing(
        _ files: JournalFiles,
        _ origin: JournalOrigin,
        check: () throws(JournalError) -> Void
    ) throws(JournalError) {
        let isMissing = PlainFile.size(files.database) == 0
        if isMissing { try check() }
        // Created here and not by SQLite, with a mode that excludes other users from the start; -wal and -shm get the
        // same mode.
        let descriptor = try PlainFile.open(files.database, O_RDWR | O_CREAT)
        // Closed before SQLite opens the file: closing it later would drop SQLite's own locks (fcntl(2)).
        close(descriptor)
        guard chmod(files.database, 0o600) == 0 else { throw PlainFile.failure(files.database, "chmod") }
        let database: Database
        do throws(SQLiteFailure) {
            database = try Database(files.database, .writer, busyMilliseconds: 2_000)
            guard try Self.isEmpty(database) else { return }
        } catch {
            throw files.error(error, at: 1)
        }
        // A file without tables was left by a crash here, or is what remains of a journal whose log was removed.
        if !isMissing { try check() }
        do throws(SQLiteFailure) { try Self.create(in: database, origin) } catch { throw files.error(error, at: 1) }
        try PlainFile.syncDirectory(of: files.database)
    }

    private static func isEmpty(_ database: Database) throws(SQLiteFailure) -> Bool {
        let version = try database.number("PRAGMA user_version")
        let application = try database.number("PRAGMA application_id")
        guard version == 0, application == 0 else { return false }
        return try database.number("SELECT count(*) FROM sqlite_schema") == 0
    }

    private static func create(in database: Database, _ origin: JournalOrigin) throws(SQLiteFailure) {
        var random = SystemRandomNumberGenerator()
        let id = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        try database.execute("PRAGMA journal_mode = WAL")
        try database.execute("PRAGMA synchronous = FULL")
        try database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
            try database.execute(Self.tables)
            try database.execute("PRAGMA application_id = \(Self.applicationID)")
            try database.execute("PRAGMA user_version = \(Self.version)")
            let insert = try Statement(database, "INSERT INTO journal VALUES (1, ?, ?, ?, ?, 0, 0, ?, 0)")
            try insert.bind(1, id)
            try insert.bind(2, Int64(origin.shard))
            try insert.bind(3, Int64(origin.shardCount))
            try insert.bind(4, Int64(origin.slotMapVersion))
            try insert.bind(5, ChainHash(journal: id).bytes)
            _ = try insert.step()
        }
    }

    /// Refuses a file that is not a journal, and a journal of a newer version.
    static func check(_ database: Database, _ files: JournalFiles) throws(JournalError) {
        let application: Int64
        let version: Int64
        do throws(SQLiteFailure) {
            application = try database.number("PRAGMA application_id")
            version = try database.number("PRAGMA user_version")
        } catch {
            throw files.error(error, at: 1)
        }
        guard application == Self.applicationID else {
            if application == 0, JournalHead.isCopy(files) {
                throw files.torn("the file is empty, and its log (-wal) is not here")
            }
            throw .foreign(file: files.database, reason: "is not Usher's journal: its application id is \(application)")
        }
        guard version <= Self.version else {
            throw .newer(file: files.database, version: Int(version), newest: Int(Self.version))
        }
        guard version >= 1 else { throw files.damage(files.database, at: 1, "there is no schema version \(version)") }
    }

    static func header(_ database: Database, _ files: JournalFiles) throws(JournalError) -> Header {
        do throws(SQLiteFailure) {
            let archived = try database.number("PRAGMA user_version") >= 2 ? "archived" : "0"
            let row = try Statement(
                database,
                "SELECT id, shard, shard_count, slot_map, epoch, base, base_hash, \(archived) FROM journal"
            )
            if try row.step() {
                defer { row.reset() }
                let numbers = (1...5).map { row.number($0) } + [row.number(7)]
                if let slotMap = UInt32(exactly: numbers[2]), let hash = ChainHash(row.bytes(6)),
                    numbers.allSatisfy({ $0 >= 0 })
                {
                    return Header(
                        id: row.bytes(0),
                        origin: JournalOrigin(
                            shard: Int(numbers[0]),
                            shardCount: Int(numbers[1]),
                            slotMapVersion: slotMap
                        ),
                        epoch: UInt64(numbers[3]),
                        base: ChainPoint(sequence: UInt64(numbers[4]), hash: hash),
                        archived: UInt64(numbers[5])
                    )
                }
            }
        } catch {
            throw files.error(error, at: 1)
        }
        throw files.damage(files.database, at: 1, "the row with the journal's origin can't be read")
    }

    /// Migrates a journal of an older version to the newest, within the caller's transaction.
    static func migrate(_ database: Database) throws(SQLiteFailure) {
        let version = try database.number("PRAGMA user_version")
        if version < Self.version {
            for migration in Self.migrations[Int(version - 1)...] { try database.execute(migration) }
            try database.execute("PRAGMA user_version = \(Self.version)")
        }
        // Earlier versions ignore this table, so it needs no version of its own.
        try database.execute(
            "CREATE TABLE IF NOT EXISTS log_start (only INTEGER PRIMARY KEY CHECK (only = 1), sequence INTEGER NOT NULL) STRICT"
        )
        try database.execute("INSERT OR IGNORE INTO log_start VALUES (1, 0)")
    }

    /// Records that the log begins after the newest batch.
    static let markLogStart = """
        UPDATE log_start SET sequence = coalesce(
            (SELECT first + count - 1 FROM batch ORDER BY first DESC LIMIT 1), (SELECT base FROM journal))
        """

    /// The fact up to which the file must reach to fit its log; 0 if unknown.
    static func logStart(_ database: Database) throws(SQLiteFailure) -> UInt64 {
        guard try database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'log_start'") == 1 else { return 0 }
        return UInt64(clamping: try database.number("SELECT coalesce(max(sequence), 0) FROM log_start"))
    }
}
