import COpenSSL

/// A key that verifies signatures of one algorithm: HMAC, ECDSA on P-256, RSA (PKCS #1 v1.5), all with SHA-256, or
/// Ed25519 (RFC 7518, sections 3.2 to 3.4; RFC 8037). OpenSSL reads the keys and verifies; nothing is signed here.
///
/// May be shared by threads.
public final class VerifyingKey: @unchecked Sendable {
    // Unchecked: OpenSSL counts references of an EVP_PKEY atomically and does not change it while verifying; each
    // verification has its own context.

    public enum Algorithm: Equatable, Sendable, CaseIterable { case hmac, ecdsaP256, rsa, ed25519 }

    /// The smallest accepted RSA modulus, bits (RFC 7518, section 3.3).
    public static let rsaBitsMin: Int32 = 2_048
    private static let coordinateBytes = 32
    private static let ed25519Bytes = 32

    public let algorithm: Algorithm
    private let key: Key

    private enum Key {
        case secret(Secret)
        case publicKey(OpaquePointer)
    }

    // MARK: Forms of keys

    /// HMAC with SHA-256. The caller checks the length of `secret`.
    public init(hmac secret: [UInt8]) {
        self.algorithm = .hmac
        self.key = .secret(Secret(secret))
    }

    /// The point of P-256 with these coordinates, big-endian, 32 bytes each; nil for any other length, and for a point
    /// off the curve.
    public convenience init?(x: [UInt8], y: [UInt8]) {
        guard x.count == Self.coordinateBytes, y.count == Self.coordinateBytes else { return nil }
        let point = [0x04] + x + y
        self.init(publicKey: usher_p256_key(point, point.count))
    }

    /// RSA's two numbers, big-endian; nil for a modulus under 2,048 bits, and for numbers that are not a public key.
    public convenience init?(modulus: [UInt8], exponent: [UInt8]) {
        self.init(publicKey: usher_rsa_key(modulus, Int32(modulus.count), exponent, Int32(exponent.count)))
    }

    /// The 32 bytes of a public key of Ed25519; nil for any other length.
    public convenience init?(ed25519 bytes: [UInt8]) {
        guard bytes.count == Self.ed25519Bytes else { return nil }
        self.init(publicKey: EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count))
    }

    /// The public key of a text in PEM: of P-256, RSA of at least 2,048 bits, or Ed25519; nil for anything else.
    public convenience init?(pem: String) {
        let text = Array(pem.utf8)
        self.init(publicKey: usher_pem_key(text, text.count))
    }

    /// Takes ownership of the key. Nil for any other kind of key, or an unsound one.
    private init?(publicKey key: OpaquePointer?) {
        defer { ERR_clear_error() }
        guard let key else { return nil }
        guard let algorithm = Self.algorithm(of: key), Self.isSound(key) else {
            EVP_PKEY_free(key)
            return nil
        }
        self.algorithm = algorithm
        self.key = .publicKey(key)
    }

    deinit {
        guard case .publicKey(let key) = self.key else { return }
        EVP_PKEY_free(key)
    }

    private static func algorithm(of key: OpaquePointer) -> Algorithm? {
        if EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
        if EVP_PKEY_is_a(key, "RSA") == 1 { return EVP_PKEY_get_bits(key) >= self.rsaBitsMin ? .rsa : nil }
        guard EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
        return name.starts(with: "prime256v1".utf8.map { CChar($0) } + [0]) ? .ecdsaP256 : nil
    }

    /// A point on its curve, a modulus that is composite and an odd exponent (SP 800-56A and B).
    private static func isSound(_ key: OpaquePointer) -> Bool {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        return EVP_PKEY_public_check(context) == 1
    }

    private static func number(_ bytes: [UInt8]) -> OpaquePointer? { BN_bin2bn(bytes, Int32(bytes.count), nil) }

    // MARK: Checking

    /// Whether `signature` is this key's signature of `message`. ECDSA's is r and s of 32 bytes each (RFC 7518, section
    /// 3.4). A microsecond for HMAC, some 30 to 100 for the others: not for a loop.
    public func isSignature(_ signature: [UInt8], of message: UnsafeRawBufferPointer) -> Bool {
        defer { ERR_clear_error() }
        switch (self.key, self.algorithm) {
        case (.secret(let secret), _): return Self.isCode(signature, of: message, secret)
        case (.publicKey(let key), .ecdsaP256):
            guard let signature = Self.encoded(signature) else { return false }
            return Self.isSignature(signature, of: message, key, EVP_sha256())
        case (.publicKey(let key), .ed25519): return Self.isSignature(signature, of: message, key, nil)
        case (.publicKey(let key), .rsa), (.publicKey(let key), .hmac):
            return Self.isSignature(signature, of: message, key, EVP_sha256())
        }
    }

    private static func isCode(_ signature: [UInt8], of message: UnsafeRawBufferPointer, _ secret: Secret) -> Bool {
        guard signature.count == SHA256.byteCount else { return false }
        var code = [UInt8](repeating: 0, count: SHA256.byteCount)
        let isMade = secret.withUnsafeBytes { secret in
            HMAC(
                EVP_sha256(),
                secret.baseAddress,
                Int32(secret.count),
                message.assumingMemoryBound(to: UInt8.self).baseAddress,
                message.count,
                &code,
                nil
            ) != nil
        }
        return isMade && CRYPTO_memcmp(code, signature, code.count) == 0
    }

    private static func isSignature(
        _ signature: [UInt8],
        of message: UnsafeRawBufferPointer,
        _ key: OpaquePointer,
        _ hash: OpaquePointer?
    ) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, hash, nil, key) == 1 else { return false }
        let bytes = message.assumingMemoryBound(to: UInt8.self)
        return EVP_DigestVerify(context, signature, signature.count, bytes.baseAddress, bytes.count) == 1
    }

    /// The two numbers of an ECDSA signature in DER, as OpenSSL wants them; nil unless there are 64 bytes.
    private static func encoded(_ signature: [UInt8]) -> [UInt8]? {
        guard signature.count == 2 * self.coordinateBytes, let pair = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(pair) }
        let r = self.number(Array(signature[..<self.coordinateBytes]))
        let s = self.number(Array(signature[self.coordinateBytes...]))
        guard let r, let s, ECDSA_SIG_set0(pair, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            return nil
        }
        // Encoded in two calls: for the length, then for the bytes.
        let count = i2d_ECDSA_SIG(pair, nil)
        guard count > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { bytes, written in
            var at = bytes.baseAddress
            written = Int(i2d_ECDSA_SIG(pair, &at))
        }
    }
}
