/// A body that is sent repeatedly, and its entity tag.
public struct CachedBody: Equatable, Sendable {
    public let bytes: [UInt8]
    /// A hash of the bytes, the same in every gateway. It only has to change when the bytes do: a collision shows
    /// numbers that are one second old. Eight bytes at a time, as a body may have megabytes.
    public let tag: UInt64

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.tag = bytes.withUnsafeBytes { bytes in
            var hash = Self.mixed(0xCBF2_9CE4_8422_2325, UInt64(bytes.count))
            var at = 0
            while at + 8 <= bytes.count {
                hash = Self.mixed(hash, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
                at += 8
            }
            var rest: UInt64 = 0
            while at < bytes.count {
                rest = rest << 8 | UInt64(bytes[at])
                at += 1
            }
            return Self.mixed(hash, rest)
        }
    }

    private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        (hash ^ word).foldedProduct(0x9E37_79B9_7F4A_7C15)
    }
}
