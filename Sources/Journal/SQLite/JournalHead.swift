import Crypto
import Glibc

/// How far a journal is known to be durable, in a file beside it. SQLite drops the end of a log that was cut off or
/// altered and says nothing, as after a crash; and an old copy of a journal is a good journal. This file gives both away.
///
///     byte 0    │ "USHRHEAD" │ sequence u64 │ hash 32 │ SHA-256 of the 48 bytes before │
///     byte 512  │ the same, one write older or newer │
///
/// Written after each durable commit, in place and without a sync of its own: 1 µs. A process's death keeps it; a loss of
/// power may bring back an older one, which is no harm: a head says "at least". Each write replaces the older slot, in a
/// disk sector of its own, so one torn write leaves the other.
final class JournalHead {
    private static let magic = Array("USHRHEAD".utf8)
    private static let slotOffsets = [0, 512]
    private static let checkedBytes = 48
    private static let slotBytes = checkedBytes + ChainHash.byteCount

    private let path: String
    private let descriptor: Int32
    private var slot = 0

    /// Opens the file, or makes one, and writes `point` to both slots, durably.
    init(_ files: JournalFiles, _ point: ChainPoint) throws(JournalError) {
        self.path = files.head
        self.descriptor = try PlainFile.open(files.head, O_RDWR | O_CREAT)
        for _ in Self.slotOffsets { try self.write(point) }
        try PlainFile.sync(self.descriptor, self.path)
        try PlainFile.syncDirectory(of: self.path)
    }

    deinit { close(self.descriptor) }

    /// Everything up to `point` is durable.
    func write(_ point: ChainPoint) throws(JournalError) {
        var bytes = Self.magic
        withUnsafeBytes(of: point.sequence.littleEndian) { bytes.append(contentsOf: $0) }
        bytes += point.hash.bytes
        bytes += SHA256.hash(data: bytes)
        let count = pwrite(self.descriptor, bytes, bytes.count, off_t(Self.slotOffsets[self.slot]))
        guard count == bytes.count else { throw PlainFile.failure(self.path, "pwrite", count < 0 ? errno : ENOSPC) }
        self.slot = (self.slot + 1) % Self.slotOffsets.count
    }

    /// What the file says; nil when there is none. Refused when neither slot is whole.
    static func read(_ files: JournalFiles) throws(JournalError) -> ChainPoint? {
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
                "nothing in it can be read; with the file gone, the journal's own end is taken for the end of history"
            )
        }
        return newest
    }

    private static func point(_ slot: [UInt8]) -> ChainPoint? {
        guard slot.starts(with: self.magic) else { return nil }
        guard Array(SHA256.hash(data: slot[..<self.checkedBytes])) == Array(slot[self.checkedBytes...]) else {
            return nil
        }
        let sequence = slot.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        return ChainHash(slot[16..<48]).map { ChainPoint(sequence: sequence, hash: $0) }
    }
}
