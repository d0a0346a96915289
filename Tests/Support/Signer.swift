import COpenSSL

/// A signing key pair for tests: the product only verifies signatures. Made by OpenSSL at each start.
public final class Signer: @unchecked Sendable {
    // Unchecked: OpenSSL does not change a key while it signs.

    public enum Kind: String, Sendable { case ecdsaP256 = "EC", rsa = "RSA", ed25519 = "ED25519" }

    public let kind: Kind
    private let key: OpaquePointer

    public init(_ kind: Kind, rsaBits: Int32 = 2_048) {
        self.kind = kind
        let context = EVP_PKEY_CTX_new_from_name(nil, kind.rawValue, nil)
        defer { EVP_PKEY_CTX_free(context) }
        precondition(EVP_PKEY_keygen_init(context) == 1, "no key can be made")
        let isSet =
            switch kind {
            case .ecdsaP256: EVP_PKEY_CTX_set_group_name(context, "P-256")
            case .rsa: EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsaBits)
            case .ed25519: 1 as Int32
            }
        precondition(isSet == 1, "no key can be made of \(kind)")
        var key: OpaquePointer?
        precondition(EVP_PKEY_generate(context, &key) == 1, "no key can be made of \(kind)")
        self.key = key!
    }

    deinit { EVP_PKEY_free(self.key) }

    /// ECDSA's as r and s of 32 bytes each.
    public func signature(of message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let hash = self.kind == .ed25519 ? nil : EVP_sha256()
        precondition(EVP_DigestSignInit(context, nil, hash, nil, self.key) == 1, "nothing can be signed")
        var count = 0
        precondition(EVP_DigestSign(context, nil, &count, message, message.count) == 1, "nothing can be signed")
        var signature = [UInt8](repeating: 0, count: count)
        precondition(EVP_DigestSign(context, &signature, &count, message, message.count) == 1, "nothing was signed")
        signature.removeLast(signature.count - count)
        return self.kind == .ecdsaP256 ? Self.pair(signature) : signature
    }

    private static func pair(_ encoded: [UInt8]) -> [UInt8] {
        encoded.withUnsafeBufferPointer { bytes in
            var at = bytes.baseAddress
            let pair = d2i_ECDSA_SIG(nil, &at, bytes.count)
            defer { ECDSA_SIG_free(pair) }
            return self.bytes(of: ECDSA_SIG_get0_r(pair), count: 32) + self.bytes(of: ECDSA_SIG_get0_s(pair), count: 32)
        }
    }

    // MARK: The public half

    public var modulus: [UInt8] { self.number(OSSL_PKEY_PARAM_RSA_N) }
    public var exponent: [UInt8] { self.number(OSSL_PKEY_PARAM_RSA_E) }
    public var x: [UInt8] { self.number(OSSL_PKEY_PARAM_EC_PUB_X, count: 32) }
    public var y: [UInt8] { self.number(OSSL_PKEY_PARAM_EC_PUB_Y, count: 32) }

    /// Of Ed25519.
    public var publicBytes: [UInt8] {
        var (bytes, count) = ([UInt8](repeating: 0, count: 32), 32)
        precondition(EVP_PKEY_get_raw_public_key(self.key, &bytes, &count) == 1, "no key of Ed25519")
        return bytes
    }

    public var pem: String {
        let output = BIO_new(BIO_s_mem())
        defer { BIO_free(output) }
        precondition(PEM_write_bio_PUBKEY(output, self.key) == 1, "no key in PEM")
        var text = [UInt8](repeating: 0, count: 4_096)
        let count = BIO_read(output, &text, Int32(text.count))
        return String(decoding: text[..<Int(count)], as: UTF8.self)
    }

    private func number(_ name: String, count: Int? = nil) -> [UInt8] {
        var number: OpaquePointer?
        precondition(EVP_PKEY_get_bn_param(self.key, name, &number) == 1, "the key has no \(name)")
        defer { BN_free(number) }
        return Self.bytes(of: number, count: count)
    }

    private static func bytes(of number: OpaquePointer?, count: Int? = nil) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count ?? Int(BN_num_bits(number) + 7) / 8)
        precondition(BN_bn2binpad(number, &bytes, Int32(bytes.count)) >= 0, "a number that does not fit")
        return bytes
    }
}
