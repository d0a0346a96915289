public import Booking

extension Request.Kind {
    /// The kind in a word, for logs: stable, always the same literal.
    public var name: StaticString {
        switch self {
        case .join: "join"
        case .poll: "poll"
        case .leave: "leave"
        case .schedules: "schedules"
        case .seats: "seats"
        case .reserve: "reserve"
        case .giveBack: "giveBack"
        case .reservations: "reservations"
        case .pay: "pay"
        case .charge: "charge"
        case .use: "use"
        case .balance: "balance"
        case .history: "history"
        case .debit: "debit"
        case .cancel: "cancel"
        case .credit: "credit"
        case .claim: "claim"
        case .transfersSeen: "transfersSeen"
        }
    }
}
