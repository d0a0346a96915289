public import Booking
import Cryptography

/// The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a change that is repeated with the same
/// key gets the first answer, and nothing is done twice.
///
/// Accepted: 1 to 255 visible ASCII characters (0x21 to 0x7E), compared as sent; quotes, if a client sends them as in
/// the draft, are part of the key. Everything else is refused. Keys are per user: two users may send the same key.
public enum IdempotencyKey {
    public static let bytesMax = 255

    /// The operation of `user` with the key in the header's value.
    public static func operation(_ header: ByteView, of user: UserID) throws(Problem) -> OperationID {
        guard (1...Self.bytesMax).contains(header.count), header.bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem.idempotencyKeyInvalid
        }
        return Self.hash(header.bytes, user)
    }

    /// The user's number, by which a shard counts the keys of each user, and SHA-256 over that number (8 bytes,
    /// little-endian) and the key, cut to its first 8 bytes: one user's thousand keys do not collide by chance, and
    /// different users' can't.
    private static func hash(_ key: UnsafeRawBufferPointer, _ user: UserID) -> OperationID {
        var hash = SHA256()
        withUnsafeBytes(of: user.rawValue.littleEndian) { hash.update($0) }
        hash.update(key)
        return hash.finalize().withUnsafeBytes { digest in
            OperationID(high: user.rawValue, low: UInt64(littleEndian: digest.loadUnaligned(as: UInt64.self)))
        }
    }
}
