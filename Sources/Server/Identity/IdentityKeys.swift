import Dispatch
import FoundationEssentials
import JWTKit
import Wire

/// The keys that logins are signed with, from a file: a JSON Web Key Set (RFC 7517), or one public key in PEM.
///
/// jwt-kit reads the keys and checks the signatures. Which key checks which token is decided here: the one that the token
/// names, by its own algorithm only, whatever the token says; without a name the only one of the token's algorithm. jwt-kit
/// by itself would take the first key for a name that it does not know.
struct IdentityKeys: Sendable {
    struct Key: Sendable {
        let id: String?
        let algorithm: IdentityToken.Algorithm
        fileprivate let verifier: any JWTAlgorithm

        /// Some microseconds for HS256, some tens to hundreds for the others: not for a loop.
        func isSignature(_ signature: [UInt8], of signed: ArraySlice<UInt8>) -> Bool {
            (try? self.verifier.verify(signature, signs: signed)) ?? false
        }
    }

    /// The shortest secret of HS256: as long as its hash (RFC 7518, section 3.2).
    private static let secretBytesMin = 32

    let keys: [Key]
    /// Keys of the set that this server can't use: of other kinds, curves or lengths (RFC 7517, section 5).
    private(set) var ignored: [String] = []

    /// The key that has to have signed `token`.
    func key(for token: IdentityToken) throws(Problem) -> Key {
        let fitting = self.keys.filter { $0.algorithm == token.algorithm }
        guard let id = token.keyID else {
            guard fitting.count == 1 else { throw .identityKeyUnknown }
            return fitting[0]
        }
        guard let named = self.keys.first(where: { $0.id == id }) else { throw .identityKeyUnknown }
        guard named.algorithm == token.algorithm else { throw .identityAlgorithm }
        return named
    }

    static func load(_ path: String) throws(StartError) -> IdentityKeys {
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

    /// A member of a key set, as far as it matters here; jwt-kit reads the rest.
    private struct Member: Decodable {
        let kty: String
        let kid: String?
        let alg: String?
        let use: String?
        let k: String?
        let d: String?
        let jwk: JWK?

        private enum Name: String, CodingKey { case kty, kid, alg, use, k, d }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Name.self)
            self.kty = try members.decode(String.self, forKey: .kty)
            self.kid = try members.decodeIfPresent(String.self, forKey: .kid)
            self.alg = try members.decodeIfPresent(String.self, forKey: .alg)
            self.k = try members.decodeIfPresent(String.self, forKey: .k)
            self.d = try members.decodeIfPresent(String.self, forKey: .d)
            self.use = try members.decodeIfPresent(String.self, forKey: .use)
            // jwt-kit knows no secrets in key sets, and not every algorithm that may stand there.
            self.jwk = try? JWK(from: decoder)
        }
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

    /// Nil for keys that are not for the four algorithms, or of a curve or length that they do not have.
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
        let verifier: any JWTAlgorithm
        if algorithm == .hs256 {
            verifier = try Self.secret(member.k, name)
        } else {
            guard var jwk = member.jwk else { return nil }
            jwk.keyIdentifier = "key"
            jwk.algorithm = JWK.Algorithm(rawValue: algorithm.rawValue)
            guard let made = try? Self.verifier({ [jwk] in try await $0.add(jwk: jwk) }) else { return nil }
            verifier = made
        }
        return Key(id: member.kid, algorithm: algorithm, verifier: verifier)
    }

    private static func secret(_ text: String?, _ name: String) throws -> any JWTAlgorithm {
        let padded = (text ?? "").replacing("-", with: "+").replacing("_", with: "/")
        let rest = String(repeating: "=", count: (4 - padded.utf8.count % 4) % 4)
        guard let secret = Data(base64Encoded: padded + rest), secret.count >= Self.secretBytesMin else {
            throw WireError("\(name) has no secret of \(Self.secretBytesMin) bytes at least, in base64url")
        }
        return try Self.verifier { await $0.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256, kid: "key") }
    }

    private static func fromPEM(_ text: String) throws -> [Key] {
        guard !text.contains("PRIVATE KEY") else {
            throw WireError("holds a private key: only its public half belongs here")
        }
        if let key = try? ES256PublicKey(pem: text) {
            let verifier = try Self.verifier { await $0.add(ecdsa: key, kid: "key") }
            return [Key(id: nil, algorithm: .es256, verifier: verifier)]
        }
        if let key = try? EdDSA.PublicKey(pem: text) {
            let verifier = try Self.verifier { await $0.add(eddsa: key, kid: "key") }
            return [Key(id: nil, algorithm: .edDSA, verifier: verifier)]
        }
        guard let key = try? Insecure.RSA.PublicKey(pem: text) else {
            throw WireError("holds no public key of P-256, Ed25519 or RSA (2,048 bits at least)")
        }
        let verifier = try Self.verifier { await $0.add(rsa: key, digestAlgorithm: .sha256, kid: "key") }
        return [Key(id: nil, algorithm: .rs256, verifier: verifier)]
    }

    /// jwt-kit gives what checks a signature only through an actor. It is asked once for each key, when the file is read,
    /// and waited for; checking itself then needs no actor.
    private static func verifier(
        _ add: @escaping @Sendable (JWTKeyCollection) async throws -> Void
    ) throws -> any JWTAlgorithm {
        let answer = Answer()
        let isThere = DispatchSemaphore(value: 0)
        Task {
            do {
                let collection = JWTKeyCollection()
                try await add(collection)
                answer.value = .success(try await collection.getKey(for: "key"))
            } catch {
                answer.value = .failure(error)
            }
            isThere.signal()
        }
        isThere.wait()
        return try answer.value!.get()
    }

    private final class Answer: @unchecked Sendable {
        // Written before the signal, and read after it.
        var value: Result<any JWTAlgorithm, any Error>?
    }
}
