import Booking
import Journal
import JournalSQLite
import Wire

@testable import Configuration
@testable import JournalHistory

/// Exported journals, read without any other source. A chain of batches is exported and read back unchanged; with a
/// byte changed it is refused, or still means the same; and any line can be audited.
///
///     '{' ...                                                             the text of an export, as it is
///     │ at u16 │ change u8 │ batches: count u8 · epoch u8 · time i64 · length u8 · facts ... │
enum ExportTarget {
    private static let file = MemoryFile()
    private static let origin = "shard 0 of 1, slot map version 1"
    private static let base = ChainPoint(sequence: 0, hash: ChainHash(Array(repeating: 7, count: ChainHash.byteCount))!)

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        guard let first = input.first, first != UInt8(ascii: "{") else {
            _ = self.read(input)
            return self.audit(.text)
        }
        guard let (records, place, change) = self.records(input) else { return }
        var text = self.text(of: records)
        let read = text.withUnsafeBytes { self.read($0) }
        guard let read, read.start == self.base, read.records == records else {
            throw BrokenProperty(
                "an export is read as another history: \(read?.records.count ?? -1) of \(records.count)"
            )
        }
        self.audit([.text, .json, .summary][place % 3])

        guard change != 0, !records.isEmpty else { return }
        text[place % text.count] ^= change
        guard let altered = text.withUnsafeBytes({ self.read($0) }) else { return }
        try require(
            altered.records == records && altered.start == self.base,
            "an export was altered at byte \(place % text.count), and taken for another history"
        )
    }

    /// The records that the input describes, up to the first invalid one, which is never exported.
    private static func records(
        _ input: UnsafeRawBufferPointer
    ) -> (records: [JournalRecord], place: Int, change: UInt8)? {
        var reader = FrameReader(input)
        guard let place = try? reader.readUInt16(), let change = try? reader.readUInt8() else { return nil }
        var records: [JournalRecord] = []
        var point = self.base
        while let record = self.record(&reader, after: point) {
            records.append(record)
            point = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
        }
        return (records, Int(place), change)
    }

    private static func record(_ reader: inout FrameReader, after point: ChainPoint) -> JournalRecord? {
        guard let count = try? reader.readUInt8(), count > 0, let epoch = try? reader.readUInt8(),
            let time = try? reader.readInt64(), let length = try? reader.readUInt8(),
            let bytes = try? reader.readBytes(min(Int(length), reader.remaining))
        else { return nil }
        let batch = JournalBatch(
            firstSequence: point.sequence + 1,
            count: UInt32(count),
            time: Timestamp(nanoseconds: time),
            bytes: Array(bytes)
        )
        guard (try? JournalVerifier.forEachFact(of: batch, { _, _ in })) != nil else { return nil }
        let hash = point.hash.next(batch, epoch: UInt64(epoch))
        return JournalRecord(batch: batch, epoch: UInt64(epoch), hash: hash)
    }

    private static func text(of records: [JournalRecord]) -> [UInt8] {
        var lines = [JournalVerifier.firstLine(self.origin, self.base)]
        for record in records {
            do throws(JournalError) { try JournalVerifier.forEachLine(of: record) { lines.append($0) } } catch {
                preconditionFailure("facts that were read before can't be read: \(error)")
            }
        }
        let end = records.last.map { ChainPoint(sequence: $0.batch.nextSequence - 1, hash: $0.hash) }
        lines.append(JournalVerifier.lastLine(end ?? self.base))
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Nil when it is refused.
    private static func read(_ text: UnsafeRawBufferPointer) -> (start: ChainPoint, records: [JournalRecord])? {
        self.file.replace(with: text)
        var start: ChainPoint?
        var records: [JournalRecord] = []
        do throws(StartError) {
            _ = try ExportedJournal(self.file.path).forEachRecord({ start = $1 }) { records.append($0) }
        } catch { return nil }
        return start.map { ($0, records) }
    }

    /// The audit of the file terminates, whatever it reports or refuses.
    private static func audit(_ form: LineAuditor.Form) {
        _ = try? LineAuditor.run(export: self.file.path, concert: 1, form: form, published: nil) { _ in }
    }
}
