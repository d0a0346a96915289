import Booking
import Cryptography
import Glibc
import Journal

/// The newest snapshot of a journal, in a file of its own: written under another name, made durable, then renamed, so
/// that a crash leaves the old one or the new one. A file and not a row, so that a large snapshot never delays a
/// commit.
///
///     │ "USHRKEPT" │ version u16 │ journal's id 16 │ sequence u64 │ hash 32 │ time i64 │ count u64 │ bytes │ SHA-256 │
///
/// Numbers are little-endian; the SHA-256 is over everything before it, `hash` is the chain's at `sequence`.
enum SnapshotFile {
    private static let magic = Array("USHRKEPT".utf8)
    private static let version: UInt16 = 1
    private static let headerBytes = 82
    private static let pieceBytes = 128 * 1_024

    struct Content {
        let point: ChainPoint
        let snapshot: JournalSnapshot
    }

    static func write(_ snapshot: JournalSnapshot, hash: ChainHash, journal id: [UInt8], _ files: JournalFiles)
        throws(JournalError)
    {
        var header = self.magic
        self.append(self.version, to: &header)
        header += id
        self.append(snapshot.sequence, to: &header)
        header += hash.bytes
        self.append(snapshot.time.nanoseconds, to: &header)
        self.append(UInt64(snapshot.bytes.count), to: &header)
        precondition(header.count == self.headerBytes, "a snapshot's header is \(header.count) bytes")
        var sum = SHA256()
        sum.update(header)
        snapshot.bytes.withUnsafeBytes { sum.update($0) }
        let digest = Array(sum.finalize())

        let draft = "\(files.snapshot).new"
        let descriptor = try PlainFile.open(draft, O_WRONLY | O_CREAT | O_TRUNC)
        do throws(JournalError) {
            defer { close(descriptor) }
            try PlainFile.write(header[...], to: descriptor, draft)
            // In pieces, each synced: one large sync would keep the disk from the owner's commits for its whole length.
            var unwritten = snapshot.bytes[...]
            while !unwritten.isEmpty {
                let begun = NativeThread.monotonicNanoseconds
                try PlainFile.write(unwritten.prefix(self.pieceBytes), to: descriptor, draft)
                try PlainFile.sync(descriptor, draft)
                unwritten = unwritten.dropFirst(self.pieceBytes)
                NativeThread.rest(after: NativeThread.monotonicNanoseconds - begun)
            }
            try PlainFile.write(digest[...], to: descriptor, draft)
            try PlainFile.sync(descriptor, draft)
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, files.snapshot) == 0 else { throw PlainFile.failure(files.snapshot, "rename") }
        try PlainFile.syncDirectory(of: files.snapshot)
    }

    /// Nil when there is none yet. Refuses one that is damaged, of a newer version, or another journal's.
    static func read(journal id: [UInt8], _ files: JournalFiles) throws(JournalError) -> Content? {
        guard let bytes = try PlainFile.read(files.snapshot) else { return nil }
        func damaged(_ reason: String) -> JournalError { files.damage(files.snapshot, at: 1, reason) }
        guard bytes.count >= self.headerBytes + ChainHash.byteCount else { throw damaged("it is truncated") }
        guard bytes.starts(with: self.magic) else { throw damaged("it is not a snapshot") }
        let end = bytes.count - ChainHash.byteCount
        let sum = bytes.withUnsafeBytes { bytes in
            var sum = SHA256()
            sum.update(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            return Array(sum.finalize())
        }
        guard sum == Array(bytes[end...]) else { throw damaged("it was altered or truncated: its checksum is wrong") }
        let version: UInt16 = self.number(bytes, at: 8)
        guard version == self.version else {
            throw .newer(file: files.snapshot, version: Int(version), newest: Int(self.version))
        }
        guard Array(bytes[10..<26]) == id else {
            throw .foreign(file: files.snapshot, reason: "is the snapshot of another journal than \(files.database)")
        }
        guard self.number(bytes, at: 74) == UInt64(end - self.headerBytes) else { throw damaged("its length is wrong") }
        let sequence: UInt64 = self.number(bytes, at: 26)
        return Content(
            point: ChainPoint(sequence: sequence, hash: ChainHash(bytes[34..<66])!),
            snapshot: JournalSnapshot(
                sequence: sequence,
                time: Timestamp(nanoseconds: self.number(bytes, at: 66)),
                bytes: Array(bytes[self.headerBytes..<end])
            )
        )
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(_ bytes: [UInt8], at offset: Int) -> Number
    {
        bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
    }
}
