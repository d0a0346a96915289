public import Booking
public import Journal
public import JournalSQLite
import Wire

/// Makes a journal shorter, in a process of its own and while its owner goes on: takes in the newest snapshot and the
/// facts after it, writes the next snapshot, and drops the facts that it covers, to the archive if they are to be kept.
///
/// Needs no pause: a commit waits for a step of the dropping at most, some milliseconds.
public enum Compaction {
    public struct Report: Equatable, Sendable, CustomStringConvertible {
        /// The last fact in the snapshot before, and in the new one.
        public let before: UInt64
        public let sequence: UInt64
        public let snapshotBytes: Int
        /// What was wrong with the archive, so that a new one begins.
        public let archiveTrouble: JournalDamage?

        public var description: String {
            (self.sequence == self.before
                ? "nothing to do: the snapshot covers all facts up to \(self.sequence)"
                : "facts \(self.before + 1) to \(self.sequence) are in a snapshot of \(self.snapshotBytes) bytes now")
                + (self.archiveTrouble.map { "; \($0.problem): a new one begins" } ?? "")
        }
    }

    /// `fresh` makes the shard on which nothing has happened, with the catalogue that the facts were made with.
    /// `keepsFacts` is `journal.archive`.
    public static func run(
        _ archive: SQLiteArchive,
        keepsFacts: Bool = true,
        fresh: @escaping () -> Shard
    ) throws(JournalError) -> Report {
        var report: Report?
        try archive.compacting { () throws(JournalError) in
            var shard = fresh()
            let found = try Recovery.run(archive, into: &shard, fresh: fresh)
            var bytes = found.snapshotBytes
            if found.facts > 0 {
                var encoded = FrameBytes(capacity: 1 << 20)
                SnapshotBytes.encode(shard, into: &encoded)
                bytes = encoded.count
                try archive.write(
                    JournalSnapshot(sequence: found.sequence, time: found.lastTime, bytes: encoded.array)
                )
            }
            // Also when there is nothing new: a compaction that was cut off may have left facts behind.
            let trouble = try archive.dropCovered(keeping: keepsFacts)
            report = Report(
                before: found.snapshotSequence,
                sequence: found.sequence,
                snapshotBytes: bytes,
                archiveTrouble: trouble
            )
        }
        guard let report else { preconditionFailure("a compaction without an end") }
        return report
    }
}
