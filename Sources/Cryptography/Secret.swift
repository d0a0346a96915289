import COpenSSL

/// Secret bytes: in memory of their own, wiped when the last reference goes; compared in constant time, never printed.
public final class Secret: Equatable, @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Unchecked: written once, before it is shared.
    private let bytes: UnsafeMutableRawBufferPointer

    public init(_ bytes: [UInt8]) {
        self.bytes = .allocate(byteCount: bytes.count, alignment: 16)
        self.bytes.copyBytes(from: bytes)
    }

    deinit {
        OPENSSL_cleanse(self.bytes.baseAddress, self.bytes.count)
        self.bytes.deallocate()
    }

    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(self.bytes))
    }

    public static func == (left: Secret, right: Secret) -> Bool {
        left.bytes.count == right.bytes.count
            && CRYPTO_memcmp(left.bytes.baseAddress, right.bytes.baseAddress, left.bytes.count) == 0
    }

    public var description: String { "a secret" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
