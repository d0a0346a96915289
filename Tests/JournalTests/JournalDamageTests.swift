import Booking
import Foundation
import Journal
import Seeded
import Testing

@testable import JournalSQLite

/// Whatever happens to the files: a reader gets the whole history or an error, never a part of it.
@Suite struct JournalDamageTests {
    private static let batchCount = 12

    /// The files of a journal, as bytes by name. `isClean` closes it first: one file. Otherwise they are as after a
    /// kill, half in the file and half in the log.
    private static func image(isClean: Bool) throws -> [String: [UInt8]] {
        let state = TemporaryState()
        try TestOwner.write(state.files, batches: Self.batchCount / 2)
        let owner = try TestOwner(state.files)
        try owner.journal.begin()
        for number in Self.batchCount / 2..<Self.batchCount { try owner.append(TestOwner.content(number)) }
        if isClean { try owner.journal.close() }
        var image: [String: [UInt8]] = [:]
        for name in state.names where !name.hasSuffix("-shm") && !name.hasSuffix(".lock") {
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: "\(state.files.directory)/\(name)")))
            // A log that was copied back is left behind, empty.
            if !bytes.isEmpty { image[name] = bytes }
        }
        return image
    }

    private static func write(_ image: [String: [UInt8]], to state: TemporaryState) throws {
        try? FileManager.default.removeItem(atPath: state.files.directory)
        try FileManager.default.createDirectory(atPath: state.files.directory, withIntermediateDirectories: true)
        for (name, bytes) in image {
            try Data(bytes).write(to: URL(filePath: "\(state.files.directory)/\(name)"))
        }
        try state.files.makeHeadOriginal()
    }

    /// Reads an image that was changed: true when it was refused. Anything but an error or the whole history is recorded.
    private static func isRefused(
        _ image: [String: [UInt8]],
        _ expected: [JournalBatch],
        in state: TemporaryState,
        _ change: @autoclosure () -> String
    ) throws -> Bool {
        try Self.write(image, to: state)
        do throws(JournalError) {
            let found = try batches(state.files)
            if found != expected { Issue.record("\(change()): \(found.count) of \(expected.count) batches are read") }
            return false
        } catch {
            return true
        }
    }

    private static func history(_ image: [String: [UInt8]]) throws -> [JournalBatch] {
        let state = TemporaryState()
        try Self.write(image, to: state)
        let found = try batches(state.files)
        #expect(found.count == Self.batchCount)
        return found
    }

    @Test(arguments: [true, false]) func `a file cut off anywhere is refused, or its end was of no account`(
        isClean: Bool
    ) throws {
        let image = try Self.image(isClean: isClean)
        let expected = try Self.history(image)
        let state = TemporaryState()
        for (name, bytes) in image {
            var refused = 0
            let step = max(1, bytes.count / 100)
            let lengths = Array(stride(from: 0, to: bytes.count, by: step))
            for length in lengths {
                var cut = image
                cut[name] = Array(bytes[..<length])
                if try Self.isRefused(cut, expected, in: state, "\(name) cut at \(length)") { refused += 1 }
            }
            // The part truncated before a checkpoint is in the log.
            if name.hasSuffix(".sqlite") && isClean || name.hasSuffix("-wal") {
                #expect(refused == lengths.count, "\(name): \(lengths.count - refused) cuts are accepted")
            }
            var missing = image
            missing[name] = nil
            let isRefused = try Self.isRefused(missing, expected, in: state, "\(name) is missing")
            // The head may be removed on purpose, to continue with the rest.
            #expect(isRefused != name.hasSuffix(".head"), "\(name) is missing")
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func `a bit turned over anywhere is found, or was of no account`(seed: UInt64)
        throws
    {
        var random = SeededRandom(seed: seed)
        for isClean in [true, false] {
            let image = try Self.image(isClean: isClean)
            let expected = try Self.history(image)
            let state = TemporaryState()
            for (name, bytes) in image.sorted(by: { $0.key < $1.key }) {
                var refused = 0
                for _ in 0..<400 {
                    let position = Int.random(in: 0..<bytes.count, using: &random)
                    let bit = Int.random(in: 0..<8, using: &random)
                    var turned = image
                    turned[name]![position] ^= 1 << UInt8(bit)
                    if try Self.isRefused(turned, expected, in: state, "seed \(seed): \(name) \(position).\(bit)") {
                        refused += 1
                    }
                }
                if name.hasSuffix(".sqlite") || name.hasSuffix("-wal") {
                    #expect(refused > 0, "seed \(seed): no turned bit in \(name) is noticed")
                }
            }
        }
    }

    @Test(arguments: [
        "UPDATE batch SET bytes = x'00' WHERE first = 5", "UPDATE batch SET count = 2 WHERE first = 5",
        "UPDATE batch SET time = time + 1 WHERE first = 5", "UPDATE batch SET epoch = 2 WHERE first = 5",
        "UPDATE batch SET hash = zeroblob(32) WHERE first = 5", "UPDATE batch SET hash = x'00' WHERE first = 5",
        "UPDATE batch SET count = -1 WHERE first = 5", "UPDATE batch SET epoch = -1 WHERE first = 5",
        "UPDATE batch SET first = 500 WHERE first = 5", "DELETE FROM batch WHERE first = 5",
        "DELETE FROM batch WHERE first >= 5", "DELETE FROM batch WHERE first <= 5", "DELETE FROM batch",
        "DELETE FROM batch WHERE first = 12", "DELETE FROM journal", "DROP TABLE batch",
        "UPDATE journal SET base = 5", "UPDATE journal SET base_hash = zeroblob(32)", "UPDATE journal SET epoch = 0",
        "UPDATE journal SET id = zeroblob(16), base_hash = zeroblob(32)",
        "UPDATE journal SET base = 12, base_hash = zeroblob(32)",
        """
        UPDATE batch SET bytes = (SELECT bytes FROM batch WHERE first = 6), \
        hash = (SELECT hash FROM batch WHERE first = 6) WHERE first = 5
        """,
        "INSERT INTO batch VALUES (13, 1, 2, 0, x'00', zeroblob(32))",
    ]) func `what somebody changed with SQL is refused, by name`(change: String) throws {
        let state = TemporaryState()
        try Self.write(Self.image(isClean: true), to: state)
        let database = try Database(state.files.database, .writer, busyMilliseconds: 1_000)
        try database.execute(change)
        let error = try #require(throws: JournalError.self) { try batches(state.files) }
        guard case .damaged(let damage) = error else {
            Issue.record("\(error)")
            return
        }
        #expect((1...13).contains(damage.sequence))
        #expect(damage.file == state.files.database)
        #expect(damage.command == "usher journal verify --state \(state.path) --shard 0")
        #expect("\(damage)".hasSuffix("; \(damage.command) tells more"))
    }

    @Test func `a refused journal stays as it was found`() throws {
        var image = try Self.image(isClean: false)
        image["shard-0.sqlite-wal"]![5_000] ^= 1
        let state = TemporaryState()
        try Self.write(image, to: state)
        for _ in 0..<2 {
            #expect(throws: JournalError.self) { try TestOwner(state.files).journal.begin() }
            for name in ["shard-0.sqlite", "shard-0.sqlite-wal", "shard-0.head"] {
                // The head was made to count.
                let length = name.hasSuffix(".head") ? JournalHead.homeOffset : image[name]!.count
                let bytes = try Data(contentsOf: URL(filePath: "\(state.files.directory)/\(name)"))
                #expect(bytes.prefix(length) == Data(image[name]!.prefix(length)), "\(name)")
            }
        }
    }

    @Test func `an old copy of a journal is refused`() throws {
        let state = TemporaryState()
        try TestOwner.write(state.files, batches: 4)
        let old = try Data(contentsOf: URL(filePath: state.files.database))
        try TestOwner.write(state.files, batches: 1)
        try old.write(to: URL(filePath: state.files.database))
        let error = try #require(throws: JournalError.self) { try batches(state.files) }
        #expect("\(error)".contains("it ends at fact 4, but was durable up to fact 5"))
    }

    @Test(arguments: [0, 9, 20, 40, 70, 80, 84, 90, 115]) func `a damaged snapshot is refused`(position: Int) throws {
        let state = TemporaryState()
        let owner = try TestOwner(state.files)
        try owner.journal.begin()
        try owner.append([1])
        try owner.journal.write(JournalSnapshot(sequence: 1, time: Timestamp(seconds: 5), bytes: [1, 2, 3, 4]))
        var bytes = try Data(contentsOf: URL(filePath: state.files.snapshot))
        bytes[position] ^= 16
        try bytes.write(to: URL(filePath: state.files.snapshot))
        let error = try #require(throws: JournalError.self) { try owner.journal.newestSnapshot() }
        #expect("\(error)".contains(state.files.snapshot))
    }
}
