import Cryptography
import FoundationEssentials
public import Wire

/// The keys that sign logins, from a file: a JSON Web Key Set (RFC 7517), or one public key in PEM.
///
/// OpenSSL reads the keys and checks the signatures. This type chooses the key for a token: the one that the token
/// names, by that key's algorithm only, whatever the token says; without a name, the only key of the token's algorithm.
public struct IdentityKeys: Sendable {
    /// One key and its algorithm.
    public struct Key: Sendable {
        /// The name that tokens call it by (`kid`); nil for one without a name.
        public let id: String?
        let algorithm: IdentityToken.Algorithm
        fileprivate let verifier: VerifyingKey

        /// Some microseconds for HS256, some tens to hundreds for the others: too slow for a loop.
        public func isSignature(_ signature: [UInt8], of signed: [UInt8]) -> Bool {
            signed.withUnsafeBytes { self.verifier.isSignature(signature, of: $0) }
        }
    }

    /// The shortest secret of HS256: as long as its hash (RFC 7518, section 3.2).
    private static let secretBytesMin = 32

    /// In the order of the file.
    public let keys: [Key]
    /// Keys of the set that are skipped: of other kinds, curves or lengths (RFC 7517, section 5).
    public private(set) var ignored: [String] = []

    /// The key that must have signed `token`.
    public func key(for token: IdentityToken) throws(Problem) -> Key {
        let fitting = self.keys.filter { $0.algorithm == token.algorithm }
        guard let id = token.keyID else {
            guard fitting.count == 1 else { throw .identityKeyUnknown }
            return fitting[0]
        }
        guard let named = self.keys.first(where: { $0.id == id }) else { throw .identityKeyUnknown }
        guard named.algorithm == token.algorithm else { throw .identityAlgorithm }
        return named
    }

    /// Reads the file. Refused where it holds no key that can be used, or others may write to it.
    public static func load(_ path: String) throws(StartError) -> IdentityKeys {
        do {
            let text = String(decoding: try TextFile.read(path, trust: .identityKeys), as: UTF8.self)
            return try text.contains("-----BEGIN") ? IdentityKeys(keys: Self.fromPEM(text)) : Self.fromJSON(text)
        } catch {
            if let mistrust = (error as? FileError)?.mistrust {
                throw StartError("identity.keyFile: \(mistrust.problem)", remedy: mistrust.remedy)
            }
            // Never the content: it may hold a secret.
            let reason = (error as? FileError)?.reason ?? (error as? WireError)?.reason ?? "is no key set, and no key"
            throw StartError(
                "identity.keyFile \(path): \(reason)",
                remedy: "put a JSON Web Key Set there (\"keys\": [...]), or a public key in PEM"
            )
        }
    }

    // MARK: Forms of files

    /// A member of a key set, with the fields of the four algorithms' keys (RFC 7518, section 6; RFC 8037, section 2).
    private struct Member: Decodable {
        let kty: String
        let kid, alg, use, k, crv, x, y, n, e, d: String?
    }

    private struct Set: Decodable { let keys: [Member] }

    private static func fromJSON(_ text: String) throws -> IdentityKeys {
        let members = try JSONDecoder().decode(Set.self, from: Data(text.utf8)).keys
        var keys: [Key] = []
        var ignored: [String] = []
        for (index, member) in members.enumerated() {
            guard let key = try Self.key(member, "key \(index + 1)") else {
                ignored.append(member.kid ?? "\(index + 1)")
                continue
            }
            if let id = key.id, keys.contains(where: { $0.id == id }) { throw WireError("has two keys \(id)") }
            keys.append(key)
        }
        guard !keys.isEmpty else { throw WireError("has no key for HS256, ES256, RS256 or EdDSA") }
        return IdentityKeys(keys: keys, ignored: ignored)
    }

    /// Nil for keys of other algorithms, curves or lengths than the four algorithms allow.
    private static func key(_ member: Member, _ name: String) throws -> Key? {
        let algorithm: IdentityToken.Algorithm
        switch member.kty {
        case "oct": algorithm = .hs256
        case "EC": algorithm = .es256
        case "RSA": algorithm = .rs256
        case "OKP": algorithm = .edDSA
        default: return nil
        }
        guard member.alg ?? algorithm.rawValue == algorithm.rawValue, member.use ?? "sig" == "sig" else { return nil }
        guard member.d == nil else { throw WireError("\(name) is a private key: only its public half belongs here") }
        let verifier = try algorithm == .hs256 ? Self.secret(member.k, name) : Self.publicKey(member, algorithm)
        return verifier.map { Key(id: member.kid, algorithm: algorithm, verifier: $0) }
    }

    private static func publicKey(_ member: Member, _ algorithm: IdentityToken.Algorithm) -> VerifyingKey? {
        switch algorithm {
        case .hs256: nil
        case .es256:
            member.crv == "P-256" ? VerifyingKey(x: Self.bytes(member.x), y: Self.bytes(member.y)) : nil
        case .rs256: VerifyingKey(modulus: Self.bytes(member.n), exponent: Self.bytes(member.e))
        case .edDSA: member.crv == "Ed25519" ? VerifyingKey(ed25519: Self.bytes(member.x)) : nil
        }
    }

    private static func secret(_ text: String?, _ name: String) throws -> VerifyingKey {
        let secret = Self.bytes(text)
        guard secret.count >= Self.secretBytesMin else {
            throw WireError("\(name) has no secret of \(Self.secretBytesMin) bytes at least, in base64url")
        }
        return VerifyingKey(hmac: secret)
    }

    /// A field's content in base64url, padded or not; empty where it is missing or invalid.
    private static func bytes(_ text: String?) -> [UInt8] {
        let padded = (text ?? "").replacing("-", with: "+").replacing("_", with: "/")
        let rest = String(repeating: "=", count: (4 - padded.utf8.count % 4) % 4)
        return Data(base64Encoded: padded + rest).map { Array($0) } ?? []
    }

    private static func fromPEM(_ text: String) throws -> [Key] {
        guard !text.contains("PRIVATE KEY") else {
            throw WireError("holds a private key: only its public half belongs here")
        }
        guard let key = VerifyingKey(pem: text) else {
            throw WireError("holds no public key of P-256, Ed25519 or RSA (2,048 bits at least)")
        }
        return [Key(id: nil, algorithm: Self.algorithm(key.algorithm), verifier: key)]
    }

    private static func algorithm(_ algorithm: VerifyingKey.Algorithm) -> IdentityToken.Algorithm {
        switch algorithm {
        case .hmac: .hs256
        case .ecdsaP256: .es256
        case .rsa: .rs256
        case .ed25519: .edDSA
        }
    }
}
