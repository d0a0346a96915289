/// What is said to a request whose bearer token does not tell who it is (RFC 6750, section 3).
extension Problem {
    private static let challenge: StaticString = #"Bearer realm="usher""#
    private static let invalid: StaticString = #"Bearer realm="usher", error="invalid_token""#

    private static func identity(_ code: String, _ korean: String, _ english: String) -> Problem {
        Problem(.unauthorized, code, korean, english, authenticate: Self.invalid)
    }

    public static let identityMissing = Problem(
        .unauthorized,
        "IDENTITY_MISSING",
        "로그인이 필요합니다. (Authorization: Bearer)",
        "Say who you are: Authorization: Bearer, and the token of your login.",
        authenticate: Self.challenge
    )

    /// What was noticed is given in English in both languages: it is for the makers of clients.
    static func identityMalformed(_ reason: String) -> Problem {
        Self.identity(
            "IDENTITY_MALFORMED",
            "로그인 토큰이 올바르지 않습니다. (\(reason))",
            "The token of your login can't be read: \(reason)."
        )
    }

    public static let identityMalformed = Self.identityMalformed("it is no bearer token")

    public static let identityAlgorithm = Self.identity(
        "IDENTITY_ALGORITHM_REFUSED",
        "허용되지 않은 서명 방식의 로그인 토큰입니다.",
        "The token of your login is signed in a way that is not taken, or not at all."
    )

    public static let identityKeyUnknown = Self.identity(
        "IDENTITY_KEY_UNKNOWN",
        "알 수 없는 키로 서명된 로그인 토큰입니다.",
        "The token of your login names a key that is not known here. Log in again."
    )

    public static let identityForged = Self.identity(
        "IDENTITY_SIGNATURE_INVALID",
        "로그인 토큰의 서명이 올바르지 않습니다.",
        "The signature of your login's token is wrong."
    )

    public static let identityExpired = Self.identity(
        "IDENTITY_EXPIRED",
        "로그인이 만료되었습니다. 다시 로그인해주세요.",
        "Your login is over. Log in again."
    )

    public static let identityNotYet = Self.identity(
        "IDENTITY_NOT_YET_VALID",
        "아직 유효하지 않은 로그인 토큰입니다.",
        "The token of your login is not valid yet."
    )

    public static let identityAudience = Self.identity(
        "IDENTITY_AUDIENCE_WRONG",
        "다른 서비스의 로그인 토큰입니다.",
        "The token of your login is for another service."
    )

    public static let identityIssuer = Self.identity(
        "IDENTITY_ISSUER_WRONG",
        "알 수 없는 발급자의 로그인 토큰입니다.",
        "The token of your login is from another issuer."
    )

    public static func identityWithoutUser(_ claim: String) -> Problem {
        Self.identity(
            "IDENTITY_USER_MISSING",
            "로그인 토큰에 사용자 번호가 없습니다. (\(claim))",
            "The token of your login names no user: \(claim) must be a whole number from 1 to 2^53 - 1."
        )
    }

    /// The request names another user than its token.
    public static let identityOther = Problem(
        .forbidden,
        "IDENTITY_OTHER_USER",
        "다른 사용자의 정보에는 접근할 수 없습니다.",
        "You are logged in as another user than this request is about."
    )
}
