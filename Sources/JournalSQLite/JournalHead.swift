import CSQLite
import Cryptography
import Glibc
import Journal

/// How far a journal is known to be durable, in a file beside it. SQLite silently drops the end of a log that was
/// truncated or altered, as after a crash; and an old copy of a journal looks like a good journal. This file reveals
/// both.
///
///     byte 0    │ "USHRHEAD" │ sequence u64 │ hash 32 │ SHA-256 of the 48 bytes before │
///     byte 512  │ the same, one write older or newer │
///     byte 1024 │ "USHRHOME" │ inode u64 │ born seconds u64 │ nanoseconds u64 │ SHA-256 of the 32 bytes before │
///
/// **Copies.** In a copy of a running cluster the head may be newer than the rest, so it proves nothing. A head
/// therefore names the file that it was written into: after copying or restoring, it is in another file, and is
/// ignored. It becomes the copy's own with the first durable batch there; until then each start reports the copy. Heads
/// of earlier versions do not name their file, and always count.
///
/// Written after each durable commit, in place and without a sync of its own: 1 µs. It survives the death of the
/// process; a power failure may restore an older one, which is harmless: a head means "at least". Each write replaces
/// the older slot, in a disk sector of its own, so one torn write leaves the other.
final class JournalHead {
    private static let magic = Array("USHRHEAD".utf8)
    private static let slotOffsets = [0, 512]
    private static let homeMagic = Array("USHRHOME".utf8)
    static let homeOffset = 1_024
    private static let checkedBytes = 48
    private static let slotBytes = checkedBytes + ChainHash.byteCount

    private let path: String
    private let descriptor: Int32
    private var slot = 0
    private var isHome = false

    /// The content of a head.
    struct Reading {
        let point: ChainPoint
        /// Written into this very file: the journal must reach its point.
        let isOriginal: Bool
    }

    /// Opens or makes the file, and writes `point` to both slots, durably. `isCopy` for a copied journal to which
    /// nothing was written yet.
    init(_ files: JournalFiles, _ point: ChainPoint, isCopy: Bool) throws(JournalError) {
        self.path = files.head
        self.descriptor = try PlainFile.open(files.head, O_RDWR | O_CREAT)
        for _ in Self.slotOffsets { try self.write(point) }
        if !isCopy { try self.makeHome() }
        try PlainFile.sync(self.descriptor, self.path)
        try PlainFile.syncDirectory(of: self.path)
    }

    deinit { close(self.descriptor) }

    /// Everything up to `point` is durable.
    func write(_ point: ChainPoint) throws(JournalError) {
        var bytes = Self.magic
        withUnsafeBytes(of: point.sequence.littleEndian) { bytes.append(contentsOf: $0) }
        bytes += point.hash.bytes
        bytes += SHA256.hash(bytes)
        let count = pwrite(self.descriptor, bytes, bytes.count, off_t(Self.slotOffsets[self.slot]))
        guard count == bytes.count else { throw PlainFile.failure(self.path, "pwrite", count < 0 ? errno : ENOSPC) }
        self.slot = (self.slot + 1) % Self.slotOffsets.count
    }

    /// Records the file's own identity in it. If a power failure undoes this, the next start repeats it.
    func makeHome() throws(JournalError) {
        guard !self.isHome else { return }
        let bytes = try Self.home(self.path)
        let count = pwrite(self.descriptor, bytes, bytes.count, off_t(Self.homeOffset))
        guard count == bytes.count else { throw PlainFile.failure(self.path, "pwrite", count < 0 ? errno : ENOSPC) }
        self.isHome = true
    }

    static func home(_ path: String) throws(JournalError) -> [UInt8] {
        var identity: [UInt64] = [0, 0, 0]
        guard usher_file_identity(path, &identity) == 0 else { throw PlainFile.failure(path, "statx") }
        var bytes = self.homeMagic
        for number in identity { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes + SHA256.hash(bytes)
    }

    /// False for a head that names another file. A head without a readable name counts, as otherwise damaging it would
    /// disable the check.
    private static func isOriginal(_ bytes: [UInt8], _ path: String) throws(JournalError) -> Bool {
        let own = try self.home(path)
        guard bytes.count >= self.homeOffset + own.count else { return true }
        let named = bytes[self.homeOffset..<self.homeOffset + own.count]
        let checked = named.dropLast(ChainHash.byteCount)
        guard named.starts(with: self.homeMagic),
            Array(SHA256.hash(Array(checked))) == named.suffix(ChainHash.byteCount)
        else { return true }
        return Array(named) == own
    }

    /// Whether the files are a copy, by the head.
    static func isCopy(_ files: JournalFiles) -> Bool {
        guard let reading = try? self.read(files) else { return false }
        return !reading.isOriginal
    }

    /// The file's content; nil when it does not exist. Refused when neither slot is intact.
    static func read(_ files: JournalFiles) throws(JournalError) -> Reading? {
        guard let bytes = try PlainFile.read(files.head) else { return nil }
        var newest: ChainPoint?
        for offset in self.slotOffsets where bytes.count >= offset + self.slotBytes {
            guard let point = self.point(Array(bytes[offset..<offset + self.slotBytes])) else { continue }
            if point.sequence >= newest?.sequence ?? 0 { newest = point }
        }
        guard let newest else {
            throw files.damage(
                files.head,
                at: 1,
                "nothing in it can be read; without this file, the journal's own end counts as the end of history"
            )
        }
        return Reading(point: newest, isOriginal: try self.isOriginal(bytes, files.head))
    }

    private static func point(_ slot: [UInt8]) -> ChainPoint? {
        guard slot.starts(with: self.magic) else { return nil }
        guard Array(SHA256.hash(Array(slot[..<self.checkedBytes]))) == Array(slot[self.checkedBytes...]) else {
            return nil
        }
        let sequence = slot.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        return ChainHash(slot[16..<48]).map { ChainPoint(sequence: sequence, hash: $0) }
    }
}
