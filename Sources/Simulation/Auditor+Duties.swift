import Booking

/// What time brings about: nothing lapses before its time, everything lapses soon after it, and every admission that the rate
/// and the room allow is made.
///
///     early   a fact against the last moment at which its owner certainly was there
///     late    a tick of the shard, and the time for two commits after it, against everything due by that tick
///
/// A shard can be late only while nothing hinders it: see `ShardHost.unhinderedSince`.
extension Auditor {
    /// What the books know of one shard's duties.
    struct DutyBook {
        /// When everyone who waited counted as seen, by the shard's time: a restart, or the end of a suspension.
        var resumedAt = Timestamp.distantPast
        /// Ticks by the shard's time and by the world's: the last one whose facts must be durable, and those after it.
        var ticks: [(time: Timestamp, at: Timestamp)] = []
    }

    // MARK: Who was there

    /// A shard decides again after it started, or only read.
    func resumed(_ shard: Int, at time: Timestamp) { self.duties[shard].resumedAt = time }

    /// A request has reached a shard that decides, by whose clock it is `time`.
    func arrived(_ request: Request, at time: Timestamp) {
        switch request {
        case .join(let concert, let user):
            // It may be a repeat, whose answer is kept and keeps no place.
            guard let index = self.lines[concert]?.places[user] else { return }
            self.lines[concert]!.people[index].maybePolledAt = time
        case .poll(let pass):
            guard let person = self.person(pass.concert, pass.place), person.user == pass.user,
                person.joinedAt == pass.issuedAt, person.gonePosition == nil
            else { return }
            let index = Int(pass.place.rawValue) - 1
            self.lines[pass.concert]!.people[index].maybePolledAt = time
            // A place that may be due may have lapsed before the poll.
            guard time < self.earliestLapse(of: person, pass.concert) else { return }
            self.lines[pass.concert]!.people[index].polledAt = time
        default: break
        }
    }

    /// When the place of a waiting person may lapse, at the earliest.
    func earliestLapse(of person: Person, _ id: ConcertID) -> Timestamp {
        let concert = self.lines[id]!.concert
        let resumedAt = self.duties[self.slots.shard(of: concert.slot)].resumedAt
        let step = min(Booking.Line.seenStepMax, Nanoseconds(concert.rules.waitingLifetime.rawValue / 8))
        let seenAt = max(person.joinedAt, resumedAt, person.polledAt - step)
        return min(seenAt + concert.rules.waitingLifetime, concert.endsAt)
    }

    /// When the place of a person must lapse, at the latest; nil while seats keep it.
    private func latestLapse(of person: Person, _ concert: Concert) -> Timestamp? {
        if let admitted = person.admitted {
            let holding = Holding(concert: concert.id, user: person.user)
            guard self.seatCounts[holding]?.last.held ?? 0 == 0 else { return nil }
            return admitted.at + concert.rules.admittedLifetime
        }
        let resumedAt = self.duties[self.slots.shard(of: concert.slot)].resumedAt
        let seenAt = max(person.joinedAt, resumedAt, person.maybePolledAt)
        return min(seenAt + concert.rules.waitingLifetime, concert.endsAt)
    }

    // MARK: What is due

    /// A shard has ticked, by its clock at `time`. What a tick brings about is durable after `commitTime`, unless something
    /// has hindered the shard since. True when a tick's duties were checked.
    func ticked(
        _ shard: Int,
        time: Timestamp,
        at now: Timestamp,
        unhinderedSince: Timestamp,
        commitTime: Nanoseconds
    ) -> Bool {
        guard !self.hasLost else { return false }
        self.duties[shard].ticks.append((time, now))
        while self.duties[shard].ticks.count > 1, self.duties[shard].ticks[1].at + commitTime <= now {
            self.duties[shard].ticks.removeFirst()
        }
        let tick = self.duties[shard].ticks[0]
        guard tick.at + commitTime <= now, tick.at >= unhinderedSince else { return false }
        for concert in SmallWorld.catalogue.concerts where self.slots.shard(of: concert.slot) == shard {
            self.checkPlaces(of: concert, by: tick.time)
            self.checkAdmission(to: concert, by: tick.time)
        }
        self.checkHolds(of: shard, by: tick.time)
        return true
    }

    private func checkPlaces(of concert: Concert, by time: Timestamp) {
        let book = self.lines[concert.id]!
        // A dictionary's order is not the seed's.
        let late = book.places.values.filter {
            self.latestLapse(of: book.people[$0], concert).map { $0 <= time } ?? false
        }
        guard let first = late.min() else { return }
        self.fail("place \(first + 1) of concert \(concert.id) has not lapsed in time")
    }

    /// There was room at the last tick, the rate allowed an admission, and somebody waited.
    private func checkAdmission(to concert: Concert, by time: Timestamp) {
        guard concert.opensAt <= time, time < concert.endsAt else { return }
        let index = self.firstWaiting(concert.id)
        let book = self.lines[concert.id]!
        let rules = concert.rules
        guard index < book.people.count, book.people[index].joinedAt < time else { return }
        let hasRoom =
            rules.maxActive == 0 || book.insideCount < Int(rules.maxActive) && book.insideChangedAt < time
        let perSecond = Int64(rules.admissionsPerSecond)
        let interval = Nanoseconds((1_000_000_000 + perSecond - 1) / perSecond)
        let isDue = book.admissions.last.map { $0 + interval <= time } ?? true
        self.require(!hasRoom || !isDue, "place \(index + 1) of concert \(concert.id) may go in, and does not")
    }

    private func checkHolds(of shard: Int, by time: Timestamp) {
        var late: [ReservationID] = []
        var ownerless: [ReservationID] = []
        for id in self.held {
            let book = self.reservations[id]!
            guard self.slots.shard(of: Slot(of: book.concert)) == shard, book.payment == nil else { continue }
            if book.reservation.until <= time { late.append(id) }
            if self.admitted(book.reservation.user, book.concert) == nil { ownerless.append(id) }
        }
        if let first = late.min() { self.fail("reservation \(first) has not lapsed in time") }
        if let first = ownerless.min() { self.fail("reservation \(first) is held, and its owner is gone") }
    }
}
