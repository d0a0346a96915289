/// A body that is sent again and again, and the tag that tells it from others.
public struct CachedBody: Equatable, Sendable {
    public let bytes: [UInt8]
    /// FNV-1a over the bytes: it only has to change when they do, and a clash shows one second of old numbers.
    public let tag: UInt64

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.tag = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
