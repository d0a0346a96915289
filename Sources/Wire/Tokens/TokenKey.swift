public import Booking
import Cryptography

/// One secret that signs the tokens of passes issued from a moment on. Never prints its secret.
public struct TokenKey: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public static let secretBytes = 32

    /// In each token, so that its key is found without trying all.
    public let id: UInt8
    /// A whole second: signs passes issued from here to the next key's `activeFrom`.
    public let activeFrom: Timestamp
    private let secret: Secret
    private let hash: KeyedHash

    /// `activeFrom` is rounded down to the second, the precision of a key file, so that a key is unchanged after
    /// writing and reading. Refuses a secret that isn't 32 bytes, and a time outside 1970 ... 2262.
    public init(id: UInt8, secret: [UInt8], activeFrom: Timestamp) throws(WireError) {
        guard secret.count == Self.secretBytes else {
            throw WireError("the secret of token key \(id) has \(secret.count) bytes, not \(Self.secretBytes)")
        }
        guard activeFrom.nanoseconds >= 0 else { throw WireError("token key \(id) is active from before 1970") }
        self.id = id
        self.activeFrom = Timestamp(seconds: activeFrom.seconds)
        self.secret = Secret(secret)
        self.hash = KeyedHash(key: secret)
    }

    public static func == (left: TokenKey, right: TokenKey) -> Bool {
        left.id == right.id && left.activeFrom == right.activeFrom && left.secret == right.secret
    }

    public var description: String { "token key \(self.id), active from \(self.activeFrom.seconds)" }
    public var debugDescription: String { self.description }
    public var customMirror: Mirror { Mirror(self, children: ["id": self.id, "activeFrom": self.activeFrom]) }

    /// HMAC-SHA256 of `message` (RFC 2104), of at most 55 bytes, for the length of `body`.
    func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.hash.withCode(of: message, body)
    }

    func withSecret<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.secret.withUnsafeBytes { body($0) }
    }
}
