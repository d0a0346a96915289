import Booking

/// One concert of the model: its line and its seats.
extension ClusterModel.ConcertModel {
    // MARK: The line

    mutating func join(_ user: UserID, _ now: Timestamp) -> Joined {
        if let index = self.people.firstIndex(where: { $0.user == user && !$0.isGone }) {
            self.see(index, now)
            return self.joined(index, now)
        }
        let place = Place(UInt64(self.people.count) + 1)
        self.people.append(ClusterModel.Person(user: user, place: place, joinedAt: now, seenAt: now))
        self.admit(now)
        return self.joined(self.people.count - 1, now)
    }

    private func joined(_ index: Int, _ now: Timestamp) -> Joined {
        let person = self.people[index]
        return Joined(place: person.place, issuedAt: person.joinedAt, standing: self.standing(person, now))
    }

    mutating func poll(_ pass: Pass, _ now: Timestamp) -> Reply {
        guard let index = self.index(pass) else { return .refused(.tokenUnknown) }
        self.see(index, now)
        return .standing(self.standing(self.people[index], now))
    }

    mutating func leave(_ pass: Pass, _ now: Timestamp) -> Reply {
        guard let index = self.index(pass) else { return .refused(.tokenUnknown) }
        self.releaseHolds(of: pass.user, now)
        self.people[index].isGone = true
        self.admit(now)
        return .left
    }

    private mutating func see(_ index: Int, _ now: Timestamp) {
        guard self.people[index].isWaiting, now - self.people[index].seenAt >= .seconds(1) else { return }
        self.people[index].seenAt = now
    }

    /// The shortest time left: to the opening, and then as the rate admits.
    func standing(_ person: ClusterModel.Person, _ now: Timestamp) -> Standing {
        guard person.isWaiting else { return Standing(order: 0, seconds: 0) }
        let order = UInt64(self.people.count { $0.isWaiting && $0.place <= person.place })
        let rate = Int64(self.rules.admissionsPerSecond)
        let opening = max(0, (self.concert.opensAt - now).rawValue)
        var seconds: Int64 = 0
        while (seconds * 1_000_000_000 - opening) * rate < Int64(order) * 1_000_000_000 { seconds += 1 }
        return Standing(order: order, seconds: UInt64(seconds))
    }

    /// How much longer the time left may be for people who wait for room inside: 0 without a bound.
    func slack(for order: UInt64) -> UInt64 {
        guard self.rules.maxActive > 0 else { return 0 }
        let lifetime = UInt64(self.rules.admittedLifetime.rawValue / 1_000_000_000)
        return (order / UInt64(self.rules.maxActive) + 2) * lifetime
    }

    func index(_ pass: Pass) -> Int? {
        self.people.firstIndex {
            !$0.isGone && $0.place == pass.place && $0.user == pass.user && $0.joinedAt == pass.issuedAt
        }
    }

    func refusal(_ pass: Pass) -> Refusal? {
        guard let index = self.index(pass) else { return .tokenUnknown }
        return self.people[index].isWaiting ? .notAdmitted : nil
    }

    // MARK: Time

    /// The beginning of changes and ticks.
    mutating func settle(_ now: Timestamp) {
        self.lapse(now)
        self.admit(now)
    }

    /// The beginning of reads.
    mutating func lapse(_ now: Timestamp) {
        for index in self.reservations.indices {
            let reservation = self.reservations[index]
            guard reservation.status == .held, reservation.payment == nil, reservation.until <= now else { continue }
            self.release([reservation.id], now)
        }
        self.endStays(now)
        for index in self.people.indices {
            let person = self.people[index]
            let end =
                person.admittedAt.map { $0 + self.rules.admittedLifetime }
                ?? max(person.seenAt, self.resumedAt) + self.rules.waitingLifetime
            guard end <= now, person.isWaiting || self.holds(of: person.user).isEmpty else { continue }
            self.people[index].isGone = true
        }
    }

    /// A seat becomes free: its last user, the hold's deadline, and the time.
    mutating func release(_ ids: [ReservationID], _ now: Timestamp) {
        for reservation in self.reservations where ids.contains(reservation.id) {
            self.freed.append((reservation, at: now))
        }
        self.change(ids) { $0.status = .cancelled }
        if !ids.isEmpty { self.forget(now) }
    }

    /// At each fact about seats: the newest ended seats of each user are remembered, for a time.
    mutating func forget(_ now: Timestamp) {
        let limits = SmallWorld.recordLimits
        let over = self.reservations.filter { reservation in
            reservation.status == .cancelled && !self.forgotten.contains(reservation.id)
                && (reservation.payment == nil || self.refundedUntil[reservation.id] != nil)
        }
        for reservation in over {
            let newer = over.count { $0.user == reservation.user && $0.id > reservation.id }
            let until = self.refundedUntil[reservation.id] ?? reservation.until + limits.unpaidLifetime
            if newer >= limits.overPerUserMax || until <= now { self.forgotten.insert(reservation.id) }
        }
    }

    func holds(of user: UserID) -> [Reservation] {
        self.reservations.filter { $0.user == user && $0.status == .held }
    }

    /// A user goes, and keeps only seats that are being paid.
    mutating func releaseHolds(of user: UserID, _ now: Timestamp) {
        self.release(self.holds(of: user).filter { $0.payment == nil }.map(\.id), now)
    }

    func isInside(_ user: UserID) -> Bool {
        self.people.contains { $0.user == user && !$0.isGone && $0.admittedAt != nil }
    }

    private func isBeyondTime(_ person: ClusterModel.Person, _ now: Timestamp) -> Bool {
        person.admittedAt.map { $0 + self.rules.admittedLifetime <= now } ?? false
    }

    /// Ends the stays that went on for holds alone, with the last of them.
    mutating func endStays(_ now: Timestamp) {
        for index in self.people.indices where self.isBeyondTime(self.people[index], now) {
            if self.holds(of: self.people[index].user).isEmpty { self.people[index].isGone = true }
        }
    }

    /// The deadline that a new hold of this user keeps: that of the seat's last hold, if it was theirs a moment ago.
    func deadlineKept(_ seat: SeatID, _ schedule: ScheduleID, _ user: UserID, _ now: Timestamp) -> Timestamp? {
        let last = self.freed.last { $0.reservation.seat == seat && $0.reservation.schedule == schedule }
        guard let last, last.reservation.user == user, last.at + .seconds(10) > now else { return nil }
        return last.reservation.until
    }

    /// In order of places, one each interval. A late admission leaves the next one due as if it had been on time, up to
    /// the slack.
    mutating func admit(_ now: Timestamp) {
        let rate = AdmissionRate(perSecond: self.rules.admissionsPerSecond)
        while let index = self.people.firstIndex(where: \.isWaiting) {
            let inside = self.people.count { !$0.isGone && $0.admittedAt != nil }
            if self.rules.maxActive > 0, inside >= self.rules.maxActive { return }
            let due = max(self.due, self.concert.opensAt, now - rate.slack)
            if due > now { return }
            self.people[index].admittedAt = now
            self.due = due + rate.interval
        }
    }

    // MARK: Seats

    func occupant(_ seat: UInt64, _ schedule: ScheduleID) -> Reservation? {
        self.reservations.first {
            $0.seat.rawValue == seat && $0.schedule == schedule && $0.status != .cancelled
        }
    }

    /// Nil for a schedule that is not this concert's.
    func statuses(_ schedule: ScheduleID) -> [SeatStatus]? {
        guard self.concert.schedules.contains(where: { $0.id == schedule }) else { return nil }
        return (1...6 as ClosedRange<UInt64>).map { seat in
            guard let occupant = self.occupant(seat, schedule) else { return .available }
            return occupant.status == .paid ? .sold : .held
        }
    }

    var remaining: [UInt32] {
        self.concert.schedules.map { schedule in
            UInt32(self.statuses(schedule.id)!.count { $0 == .available })
        }
    }

    func refusal(of seats: [SeatID], on id: ScheduleID, for pass: Pass, _ now: Timestamp) -> Refusal? {
        if let refusal = self.refusal(pass) { return refusal }
        if self.isBeyondTime(self.people[self.index(pass)!], now) { return .stayOver }
        guard let schedule = self.concert.schedules.first(where: { $0.id == id }) else { return .noSuchSchedule }
        if schedule.playsAt <= now { return .scheduleOver }
        if seats.isEmpty { return .noSeats }
        if seats.count > self.rules.maxSeatsPerReservation { return .tooManySeats }
        if Set(seats).count < seats.count { return .duplicateSeat }
        if seats.contains(where: { !(1...6).contains($0.rawValue) }) { return .noSuchSeat }
        let own = self.reservations.filter { $0.user == pass.user && $0.status != .cancelled }
        let held = own.count { $0.status == .held }
        if held + seats.count > self.rules.heldSeatsPerUserMax { return .seatsPerUserExceeded }
        if self.rules.seatsPerUserMax > 0, own.count + seats.count > self.rules.seatsPerUserMax {
            return .seatsPerUserExceeded
        }
        if seats.contains(where: { self.occupant($0.rawValue, id) != nil }) { return .seatTaken }
        if seats.contains(where: { (self.deadlineKept($0, id, pass.user, now) ?? .distantFuture) <= now }) {
            return .seatKeptTooLong
        }
        return nil
    }

    /// Why this person may not name these together.
    func refusal(of ids: [ReservationID], for user: UserID) -> Refusal? {
        if ids.isEmpty { return .noReservations }
        if Set(ids).count < ids.count { return .duplicateReservation }
        let own = ids.filter { id in
            self.reservations.contains { $0.id == id && $0.user == user } && !self.forgotten.contains(id)
        }
        return own.count < ids.count ? .noSuchReservation : nil
    }

    mutating func release(_ pass: Pass, _ ids: [ReservationID], _ now: Timestamp) -> Reply {
        if let refusal = self.refusal(pass) ?? self.refusal(of: ids, for: pass.user) { return .refused(refusal) }
        let named = ids.map { id in self.reservations.first { $0.id == id }! }
        if named.contains(where: { $0.status == .paid }) { return .refused(.alreadyPaid) }
        if named.contains(where: { $0.status == .held && $0.payment != nil }) { return .refused(.paymentInProgress) }
        self.release(named.filter { $0.status == .held }.map(\.id), now)
        self.endStays(now)
        return .reservations(ids.map { id in self.reservations.first { $0.id == id }! })
    }

    mutating func change(_ ids: [ReservationID], _ change: (inout Reservation) -> Void) {
        for index in self.reservations.indices where ids.contains(self.reservations[index].id) {
            change(&self.reservations[index])
        }
    }
}
