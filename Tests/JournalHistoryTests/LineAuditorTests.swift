import Booking
import Foundation
import Journal
import JournalSQLite
import Testing
import Wire

@testable import Configuration
@testable import JournalHistory

/// The audit of one line, from a journal that its owner has open, and from an export of it.
@Suite struct LineAuditorTests {
    private let state = StateDirectory(path: "/tmp/usher-a\(UInt32.random(in: 0 ... .max))")
    private static let start = Timestamp(seconds: 1_800_000_000)
    private static let concert = ConcertID(1)
    private static let origin = JournalOrigin(shard: 0, shardCount: 1, slotMapVersion: 1)
    private var files: JournalFiles { JournalFiles(state: self.state.path, shard: 0) }

    private static func joined(_ place: UInt64) -> Fact {
        .joined(Self.concert, UserID(place + 100), Place(place), at: Self.start + .seconds(Int64(place)))
    }

    private static func admitted(_ place: UInt64) -> Fact {
        .admitted(Self.concert, Place(place), at: Self.start + .seconds(60))
    }

    /// 20 people join and 15 are let in, a batch for two facts.
    private static let orderly = (1...20).map { Self.joined($0) } + (1...15).map { Self.admitted($0) }

    /// A journal of these facts, whose owner stays until `body` is done.
    private func withJournal<Result>(_ facts: [Fact], _ body: () throws -> Result) throws -> Result {
        defer { try? FileManager.default.removeItem(atPath: self.state.path) }
        try FileManager.default.createDirectory(atPath: self.state.path, withIntermediateDirectories: true)
        let woken = DispatchSemaphore(value: 0)
        let journal = try SQLiteJournal(self.files, origin: Self.origin, policy: .commit) { woken.signal() }
        try journal.begin()
        for start in stride(from: 0, to: facts.count, by: 2) {
            let part = facts[start..<min(start + 2, facts.count)]
            var bytes = FrameBytes()
            for fact in part { fact.encode(into: &bytes) }
            let batch = JournalBatch(
                firstSequence: journal.nextSequence,
                count: UInt32(part.count),
                time: part.last!.at,
                bytes: bytes.array
            )
            var result: Swift.Result<Void, JournalError>?
            journal.append(batch) { result = $0 }
            while result == nil {
                journal.drain()
                if result == nil { woken.wait() }
            }
            try result?.get()
        }
        let result = try body()
        try journal.close()
        return result
    }

    private func audit(_ form: LineAuditor.Form = .text, concert: UInt64 = 1, published: String? = nil) throws
        -> [String]
    {
        var lines: [String] = []
        try LineAuditor.run(self.state, concert: concert, form: form, published: published) { lines.append($0) }
        return lines
    }

    private func audit(export: [String], published: String? = nil) throws -> [String] {
        let path = "\(self.state.path)/export.jsonl"
        try export.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
        var lines: [String] = []
        try LineAuditor.run(export: path, concert: 1, form: .text, published: published) { lines.append($0) }
        return lines
    }

    private func export() throws -> [String] {
        var text = ""
        try JournalCommand.export(self.state, shard: 0) { text += $0 }
        return text.split(separator: "\n").map(String.init)
    }

    private func compact(keepsFacts: Bool) throws {
        let archive = try SQLiteArchive(self.files)
        _ = try Compaction.run(archive, keepsFacts: keepsFacts) {
            Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: .original(), hashSeed: 7)
        }
    }

    @Test func `who joined and who was let in is told while the shard has the journal open`() throws {
        try self.withJournal(Self.orderly) {
            let lines = try self.audit()
            #expect(lines.count == 36)
            #expect(lines[0] == "2027-01-15T08:00:01.000000000Z  fact 1  place 1  joined  user 101")
            #expect(lines[20] == "2027-01-15T08:01:00.000000000Z  fact 21  place 1  admitted  user 101  after 59000 ms")
            let hash = try JournalVerifier(self.files).verify().end.hash
            #expect(
                lines[35] == """
                    concert    1, in the journal of shard 0 of 1, slot map version 1
                    facts      1 to 35, every link of the chain checked
                    joined     20, places 1 to 20
                    admitted   15
                    gone       0 left or lapsed while they waited
                    waiting    5
                    order      kept: places were given in order, and nobody was let in past a waiting person
                    hash       \(hash) after fact 35
                    """
            )
            #expect(try self.audit(.summary) == [lines[35]])
            let json = try self.audit(.json).map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            #expect(json.count == 36 && json[20]["what"] as? String == "admitted" && json[20]["user"] as? Int == 101)
            #expect(json[35]["orderIsKept"] as? Bool == true && json[35]["hash"] as? String == "\(hash)")
            #expect(try self.audit(.summary, concert: 2)[0].contains("joined     0"))
        }
    }

    @Test func `an audit after compactions is the same, but for what was not kept`() throws {
        try self.withJournal(Self.orderly) {
            let before = try self.audit()
            let exported = try self.export()
            try self.compact(keepsFacts: true)
            #expect(try SQLiteArchive(self.files).base.sequence == 35)
            #expect(try self.audit() == before)
            #expect(try self.export() == exported)
            #expect(try JournalCommand.verify(self.state, shard: 0).contains("archive    has those up to 35"))
            #expect(try JournalCommand.stat(self.state, shard: 0).contains("archive    facts 1 to 35, for audits"))
        }
        try self.withJournal(Self.orderly) {
            try self.compact(keepsFacts: false)
            let after = try self.audit()
            #expect(after.count == 1 && after[0].contains("facts      none"))
            #expect(after[0].contains("order      nothing to check: no fact is about concert 1"))
            #expect(after[0].contains("unknown    what happened before fact 36, which is not kept"))
        }
    }

    @Test func `what an audit is worth is told apart: the whole line, a part of it, nothing`() throws {
        func verdict(_ concert: UInt64 = 1) throws -> LineAuditor.Verdict {
            try LineAuditor.run(self.state, concert: concert, form: .summary, published: nil) { _ in }
        }
        try self.withJournal(Self.orderly) {
            #expect(try verdict() == .kept)
            #expect(try verdict(99) == .nothing)
            let archive = try SQLiteArchive(self.files)
            _ = try archive.newestSnapshot()
            try archive.write(JournalSnapshot(sequence: 10, time: Self.start, bytes: [1]))
            try archive.dropCovered(keeping: false)
            #expect(try verdict() == .keptInPart)
            #expect(try self.audit(.summary)[0].contains("order      kept from fact 11 on, and unknown before: places"))
        }
    }

    @Test func `an order that was broken is named, and ends in an error`() throws {
        let facts = Self.orderly + [Self.admitted(17), Self.admitted(16)]
        try self.withJournal(facts) {
            let error = try #require(throws: StartError.self) { try self.audit() }
            #expect("\(error)".contains("fact 36: place 17 was let in while place 16 still waited before it"))
            let export = try self.export()
            let again = try #require(throws: StartError.self) { try self.audit(export: export) }
            #expect("\(again)" == "\(error)")
        }
    }

    @Test func `anyone can check an export, and a published hash`() throws {
        try self.withJournal(Self.orderly) {
            let export = try self.export()
            #expect(try self.audit(export: export) == self.audit())
            // A hash that was published at fact 20.
            let batch = try #require(export.first { $0.hasPrefix(#"{"batch":19,"#) })
            let hash = String(batch.suffix(66).prefix(64))
            #expect(try self.audit(export: export, published: hash).last?.contains("is that after fact 20") == true)
            #expect(try self.audit(.summary, published: hash.uppercased())[0].contains("is that after fact 20"))
            let other = String(repeating: "0", count: 64)
            #expect(throws: StartError.self) { try self.audit(export: export, published: other) }
            #expect(throws: StartError.self) { try self.audit(.summary, published: "abc") }
        }
    }

    @Test func `an export that was altered anywhere is refused, and says in which line`() throws {
        try self.withJournal(Self.orderly) {
            let export = try self.export()
            for index in export.indices {
                var altered = export
                let digit = try #require(altered[index].lastIndex { $0.isNumber })
                altered[index].replaceSubrange(digit...digit, with: altered[index][digit] == "1" ? "2" : "1")
                // The last character of the hash of all, or of the beginning, is found by the next batch.
                let error = try #require(throws: StartError.self) { try self.audit(export: altered) }
                #expect(
                    "\(error)".contains("line \(index + 1) ") || "\(error)".contains("line \(index + 2) "),
                    "\(error)"
                )
                altered = export
                altered.remove(at: index)
                #expect(throws: StartError.self, "without line \(index + 1)") { try self.audit(export: altered) }
            }
            #expect(throws: StartError.self) { try self.audit(export: []) }
            #expect(throws: StartError.self) { try self.audit(export: export + [export[1]]) }
            var other = export
            other[0] = other[0].replacing("shard 0 of 1", with: "shard 1 of 2")
            let error = try #require(throws: StartError.self) { try self.audit(export: other) }
            #expect("\(error)".contains("concert 1 is in the journal of shard 0, and this export is of shard 1"))
        }
    }

    @Test func `an export that stops after any of its lines was cut off, and one of the first form has no last line`()
        throws
    {
        try self.withJournal(Self.orderly) {
            let export = try self.export()
            for count in 1..<export.count {
                let error = try #require(throws: StartError.self) { try self.audit(export: Array(export[..<count])) }
                #expect(error.problem.contains("line "), "\(error)")
            }
            var first = Array(export.dropLast())
            first[0] = first[0].replacing(#""form":2,"#, with: "")
            #expect(try self.audit(export: first) == self.audit())
            first[0] = first[0].replacing(#""after""#, with: #""form":3,"after""#)
            let error = try #require(throws: StartError.self) { try self.audit(export: first) }
            #expect(error.problem.contains("line 1 is of form 3, which needs a newer usher"), "\(error)")
        }
    }

    @Test func `a time in words is read back`() {
        for nanoseconds in [0, 1, 1_800_000_000_123_456_789, -1, -1_000_000_001] as [Int64] {
            let time = Timestamp(nanoseconds: nanoseconds)
            #expect(Timestamp(words: time.words) == time)
        }
        for text in ["", "2027-01-15 08:00:00.000000001Z", "2027-01-15T08:00:00Z", "2027-13-15T08:00:00.000000001Z"] {
            #expect(Timestamp(words: text) == nil)
        }
    }
}
