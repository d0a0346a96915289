/// The user that a request names, and whether that name is authenticated. An unauthenticated user is counted together
/// with the address that named them, so that nobody can use up the rate limit of another user.
public struct Asker: Equatable, Sendable {
    public let user: UserID
    /// The user comes from a signed token. Anybody can write any number into a body.
    public let isVouched: Bool

    public init(_ user: UserID, isVouched: Bool) {
        self.user = user
        self.isVouched = isVouched
    }
}

extension Request {
    /// Nil for requests that are about no user.
    public var asker: Asker? {
        switch self {
        case .poll(let pass), .leave(let pass), .reserve(let pass, _, _), .giveBack(let pass, _), .pay(let pass, _):
            Asker(pass.user, isVouched: true)
        case .join(_, let user), .reservations(_, let user), .cancel(_, let user, _), .charge(let user, _, _),
            .use(let user, _), .balance(let user), .history(let user, _):
            Asker(user, isVouched: false)
        case .schedules, .seats, .transfer, .transfersSeen, .claim: nil
        }
    }
}
