/// Problems of requests whose bearer token does not authenticate a user (RFC 6750, section 3).
extension Problem {
    private static let challenge: StaticString = #"Bearer realm="usher""#
    private static let invalid: StaticString = #"Bearer realm="usher", error="invalid_token""#

    public static let identityMissing = Problem(
        .unauthorized,
        "IDENTITY_MISSING",
        "로그인이 필요합니다. (Authorization: Bearer)",
        "Say who you are: Authorization: Bearer, and the token of your login.",
        authenticate: Self.challenge
    )

    /// The reason is in English in both languages: it is for developers of clients.
    static func identityMalformed(_ reason: String) -> Problem {
        Problem(
            .unauthorized,
            "IDENTITY_MALFORMED",
            "로그인 토큰이 올바르지 않습니다. (\(reason))",
            "The token of your login can't be read: \(reason).",
            authenticate: Self.invalid
        )
    }

    public static let identityMalformed = Self.identityMalformed("it is no bearer token")

    public static let identityAlgorithm = Problem(
        .unauthorized,
        "IDENTITY_ALGORITHM_REFUSED",
        "허용되지 않은 서명 방식의 로그인 토큰입니다.",
        "The token of your login is signed in a way that is not taken, or not at all.",
        authenticate: Self.invalid
    )

    public static let identityKeyUnknown = Problem(
        .unauthorized,
        "IDENTITY_KEY_UNKNOWN",
        "알 수 없는 키로 서명된 로그인 토큰입니다.",
        "The token of your login names a key that is not known here. Log in again.",
        authenticate: Self.invalid
    )

    public static let identityForged = Problem(
        .unauthorized,
        "IDENTITY_SIGNATURE_INVALID",
        "로그인 토큰의 서명이 올바르지 않습니다.",
        "The signature of your login's token is wrong.",
        authenticate: Self.invalid
    )

    public static let identityExpired = Problem(
        .unauthorized,
        "IDENTITY_EXPIRED",
        "로그인이 만료되었습니다. 다시 로그인해주세요.",
        "Your login is over. Log in again.",
        authenticate: Self.invalid
    )

    public static let identityNotYet = Problem(
        .unauthorized,
        "IDENTITY_NOT_YET_VALID",
        "아직 유효하지 않은 로그인 토큰입니다.",
        "The token of your login is not valid yet.",
        authenticate: Self.invalid
    )

    public static let identityAudience = Problem(
        .unauthorized,
        "IDENTITY_AUDIENCE_WRONG",
        "다른 서비스의 로그인 토큰입니다.",
        "The token of your login is for another service.",
        authenticate: Self.invalid
    )

    public static let identityIssuer = Problem(
        .unauthorized,
        "IDENTITY_ISSUER_WRONG",
        "알 수 없는 발급자의 로그인 토큰입니다.",
        "The token of your login is from another issuer.",
        authenticate: Self.invalid
    )

    public static func identityWithoutUser(_ claim: String) -> Problem {
        Problem(
            .unauthorized,
            "IDENTITY_USER_MISSING",
            "로그인 토큰에 사용자 번호가 없습니다. (\(claim))",
            "The token of your login names no user: \(claim) must be a whole number from 1 to 2^53 - 1.",
            authenticate: Self.invalid
        )
    }

    /// All identity problems of a call about a user.
    static let identities: [Problem] = [
        .identityMissing, .identityMalformed, .identityAlgorithm, .identityKeyUnknown, .identityForged,
        .identityExpired, .identityNotYet, .identityAudience, .identityIssuer, .identityWithoutUser("sub"),
        .identityOther,
    ]

    /// The request names another user than its token.
    public static let identityOther = Problem(
        .forbidden,
        "IDENTITY_OTHER_USER",
        "다른 사용자의 정보에는 접근할 수 없습니다.",
        "You are logged in as another user than this request is about."
    )
}
