import Booking
import Foundation
import Journal
import JournalSQLite
import Testing
import Wire

@testable import Configuration
@testable import JournalHistory
@testable import Operator
@testable import Statistics

/// A wall clock that is behind what the journal says.
@Suite struct ClockTests {
    /// A journal of one shard in which user 1 charged 500 points at `time`.
    private static func write(_ state: StateDirectory, at time: Timestamp) throws {
        try FileManager.default.createDirectory(atPath: state.path, withIntermediateDirectories: true)
        let slots = SlotMap(shardCount: 1)
        var shard = Shard(index: 0, slots: slots, catalogue: .original(), hashSeed: 1)
        _ = shard.decide(.charge(UserID(1), Won(500), .free), from: Shard.Origin(link: 0, request: 1), at: time)
        var bytes = FrameBytes()
        for fact in shard.facts { fact.encode(into: &bytes) }
        let woken = DispatchSemaphore(value: 0)
        let journal = try SQLiteJournal(
            JournalFiles(state: state.path, shard: 0),
            origin: JournalOrigin(shard: 0, shardCount: 1, slotMapVersion: slots.version),
            policy: .commit
        ) { woken.signal() }
        try journal.begin()
        let batch = JournalBatch(firstSequence: 1, count: UInt32(shard.facts.count), time: time, bytes: bytes.array)
        var result: Result<Void, JournalError>?
        journal.append(batch) { result = $0 }
        while result == nil {
            woken.wait()
            journal.drain()
        }
        try result?.get()
        try journal.close()
    }

    @Test func `a shard whose journal is ahead of the wall clock says so, and goes on from there`() throws {
        let state = TestCluster.freshState()
        let ahead = Timestamp.now + .seconds(3_600)
        try Self.write(state, at: ahead)
        let cluster = try TestCluster(in: state, arguments: ["--set", "journal.kind=sqlite", "--shards", "1"])
        try cluster.waitUntilUp()
        let client = BookingClient(port: try cluster.file().port)
        #expect(try client.charge(1, 1).json["balance"] == 501)
        // Time goes on: someone who joins is let in, which takes a tick.
        _ = try client.enter(1, 2)
        let line = try cluster.logged("is behind this shard's time")
        #expect(line.contains("shard_time=") && line.contains("wall="))
        // A new key signs from a time that no shard has reached, and so no place that was given before.
        let running = try #require(try StatsCommand.stats(state).shards[0].time)
        #expect(KeysCommand.latestTime(of: state, .now) > Timestamp(seconds: running))
        var configuration = ServerConfiguration()
        configuration.cluster.state = state.path
        _ = try KeysCommand.add(configuration)
        #expect(try state.loadKeys().keys.last!.activeFrom >= Timestamp(seconds: running) + StateDirectory.keyLeadTime)
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
        #expect(KeysCommand.latestTime(of: state, .now) > ahead, "from the journal alone")

        var times: [String] = []
        try JournalCommand.export(state, shard: 0) { text in
            times += text.matches(of: /"fact":[0-9]+,"at":"([^"]+)"/).map { String($0.output.1) }
        }
        #expect(times.count >= 4, "\(times)")
        #expect(times == times.sorted(), "\(times)")
        #expect(times[1] >= ahead.words)
    }
}
