extension ServerConfiguration {
    /// Logins. When they are off, Usher believes the `userId` of a request: the system in front has checked it.
    public struct Identity: Equatable, Sendable {
        public var mode = "off"
        public var keyFile = ""
        public var claim = "sub"
        /// Empty for any; the same for the issuer.
        public var audience = ""
        public var issuer = ""
        /// 100,000 people who ask again and again take 7 MB of a gateway.
        public var cachedTokensMax = 100_000
    }
}

extension Settings {
    static let identity: [Setting] = [
        text(
            "identity.mode",
            \.identity.mode,
            .oneOf(["off", "jwt"]),
            .essential,
            "Whether requests about a user must carry a login (a JSON Web Token, as `Authorization: Bearer`; jwt), or name the "
                + "user themselves and are believed (off)."
        ),
        text(
            "identity.keyFile",
            \.identity.keyFile,
            .file,
            .essential,
            "File of the keys that sign logins: a JSON Web Key Set, or a public key in PEM. Read again when it changes."
        ),
        text("identity.claim", \.identity.claim, .word, .optional, "Claim of a login that names the user."),
        text(
            "identity.audience",
            \.identity.audience,
            .wordOrNone,
            .optional,
            "Audience that a login must have; empty accepts any."
        ),
        text(
            "identity.issuer",
            \.identity.issuer,
            .wordOrNone,
            .optional,
            "Issuer that a login must have; empty accepts any."
        ),
        whole(
            "identity.cachedTokensMax",
            \.identity.cachedTokensMax,
            4...10_000_000,
            unit: "tokens",
            .optional,
            "Verified logins that a gateway caches until they expire."
        ),
    ]
}
