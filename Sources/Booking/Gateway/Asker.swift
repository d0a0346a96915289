/// Which user a request says it is of, and whether that can be believed. One that nobody vouches for is counted together with
/// the address that named it, so that nobody can use up what is another's.
public struct Asker: Equatable, Sendable {
    public let user: UserID
    /// A token says so, which only that user was given. Anybody can write any number into a body.
    public let isVouched: Bool

    public init(_ user: UserID, isVouched: Bool) {
        self.user = user
        self.isVouched = isVouched
    }
}
