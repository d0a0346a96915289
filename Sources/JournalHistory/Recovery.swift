public import Booking
public import Journal
import Wire

/// Restores a shard's state from its journal: the newest snapshot, then the facts after it, every link of the chain
/// checked. A fact that can't be applied ends the recovery with an error that names it; nothing is skipped.
///
/// Restarts, compactions and standbys share this code.
public enum Recovery {
    /// What a recovery found.
    public struct Report: Equatable, Sendable {
        /// The last fact of the snapshot; 0 without one.
        public internal(set) var snapshotSequence: UInt64 = 0
        public internal(set) var snapshotBytes = 0
        /// Facts and batches after the snapshot.
        public internal(set) var facts: UInt64 = 0
        public internal(set) var batches: UInt64 = 0
        /// Bytes of these facts.
        public internal(set) var bytes: UInt64 = 0
        /// The shard's time at the last fact or snapshot; `distantPast` for an empty journal.
        public internal(set) var lastTime = Timestamp.distantPast

        public init() {}

        /// The last fact that was applied.
        public var sequence: UInt64 { self.snapshotSequence + self.facts }
    }

    /// Replaces `shard`, which has to be empty, by the journal's state; `fresh` makes another empty shard.
    @discardableResult
    public static func run(
        _ archive: any JournalArchive,
        into shard: inout Shard,
        fresh: @escaping () -> Shard
    ) throws(JournalError) -> Report {
        var snapshot = try archive.newestSnapshot()
        while true {
            do throws(JournalError) { return try Self.run(archive, from: snapshot, into: &shard, fresh: fresh) } catch {
                // Between the two reads a compaction may have written a newer snapshot and dropped facts.
                let newer = try archive.newestSnapshot()
                guard let newer, newer.sequence > snapshot?.sequence ?? 0 else { throw error }
                snapshot = newer
                shard = fresh()
            }
        }
    }

    private static func run(
        _ archive: any JournalArchive,
        from snapshot: JournalSnapshot?,
        into shard: inout Shard,
        fresh: @escaping () -> Shard
    ) throws(JournalError) -> Report {
        var report = Report()
        if let snapshot {
            shard = try Self.restore(snapshot, fresh)
            report.snapshotSequence = snapshot.sequence
            report.snapshotBytes = snapshot.bytes.count
            report.lastTime = snapshot.time
        }
        try archive.replay(after: report.snapshotSequence) { batch throws(JournalError) in
            try Self.apply(batch, into: &shard)
            report.facts += UInt64(batch.count)
            report.batches += 1
            report.bytes += UInt64(batch.bytes.count)
            report.lastTime = max(report.lastTime, batch.time)
        }
        return report
    }

    private static func restore(_ snapshot: JournalSnapshot, _ fresh: @escaping () -> Shard) throws(JournalError)
        -> Shard
    {
        let restoration = ShardRestoration(fresh)
        let failure = snapshot.bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) { try SnapshotBytes.restore(bytes, into: restoration) } catch { return error }
            return nil
        }
        if let failure {
            throw .unusable(sequence: snapshot.sequence, reason: "the snapshot up to it: \(failure.reason)")
        }
        return restoration.finish()
    }

    private static func apply(_ batch: JournalBatch, into shard: inout Shard) throws(JournalError) {
        var sequence = batch.firstSequence
        let failure = batch.bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) {
                try Fact.forEach(in: bytes, count: Int(batch.count)) { fact throws(WireError) in
                    if let misfit = shard.misfit(of: fact) { throw WireError(misfit.reason) }
                    shard.apply(fact)
                    sequence += 1
                }
            } catch {
                return error
            }
            return nil
        }
        if let failure { throw .unusable(sequence: sequence, reason: failure.reason) }
    }
}
