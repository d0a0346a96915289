public import Booking

/// A JSON Web Token (RFC 7519) in JWS compact form (RFC 7515, section 7.1), read as far as possible without its key:
/// the claimed user, the time of expiry, and the signed bytes. Nothing in it may be trusted before the signature is
/// checked.
///
///     base64url(header) . base64url(claims) . base64url(signature)
///     └──────── what is signed ───────────┘
///
/// As strict as request bodies (`JSONObject`): no repeated members, and only the shortest base64. Refused, each with
/// its own code: any algorithm but the four supported ones (RFC 8725, section 3.1), also `none`; extensions that must
/// be understood (`crit`); no time of expiry; another audience or issuer; no user.
public struct IdentityToken: Sendable {
    /// Signature algorithms (RFC 7518, section 3.1; RFC 8037 for EdDSA).
    public enum Algorithm: String, CaseIterable, Sendable {
        case hs256 = "HS256"
        case es256 = "ES256"
        case rs256 = "RS256"
        case edDSA = "EdDSA"
    }

    /// The required content of a token.
    public struct Rules: Sendable {
        /// The claim that names the user: a whole number, or one in a string.
        public var claim = "sub"
        /// Has to be one of the token's audiences; nil accepts any.
        public var audience: String?
        public var issuer: String?
        /// Tolerated difference between the issuer's clock and this machine's, in seconds.
        public var leewaySeconds: Int64 = 30
        public init() {}
    }

    /// Longer tokens are refused: login tokens are far shorter.
    public static let bytesMax = 8_192
    /// The refusal of longer tokens.
    public static let tooLong = Problem.identityMalformed("it is longer than \(Self.bytesMax) bytes")
    private static let textBytesMax = 1_024
    private static let audiencesMax = 32

    public let user: UserID
    public let algorithm: Algorithm
    /// Nil in a token that names no key.
    public let keyID: String?
    /// Seconds since 1970 at which the token expires, with the leeway.
    public let endsAt: Int64
    /// The number of signed bytes, from the token's start.
    public let signedCount: Int
    public let signature: [UInt8]

    /// Reads `token` as of a moment, in seconds since 1970.
    public init(_ token: ByteView, _ rules: Rules, at now: Int64) throws(Problem) {
        guard token.count <= Self.bytesMax else { throw Self.tooLong }
        guard let first = token.firstIndex(of: UInt8(ascii: ".")),
            let second = token.firstIndex(of: UInt8(ascii: "."), from: first + 1),
            token.firstIndex(of: UInt8(ascii: "."), from: second + 1) == nil
        else { throw .identityMalformed("it is not three parts with points between them") }
        self.signedCount = second
        self.signature = try Self.decoded(token.part(second + 1, token.count), "signature")
        (self.algorithm, self.keyID) = try Self.decoded(token.part(0, first), "header") {
            header throws(Problem) in try Self.readHeader(header)
        }
        (self.user, self.endsAt) = try Self.decoded(token.part(first + 1, second), "claims") {
            claims throws(Problem) in try Self.readClaims(claims, rules, now)
        }
    }

    private static func readHeader(_ header: JSONObject) throws(Problem) -> (Algorithm, String?) {
        let name = try? header.stringIfPresent("alg", bytesMax: Self.textBytesMax)
        guard let name, let algorithm = Algorithm(rawValue: name) else { throw .identityAlgorithm }
        let keyID: String?
        do throws(InputError) {
            keyID = try header.stringIfPresent("kid", bytesMax: Self.textBytesMax)
        } catch {
            throw .identityMalformed("\(error)")
        }
        guard !header.has("crit") else { throw .identityMalformed("it has extensions that are not understood (crit)") }
        return (algorithm, keyID)
    }

    private static func readClaims(_ claims: JSONObject, _ rules: Rules, _ now: Int64) throws(Problem) -> (
        UserID, Int64
    ) {
        let user: UserID?
        let expiry: Int64?
        let begin: Int64?
        let issuer: String?
        let audiences: [String]
        do throws(InputError) {
            expiry = try claims.integerIfPresent("exp")
            begin = try claims.integerIfPresent("nbf")
            issuer = try claims.stringIfPresent("iss", bytesMax: Self.textBytesMax)
            audiences = try claims.strings("aud", bytesMax: Self.textBytesMax, countMax: Self.audiencesMax)
            user = claims.wholeNumber(named: rules.claim).flatMap { UserID(checking: $0) }
        } catch {
            throw .identityMalformed("\(error)")
        }
        guard let expiry else { throw .identityMalformed("it has no time of expiry (exp)") }
        // Numbers are below 2^53, so nothing here overflows.
        guard now < expiry + rules.leewaySeconds else { throw .identityExpired }
        if let begin { guard now >= begin - rules.leewaySeconds else { throw .identityNotYet } }
        if let wanted = rules.issuer { guard issuer == wanted else { throw .identityIssuer } }
        if let wanted = rules.audience { guard audiences.contains(wanted) else { throw .identityAudience } }
        guard let user else { throw .identityWithoutUser(rules.claim) }
        return (user, expiry + rules.leewaySeconds)
    }

    /// Passes the JSON in a part of the token to the closure.
    private static func decoded<Result>(
        _ part: ByteView,
        _ name: String,
        _ body: (JSONObject) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        let bytes = try self.decoded(part, name)
        return try bytes.withUnsafeBufferPointer { buffer throws(Problem) in
            let object: JSONObject
            do throws(InputError) { object = try JSONObject(ByteView(UnsafeRawBufferPointer(buffer))) } catch {
                throw .identityMalformed("its \(name): \(error)")
            }
            return try body(object)
        }
    }

    private static func decoded(_ part: ByteView, _ name: String) throws(Problem) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: part.count * 3 / 4)
        guard bytes.withUnsafeMutableBytes({ Base64.url.decode(part.bytes, into: $0) }) else {
            throw .identityMalformed("its \(name) is not base64url")
        }
        return bytes
    }
}
