import Crypto
import CryptoExtras
import Foundation

/// Whoever signs logins: keys of four kinds, their key set, and tokens. Made with swift-crypto alone, so that it is a
/// second opinion on what a JSON Web Token is.
struct Login {
    enum Kind: String, CaseIterable, Sendable {
        case hs256 = "HS256", es256 = "ES256", rs256 = "RS256", edDSA = "EdDSA"
    }

    private let secret = SymmetricKey(size: .bits256)
    private let elliptic = P256.Signing.PrivateKey()
    private let rsa: _RSA.Signing.PrivateKey
    private let edwards = Curve25519.Signing.PrivateKey()
    /// Stands before each key's id, so that the ids of two logins differ.
    let name: String

    init(_ name: String = "") throws {
        self.name = name
        self.rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    }

    func keyID(_ kind: Kind) -> String { self.name + kind.rawValue }

    /// RFC 7517, with a key for others that nobody here takes.
    func keySet() throws -> String {
        let point = self.elliptic.publicKey.rawRepresentation
        let numbers = try self.rsa.publicKey.getKeyPrimitives()
        let (modulus, exponent) = (numbers.modulus, numbers.publicExponent)
        let secret = self.secret.withUnsafeBytes { Data($0) }
        return """
            {"keys": [
              {"kty": "oct", "kid": "\(self.keyID(.hs256))", "alg": "HS256", "k": "\(Self.base64url(secret))"},
              {"kty": "EC", "crv": "P-256", "kid": "\(self.keyID(.es256))", "use": "sig",
               "x": "\(Self.base64url(point.prefix(32)))", "y": "\(Self.base64url(point.suffix(32)))"},
              {"kty": "RSA", "kid": "\(self.keyID(.rs256))", "alg": "RS256", "n": "\(Self.base64url(modulus))",
               "e": "\(Self.base64url(exponent))"},
              {"kty": "OKP", "crv": "Ed25519", "kid": "\(self.keyID(.edDSA))",
               "x": "\(Self.base64url(self.edwards.publicKey.rawRepresentation))"},
              {"kty": "RSA", "kid": "for-letters", "use": "enc", "alg": "RSA-OAEP-512", "n": "AQAB", "e": "AQAB"}
            ]}
            """
    }

    var pem: String { self.elliptic.publicKey.pemRepresentation }

    /// Claims that a cluster of the tests takes, for an hour; `more` replaces some. Values are JSON.
    static func claims(_ user: Int, _ more: [String: String?] = [:]) -> String {
        var members: [String: String?] = [
            "sub": "\"\(user)\"", "exp": "\(Int(Date().timeIntervalSince1970) + 3_600)", "aud": "\"usher\"",
            "iss": "\"https://login.example\"",
        ]
        for (name, value) in more { members[name] = value }
        return "{\(members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ","))}"
    }

    func token(_ kind: Kind, _ claims: String, header: String? = nil) throws -> String {
        let head = header ?? #"{"alg":"\#(kind.rawValue)","typ":"JWT","kid":"\#(self.keyID(kind))"}"#
        let signed = Self.base64url(Data(head.utf8)) + "." + Self.base64url(Data(claims.utf8))
        return signed + "." + Self.base64url(try self.signature(kind, Data(signed.utf8)))
    }

    func token(_ kind: Kind, of user: Int) throws -> String { try self.token(kind, Self.claims(user)) }

    private func signature(_ kind: Kind, _ signed: Data) throws -> Data {
        switch kind {
        case .hs256: Data(HMAC<SHA256>.authenticationCode(for: signed, using: self.secret))
        case .es256: try self.elliptic.signature(for: signed).rawRepresentation
        case .rs256:
            try self.rsa.signature(for: SHA256.hash(data: signed), padding: .insecurePKCS1v1_5).rawRepresentation
        case .edDSA: try self.edwards.signature(for: signed)
        }
    }

    static func base64url(_ data: some Sequence<UInt8>) -> String {
        Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
