public import Journal

extension SQLiteArchive {
    /// Drops the batches that the newest snapshot covers, after reading that back: facts are dropped only for an intact
    /// snapshot. An appending owner is delayed by a step, a millisecond, and seldom. `keeping` copies the batches to
    /// the archive first, see `DroppedBatches`. Returns the damage if an archive lacks earlier batches that it must
    /// have: a new one begins then.
    @discardableResult
    public func dropCovered(keeping: Bool) throws(JournalError) -> JournalDamage? {
        guard let snapshot = try self.newestSnapshot() else { return nil }
        try self.checkPlace(of: snapshot)
        let start = try self.currentHeader()
        var trouble: JournalDamage?
        if keeping {
            do throws(JournalError) { _ = try self.archived(before: start) } catch {
                guard case .damaged(let damage) = error else { throw error }
                trouble = damage
            }
        }
        let kept = keeping ? try DroppedBatches.keeping(self.files, journal: start.id, after: start.base) : nil
        let dropper = try Dropper(self.files)
        var point = start.base
        var records: [JournalRecord]
        var steps = 0
        repeat {
            let begun = NativeThread.monotonicNanoseconds
            records = try self.records(after: point, to: snapshot.sequence, countMax: Self.dropStep)
            guard let last = records.last else { break }
            point = ChainPoint(sequence: last.batch.nextSequence - 1, hash: last.hash)
            try kept?.keep(records)
            try dropper.drop(to: point, isKept: keeping)
            steps += 1
            if steps.isMultiple(of: Self.checkpointSteps) { try kept?.checkpoint() }
            NativeThread.rest(after: NativeThread.monotonicNanoseconds - begun)
        } while records.count == Self.dropStep
        try kept?.checkpoint()
        return trouble
    }

    /// Steps after which the archive's log is copied back: it stays that small, and most steps sync once only.
    private static let checkpointSteps = 256

    /// The statements that drop batches, on a connection that may write.
    private final class Dropper {
        private let files: JournalFiles
        private let database: Database
        private let move: Statement
        private let delete: Statement
        private let mark: Statement

        init(_ files: JournalFiles) throws(JournalError) {
            self.files = files
            do throws(SQLiteFailure) {
                self.database = try Database(files.database, .writer, busyMilliseconds: SQLiteArchive.busyMilliseconds)
                // Durable only with the owner's next commit, as a lost drop is repeated; a sync of its own would delay
                // the owner.
                try self.database.execute("PRAGMA synchronous = NORMAL")
                // The owner may be of an older version.
                try self.database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) {
                    [database] () throws(SQLiteFailure) in
                    try JournalSchema.migrate(database)
                }
                self.move = try Statement(
                    self.database,
                    "UPDATE journal SET base = ?1, base_hash = ?2, archived = iif(?3, ?1, archived) WHERE base < ?1"
                )
                self.delete = try Statement(self.database, "DELETE FROM batch WHERE first <= ?1")
                self.mark = try Statement(self.database, JournalSchema.markLogStart)
            } catch {
                throw files.error(error, at: 1)
            }
        }

        /// One transaction, for which an owner waits.
        func drop(to point: ChainPoint, isKept: Bool) throws(JournalError) {
            do throws(SQLiteFailure) {
                try self.database.transaction("BEGIN IMMEDIATE", mapping: { $0 }) { () throws(SQLiteFailure) in
                    try self.move.bind(1, Int64(point.sequence))
                    try self.move.bind(2, point.hash.bytes)
                    try self.move.bind(3, isKept ? 1 : 0)
                    _ = try self.move.step()
                    guard self.database.changeCount == 1 else { return }
                    try self.delete.bind(1, Int64(point.sequence))
                    _ = try self.delete.step()
                    _ = try self.mark.step()
                }
            } catch {
                throw self.files.error(error, at: point.sequence)
            }
        }
    }
}
