import Cryptography

/// The SHA-256 of a token: the key in tables, so that they hold no usable token.
public struct TokenDigest: Hashable, Sendable {
    public let words: InlineArray<4, UInt64>

    public init(_ token: ByteView) {
        self.words = SHA256.hash(token.bytes).withUnsafeBytes { digest in
            InlineArray { digest.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }

    public static func == (left: Self, right: Self) -> Bool {
        (0..<4).allSatisfy { left.words[$0] == right.words[$0] }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(self.words[0]) }
}
