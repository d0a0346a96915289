import Booking
import Dispatch
import FoundationEssentials
import Glibc
import Journal
import JournalSQLite
import StandardStreams
import Wire

/// What the journal costs: commits a second by policy, facts a second of replay, and a large shard's snapshot. Each line
/// is a figure and what it was measured on; run it on an idle machine, on the disk that will hold the journals.
enum JournalBenchmark {
    static func run(in folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, policy) in [
            ("commit", JournalPolicy.commit), ("interval", .interval(milliseconds: 100)), ("none", .none),
        ] {
            try Self.commits(name, policy, "\(folder)/\(name)")
        }
        try Self.largeShard("\(folder)/large")
    }

    // MARK: Commits

    /// Batches of 256 bytes, one after the other for 3 s.
    private static func commits(_ name: String, _ policy: JournalPolicy, _ state: String) throws {
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let owner = try JournalOwner(JournalFiles(state: state, shard: 0), policy)
        let bytes = [UInt8](repeating: 7, count: 256)
        let begun = Self.now
        var latencies: [UInt64] = []
        while Self.now - begun < 3_000_000_000 {
            let before = Self.now
            try owner.append(bytes, count: 5, at: Timestamp(seconds: 1_800_000_000))
            latencies.append(Self.now - before)
        }
        let seconds = Double(Self.now - begun) / 1e9
        try owner.journal.close()
        latencies.sort()
        CommandOutput.line(
            "commits, \(name): \(Int(Double(latencies.count) / seconds)) a second of 256 bytes; "
                + "p50 \(latencies[latencies.count / 2] / 1_000) µs, "
                + "p99 \(latencies[latencies.count * 99 / 100] / 1_000) µs, max \(latencies.last! / 1_000) µs"
        )
    }

    // MARK: A large shard

    private static func largeShard(_ state: String) throws {
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let files = JournalFiles(state: state, shard: 0)
        let catalogue = try LargeShard.catalogue()
        func fresh() -> Shard { Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 42) }
        let facts = try LargeShard.write(files, from: Timestamp(seconds: 1_800_000_000))
        CommandOutput.line("journal: \(facts) facts, \(Self.size(files.database)) bytes")

        var shard = fresh()
        var begun = Self.now
        let archive = try SQLiteArchive(files)
        var end: UInt64 = 0
        try archive.replay(after: 0) { batch throws(JournalError) in
            end = batch.nextSequence - 1
            let isRead = batch.bytes.withUnsafeBytes { bytes in
                do throws(WireError) {
                    try Fact.forEach(in: bytes, count: Int(batch.count)) { fact throws(WireError) in
                        if let misfit = shard.misfit(of: fact) { throw WireError(misfit.reason) }
                        shard.take(fact)
                    }
                    return true
                } catch {
                    return false
                }
            }
            precondition(isRead, "a batch can't be read")
        }
        let replayed = Self.now - begun
        CommandOutput.line(
            "replay: \(facts) facts in \(replayed / 1_000_000) ms, \(facts * 1_000_000_000 / replayed) a second"
        )

        for round in 1...3 {
            begun = Self.now
            var bytes = FrameBytes(capacity: 1 << 20)
            SnapshotBytes.encode(shard, into: &bytes)
            let encoded = Self.now
            let array = bytes.array
            let time = Timestamp(seconds: 1_800_000_000)
            try archive.write(JournalSnapshot(sequence: end, time: time, bytes: array))
            let written = Self.now
            guard let snapshot = try archive.newestSnapshot() else { preconditionFailure("the snapshot is gone") }
            let read = Self.now
            let restoration = ShardRestoration(fresh)
            let isRestored = snapshot.bytes.withUnsafeBytes { bytes in
                do throws(WireError) { try SnapshotBytes.restore(bytes, into: restoration) } catch { return false }
                return true
            }
            precondition(isRestored, "the snapshot can't be restored")
            shard = restoration.finish()
            let restored = Self.now
            CommandOutput.line(
                "snapshot \(round): \(array.count) bytes; encode \((encoded - begun) / 1_000_000) ms, "
                    + "write \((written - encoded) / 1_000_000) ms, read \((read - written) / 1_000_000) ms, "
                    + "restore \((restored - read) / 1_000_000) ms"
            )
        }
    }

    // MARK: Helpers

    private static var now: UInt64 { Benchmarks.now }

    private static func size(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }
}
