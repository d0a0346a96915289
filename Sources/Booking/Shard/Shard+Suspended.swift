/// A shard whose journal can't write, or whose clock is not trusted, answers from its durable state and decides
/// nothing. The state's time stands still, so that no place or hold ends without a fact.
extension Shard {
    /// Answers reads and repeats of answered operations, and refuses the rest before anything is decided, with
    /// `refusal` as the reason.
    public func read(
        _ request: Request,
        as operation: Operation? = nil,
        refusing refusal: Refusal = .storageUnavailable
    ) -> Reply {
        if let operation, request.isKept(for: operation.owner), let again = self.again(operation, request) {
            // A request that would have to wait is answered that its outcome is unknown.
            if case .reply(let reply) = again { return reply }
            return Reply.unanswered
        }
        // The operation was in the refused batch, which a restart may still find on the disk.
        if let operation, self.indeterminateResults?.answer(operation.id, at: self.now) != nil {
            return Reply.unanswered
        }
        // The answer to a key has to be kept, and can't be.
        if operation?.owner == .client { return .refused(refusal) }
        return self.read(request, refusal)
    }

    /// The answers so far, including those of a refused batch.
    public var answersGiven: IdempotencyStore { self.answers }

    /// The state was rebuilt without a refused batch. Until `resume`, a repeat of an operation in `answers` is not told
    /// that it was not done.
    public mutating func markIndeterminate(_ answers: IdempotencyStore) { self.indeterminateResults = answers }

    private func read(_ request: Request, _ refusal: Refusal) -> Reply {
        switch request {
        case .join(let concert, let user):
            // A join by a user with a place is a read.
            self.reading(concert) { state in
                self.joined(state, user) ?? .refused(self.hasEnded(state) ? .concertOver : refusal)
            }
        case .poll(let pass):
            self.reading(pass.concert) { state in
                // Also for a person whose time is over, as long as no fact says so.
                guard let entry = Self.entry(of: pass, state) else { return .refused(self.absence(state)) }
                if case .waiting = entry.state, self.hasEnded(state) { return .refused(.concertOver) }
                return .standing(self.standing(pass.place, state))
            }
        case .schedules(let concert): self.reading(concert) { .schedules($0.seats.remaining) }
        case .seats(let concert, let schedule): self.reading(concert) { self.statuses($0, schedule) }
        case .reservations(let concert, let user):
            self.reading(concert) { state in
                .reservations(state.seats.reservations(of: user, max: Self.reservationsShownMax))
            }
        case .balance(let user):
            self.isOwn(user) ? .balance(self.points.balance(of: user)) : .refused(.wrongShard)
        case .history(let user, let query):
            self.isOwn(user) ? .history(self.points.history(of: user, query)) : .refused(.wrongShard)
        case .transfersSeen(let shard): self.transfersSeen(by: shard)
        case .leave, .reserve, .release, .pay, .cancel, .charge, .use, .transfer, .claim:
            .refused(refusal)
        }
    }

    /// All requests that wait for points to move get this answer instead: their transfers go on without them. So do
    /// requests that were not decided yet.
    public mutating func removeWaiters(telling reply: Reply) -> [LateReply] {
        let deferred = self.deferred.keys.sorted().flatMap { self.deferred[$0]! }
        self.deferred = [:]
        return deferred.map { LateReply(origin: $0.origin, kind: $0.request.kind, reply: reply) }
            + self.transfers.removeWaiters().map { id, origin in
                guard let transfer = self.transfers[id] else { preconditionFailure("a waiter has no transfer") }
                return LateReply(origin: origin, kind: transfer.askedFor, reply: reply)
            }
    }

    private func reading(_ concert: ConcertID, _ answer: (ConcertState) -> Reply) -> Reply {
        guard let state = self.concerts[concert] else { return .refused(self.refusal(of: concert)) }
        return answer(state)
    }

    private func isOwn(_ user: UserID) -> Bool { self.misfit(of: user) == nil }
}
