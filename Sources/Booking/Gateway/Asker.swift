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

extension Request {
    /// Nil for the questions that are nobody's.
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
