/// What the operator's port says to those who may not look, or not change (RFC 6750, section 3).
extension Problem {
    public static let operatorTokenMissing = Problem(
        .unauthorized,
        "OPERATOR_TOKEN_MISSING",
        "운영자 토큰이 필요합니다. (Authorization: Bearer)",
        "An operator's token is needed: Authorization: Bearer TOKEN. usher operator-tokens add makes one.",
        authenticate: #"Bearer realm="usher operator""#
    )

    public static let operatorTokenInvalid = Problem(
        .unauthorized,
        "OPERATOR_TOKEN_INVALID",
        "유효하지 않은 운영자 토큰입니다.",
        "This is no operator's token, or it was removed.",
        authenticate: #"Bearer realm="usher operator", error="invalid_token""#
    )

    public static let operatorRoleMissing = Problem(
        .forbidden,
        "OPERATOR_ROLE_MISSING",
        "이 작업에는 operate 권한이 필요합니다.",
        "This token may look, but change nothing: that takes one of the role operate.",
        authenticate: #"Bearer realm="usher operator", error="insufficient_scope""#
    )
}
