import COpenSSL

/// HMAC-SHA256 by OpenSSL's own function: the reference for the product's codes.
public enum AuthenticationCode {
    public static func make(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        precondition(
            HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, nil) != nil,
            "OpenSSL makes no code"
        )
        return code
    }
}
