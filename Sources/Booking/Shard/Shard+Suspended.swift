/// What a shard does while its journal can't write: it answers from the state, which is what is durable, and decides
/// nothing. Its time stands still, so that no place or hold is over that nobody could write down.
extension Shard {
    /// Answers what needs no fact, and refuses the rest before anything is decided.
    public func read(_ request: Request) -> Reply {
        switch request {
        case .poll(let pass):
            self.reading(pass.concert) { state in
                // Also for someone whose time is over, as long as no fact says so.
                guard Self.entry(of: pass, state) != nil else { return .refused(.tokenUnknown) }
                return .standing(Self.standing(pass.place, state))
            }
        case .schedules(let concert): self.reading(concert) { .schedules($0.seats.remaining) }
        case .seats(let concert, let schedule): self.reading(concert) { self.statuses($0, schedule) }
        case .reservations(let concert, let user):
            self.reading(concert) { .reservations($0.seats.reservations(of: user).suffix(Self.reservationsShownMax)) }
        case .balance(let user):
            self.isOwn(user) ? .balance(self.points.balance(of: user)) : .refused(.wrongShard)
        case .history(let user, let query):
            self.isOwn(user) ? .history(self.points.history(of: user, query)) : .refused(.wrongShard)
        case .join, .leave, .reserve, .giveBack, .pay, .cancel, .charge, .use, .debit, .credit:
            .refused(.storageUnavailable)
        }
    }

    /// Everyone who waits for points to move gets this answer instead: what they wait for goes on without them.
    public mutating func takeWaiters(telling reply: Reply) -> [LateReply] {
        self.transfers.takeWaiters().map { id, origin in
            guard let transfer = self.transfers[id] else { preconditionFailure("somebody waits for what is over") }
            return LateReply(origin: origin, kind: transfer.askedFor, reply: reply)
        }
    }

    private func reading(_ concert: ConcertID, _ answer: (ConcertState) -> Reply) -> Reply {
        guard let state = self.concerts[concert] else { return .refused(self.refusal(of: concert)) }
        return answer(state)
    }

    private func isOwn(_ user: UserID) -> Bool { self.misfit(of: user) == nil }
}
