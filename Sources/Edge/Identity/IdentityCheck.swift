public import Booking
public import Configuration
public import Logging
public import Reactor
public import Statistics
public import Wire

/// Identifies users by their login's token: `identity.mode=jwt`.
///
///     token ──▶ verified before? ──yes──▶ user
///                     │ no
///                     ▼
///               read its claims: user, end, audience ──invalid──▶ 401
///                     │
///                     ▼ off the loop
///               its signature ──valid──▶ cached until it expires, user    ──wrong──▶ 401
///
/// **Happy path.** A user's first request waits some hundred microseconds for a thread of the pool to check the
/// signature; all others cost a SHA-256 and a look-up. Requests with the same token meanwhile wait for the same check,
/// in their order. **Forged tokens** keep the pool busy, not the loop: beyond `underWayMax` tokens at once, requests
/// with unknown tokens are answered 503.
public final class IdentityCheck {
    /// The identity of a request's user.
    public enum Identification {
        case known(UserID)
        case refused(Problem)
        /// The token names `token.user`, unverified. Call `verify`.
        case claimed(Claim)
    }

    /// A token that is read, and whose signature is not checked yet.
    public struct Claim {
        /// What it claims.
        public let token: IdentityToken
        let key: IdentityKeys.Key
        let digest: TokenDigest
    }

    /// The most tokens whose signatures are checked at once: a tenth of a second's work for the pool.
    static let underWayMax = 2_048

    private let loop: EventLoop
    private let log: Logger
    private let rules: IdentityToken.Rules
    private var keys: IdentityKeys
    private var cache: IdentityCache
    /// The callers that wait for each check, in order.
    private var waiting: [TokenDigest: [(Problem?) -> Void]] = [:]
    /// The keys' age: results of checks under old keys are not cached under new ones.
    private var age = 0
    /// Since the start.
    public private(set) var counts = GatewayStats.Identity()

    /// `cacheMax` verified logins are remembered.
    public init(_ keys: IdentityKeys, _ rules: IdentityToken.Rules, cacheMax: Int, on loop: EventLoop, log: Logger) {
        self.keys = keys
        self.log = log
        self.rules = rules
        self.cache = IdentityCache(countMax: cacheMax)
        self.loop = loop
        self.tellOfIgnoredKeys()
    }

    /// Replaces the keys that sign logins. All tokens are checked again.
    public func use(_ keys: IdentityKeys) {
        self.keys = keys
        self.age += 1
        self.cache.removeAll()
        self.tellOfIgnoredKeys()
    }

    private func tellOfIgnoredKeys() {
        guard !self.keys.ignored.isEmpty else { return }
        let list = self.keys.ignored.joined(separator: ", ")
        self.log.warning("unusable login keys are ignored", metadata: ["keys": "\(list)"])
    }

    /// The user of a request with this `Authorization` header, at a moment in seconds since 1970.
    public func identify(_ header: ByteView?, at now: Int64) -> Identification {
        guard let header else { return self.refused(.identityMissing) }
        guard let text = BearerToken.token(in: header) else { return self.refused(.identityMalformed) }
        // Before the cost of hashing.
        guard text.count <= IdentityToken.bytesMax else { return self.refused(IdentityToken.tooLong) }
        let digest = TokenDigest(text)
        if let user = self.cache.user(of: digest, at: now) {
            self.counts.fromCache += 1
            return .known(user)
        }
        do throws(Problem) {
            let token = try IdentityToken(text, self.rules, at: now)
            let key = try self.keys.key(for: token)
            guard self.waiting.count < Self.underWayMax || self.waiting[digest] != nil else {
                return self.refused(Problem(.overloaded, token: "", asksForPlace: false))
            }
            return .claimed(Claim(token: token, key: key, digest: digest))
        } catch {
            return self.refused(error)
        }
    }

    private func refused(_ problem: Problem) -> Identification {
        self.counts.refused += 1
        return .refused(problem)
    }

    /// Calls back, in a later turn, with nil when the token is valid, or with the problem. Callers with the same token
    /// are called in their order.
    public func verify(_ claim: Claim, _ header: ByteView, at now: Int64, then body: @escaping (Problem?) -> Void) {
        if self.waiting[claim.digest] != nil { return self.waiting[claim.digest]!.append(body) }
        guard let text = BearerToken.token(in: header) else { preconditionFailure("a claim without its token") }
        self.waiting[claim.digest] = [body]
        let (age, key, signature) = (self.age, claim.key, claim.token.signature)
        let signed = Array(text.bytes[..<claim.token.signedCount])
        self.loop.offload(
            { key.isSignature(signature, of: signed) },
            then: { [self] isGenuine in
                if isGenuine {
                    self.counts.verified += 1
                    if age == self.age {
                        self.cache.insert(claim.digest, claim.token.user, endsAt: claim.token.endsAt, at: now)
                    }
                } else {
                    self.counts.refused += 1
                }
                for waiter in self.waiting.removeValue(forKey: claim.digest) ?? [] {
                    waiter(isGenuine ? nil : .identityForged)
                }
            }
        )
    }
}
