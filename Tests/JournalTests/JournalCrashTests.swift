import Booking
import Foundation
import Journal
import Testing

@testable import JournalSQLite

/// Processes that die by SIGKILL in the middle of commits. Each writes the number of every acknowledged fact to a file;
/// every fact in that file must be in the journal.
@Suite(.serialized) struct JournalCrashTests {
    private let state = TemporaryState()

    @Test(arguments: [.commit, .interval(milliseconds: 3), .none] as [JournalPolicy])
    func `everything that was acknowledged before a kill is there after it`(policy: JournalPolicy) async throws {
        let name = ["commit", "interval", "none"][policy == .commit ? 0 : policy == .none ? 2 : 1]
        var lives: UInt64 = 0
        var last: UInt64 = 0
        for round in 0..<8 {
            let path = self.state.path
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, name = name as String] in
                try JournalCrashTests.live(path, name)
            }
            lives += 1
            let told = try Self.told(self.state.path)
            let found = try batches(self.state.files)
            let kept = (found.last?.nextSequence ?? 1) - 1
            #expect(kept >= told, "round \(round): \(told) were acknowledged, \(kept) are kept")
            #expect(told > last, "round \(round): the process did nothing before it was killed")
            for batch in found {
                #expect(batch.bytes == Self.content(batch.firstSequence), "fact \(batch.firstSequence) is another")
            }
            last = told
        }
        #expect(try SQLiteArchive(self.state.files).epoch == lives)
    }

    private static func told(_ path: String) throws -> UInt64 {
        let data = try Data(contentsOf: URL(filePath: "\(path)/told"))
        return data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }

    private static func content(_ sequence: UInt64) -> [UInt8] {
        let length = Int(sequence % 13 == 0 ? 20_000 : sequence * 31 % 400)
        return [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: length)
    }

    /// Appends until it is killed, some moment after the first acknowledgement.
    static func live(_ path: String, _ policyName: String) throws {
        let policies: [String: JournalPolicy] = [
            "commit": .commit, "interval": .interval(milliseconds: 3), "none": .none,
        ]
        let owner = try TestOwner(JournalFiles(state: path, shard: 0), policy: policies[policyName]!)
        try owner.journal.begin()
        let told = open("\(path)/told", O_RDWR | O_CREAT, 0o600)
        var isArmed = false
        while true {
            let first = owner.journal.nextSequence
            try owner.append(TestOwner.batch(first, Self.content(first)))
            pwrite(told, [first], 8, 0)
            guard !isArmed else { continue }
            isArmed = true
            let pause = UInt32.random(in: 0...30_000)
            Thread.detachNewThread {
                usleep(pause)
                kill(getpid(), SIGKILL)
            }
        }
    }
}
