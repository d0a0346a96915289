import Booking
import Configuration
import FoundationEssentials
import Glibc
import Journal
import JournalSQLite
import Wire

/// The lines of `usher journal export`, read back without the journal: every link of the chain is recomputed from the
/// lines, and every fact in words must agree with the batch's bytes.
///
///     {"journal":"shard 0 of 2, slot map version 1","form":2,"after":0,"hash":"..."}  the point before the first batch
///     {"batch":1,"count":2,"epoch":1,"at":"...","bytes":"...","hash":"..."}          a batch, then its facts, a line each
///     {"fact":1,"at":"...","what":"joined",...}
///     {"fact":2,"at":"...","what":"admitted",...}
///     {"end":2,"hash":"..."}                                                         the last line
///
/// An export without its last line was truncated, and is refused. Those of form 1 (no `form`) had none.
struct ExportedJournal {
    private struct Head: Decodable {
        let journal: String
        let form: Int?
        let after: UInt64
        let hash: String
    }

    private struct End: Decodable {
        let end: UInt64
        let hash: String
    }

    private struct Batch: Decodable {
        let batch: UInt64
        let count: UInt32
        let epoch: UInt64
        let at: String
        let bytes: String
        let hash: String
    }

    private let path: String
    private let file: UnsafeMutablePointer<FILE>
    private var lineNumber: UInt64 = 0

    /// `-` is the standard input.
    init(_ path: String) throws(StartError) {
        self.path = path
        guard let file = fopen(path == "-" ? "/dev/stdin" : path, "re") else {
            throw StartError("\(path) can't be opened: \(String(cString: strerror(errno)))", remedy: "name an export")
        }
        self.file = file
    }

    /// Reads the export to its end and closes it; calls `begin` with the journal's origin and the point before the
    /// first batch, then `body` for each batch. Throws at the first wrong line. Returns the end.
    consuming func forEachRecord(
        _ begin: (String, ChainPoint) throws(StartError) -> Void,
        _ body: (JournalRecord) throws(StartError) -> Void
    ) throws(StartError) -> ChainPoint {
        defer { fclose(self.file) }
        guard let first = self.line(), let head: Head = Self.decoded(first),
            let hash = ChainHash(hexadecimal: head.hash)
        else { throw self.refusal("is not the first line of an export") }
        let form = head.form ?? 1
        guard (1...2).contains(form) else { throw self.refusal("is of form \(form), which needs a newer usher") }
        var point = ChainPoint(sequence: head.after, hash: hash)
        try begin(head.journal, point)
        while let line = self.line() {
            if form > 1, let end: End = Self.decoded(line) {
                try self.checkEnd(end, at: point)
                return point
            }
            let record = try self.record(line, after: point)
            try self.checkWords(of: record)
            point = ChainPoint(sequence: record.batch.nextSequence - 1, hash: record.hash)
            try body(record)
        }
        guard form == 1 else { throw self.refusal("is the last one, but does not end the export: it was cut off") }
        return point
    }

    private mutating func checkEnd(_ end: End, at point: ChainPoint) throws(StartError) {
        guard end.end == point.sequence, end.hash == "\(point.hash)" else {
            throw self.refusal("says that the export ends at fact \(end.end), but the facts before it end elsewhere")
        }
        guard self.line() == nil else { throw self.refusal("comes after the last one") }
    }

    private mutating func record(_ line: String, after point: ChainPoint) throws(StartError) -> JournalRecord {
        guard let said: Batch = Self.decoded(line), let time = Timestamp(words: said.at), said.count >= 1,
            let bytes = [UInt8](hexadecimal: said.bytes)
        else { throw self.refusal("should be a batch, but can't be read as one") }
        guard point.sequence < UInt64(Int64.max) else { throw self.refusal("comes after more facts than there can be") }
        guard said.batch == point.sequence + 1 else {
            throw self.refusal("is a batch from fact \(said.batch) on, but fact \(point.sequence + 1) should be next")
        }
        let batch = JournalBatch(firstSequence: said.batch, count: said.count, time: time, bytes: bytes)
        let hash = point.hash.next(batch, epoch: said.epoch)
        guard said.hash == "\(hash)" else {
            throw self.refusal(
                "is the batch with fact \(said.batch), whose hash does not match its content and the batch before"
            )
        }
        return JournalRecord(batch: batch, epoch: said.epoch, hash: hash)
    }

    private mutating func checkWords(of record: JournalRecord) throws(StartError) {
        var words: [String] = []
        do throws(JournalError) {
            try JournalVerifier.forEachFact(of: record.batch) { words.append($1.line(sequence: $0)) }
        } catch {
            throw self.refusal("is a batch that can't be read: \(error)")
        }
        for expected in words {
            guard self.line() == expected else { throw self.refusal("is not what its batch says: \(expected)") }
        }
    }

    /// Without its newline; nil at the end of the file.
    private mutating func line() -> String? {
        var start: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(start) }
        let count = getline(&start, &capacity, self.file)
        guard count > 0, let start else { return nil }
        self.lineNumber += 1
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        return String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    private static func decoded<Value: Decodable>(_ line: String) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(line.utf8))
    }

    private func refusal(_ reason: String) -> StartError {
        StartError(
            "\(self.path == "-" ? "the export" : self.path): line \(self.lineNumber) \(reason)",
            remedy: "it was altered or cut: get the export again, and compare its hash with the one that was published"
        )
    }
}

extension ChainHash {
    /// From 64 hexadecimal digits.
    init?(hexadecimal text: String) {
        guard let bytes = [UInt8](hexadecimal: text), let hash = ChainHash(bytes) else { return nil }
        self = hash
    }
}

extension [UInt8] {
    /// Two digits a byte, of either case.
    init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self.init()
        self.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.digit(digits[index]), let low = Self.digit(digits[index + 1]) else { return nil }
            self.append(high << 4 | low)
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Timestamp {
    /// Parses the text of `words`: `yyyy-MM-ddTHH:mm:ss.nnnnnnnnnZ`.
    init?(words text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 30, bytes[10] == UInt8(ascii: "T"), bytes[19] == UInt8(ascii: "."),
            bytes[29] == UInt8(ascii: "Z"), bytes[20..<29].allSatisfy({ (0x30...0x39).contains($0) }),
            let time = LocalTime(String(decoding: bytes[..<10] + [0x20] + bytes[11..<19], as: UTF8.self)),
            let fraction = Int64(String(decoding: bytes[20..<29], as: UTF8.self)),
            let nanoseconds = Int64(exactly: Int128(time.secondsAsIfGreenwich) * 1_000_000_000 + Int128(fraction))
        else { return nil }
        self.init(nanoseconds: nanoseconds)
    }
}
