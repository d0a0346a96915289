/// Problems at the operator's port for tokens that may not view, or not change (RFC 6750, section 3).
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

    public static let operatorHostUnknown = Problem(
        .misdirectedRequest,
        "OPERATOR_HOST_UNKNOWN",
        "이 포트는 IP 주소, localhost 또는 operator.hostNames에 등록된 이름으로만 접근할 수 있습니다.",
        "This port answers only where Host is an IP address, localhost, or a name listed in operator.hostNames, so that no web "
            + "page can reach it by a name of its own. Use an address, or add the name to that setting."
    )

    public static let operatorOriginRefused = Problem(
        .forbidden,
        "OPERATOR_ORIGIN_REFUSED",
        "다른 출처의 웹 페이지에서는 변경할 수 없습니다.",
        "Web pages of another origin may change nothing here. Use a page of this port, or no browser."
    )

    public static let operatorRoleMissing = Problem(
        .forbidden,
        "OPERATOR_ROLE_MISSING",
        "이 작업에는 operate 권한이 필요합니다.",
        "This token may look, but change nothing: that takes one of the role operate.",
        authenticate: #"Bearer realm="usher operator", error="insufficient_scope""#
    )
}
