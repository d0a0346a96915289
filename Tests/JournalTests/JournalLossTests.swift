import Booking
import Foundation
import Journal
import Testing

@testable import JournalSQLite

/// A missing journal is detected by the others in its folder.
@Suite struct JournalLossTests {
    private static func origin(_ shard: Int) -> JournalOrigin {
        JournalOrigin(shard: shard, shardCount: 2, slotMapVersion: 1)
    }

    private static func files(_ state: TemporaryState, _ shard: Int) -> JournalFiles {
        JournalFiles(state: state.path, shard: shard)
    }

    /// Journals of shards 0 and 1; only shard 1's has facts if `withFacts`.
    private static func begin(_ state: TemporaryState, withFacts: Bool) throws {
        for shard in 0..<2 {
            let owner = try TestOwner(Self.files(state, shard), origin: Self.origin(shard))
            try owner.journal.begin()
            if shard == 1, withFacts { try owner.append([1]) }
            try owner.journal.close()
        }
    }

    private static func remove(_ state: TemporaryState, _ shard: Int) throws {
        for name in state.names where name.hasPrefix("shard-\(shard)") {
            try FileManager.default.removeItem(atPath: "\(state.files.directory)/\(name)")
        }
    }

    private static func refusal(_ state: TemporaryState) -> String {
        do throws(JournalError) {
            _ = try TestOwner(Self.files(state, 0), origin: Self.origin(0))
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a shard does not begin empty when another's journal has facts`() throws {
        let state = TemporaryState()
        try Self.begin(state, withFacts: true)
        try Self.remove(state, 0)
        let refusal = Self.refusal(state)
        #expect(refusal.contains("the journal of shard 0 is missing: \(Self.files(state, 0).database)"), "\(refusal)")
        #expect(refusal.contains("shard-1.sqlite has facts"), "\(refusal)")
        #expect(!Self.files(state, 0).exist, "it was made all the same")
    }

    @Test func `a shard does not begin empty when all shards had begun, whatever the others hold`() throws {
        let state = TemporaryState()
        try Self.begin(state, withFacts: false)
        try Self.remove(state, 0)
        #expect(Self.refusal(state) == "none", "a first start that was cut off goes on")
        try JournalFiles.markAllBegun(in: state.path)
        try Self.remove(state, 0)
        #expect(Self.refusal(state).contains("is not there, but all shards of this folder had one"))
    }

    @Test func `a file that lost its tables with its log is a journal that is missing`() throws {
        let state = TemporaryState()
        try Self.begin(state, withFacts: true)
        try Self.remove(state, 0)
        try Data().write(to: URL(filePath: Self.files(state, 0).database))
        #expect(Self.refusal(state).contains("the journal of shard 0 is missing"))
    }

    @Test func `a journal that is lost is begun anew, and one that is there is not`() throws {
        let state = TemporaryState()
        try Self.begin(state, withFacts: true)
        let snapshot = JournalSnapshot(sequence: 0, time: Timestamp(seconds: 5), bytes: [1, 2, 3])
        #expect(throws: JournalError.self) {
            try Self.files(state, 0).makeAnew(Self.origin(0), beginningWith: snapshot)
        }
        try Self.remove(state, 0)
        // Twice: the first may have been interrupted after the file and before its snapshot.
        for _ in 0..<2 { try Self.files(state, 0).makeAnew(Self.origin(0), beginningWith: snapshot) }
        let owner = try TestOwner(Self.files(state, 0), origin: Self.origin(0))
        #expect(try owner.journal.newestSnapshot() == snapshot)
        try owner.journal.begin()
        try owner.append([7])
        #expect(try batches(Self.files(state, 0)).map(\.firstSequence) == [1])
    }

    @Test func `a journal under another shard's name is refused by whoever opens it`() throws {
        let state = TemporaryState()
        try Self.begin(state, withFacts: true)
        try Self.remove(state, 0)
        try FileManager.default.copyItem(
            atPath: Self.files(state, 1).database,
            toPath: Self.files(state, 0).database
        )
        #expect(Self.refusal(state).contains("its files are under another shard's name"))
        let error = #expect(throws: JournalError.self) { try SQLiteArchive(Self.files(state, 0)) }
        #expect("\(error!)".contains("shard 1 of 2, slot map version 1, under the name of shard 0's"))
    }
}
