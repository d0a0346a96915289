import Booking
import Journal

/// The table of batches, the same in a journal and in its archive: one row for each group commit; `hash` is the
/// `ChainHash` after it.
enum BatchTable {
    static let definition = """
        CREATE TABLE batch (
            first INTEGER PRIMARY KEY,
            count INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            time INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        """

    /// Selects the columns of a record; conditions and order are appended.
    static let select = "SELECT first, count, epoch, time, bytes, hash FROM batch"
}

extension Statement {
    /// Binds a batch to the first six parameters, in the order of the table's columns.
    func bind(_ batch: JournalBatch, epoch: UInt64, hash: ChainHash) throws(SQLiteFailure) {
        try self.bind(1, Int64(batch.firstSequence))
        try self.bind(2, Int64(batch.count))
        try self.bind(3, Int64(epoch))
        try self.bind(4, batch.time.nanoseconds)
        try self.bind(5, batch.bytes)
        try self.bind(6, hash.bytes)
    }
}
