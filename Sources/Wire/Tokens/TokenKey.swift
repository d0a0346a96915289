public import Booking
import Crypto

/// One secret that signs the tokens of passes issued from a moment on. Never prints its secret.
public struct TokenKey: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public static let secretBytes = 32

    /// Stands in each token, so that the key is found without trying all.
    public let id: UInt8
    /// A whole second: signs passes issued from here to the next key's `activeFrom`.
    public let activeFrom: Timestamp
    /// swift-crypto wipes its memory when the last copy goes.
    private let secret: SymmetricKey
    /// HMAC's two hashes (RFC 2104) with the key's blocks already in them; each use copies them. swift-crypto's own
    /// HMAC does the same work from behind generics that it does not specialise: 0.67 µs a code, not 0.45.
    private let inner: SHA256
    private let outer: SHA256

    /// `activeFrom` is rounded down to the second, which is what a key file keeps, so that a key means the same after
    /// it was written and read. Refuses a secret that isn't 32 bytes, and a time outside 1970 ... 2262.
    public init(id: UInt8, secret: [UInt8], activeFrom: Timestamp) throws(WireError) {
        guard secret.count == Self.secretBytes else {
            throw WireError("the secret of token key \(id) has \(secret.count) bytes, not \(Self.secretBytes)")
        }
        guard activeFrom.nanoseconds >= 0 else { throw WireError("token key \(id) is active from before 1970") }
        self.id = id
        self.activeFrom = Timestamp(seconds: activeFrom.seconds)
        self.secret = SymmetricKey(data: secret)
        self.inner = Self.hash(startingWith: secret, mask: 0x36)
        self.outer = Self.hash(startingWith: secret, mask: 0x5C)
    }

    /// A hash that has taken the key's block: the secret, padded with zeros, under one of HMAC's masks.
    private static func hash(startingWith secret: [UInt8], mask: UInt8) -> SHA256 {
        var block = secret.map { $0 ^ mask }
        block += Array(repeating: mask, count: SHA256.blockByteCount - secret.count)
        var hash = SHA256()
        block.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash
    }

    public static func == (left: TokenKey, right: TokenKey) -> Bool {
        left.id == right.id && left.activeFrom == right.activeFrom && left.secret == right.secret
    }

    public var description: String { "token key \(self.id), active from \(self.activeFrom.seconds)" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["id": self.id, "activeFrom": self.activeFrom]) }

    /// HMAC-SHA256 of `message` (RFC 2104), for the length of `body`.
    func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var inner = self.inner
        inner.update(bufferPointer: message)
        var outer = self.outer
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize().withUnsafeBytes { body($0) }
    }

    func withSecret<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.secret.withUnsafeBytes { body($0) }
    }
}
