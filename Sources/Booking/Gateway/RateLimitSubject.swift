/// The user that a request names, and whether that name is authenticated. An unauthenticated user is counted together
/// with the address that named them, so that nobody can use up the rate limit of another user.
public struct RateLimitSubject: Equatable, Sendable {
    public let user: UserID
    /// The user comes from a signed token. Anybody can write any number into a body.
    public let isAuthenticated: Bool

    public init(_ user: UserID, isAuthenticated: Bool) {
        self.user = user
        self.isAuthenticated = isAuthenticated
    }
}
