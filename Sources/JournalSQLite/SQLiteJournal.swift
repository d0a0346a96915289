public import Journal

/// A shard's journal in a SQLite file of its own, for its owner.
///
///     opened: locked, checked ──replay──▶ verified ──begin──▶ a new epoch, two threads ──close──▶ one whole file
///
/// Nothing is written before `begin`: a damaged journal stays as it was found. 4,500 commits of 256 bytes a second with
/// the policy `commit` on a fast disk.
public final class SQLiteJournal: Journal {
    public let kind = "sqlite"
    public private(set) var nextSequence: UInt64 = 1
    public private(set) var epoch: UInt64 = 0
    public let files: JournalFiles
    public let policy: JournalPolicy
    public private(set) var trouble: JournalError?
    public private(set) var isCopy = false
    /// Failures outside the batches, on the loop: a checkpoint on a full disk, for example. Commits go on.
    public var onTrouble: ((JournalError) -> Void)?

    private let lock: OwnerLock
    private let archive: SQLiteArchive
    private let wake: @Sendable () -> Void
    private var thread: JournalThread?
    private var whenDone: ((Result<Void, JournalError>) -> Void)?

    private static let busyMilliseconds: Int32 = 5_000

    /// Owns the journal in `files`, or a new empty one, as long as this object lives. Refused while another process has
    /// it, for another shard's or a newer version's, and when a journal existed and is missing or incomplete. `wake` is
    /// called on another thread when `drain()` has something to do.
    public init(
        _ files: JournalFiles,
        origin: JournalOrigin,
        policy: JournalPolicy,
        wake: @escaping @Sendable () -> Void
    ) throws(JournalError) {
        self.files = files
        self.policy = policy
        self.wake = wake
        try files.prepareDirectory()
        self.lock = try OwnerLock(files.lock, of: files.database)
        do throws(JournalError) {
            try JournalSchema.createIfMissing(files, origin) { () throws(JournalError) in
                try files.refuseRemains()
                try files.refuseLoss(of: origin)
            }
        } catch {
            throw files.inWords(error, isCopy: JournalHead.isCopy(files))
        }
        self.archive = try SQLiteArchive(files, origin: origin)
        let isCutOff = try self.headIsMissing()
        self.isCopy = self.archive.isCopy || isCutOff
    }

    /// True when the file that distinguishes a truncated journal from a complete one is missing, for example removed on
    /// purpose to continue with the rest.
    public func headIsMissing() throws(JournalError) -> Bool { try !self.archive.hasHead() && self.archive.epoch > 0 }

    // MARK: History

    public func newestSnapshot() throws(JournalError) -> JournalSnapshot? { try self.archive.newestSnapshot() }

    public func replay(
        after sequence: UInt64,
        _ body: (JournalBatch) throws(JournalError) -> Void
    ) throws(JournalError) {
        try self.archive.replay(after: sequence, body)
        guard self.thread == nil, let end = self.archive.end else { return }
        self.nextSequence = end.sequence + 1
    }

    public func write(_ snapshot: JournalSnapshot) throws(JournalError) { try self.archive.write(snapshot) }

    // MARK: Owning

    public func begin() throws(JournalError) {
        precondition(self.thread == nil, "a journal begins once")
        if self.archive.end == nil { try self.replay(after: self.newestSnapshot()?.sequence ?? 0) { _ in } }
        guard let end = self.archive.end else { preconditionFailure("a replay has not set its end") }
        let checkpointer: Database
        do throws(SQLiteFailure) {
            checkpointer = try Database(self.files.database, .writer, busyMilliseconds: Self.busyMilliseconds)
            try checkpointer.execute("PRAGMA synchronous = \(self.policy == .none ? "OFF" : "FULL")")
        } catch {
            throw self.files.error(error, at: end.sequence + 1)
        }
        let writer = try JournalWriter(self.files, self.policy, at: end, isCopy: self.isCopy)
        // Even with a full disk, its content can be read.
        do throws(JournalError) { try writer.begin() } catch {
            guard error.isPassing else { throw error }
            self.trouble = error
        }
        self.epoch = writer.epoch
        self.nextSequence = end.sequence + 1
        self.thread = try JournalThread(writer, checkpointer: checkpointer, self.files, self.policy, wake: self.wake)
    }

    public func append(_ batch: JournalBatch, whenDone: @escaping (Result<Void, JournalError>) -> Void) {
        guard let thread = self.thread else { preconditionFailure("a journal is appended to between begin and close") }
        precondition(self.whenDone == nil, "a batch is under way already")
        precondition(self.trouble == nil, "a batch of an owner that has not begun")
        guard batch.firstSequence == self.nextSequence else {
            return whenDone(.failure(.outOfSequence(expected: self.nextSequence, got: batch.firstSequence)))
        }
        self.whenDone = whenDone
        thread.submit(.batch(batch))
    }

    public func renew(whenDone: @escaping (Result<Void, JournalError>) -> Void) {
        guard let thread = self.thread else { preconditionFailure("a journal is renewed between begin and close") }
        precondition(self.whenDone == nil, "a batch is under way")
        self.whenDone = whenDone
        thread.submit(.renewal)
    }

    public func drain() {
        guard let thread = self.thread else { return }
        for trouble in thread.takeTroubles() { self.onTrouble?(trouble) }
        guard let outcome = thread.takeOutcome() else { return }
        guard let whenDone = self.whenDone.take() else { preconditionFailure("an outcome without a batch") }
        switch outcome {
        case .success(let end):
            self.nextSequence = end.sequence + 1
            self.epoch = end.epoch
            self.trouble = nil
            whenDone(.success(()))
        case .failure(let error): whenDone(.failure(error))
        }
    }

    public func close() throws(JournalError) {
        guard let thread = self.thread.take() else { return }
        let troubles = thread.stop()
        if let trouble = troubles.last { throw trouble }
    }

    /// Ends the threads of a journal that was not closed.
    deinit { _ = self.thread?.stop() }
}
