import Booking
import Cryptography
public import Journal

/// Identifies a journal up to a batch: SHA-256 over the hash before and the whole batch. Two journals with the same
/// hash at a fact have the same facts up to it, so one published hash lets anybody verify an exported journal.
///
///     hash of batch = SHA-256(hash before · first u64 · count u32 · epoch u64 · time i64 · length u64 · bytes)
///     hash before the first = SHA-256("usher journal" · 16 random bytes of the journal)         numbers little-endian
public struct ChainHash: Equatable, Sendable, CustomStringConvertible {
    public static let byteCount = 32

    private let words: SIMD4<UInt64>

    private init(_ digest: SHA256.Digest) {
        self.words = digest.withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
    }

    /// Nil unless there are 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.words = Array(bytes).withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
    }

    /// The hash before a journal's first batch.
    init(journal id: [UInt8]) {
        var hash = SHA256()
        hash.update(Array("usher journal".utf8))
        hash.update(id)
        self.init(hash.finalize())
    }

    /// The hash after a batch of the owner with `epoch`.
    public func next(_ batch: JournalBatch, epoch: UInt64) -> ChainHash {
        var hash = SHA256()
        withUnsafeBytes(of: self.words) { hash.update($0) }
        Self.update(&hash, batch.firstSequence)
        Self.update(&hash, batch.count)
        Self.update(&hash, epoch)
        Self.update(&hash, batch.time.nanoseconds)
        Self.update(&hash, UInt64(batch.bytes.count))
        batch.bytes.withUnsafeBytes { hash.update($0) }
        return ChainHash(hash.finalize())
    }

    public var bytes: [UInt8] { withUnsafeBytes(of: self.words) { Array($0) } }

    /// 64 lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: self.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func update<Number: FixedWidthInteger>(_ hash: inout SHA256, _ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { hash.update($0) }
    }
}

/// The end of a journal, or the position of a snapshot: the last fact, and the hash of everything up to it.
public struct ChainPoint: Equatable, Sendable {
    /// 0 before the first fact.
    public let sequence: UInt64
    public let hash: ChainHash

    public init(sequence: UInt64, hash: ChainHash) {
        self.sequence = sequence
        self.hash = hash
    }
}
