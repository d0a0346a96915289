import COpenSSL

/// SHA-256 (FIPS 180-4) by OpenSSL, over bytes that come in pieces. No allocation.
public struct SHA256 {
    public static let byteCount = 32

    private var context = SHA256_CTX()

    public init() { Self.check(SHA256_Init(&self.context)) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        Self.check(SHA256_Update(&self.context, bytes.baseAddress, bytes.count))
    }

    public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.update($0) } }

    /// The hash of all bytes so far. The state can't be used afterwards.
    public mutating func finalize() -> Digest {
        var digest = Digest()
        digest.withUnsafeMutableBytes { bytes in
            Self.check(SHA256_Final(bytes.assumingMemoryBound(to: UInt8.self).baseAddress!, &self.context))
        }
        return digest
    }

    /// The hash of contiguous bytes.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    public static func hash(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { self.hash($0) } }

    /// OpenSSL's low-level functions fail only without a context.
    private static func check(_ code: Int32) { precondition(code == 1, "OpenSSL's SHA-256 has failed") }

    public struct Digest: Equatable, Sendable, RandomAccessCollection {
        private var words = SIMD4<UInt64>()

        fileprivate init() {}

        public var startIndex: Int { 0 }
        public var endIndex: Int { SHA256.byteCount }
        public subscript(position: Int) -> UInt8 { self.withUnsafeBytes { $0[position] } }

        public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            try Swift.withUnsafeBytes(of: self.words, body)
        }

        fileprivate mutating func withUnsafeMutableBytes(_ body: (UnsafeMutableRawBufferPointer) -> Void) {
            Swift.withUnsafeMutableBytes(of: &self.words, body)
        }
    }
}
