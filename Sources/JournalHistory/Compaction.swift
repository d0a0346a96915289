public import Booking
public import Journal
public import JournalSQLite
import Wire

/// Shortens a journal, in a process of its own, while its owner goes on: applies the newest snapshot and the facts
/// after it, writes the next snapshot, and drops the facts it covers; with `journal.archive` they move to the archive.
///
/// Needs no pause: a commit waits for at most one step of the dropping, some milliseconds.
public enum Compaction {
    public struct Report: Equatable, Sendable, CustomStringConvertible {
        /// The last facts in the former snapshot and in the new one.
        public let before: UInt64
        public let sequence: UInt64
        public let snapshotBytes: Int
        /// Damage of the archive, which makes a new one begin.
        public let archiveTrouble: JournalDamage?

        public var description: String {
            (self.sequence == self.before
                ? "nothing to do: the snapshot covers all facts up to \(self.sequence)"
                : "facts \(self.before + 1) to \(self.sequence) are in a snapshot of \(self.snapshotBytes) bytes now")
                + (self.archiveTrouble.map { "; \($0.problem): a new one begins" } ?? "")
        }
    }

    /// `fresh` makes an empty shard, with the catalogue that the facts were made with. `keepsFacts` is
    /// `journal.archive`.
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
            // Also when there is nothing new: an interrupted compaction may have left facts behind.
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
