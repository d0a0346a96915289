public import Booking
import Cryptography

/// The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): who sends a change again with the same key
/// hears the first answer, and nothing is done twice.
///
/// Taken: 1 to 255 visible characters of ASCII (0x21 to 0x7E), compared as sent; quotes, where a client sends them as the
/// draft does, are part of the key. Everything else is refused. A key is its user's own: two users may send the same.
public enum IdempotencyKey {
    public static let bytesMax = 255

    /// The operation of `user` that the header's value names.
    public static func operation(_ header: ByteView, of user: UserID) throws(Problem) -> OperationID {
        guard (1...Self.bytesMax).contains(header.count), header.bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem.idempotencyKeyInvalid
        }
        return Self.hash(header.bytes, user)
    }

    /// The user's number, by which a shard counts the keys of each, and SHA-256 over that (8 bytes, little-endian) and the key,
    /// cut to its first 8 bytes: two of one user's thousand keys never meet by chance, and nobody else's can.
    private static func hash(_ key: UnsafeRawBufferPointer, _ user: UserID) -> OperationID {
        var hash = SHA256()
        withUnsafeBytes(of: user.rawValue.littleEndian) { hash.update($0) }
        hash.update(key)
        return hash.finalize().withUnsafeBytes { digest in
            OperationID(high: user.rawValue, low: UInt64(littleEndian: digest.loadUnaligned(as: UInt64.self)))
        }
    }
}
