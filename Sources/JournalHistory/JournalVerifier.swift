import Booking
public import Journal
public import JournalSQLite
import Wire

/// Checks, measures and exports a journal for people. Reads only; the journal's owner may run meanwhile.
public struct JournalVerifier {
    public let archive: SQLiteArchive

    public init(_ files: JournalFiles) throws(JournalError) { self.archive = try SQLiteArchive(files) }

    /// The result of a verification without errors.
    public struct Findings: Equatable, Sendable, CustomStringConvertible {
        public let origin: JournalOrigin
        /// The sequence before the first fact that is kept, in the journal or its archive.
        public internal(set) var base: UInt64
        /// The facts after `base`, up to this one, are in the archive.
        public let archivedUpTo: UInt64
        public internal(set) var batches: UInt64 = 0
        public internal(set) var facts: UInt64 = 0
        public internal(set) var end: ChainPoint
        public internal(set) var epoch: UInt64 = 0
        public internal(set) var snapshotSequence: UInt64?
        public internal(set) var snapshotItems: UInt64 = 0
        public internal(set) var hasHead = true
        public internal(set) var isCopy = false

        public var description: String {
            var lines = [
                "journal    \(self.origin)",
                "facts      \(self.facts) in \(self.batches) batches, from \(self.base + 1) to \(self.end.sequence)",
                "archive    " + (self.base < self.archivedUpTo ? "has those up to \(self.archivedUpTo)" : "none"),
                "owners     the last batch is of epoch \(self.epoch)",
                "hash       \(self.end.hash)",
            ]
            if let sequence = self.snapshotSequence {
                lines.append("snapshot   up to fact \(sequence), \(self.snapshotItems) items")
            }
            if !self.hasHead { lines.append("head       is missing: the loss of the last facts would go unnoticed") }
            if self.isCopy { lines.append("copy       whole up to that fact; nothing was appended to it yet") }
            return lines.joined(separator: "\n")
        }
    }

    /// Checks the chain from the first fact kept, in the archive if there is one, to the end; that every fact can be
    /// read; and the snapshot. Throws the first fault and its place.
    public func verify() throws(JournalError) -> Findings {
        let base = self.archive.base
        var findings = Findings(
            origin: self.archive.origin,
            base: base.sequence,
            archivedUpTo: base.sequence,
            end: base
        )
        findings.hasHead = try self.archive.hasHead()
        findings.isCopy = self.archive.isCopy
        findings.end = try self.archive.forEachKeptRecord({ findings.base = $0.sequence }) {
            record throws(JournalError) in
            try Self.forEachFact(of: record.batch) { _, _ in findings.facts += 1 }
            findings.batches += 1
            findings.epoch = record.epoch
        }
        let snapshot = try self.archive.newestSnapshot()
        if let snapshot {
            findings.snapshotSequence = snapshot.sequence
            findings.snapshotItems = try Self.countItems(of: snapshot)
        }
        // A restart can begin: the snapshot is at the end of a batch, with the same hash, or all facts are there.
        if snapshot != nil || base.sequence > 0 {
            try self.archive.replay(after: snapshot?.sequence ?? 0) { _ in }
        }
        return findings
    }

    /// Calls `line` with each line of JSON: one a batch, with the input of its hash, then one a fact in it, in words.
    /// Checks the chain on the way, like `verify`.
    public func export(_ line: (String) -> Void) throws(JournalError) {
        var end: ChainPoint?
        func begin(_ start: ChainPoint) {
            line(Self.firstLine("\(self.archive.origin)", start))
            end = start
        }
        try self.archive.forEachKeptRecord(begin) { record throws(JournalError) in
            try Self.forEachLine(of: record, line)
            end = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
        }
        if let end { line(Self.lastLine(end)) }
    }

    /// The journal's origin, and the point before the first batch. `form` 2 has a last line.
    static func firstLine(_ origin: String, _ start: ChainPoint) -> String {
        "{\"journal\":\"\(origin)\",\"form\":2,\"after\":\(start.sequence),\"hash\":\"\(start.hash)\"}"
    }

    /// The end of the export: a truncated export, or one that met a damage, has no such line.
    static func lastLine(_ end: ChainPoint) -> String {
        "{\"end\":\(end.sequence),\"hash\":\"\(end.hash)\"}"
    }

    /// A batch, then its facts.
    static func forEachLine(of record: JournalRecord, _ line: (String) -> Void) throws(JournalError) {
        line(Self.batchLine(record))
        try Self.forEachFact(of: record.batch) { sequence, fact in line(fact.line(sequence: sequence)) }
    }

    private static func batchLine(_ record: JournalRecord) -> String {
        var json = OutputBytes()
        json.openObject()
        json.member("batch", record.batch.firstSequence)
        json.member("count", UInt64(record.batch.count))
        json.member("epoch", record.epoch)
        json.member("at", record.batch.time.words)
        json.member("bytes", record.batch.bytes.hexadecimal)
        json.member("hash", "\(record.hash)")
        json.closeObject()
        return json.view.text
    }

    static func forEachFact(of batch: JournalBatch, _ body: (UInt64, Fact) -> Void) throws(JournalError) {
        var sequence = batch.firstSequence
        let failure = batch.bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) {
                try Fact.forEach(in: bytes, count: Int(batch.count)) { fact throws(WireError) in
                    body(sequence, fact)
                    sequence += 1
                }
            } catch {
                return error
            }
            return nil
        }
        if let failure { throw .unusable(sequence: sequence, reason: failure.reason) }
    }

    private static func countItems(of snapshot: JournalSnapshot) throws(JournalError) -> UInt64 {
        var count: UInt64 = 0
        let failure = snapshot.bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) {
                try SnapshotBytes.forEachItem(in: bytes) { _ throws(WireError) in count += 1 }
            } catch {
                return error
            }
            return nil
        }
        if let failure { throw .unusable(sequence: snapshot.sequence, reason: "the snapshot: \(failure.reason)") }
        return count
    }
}

extension [UInt8] {
    /// Two lower-case digits a byte.
    fileprivate var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(self.count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
