/// The verbs of the seats. A reservation takes all its seats or none.
extension Shard {
    func statuses(_ state: ConcertState, _ schedule: ScheduleID) -> Reply {
        state.seats.statuses(of: schedule).map(Reply.seats) ?? .refused(.noSuchSchedule)
    }

    mutating func reserve(_ state: ConcertState, _ pass: Pass, _ scheduleID: ScheduleID, _ seats: [SeatID]) -> Reply {
        if let refusal = self.refusal(pass, state) { return .refused(refusal) }
        if let entry = Self.entry(of: pass, state), self.isBeyondTime(entry, state) { return .refused(.stayOver) }
        guard let schedule = state.seats.schedule(scheduleID) else { return .refused(.noSuchSchedule) }
        guard schedule.playsAt > self.now else { return .refused(.scheduleOver) }
        guard !seats.isEmpty else { return .refused(.noSeats) }
        guard seats.count <= state.concert.rules.maxSeatsPerReservation else { return .refused(.tooManySeats) }
        guard !Self.hasTwice(seats) else { return .refused(.duplicateSeat) }
        for seat in seats {
            guard schedule.hall.section(of: seat) != nil else { return .refused(.noSuchSeat) }
        }
        guard self.mayHave(seats.count, pass.user, state) else { return .refused(.seatsPerUserExceeded) }
        for seat in seats {
            guard state.seats.isFree(seat, on: scheduleID) else { return .refused(.seatTaken) }
        }
        let now = self.now
        let until = now + state.concert.rules.holdTime
        let deadlines = seats.map { seat in
            min(until, state.seats.deadlineKept(seat, on: scheduleID, by: pass.user, at: now) ?? until)
        }
        guard deadlines.allSatisfy({ $0 > now }) else { return .refused(.seatKeptTooLong) }
        var holds: [Reservation] = []
        holds.reserveCapacity(seats.count)
        for (seat, deadline) in zip(seats, deadlines) {
            let section = schedule.hall.section(of: seat)!
            let hold = Reservation(
                id: ReservationID(self.nextID(in: state.concert.slot)),
                user: pass.user,
                schedule: scheduleID,
                seat: seat,
                price: section.price,
                grade: section.grade,
                heldAt: now,
                until: deadline
            )
            self.record(.held(state.concert.id, hold))
            holds.append(hold)
        }
        return .reservations(holds)
    }

    /// Whether a user may hold `count` more seats: the bounds count over all of their reservations for the concert.
    private func mayHave(_ count: Int, _ user: UserID, _ state: ConcertState) -> Bool {
        let rules = state.concert.rules
        guard state.seats.heldCount(of: user) + count <= rules.heldSeatsPerUserMax else { return false }
        return rules.seatsPerUserMax == 0 || state.seats.standingCount(of: user) + count <= rules.seatsPerUserMax
    }

    /// Seats that are free already (released before, or lapsed) count as released: a repeat changes nothing.
    mutating func release(_ state: ConcertState, _ pass: Pass, _ ids: [ReservationID]) -> Reply {
        if let refusal = self.refusal(pass, state) { return .refused(refusal) }
        switch Self.own(ids, of: pass.user, state) {
        case .failure(let refusal): return .refused(refusal)
        case .success(let reservations):
            if reservations.contains(where: { $0.status == .paid }) { return .refused(.alreadyPaid) }
            if reservations.contains(where: \.isPinned) { return .refused(.paymentInProgress) }
            for hold in reservations where hold.status == .held { self.release(hold.id, .released, state) }
            return .reservations(reservations.map { $0.cancelled })
        }
    }

    /// Releases a hold whose owner stays; a stay that went on for its holds ends with the last of them.
    mutating func release(_ hold: ReservationID, _ reason: ReleaseReason, _ state: ConcertState) {
        guard let user = state.seats[hold]?.user else { preconditionFailure("there is no hold \(hold)") }
        self.record(.released(state.concert.id, hold, reason, at: self.now))
        self.endStay(of: user, state)
    }

    /// A user's place is about to end or has ended: only people inside hold seats. Holds that a payment pins are
    /// released when it is refused.
    mutating func releaseHolds(of user: UserID, _ state: ConcertState) {
        for hold in state.seats.unpinnedHolds(of: user) {
            self.record(.released(state.concert.id, hold, .ownerGone, at: self.now))
        }
    }

    /// The user's own reservations in a list that names at least one, and none twice.
    static func own(
        _ ids: [ReservationID],
        of user: UserID,
        _ state: ConcertState
    ) -> Result<[Reservation], Refusal> {
        guard !ids.isEmpty else { return .failure(.noReservations) }
        guard !self.hasTwice(ids) else { return .failure(.duplicateReservation) }
        var reservations: [Reservation] = []
        reservations.reserveCapacity(ids.count)
        for id in ids {
            // Another user's reservation is answered like an unknown one, so that numbers in use are not revealed.
            guard let reservation = state.seats[id], reservation.user == user else {
                return .failure(.noSuchReservation)
            }
            reservations.append(reservation)
        }
        return .success(reservations)
    }

    /// Whether a list of at most a hundred has a duplicate; most lists have one element, for which no set is made.
    static func hasTwice<ID: Identifier>(_ ids: [ID]) -> Bool { ids.count > 1 && Set(ids).count < ids.count }
}
