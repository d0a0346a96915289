public import Booking
public import Configuration
public import Logging
public import Reactor
public import Statistics
public import Wire

/// Who asks, by the token of their login: `identity.mode=jwt`.
///
///     token ──▶ verified before? ──yes──▶ user
///                     │ no
///                     ▼
///               read it: whose, until when, for whom ──no good──▶ 401
///                     │
///                     ▼ off the loop
///               its signature ──right──▶ kept until it ends, user          ──wrong──▶ 401
///
/// **Happy path.** Somebody's first request waits some hundred microseconds for a thread of the pool to check the
/// signature; all others cost a SHA-256 and a look. Requests that come with the same token meanwhile wait for the same
/// check, in their order. **Strangers** who send tokens that they made up keep the pool busy, not the loop: beyond
/// `underWayMax` tokens at once, requests with tokens that are not known are answered 503.
public final class IdentityCheck {
    /// What is known of who asks.
    public enum Asker {
        case known(UserID)
        case refused(Problem)
        /// It says that it is `token.user`. Call `verify`.
        case claimed(Claim)
    }

    /// A token that is read, and whose signature is not checked yet.
    public struct Claim {
        /// What it claims.
        public let token: IdentityToken
        let key: IdentityKeys.Key
        let digest: TokenDigest
    }

    /// Tokens whose signatures are being checked: a tenth of a second's work for the pool.
    static let underWayMax = 2_048

    private let loop: EventLoop
    private let log: Logger
    private let rules: IdentityToken.Rules
    private var keys: IdentityKeys
    private var cache: IdentityCache
    /// Who waits for which check, in the order they asked.
    private var waiting: [TokenDigest: [(Problem?) -> Void]] = [:]
    /// Of the keys: what the old ones have verified is not kept under new ones.
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

    /// These sign logins from now on. All tokens are checked anew.
    public func use(_ keys: IdentityKeys) {
        self.keys = keys
        self.age += 1
        self.cache.removeAll()
        self.tellOfIgnoredKeys()
    }

    private func tellOfIgnoredKeys() {
        guard !self.keys.ignored.isEmpty else { return }
        let list = self.keys.ignored.joined(separator: ", ")
        self.log.warning("keys of logins that can't be used here are ignored", metadata: ["keys": "\(list)"])
    }

    /// Who asks with this header `Authorization`, at a moment in seconds since 1970.
    public func asker(_ header: ByteView?, at now: Int64) -> Asker {
        guard let header else { return self.refused(.identityMissing) }
        guard let text = BearerToken.token(in: header) else { return self.refused(.identityMalformed) }
        // Before it is hashed.
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

    private func refused(_ problem: Problem) -> Asker {
        self.counts.refused += 1
        return .refused(problem)
    }

    /// Calls back, in a later turn, with nil when the token is what it says, or with what is wrong. Callers with one token
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
