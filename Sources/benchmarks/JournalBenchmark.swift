import Booking
import Dispatch
import FoundationEssentials
import Glibc
import Journal
import Wire

/// What the journal costs: commits a second by policy, facts a second of replay, and a large shard's snapshot. Each line
/// is a figure and what it was measured on; run it on an idle machine, on the disk that will hold the journals.
@main enum JournalBenchmark {
    static func main() throws {
        let folder = CommandLine.arguments.dropFirst().first ?? "/tmp/usher-benchmark-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, policy) in [
            ("commit", JournalPolicy.commit), ("interval", .interval(milliseconds: 100)), ("none", .none),
        ] {
            try Self.commits(name, policy, "\(folder)/\(name)")
        }
        try Self.largeShard("\(folder)/large")
    }

    private static let origin = JournalOrigin(shard: 0, shardCount: 1, slotMapVersion: 1)

    // MARK: Commits

    /// Batches of 256 bytes, one after the other for 3 s.
    private static func commits(_ name: String, _ policy: JournalPolicy, _ state: String) throws {
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let owner = try Owner(JournalFiles(state: state, shard: 0), policy)
        let bytes = [UInt8](repeating: 7, count: 256)
        let begun = Self.now
        var latencies: [UInt64] = []
        while Self.now - begun < 3_000_000_000 {
            let before = Self.now
            try owner.append(bytes, count: 5)
            latencies.append(Self.now - before)
        }
        let seconds = Double(Self.now - begun) / 1e9
        try owner.journal.close()
        latencies.sort()
        print(
            "commits, \(name): \(Int(Double(latencies.count) / seconds)) a second of 256 bytes; "
                + "p50 \(latencies[latencies.count / 2] / 1_000) µs, "
                + "p99 \(latencies[latencies.count * 99 / 100] / 1_000) µs, max \(latencies.last! / 1_000) µs"
        )
    }

    // MARK: A large shard

    /// 1,000,000 people waiting in one line and 100,000 reservations of people who were inside.
    private static func largeShard(_ state: String) throws {
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        let files = JournalFiles(state: state, shard: 0)
        let catalogue = try Self.catalogue()
        func fresh() -> Shard { Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 42) }
        let facts = try Self.write(files, fresh)
        print("journal: \(facts) facts, \(Self.size(files.database)) bytes")

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
        print("replay: \(facts) facts in \(replayed / 1_000_000) ms, \(facts * 1_000_000_000 / replayed) a second")

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
            print(
                "snapshot \(round): \(array.count) bytes; encode \((encoded - begun) / 1_000_000) ms, "
                    + "write \((written - encoded) / 1_000_000) ms, read \((read - written) / 1_000_000) ms, "
                    + "restore \((restored - read) / 1_000_000) ms"
            )
        }
    }

    /// A journal of that shard's facts, 64 a batch; how many they are.
    private static func write(_ files: JournalFiles, _ fresh: () -> Shard) throws -> UInt64 {
        let owner = try Owner(files, .none)
        var shard = fresh()
        var bytes = FrameBytes(capacity: 1 << 16)
        var count: UInt32 = 0
        var failure: (any Error)?
        func gather(_ fact: Fact) {
            shard.take(fact)
            fact.encode(into: &bytes)
            count += 1
            guard count == 64 else { return }
            flush()
        }
        func flush() {
            guard count > 0 else { return }
            do { try owner.append(bytes.array, count: count) } catch { failure = error }
            bytes.removeAll()
            count = 0
        }
        let start = Timestamp(seconds: 1_800_000_000)
        let concert = ConcertID(1)
        // The first 25,000 go in and hold four seats each; a million more wait.
        for number in 1...1_025_000 as ClosedRange<UInt64> {
            let at = start + .milliseconds(Int64(number / 10))
            gather(.joined(concert, UserID(number * 7_919), Place(number), at: at))
            guard number <= 25_000 else { continue }
            gather(.admitted(concert, Place(number), at: at))
            for seat in 0..<4 as Range<UInt64> {
                let index = (number - 1) * 4 + seat
                let hold = Reservation(
                    id: ReservationID(SlotIDs.make(Slot(of: concert), counter: index + 1)),
                    user: UserID(number * 7_919),
                    schedule: ScheduleID(index / 50_000 + 1),
                    seat: SeatID(index % 50_000 + 1),
                    price: Won(100_000),
                    heldAt: at,
                    until: at + .minutes(5)
                )
                gather(.held(concert, hold))
            }
        }
        flush()
        if let failure { throw failure }
        let facts = owner.journal.nextSequence - 1
        try owner.journal.close()
        return facts
    }

    private static func catalogue() throws -> Catalogue {
        let hall = try Hall(sections: [Hall.Section(seats: 1...50_000, grade: "A", price: Won(100_000))])
        let plays = Timestamp(seconds: 1_900_000_000)
        let schedules = (1...2).map { Schedule(id: ScheduleID($0), playsAt: plays, hall: hall) }
        return try Catalogue([
            Concert(
                id: ConcertID(1),
                title: "large",
                opensAt: .distantPast,
                schedules: schedules,
                rules: ConcertRules()
            )
        ])
    }

    // MARK: Helpers

    /// An owner without a loop: each batch is waited for.
    private final class Owner {
        let journal: SQLiteJournal
        private let woken: DispatchSemaphore

        init(_ files: JournalFiles, _ policy: JournalPolicy) throws {
            let woken = DispatchSemaphore(value: 0)
            self.woken = woken
            self.journal = try SQLiteJournal(files, origin: JournalBenchmark.origin, policy: policy) { woken.signal() }
            try self.journal.begin()
        }

        func append(_ bytes: [UInt8], count: UInt32) throws {
            var result: Result<Void, JournalError>?
            let batch = JournalBatch(
                firstSequence: self.journal.nextSequence,
                count: count,
                time: Timestamp(seconds: 1_800_000_000),
                bytes: bytes
            )
            self.journal.append(batch) { result = $0 }
            while result == nil {
                self.woken.wait()
                self.journal.drain()
            }
            try result?.get()
        }
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func size(_ path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_size) : 0
    }
}
