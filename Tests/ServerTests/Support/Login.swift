import Foundation
import TestSupport

/// An issuer of logins: keys of four kinds, their key set, and tokens. What a JSON Web Token is, `VerifyingKeyTests` holds
/// against the examples of the RFCs.
struct Login {
    enum Kind: String, CaseIterable, Sendable {
        case hs256 = "HS256", es256 = "ES256", rs256 = "RS256", edDSA = "EdDSA"
    }

    private let secret = (0..<32).map { _ in UInt8.random(in: 0 ... .max) }
    private let elliptic = Signer(.ecdsaP256)
    private let rsa = Signer(.rsa)
    private let edwards = Signer(.ed25519)
    /// Stands before each key's id, so that the ids of two logins differ.
    let name: String

    init(_ name: String = "") { self.name = name }

    func keyID(_ kind: Kind) -> String { self.name + kind.rawValue }

    /// RFC 7517, with a key for others that nobody here takes.
    func keySet() -> String {
        """
        {"keys": [
          {"kty": "oct", "kid": "\(self.keyID(.hs256))", "alg": "HS256", "k": "\(Self.base64url(self.secret))"},
          {"kty": "EC", "crv": "P-256", "kid": "\(self.keyID(.es256))", "use": "sig",
           "x": "\(Self.base64url(self.elliptic.x))", "y": "\(Self.base64url(self.elliptic.y))"},
          {"kty": "RSA", "kid": "\(self.keyID(.rs256))", "alg": "RS256", "n": "\(Self.base64url(self.rsa.modulus))",
           "e": "\(Self.base64url(self.rsa.exponent))"},
          {"kty": "OKP", "crv": "Ed25519", "kid": "\(self.keyID(.edDSA))",
           "x": "\(Self.base64url(self.edwards.publicBytes))"},
          {"kty": "RSA", "kid": "for-letters", "use": "enc", "alg": "RSA-OAEP-512", "n": "AQAB", "e": "AQAB"}
        ]}
        """
    }

    var pem: String { self.elliptic.pem }

    /// Claims that a cluster of the tests takes, for an hour; `more` replaces some. Values are JSON.
    static func claims(_ user: Int, _ more: [String: String?] = [:]) -> String {
        var members: [String: String?] = [
            "sub": "\"\(user)\"", "exp": "\(Int(Date().timeIntervalSince1970) + 3_600)", "aud": "\"usher\"",
            "iss": "\"https://login.example\"",
        ]
        for (name, value) in more { members[name] = value }
        return "{\(members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.joined(separator: ","))}"
    }

    func token(_ kind: Kind, _ claims: String, header: String? = nil) -> String {
        let head = header ?? #"{"alg":"\#(kind.rawValue)","typ":"JWT","kid":"\#(self.keyID(kind))"}"#
        let signed = Self.base64url(Data(head.utf8)) + "." + Self.base64url(Data(claims.utf8))
        return signed + "." + Self.base64url(self.signature(kind, Array(signed.utf8)))
    }

    func token(_ kind: Kind, of user: Int) -> String { self.token(kind, Self.claims(user)) }

    private func signature(_ kind: Kind, _ signed: [UInt8]) -> [UInt8] {
        switch kind {
        case .hs256: AuthenticationCode.make(of: signed, key: self.secret)
        case .es256: self.elliptic.signature(of: signed)
        case .rs256: self.rsa.signature(of: signed)
        case .edDSA: self.edwards.signature(of: signed)
        }
    }

    static func base64url(_ data: some Sequence<UInt8>) -> String {
        Data(data).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
