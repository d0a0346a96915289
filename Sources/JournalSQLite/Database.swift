import CSQLite
import Glibc

/// A failure of SQLite: the call, the code, and SQLite's message.
struct SQLiteFailure: Error, Equatable {
    /// The extended code; its low 8 bits are the primary one.
    let code: Int32
    let call: String
    let message: String

    var primaryCode: Int32 { self.code & 0xFF }
}

/// One connection to a SQLite file. Used by one thread at a time; not `Sendable`.
///
/// The only file, with `Statement`, that calls SQLite. Every return code is checked: any failure throws.
final class Database {
    enum Access { case writer, reader }

    let path: String
    fileprivate var raw: OpaquePointer?

    /// Opens an existing file. A reader can't change it, and neither kind copies the log back when it closes: the
    /// remains of a crash stay as they are until an owner begins.
    init(_ path: String, _ access: Access, busyMilliseconds: Int32) throws(SQLiteFailure) {
        self.path = path
        let code = sqlite3_open_v2(path, &self.raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
        do throws(SQLiteFailure) {
            try self.check(code, "sqlite3_open_v2")
            try self.check(sqlite3_extended_result_codes(self.raw, 1), "sqlite3_extended_result_codes")
            try self.waitWhenBusy(upTo: busyMilliseconds)
            let option = SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE
            try self.check(usher_sqlite3_db_config_int(self.raw, option, 1), "sqlite3_db_config")
            try self.execute("PRAGMA trusted_schema = OFF")
            try self.execute("PRAGMA cell_size_check = ON")
            try self.execute("PRAGMA wal_autocheckpoint = 0")
            if access == .reader { try self.execute("PRAGMA query_only = ON") }
        } catch {
            // A connection that failed to open must still be closed; the result of that does not matter.
            sqlite3_close_v2(self.raw)
            self.raw = nil
            throw error
        }
    }

    deinit { sqlite3_close_v2(self.raw) }

    /// Another writing connection is usually done within a millisecond, so the retry comes after 0.1 ms; SQLite's own
    /// sqlite3_busy_timeout waits 1, 2, 5, 10 ms and more, and every reply of the commit with it.
    private func waitWhenBusy(upTo milliseconds: Int32) throws(SQLiteFailure) {
        let limit = UnsafeMutableRawPointer(bitPattern: Int(milliseconds))
        let code = sqlite3_busy_handler(
            self.raw,
            { limit, attempt in
                let quickOnes: Int32 = 200
                usleep(attempt < quickOnes ? 100 : 1_000)
                let waited = attempt < quickOnes ? attempt / 10 : attempt - quickOnes + quickOnes / 10
                return waited < Int(bitPattern: limit) ? 1 : 0
            },
            limit
        )
        try self.check(code, "sqlite3_busy_handler")
    }

    /// Runs statements without rows, or whose rows are not needed.
    func execute(_ sql: String) throws(SQLiteFailure) {
        try self.check(sqlite3_exec(self.raw, sql, nil, nil, nil), sql)
    }

    /// The first column of the first row.
    func number(_ sql: String) throws(SQLiteFailure) -> Int64 {
        let statement = try Statement(self, sql)
        guard try statement.step() else { throw SQLiteFailure(code: SQLITE_ERROR, call: sql, message: "gave no row") }
        return statement.number(0)
    }

    /// The first column of the first row, as text.
    func text(_ sql: String) throws(SQLiteFailure) -> String {
        let statement = try Statement(self, sql)
        guard try statement.step() else { throw SQLiteFailure(code: SQLITE_ERROR, call: sql, message: "gave no row") }
        return String(decoding: statement.bytes(0), as: UTF8.self)
    }

    /// Runs `body` in a transaction, which an error rolls back.
    func transaction<Failure: Error>(
        _ begin: String,
        mapping: (SQLiteFailure) -> Failure,
        _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        do throws(SQLiteFailure) { try self.execute(begin) } catch { throw mapping(error) }
        do throws(Failure) {
            try body()
            do throws(SQLiteFailure) { try self.execute("COMMIT") } catch { throw mapping(error) }
        } catch {
            // SQLite may have rolled back by itself (SQLITE_FULL, SQLITE_IOERR); then nothing is left to roll back.
            if sqlite3_get_autocommit(self.raw) == 0 { try? self.execute("ROLLBACK") }
            throw error
        }
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    var changeCount: Int64 { sqlite3_changes64(self.raw) }

    // MARK: The write-ahead log

    /// Copies the log back into the file as far as readers allow, without waiting. Returns the frames in the log and
    /// how many of them are copied by now.
    func checkpoint(_ mode: Int32 = SQLITE_CHECKPOINT_PASSIVE) throws(SQLiteFailure) -> (frames: Int, copied: Int) {
        var frames: Int32 = 0
        var copied: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(self.raw, "main", mode, &frames, &copied)
        try self.check(code, "sqlite3_wal_checkpoint_v2")
        return (Int(frames), Int(copied))
    }

    /// Makes the log durable, for commits that did not. SQLite has no call for it but the file's own.
    func syncLog() throws(SQLiteFailure) { try self.sync(SQLITE_FCNTL_JOURNAL_POINTER) }

    /// Makes the pages copied back from the log durable, for checkpoints that did not.
    func syncFile() throws(SQLiteFailure) { try self.sync(SQLITE_FCNTL_FILE_POINTER) }

    private func sync(_ which: Int32) throws(SQLiteFailure) {
        var file: UnsafeMutablePointer<sqlite3_file>?
        try self.check(sqlite3_file_control(self.raw, "main", which, &file), "sqlite3_file_control")
        // A file that is not open was not written.
        guard let file, let methods = file.pointee.pMethods else { return }
        let code = methods.pointee.xSync(file, SQLITE_SYNC_NORMAL)
        guard code == SQLITE_OK else {
            throw SQLiteFailure(code: code, call: "xSync", message: "\(self.path) can't be made durable")
        }
    }

    /// Writes the number of frames in the log to `counter` after each commit of this connection.
    func countFrames(in counter: UnsafeMutablePointer<Int32>) {
        _ = sqlite3_wal_hook(
            self.raw,
            { counter, _, _, frames in
                counter!.assumingMemoryBound(to: Int32.self).pointee = frames
                return SQLITE_OK
            },
            counter
        )
    }

    fileprivate func check(_ code: Int32, _ call: @autoclosure () -> String) throws(SQLiteFailure) {
        guard code != SQLITE_OK else { return }
        let extended = self.raw.map { sqlite3_extended_errcode($0) } ?? code
        // The connection may not know the failure: then the message follows from the code itself.
        let isKnown = extended & 0xFF == code & 0xFF
        let text = isKnown ? sqlite3_errmsg(self.raw) : sqlite3_errstr(code)
        throw SQLiteFailure(
            code: isKnown ? extended : code,
            call: call(),
            message: text.map { String(cString: $0) } ?? "out of memory"
        )
    }
}

/// A prepared statement for repeated use. Bind, step to the end or reset.
final class Statement {
    private let database: Database
    private let sql: String
    private var raw: OpaquePointer?

    init(_ database: Database, _ sql: String) throws(SQLiteFailure) {
        self.database = database
        self.sql = sql
        try database.check(
            sqlite3_prepare_v3(database.raw, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &self.raw, nil),
            sql
        )
    }

    deinit { sqlite3_finalize(self.raw) }

    /// Columns of results count from 0, parameters from 1.
    func bind(_ index: Int32, _ number: Int64) throws(SQLiteFailure) {
        try self.database.check(sqlite3_bind_int64(self.raw, index, number), self.sql)
    }

    /// SQLite makes a copy.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws(SQLiteFailure) {
        // SQLITE_TRANSIENT, a macro that Swift does not see: the destructor at address -1.
        let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let code =
            bytes.isEmpty
            ? sqlite3_bind_zeroblob(self.raw, index, 0)
            : bytes.withUnsafeBytes { sqlite3_bind_blob64(self.raw, index, $0.baseAddress, UInt64($0.count), copies) }
        try self.database.check(code, self.sql)
    }

    /// True when there is a row to read. At the end, and after a failure, the statement can be bound again.
    func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(self.raw)
        if code == SQLITE_ROW { return true }
        // Returns the failure's code again, which the step has reported already.
        sqlite3_reset(self.raw)
        if code == SQLITE_DONE { return false }
        try self.database.check(code, self.sql)
        return false
    }

    func reset() { sqlite3_reset(self.raw) }

    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(self.raw, column) }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(self.raw, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(self.raw, column))))
    }
}
