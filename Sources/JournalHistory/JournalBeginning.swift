import Booking
import Journal
import JournalSQLite
import Wire

/// A new journal in place of one that is lost for good (`usher journal begin --accept-loss`).
///
/// Other shards know payments and cancellations of this one by their ids, and carry each out once. So ids must not
/// start again from 1: the new journal begins with a snapshot whose next id in each slot is a hundred for every second
/// since 1970. That is above all earlier ids unless the slot gave more than a hundred a second all its life.
enum JournalBeginning {
    private static let idsPerSecond: Int64 = 100

    static func run(_ files: JournalFiles, shardCount: Int, at now: Timestamp) throws(JournalError) {
        let slots = SlotMap(shardCount: shardCount)
        let counter = UInt64(max(0, now.seconds) * self.idsPerSecond)
        // The concerts make no difference to a shard without history.
        let fresh = {
            Shard(index: files.shard, slots: slots, catalogue: .original(), hashSeed: .random(in: .min ... .max))
        }
        let restoration = ShardRestoration(fresh)
        do throws(SnapshotError) {
            try restoration.restore(.time(now))
            for slot in slots.slots(of: files.shard) {
                try restoration.restore(.counter(Slot(checking: slot)!, counter))
            }
        } catch {
            preconditionFailure("a shard without a history does not fit: \(error)")
        }
        var bytes = FrameBytes(capacity: 1 << 18)
        SnapshotBytes.encode(restoration.finish(), into: &bytes)
        try files.makeAnew(
            JournalOrigin(shard: files.shard, shardCount: shardCount, slotMapVersion: slots.version),
            beginningWith: JournalSnapshot(sequence: 0, time: now, bytes: bytes.array)
        )
    }
}
