import COpenSSL

/// HMAC-SHA256 (RFC 2104) of short messages under one key, without allocation or reference counting.
///
///     code = SHA-256( key ⊕ 0x5C… │ SHA-256( key ⊕ 0x36… │ message ) )       one block of 64 bytes each side of the bars
///            └─── `outer` ────┘          └─── `inner` ────┘
///
/// The hash of each key block is computed once; a code then takes one block for the message and one for the inner hash.
/// Of OpenSSL only the compression function is used. Its own `HMAC` takes four blocks a code.
struct KeyedHash: Equatable, Sendable {
    static let codeBytes = 32
    /// A block less its end: a byte of 0x80 and the length in 8 bytes.
    static let messageBytesMax = Self.blockBytes - 9
    static let keyBytesMax = Self.blockBytes
    private static let blockBytes = 64

    /// SHA-256's eight words (FIPS 180-4, section 5.3.3), after the key's block.
    private let inner: State
    private let outer: State

    /// `key` has at most `keyBytesMax` bytes.
    init(key: [UInt8]) {
        precondition(key.count <= Self.keyBytesMax, "a key longer than a block would be hashed first")
        self.inner = State(afterKey: key, mask: 0x36)
        self.outer = State(afterKey: key, mask: 0x5C)
    }

    /// The code of `message`, of at most `messageBytesMax` bytes, for the length of `body`.
    @inline(__always)
    func withCode<Result>(of message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        precondition(message.count <= Self.messageBytesMax, "a message that does not fit a block")
        return withUnsafeTemporaryAllocation(byteCount: Self.blockBytes, alignment: 16) { block in
            block.copyMemory(from: message)
            Self.end(block, afterMessage: message.count)
            self.inner.after(block).store(in: block)
            Self.end(block, afterMessage: Self.codeBytes)
            self.outer.after(block).store(in: block)
            return body(UnsafeRawBufferPointer(rebasing: block[..<Self.codeBytes]))
        }
    }

    /// Pads the last block of a hash: the key's block and `count` bytes have gone in (FIPS 180-4, section 5.1.1).
    @inline(__always)
    private static func end(_ block: UnsafeMutableRawBufferPointer, afterMessage count: Int) {
        block.baseAddress!.advanced(by: count).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: self.blockBytes - count
        )
        block[count] = 0x80
        let bits = UInt64((self.blockBytes + count) * 8)
        block.storeBytes(of: bits.bigEndian, toByteOffset: self.blockBytes - 8, as: UInt64.self)
    }

    private struct State: Equatable, Sendable {
        private var words = SIMD8<UInt32>(
            0x6A09_E667,
            0xBB67_AE85,
            0x3C6E_F372,
            0xA54F_F53A,
            0x510E_527F,
            0x9B05_688C,
            0x1F83_D9AB,
            0x5BE0_CD19
        )

        init(afterKey key: [UInt8], mask: UInt8) {
            var block = key.map { $0 ^ mask }
            block += Array(repeating: mask, count: KeyedHash.blockBytes - key.count)
            self = block.withUnsafeBytes { self.after(UnsafeMutableRawBufferPointer(mutating: $0)) }
        }

        @inline(__always)
        func after(_ block: UnsafeMutableRawBufferPointer) -> State {
            var state = self
            withUnsafeMutableBytes(of: &state.words) { words in
                usher_sha256_block(
                    words.baseAddress!.assumingMemoryBound(to: UInt32.self),
                    UnsafeRawPointer(block.baseAddress!)
                )
            }
            return state
        }

        /// Big-endian, as a hash is written.
        @inline(__always)
        func store(in block: UnsafeMutableRawBufferPointer) {
            for index in 0..<8 {
                block.storeBytes(of: self.words[index].bigEndian, toByteOffset: index * 4, as: UInt32.self)
            }
        }
    }
}
