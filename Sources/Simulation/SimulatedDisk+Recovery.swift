import Booking
import Wire

/// A shard's state from its disk, and back: what `Server.Recovery` and a compaction are to a journal.
extension SimulatedDisk {
    /// Puts in place of `shard`, on which nothing has happened, what the disk says, and gives the last fact; nil for a damaged
    /// disk. `fresh` makes another such shard.
    mutating func load(into shard: inout Shard, _ mutant: Mutant?, fresh: @escaping () -> Shard) -> UInt64? {
        var batches: [(count: Int, facts: ArraySlice<UInt8>)] = []
        let takesTorn = mutant == .tornBatchTaken
        let damage = self.replay(takesTorn: takesTorn, skipsDamage: mutant == .damageSkipped) {
            batches.append(($0, $1))
        }
        guard damage == nil else { return nil }
        if mutant == .lastBatchNotReplayed { _ = batches.popLast() }
        shard = self.snapshot.map { Self.restored($0, fresh) } ?? fresh()
        var sequence = self.snapshot?.sequence ?? 0
        for batch in batches {
            do throws(WireError) {
                try Self.forEachFact(of: batch.facts, count: batch.count) { fact in
                    shard.apply(fact)
                    sequence += 1
                }
            } catch {
                guard takesTorn else { preconditionFailure("a batch that was kept can't be read: \(error)") }
            }
        }
        return sequence
    }

    /// A snapshot of what is durable takes the place of the records before it. Its bytes; nil for a damaged disk.
    mutating func compact(_ mutant: Mutant?, fresh: @escaping () -> Shard) -> [UInt8]? {
        var disk = self
        var shard = fresh()
        guard let sequence = disk.load(into: &shard, mutant, fresh: fresh) else { return nil }
        let bytes = shard.snapshotBytes
        self.compact(bytes, sequence: sequence)
        return bytes
    }

    private static func restored(_ snapshot: Snapshot, _ fresh: @escaping () -> Shard) -> Shard {
        let restoration = ShardRestoration(fresh)
        let failure = snapshot.bytes.withUnsafeBytes { bytes -> String? in
            do throws(WireError) { try SnapshotBytes.restore(bytes, into: restoration) } catch { return error.reason }
            return nil
        }
        if let failure { preconditionFailure("a snapshot that was kept can't be read: \(failure)") }
        return restoration.finish()
    }

    static func forEachFact(of bytes: ArraySlice<UInt8>, count: Int, _ body: (Fact) -> Void) throws(WireError) {
        // `withUnsafeBytes` rethrows untyped, so the error is handed out by hand.
        let failure = bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) { try Fact.forEach(in: bytes, count: count) { body($0) } } catch { return error }
            return nil
        }
        if let failure { throw failure }
    }
}

extension Shard {
    /// The state as a snapshot says it.
    var snapshotBytes: [UInt8] {
        var bytes = FrameBytes()
        SnapshotBytes.encode(self, into: &bytes)
        return bytes.array
    }
}
