import Booking
import CSQLite
import Journal

/// The appending end of a journal, for its owner. All calls block; `JournalThread` makes them.
///
/// A batch is one INSERT, which is its own transaction: one write to the log, and with the policy `commit` one sync.
/// The statement itself checks that this owner is the latest and that nobody else has appended in between.
final class JournalWriter {
    private let files: JournalFiles
    private let policy: JournalPolicy
    let database: Database
    private let insert: Statement
    private let isCopy: Bool
    private let start: ChainPoint
    /// The whole log is copied back, so the next commit begins it anew.
    private var beginsLog = false
    /// Nil until this owner has begun.
    private var head: JournalHead?
    private let frames: UnsafeMutablePointer<Int32>
    private(set) var end: ChainPoint
    private(set) var epoch: UInt64
    /// The last failure to write the head.
    var headTrouble: JournalError?
    /// Committed but not durable yet: only with a policy that allows it.
    private(set) var isUnsynced = false

    private static let busyMilliseconds: Int32 = 5_000

    /// Opens the journal at `end`, where its replay ended.
    init(
        _ files: JournalFiles,
        _ policy: JournalPolicy,
        at end: ChainPoint,
        isCopy: Bool = false
    ) throws(JournalError) {
        self.files = files
        self.policy = policy
        self.isCopy = isCopy
        self.start = end
        self.end = end
        self.frames = .allocate(capacity: 1)
        self.frames.initialize(to: 0)
        do throws(SQLiteFailure) {
            self.database = try Database(files.database, .writer, busyMilliseconds: Self.busyMilliseconds)
            try self.database.execute("PRAGMA synchronous = FULL")
            // Rows are only appended: 128 KiB, where 2 MB would fill with pages that are never read again.
            try self.database.execute("PRAGMA cache_size = -128")
            self.epoch = UInt64(try self.database.number("SELECT epoch FROM journal"))
            self.insert = try Statement(
                self.database,
                """
                INSERT INTO batch (first, count, epoch, time, bytes, hash)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM journal WHERE epoch = ?3 AND ?1 = 1 + coalesce(
                    (SELECT first + count - 1 FROM batch ORDER BY first DESC LIMIT 1), base)
                """
            )
        } catch {
            self.frames.deallocate()
            throw files.error(error, at: end.sequence + 1)
        }
        self.database.countFrames(in: self.frames)
    }

    /// Begins a new epoch, durable when this returns. After a passing error it may be retried, by `renew`.
    func begin() throws(JournalError) {
        precondition(self.head == nil, "an owner begins once")
        do throws(SQLiteFailure) { self.epoch = try Self.takeOver(self.database, self.end) } catch {
            throw self.files.error(error, at: self.end.sequence + 1)
        }
        let head = try JournalHead(self.files, self.end, isCopy: self.isCopy)
        do throws(SQLiteFailure) {
            switch self.policy {
            case .commit: break
            case .interval: try self.database.execute("PRAGMA synchronous = NORMAL")
            case .none: try self.database.execute("PRAGMA synchronous = OFF")
            }
        } catch {
            throw self.files.error(error, at: self.end.sequence + 1)
        }
        self.head = head
    }

    deinit { self.frames.deallocate() }

    /// One transaction, which also makes everything before it durable: an earlier owner may have had another policy.
    private static func takeOver(_ database: Database, _ end: ChainPoint) throws(SQLiteFailure) -> UInt64 {
        try database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
            try JournalSchema.migrate(database)
            try database.execute("UPDATE journal SET epoch = epoch + 1")
            let last = try database.number(
                "SELECT coalesce((SELECT first + count - 1 FROM batch ORDER BY first DESC LIMIT 1), base) FROM journal"
            )
            guard last < Int64(end.sequence) else { return try database.execute(JournalSchema.markLogStart) }
            // A snapshot is ahead of the batches, which were lost before they were durable: continue behind it.
            let move = try Statement(database, "UPDATE journal SET base = ?, base_hash = ?")
            try move.bind(1, Int64(end.sequence))
            try move.bind(2, end.hash.bytes)
            _ = try move.step()
            try database.execute("DELETE FROM batch")
            try database.execute(JournalSchema.markLogStart)
        }
        try database.syncFile()
        return UInt64(try database.number("SELECT epoch FROM journal"))
    }

    /// Frames of 4 KiB in the log, with those that are copied back already.
    var frameCount: Int { Int(self.frames.pointee) }

    /// Appends a batch. When this throws, nothing of it is kept, unless the process dies at once: then a restart may
    /// find it.
    func append(_ batch: JournalBatch) throws(JournalError) {
        guard batch.firstSequence == self.end.sequence + 1 else {
            throw .outOfSequence(expected: self.end.sequence + 1, got: batch.firstSequence)
        }
        precondition(self.head != nil, "an owner appends after it has begun")
        let hash = self.end.hash.next(batch, epoch: self.epoch)
        let framesBefore = self.frameCount
        let isKept: Bool
        do throws(SQLiteFailure) { isKept = try self.insert(batch, hash) } catch {
            throw self.files.error(error, at: batch.firstSequence)
        }
        guard isKept else { throw try self.refusal(of: batch) }
        // Another connection had copied the last part.
        if self.frameCount < framesBefore, !self.beginsLog { self.markLogStart() }
        self.beginsLog = false
        self.end = ChainPoint(sequence: batch.nextSequence - 1, hash: hash)
        switch self.policy {
        case .commit: self.moveHead()
        case .interval, .none: self.isUnsynced = true
        }
    }

    /// False when another owner has appended, or owns the journal. The first batch of a log records how far the file
    /// must reach without it: this detects a copy of the log beside an older copy of the file.
    private func insert(_ batch: JournalBatch, _ hash: ChainHash) throws(SQLiteFailure) -> Bool {
        try self.insert.bind(batch, epoch: self.epoch, hash: hash)
        guard self.beginsLog else {
            _ = try self.insert.step()
            return self.database.changeCount == 1
        }
        var isKept = false
        try self.database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
            _ = try self.insert.step()
            isKept = self.database.changeCount == 1
            if isKept { try self.database.execute(JournalSchema.markLogStart) }
        }
        return isKept
    }

    /// A batch that is kept stays so: if this write fails, the next log is marked.
    private func markLogStart() {
        do throws(SQLiteFailure) { try self.database.execute(JournalSchema.markLogStart) } catch {
            self.headTrouble = self.files.error(error, at: self.end.sequence + 1)
        }
    }

    /// Begins a new epoch of the same owner at the end of the last kept batch, which overwrites what a failed batch has
    /// left in the log. When this throws, the epoch is as it was. An owner that has not begun yet begins.
    func renew() throws(JournalError) {
        try self.requireRoom()
        guard self.head != nil else { return try self.begin() }
        do throws(SQLiteFailure) {
            try self.database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
                try self.database.execute(JournalSchema.markLogStart)
                try self.database.execute("UPDATE journal SET epoch = epoch + 1 WHERE epoch = \(self.epoch)")
            }
        } catch {
            throw self.files.error(error, at: self.end.sequence + 1)
        }
        guard self.database.changeCount == 1 else { throw .notOwner(file: self.files.database) }
        self.epoch += 1
        if self.policy != .commit { self.isUnsynced = true }
    }

    /// An epoch needs one page, and later batches more: without some room the journal would fail again at once.
    static let roomBytes: UInt64 = 1 << 20

    private func requireRoom() throws(JournalError) {
        guard let free = PlainFile.freeBytes(at: self.files.directory), free < Self.roomBytes else { return }
        throw .full(file: self.files.database)
    }

    /// Writes the head of a kept batch: if that fails, the head stays behind, which is reported and harmless.
    private func moveHead() {
        do throws(JournalError) {
            try self.head?.write(self.end)
            try self.head?.makeHome()
        } catch {
            self.headTrouble = error
        }
    }

    private func refusal(of batch: JournalBatch) throws(JournalError) -> JournalError {
        do throws(SQLiteFailure) {
            let epoch = try self.database.number("SELECT epoch FROM journal")
            guard epoch == Int64(self.epoch) else { return .notOwner(file: self.files.database) }
            let next = try self.database.number(
                "SELECT 1 + coalesce((SELECT first + count - 1 FROM batch ORDER BY first DESC LIMIT 1), base) FROM journal"
            )
            return .outOfSequence(expected: UInt64(clamping: next), got: batch.firstSequence)
        } catch {
            throw self.files.error(error, at: batch.firstSequence)
        }
    }

    /// Makes all appended batches durable. A failure is final: data that the kernel has dropped can't be written again.
    func sync() throws(JournalError) {
        guard self.isUnsynced else { return }
        do throws(SQLiteFailure) { try self.database.syncLog() } catch {
            throw .failed(file: self.files.database, call: error.call, message: error.message)
        }
        self.moveHead()
        self.isUnsynced = false
    }

    /// Copies the rest of the log back, so that the next commit starts the log anew. Short when another connection has
    /// just copied most of it.
    func finishCheckpoint() throws(JournalError) {
        do throws(SQLiteFailure) {
            let log = try self.database.checkpoint()
            self.beginsLog = log.frames == log.copied
        } catch  where error.primaryCode == SQLITE_BUSY {
            // Another connection is copying: the next attempt comes with the next one.
        } catch {
            throw self.files.error(error, at: self.end.sequence + 1)
        }
    }

    /// Makes everything durable, and leaves a single file unless another process reads. An owner that has not begun
    /// changes nothing.
    func close() throws(JournalError) {
        guard let head = self.head else { return }
        do throws(SQLiteFailure) {
            try self.database.execute("PRAGMA synchronous = FULL")
            try self.database.syncLog()
            do throws(SQLiteFailure) { _ = try self.database.checkpoint(SQLITE_CHECKPOINT_TRUNCATE) } catch {
                guard error.primaryCode == SQLITE_BUSY else { throw error }
            }
            try self.database.syncFile()
        } catch {
            throw self.files.error(error, at: self.end.sequence + 1)
        }
        try head.write(self.end)
        if self.end != self.start { try head.makeHome() }
        self.isUnsynced = false
    }
}
