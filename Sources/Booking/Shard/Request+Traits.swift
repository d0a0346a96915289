/// What is known of each kind of request, each said once: a row of traits for the kind, and whom or what a request names.
/// All else (its shard, its user, what is kept of it, when it is shed) follows from these two.
extension Request {
    /// The kind alone: for counting, and as the frame's kind. Numbers are the wire's: never reuse one.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case join = 1, poll, leave
        case schedules, seats, reserve, release, reservations, pay
        case charge, use, balance, history
        case cancel = 15
        case claim = 32
        // 14 and 16, in protocol versions 1 and 2, did not name the concert.
        case debit, credit, transfersSeen
    }

    public var kind: Kind {
        switch self {
        case .join: .join
        case .poll: .poll
        case .leave: .leave
        case .schedules: .schedules
        case .seats: .seats
        case .reserve: .reserve
        case .release: .release
        case .reservations: .reservations
        case .pay: .pay
        case .charge: .charge
        case .use: .use
        case .balance: .balance
        case .history: .history
        case .transfer(let order): order.direction == .debit ? .debit : .credit
        case .transfersSeen: .transfersSeen
        case .cancel: .cancel
        case .claim: .claim
        }
    }
}

// MARK: - The table

extension Request.Kind {
    /// What holds for every request of a kind.
    public struct Traits: Sendable {
        /// The kind in a word, for logs and statistics. Stable.
        public let name: StaticString
        public let effect: Effect
        public let priority: RequestPriority
        /// What it is answered, if it is not refused.
        public let answer: Reply.Kind
        /// It is about one user, so who asks matters.
        public let isAboutUser: Bool

        init(
            _ name: StaticString,
            _ effect: Effect,
            _ priority: RequestPriority,
            _ answer: Reply.Kind,
            isAboutUser: Bool = true
        ) {
            self.name = name
            self.effect = effect
            self.priority = priority
            self.answer = answer
            self.isAboutUser = isAboutUser
        }
    }

    /// What it may change, and so what is kept of it: see `Operation`.
    public enum Effect: Sendable {
        /// Nothing changes.
        case question
        /// A user's change. What it was answered is kept, for a client's key as for a gateway that sends it again.
        case change
        /// A user's change that finds what it did when it is done again, so that its answer is kept for a client's key alone. A
        /// join that a gateway sends again finds its place: the busiest change of all costs the journal nothing more.
        case repeatableChange
        /// Shards ask each other. What moves points is known by its transfer.
        case transfer
    }

    public var traits: Traits {
        switch self {
        case .join: Traits("join", .repeatableChange, .joining, .joined)
        case .poll: Traits("poll", .question, .asking, .standing)
        case .leave: Traits("leave", .change, .booking, .left)
        case .schedules: Traits("schedules", .question, .asking, .schedules, isAboutUser: false)
        case .seats: Traits("seats", .question, .asking, .seats, isAboutUser: false)
        case .reserve: Traits("reserve", .change, .booking, .reservations)
        case .release: Traits("giveBack", .change, .booking, .reservations)
        case .reservations: Traits("reservations", .question, .asking, .reservations)
        case .pay: Traits("pay", .change, .booking, .paid)
        case .cancel: Traits("cancel", .change, .booking, .cancelled)
        case .charge: Traits("charge", .change, .booking, .points)
        case .use: Traits("use", .change, .booking, .points)
        case .balance: Traits("balance", .question, .asking, .balance)
        case .history: Traits("history", .question, .asking, .history)
        case .debit: Traits("debit", .transfer, .booking, .debited)
        case .credit: Traits("credit", .transfer, .booking, .credited)
        case .transfersSeen: Traits("transfersSeen", .transfer, .asking, .transfersSeen, isAboutUser: false)
        case .claim: Traits("claim", .repeatableChange, .booking, .claimed)
        }
    }

    public var name: StaticString { self.traits.name }
}

// MARK: - Whom a request names

extension Request {
    /// What a request is about, as far as it names it.
    private enum Target {
        case concert(ConcertID)
        /// A place in a concert's line, by its pass.
        case place(Pass)
        case userOfConcert(ConcertID, UserID)
        case user(UserID)
        /// As above; asked by a gateway or a shard for its own sake, not by a client.
        case userOfPeer(UserID)
        /// Whoever is asked.
        case anyShard
    }

    @inline(__always)
    private var target: Target {
        switch self {
        case .schedules(let concert), .seats(let concert, _): .concert(concert)
        case .poll(let pass), .leave(let pass), .reserve(let pass, _, _), .release(let pass, _), .pay(let pass, _):
            .place(pass)
        case .join(let concert, let user), .reservations(let concert, let user), .cancel(let concert, let user, _):
            .userOfConcert(concert, user)
        case .charge(let user, _, _), .use(let user, _), .balance(let user), .history(let user, _): .user(user)
        case .claim(let user, _): .userOfPeer(user)
        case .transfer(let order): .userOfPeer(order.user)
        case .transfersSeen: .anyShard
        }
    }

    /// The slot whose owner can answer.
    public var slot: Slot {
        switch self.target {
        case .concert(let concert), .userOfConcert(let concert, _): Slot(of: concert)
        case .place(let pass): Slot(of: pass.concert)
        case .user(let user), .userOfPeer(let user): Slot(of: user)
        case .anyShard: Slot(checking: 0)!
        }
    }

    /// The user that this is about; nil for public information.
    public var user: UserID? {
        switch self.target {
        case .place(let pass): pass.user
        case .userOfConcert(_, let user), .user(let user), .userOfPeer(let user): user
        case .concert, .anyShard: nil
        }
    }

    /// Whose request a gateway counts it as; nil for questions that are nobody's, and for what no client asks.
    public var subject: RateLimitSubject? {
        switch self.target {
        case .place(let pass): RateLimitSubject(pass.user, isAuthenticated: true)
        case .userOfConcert(_, let user), .user(let user): RateLimitSubject(user, isAuthenticated: false)
        case .concert, .userOfPeer, .anyShard: nil
        }
    }

    /// The user whose change this is; nil for reads and requests between shards. Only a change may have a client's key.
    public var mutatingUser: UserID? {
        switch self.kind.traits.effect {
        case .change, .repeatableChange: self.user
        case .question, .transfer: nil
        }
    }

    public var priority: RequestPriority { self.kind.traits.priority }

    /// Whether an answer to it is kept for this owner.
    func isKept(for owner: Operation.Owner) -> Bool {
        switch self.kind.traits.effect {
        case .change: true
        case .repeatableChange: owner == .client
        case .question, .transfer: false
        }
    }
}
