/// The verbs of the line.
extension Shard {
    mutating func join(_ state: ConcertState, _ user: UserID) -> Reply {
        if let place = state.line.place(of: user), let entry = state.line.entry(at: place) {
            guard self.isOver(entry, state) else {
                state.line.seen(place, at: self.now)
                return self.joined(state, place)
            }
            guard !self.hasEnded(state) else { return .refused(.concertOver) }
            self.record(.lapsed(state.concert.id, place, at: self.now))
        }
        guard !self.hasEnded(state) else { return .refused(.concertOver) }
        guard !state.line.isFull else { return .refused(.overloaded) }
        let place = state.line.nextPlace
        self.record(.joined(state.concert.id, user, place, at: self.now))
        self.admit(state)
        return .joined(Joined(place: place, issuedAt: self.now, standing: self.standing(place, state)))
    }

    /// The reply with the user's place if its time is not over; nil otherwise.
    func joined(_ state: ConcertState, _ user: UserID) -> Reply? {
        guard let place = state.line.place(of: user), let entry = state.line.entry(at: place) else { return nil }
        return self.isOver(entry, state) ? nil : self.joined(state, place)
    }

    private func joined(_ state: ConcertState, _ place: Place) -> Reply {
        guard let entry = state.line.entry(at: place) else { preconditionFailure("nobody stands at place \(place)") }
        return .joined(Joined(place: place, issuedAt: entry.joinedAt, standing: self.standing(place, state)))
    }

    mutating func poll(_ state: ConcertState, _ pass: Pass) -> Reply {
        if let standing = state.line.polled(pass.place, by: pass.user, joinedAt: pass.issuedAt, at: self.now) {
            return .standing(standing)
        }
        // Beyond the time inside, only the stay itself goes on.
        return self.isCurrent(pass, state) ? .standing(.admitted) : .refused(self.absence(state))
    }

    func standing(_ place: Place, _ state: ConcertState) -> Standing {
        guard let standing = state.line.standing(of: place, at: self.now) else {
            preconditionFailure("nobody stands at place \(place)")
        }
        return standing
    }

    mutating func leave(_ state: ConcertState, _ pass: Pass) -> Reply {
        guard self.isCurrent(pass, state) else { return .refused(self.absence(state)) }
        self.releaseHolds(of: pass.user, state)
        self.record(.left(state.concert.id, pass.place, at: self.now))
        self.admit(state)
        return .left
    }

    /// Whether the place is still this person's, waiting or inside, and their time is not over.
    func isCurrent(_ pass: Pass, _ state: ConcertState) -> Bool {
        Self.entry(of: pass, state).map { !self.isOver($0, state) } ?? false
    }

    /// The entry as the facts have it; nil also for a pass from another life of the line.
    static func entry(of pass: Pass, _ state: ConcertState) -> Line.Entry? {
        guard let entry = state.line.entry(at: pass.place) else { return nil }
        return entry.user == pass.user && entry.joinedAt == pass.issuedAt ? entry : nil
    }

    /// The last schedule has begun: joining and admission end. People inside may stay.
    func hasEnded(_ state: ConcertState) -> Bool { state.concert.endsAt <= self.now }

    /// The refusal for a place that does not exist any more.
    func absence(_ state: ConcertState) -> Refusal { self.hasEnded(state) ? .concertOver : .tokenUnknown }

    /// Whether a stay, or the wait of everyone in line, has ended, even if the place is not cleared yet, as lapses per
    /// step are bounded. A place past its waiting lifetime whose owner asks before it is cleared counts as seen in
    /// time.
    private func isOver(_ entry: Line.Entry, _ state: ConcertState) -> Bool {
        guard case .admitted = entry.state else { return self.hasEnded(state) }
        return self.isBeyondTime(entry, state) && state.seats.heldCount(of: entry.user) == 0
    }

    /// Whether a person's time inside is over. Their stay lasts while they hold seats, so that a hold keeps its full
    /// length and can be paid until then; but they get no new seats.
    func isBeyondTime(_ entry: Line.Entry, _ state: ConcertState) -> Bool {
        guard case .admitted(let at) = entry.state else { return false }
        return at + state.concert.rules.admittedLifetime <= self.now
    }

    func isInside(_ user: UserID, _ state: ConcertState) -> Bool {
        guard case .admitted = state.line.place(of: user).flatMap({ state.line.entry(at: $0) })?.state else {
            return false
        }
        return true
    }

    /// A stay beyond its time ends with the last hold.
    mutating func endStay(of user: UserID, _ state: ConcertState) {
        guard let place = state.line.place(of: user), let entry = state.line.entry(at: place), self.isOver(entry, state)
        else { return }
        self.record(.lapsed(state.concert.id, place, at: self.now))
    }

    /// The refusal for a request that only people inside may make; nil for a person inside.
    func refusal(_ pass: Pass, _ state: ConcertState) -> Refusal? {
        guard self.isCurrent(pass, state) else { return .tokenUnknown }
        guard case .admitted = state.line.entry(at: pass.place)?.state else { return .notAdmitted }
        return nil
    }
}
