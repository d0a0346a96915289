import Booking

/// Taking in facts, in the order in which the disks keep them.
extension Auditor {
    /// One more fact of a shard is durable.
    func apply(_ fact: Fact, of shard: Int) {
        self.note(fact, of: shard)
        self.journals[shard].count += 1
        guard !self.hasLost else { return }
        let position = self.journals[shard].count
        let lastAt = self.journals[shard].lastAt
        self.require(lastAt <= fact.at, "shard \(shard) has kept a fact out of time: \(fact)")
        if lastAt != .distantPast, fact.at - lastAt >= self.answerLimits.keyLifetime { self.forgetKeys(of: shard) }
        self.journals[shard].lastAt = fact.at
        self.journals[shard].times.append(fact.at)
        self.checkLeaving(fact, shard)
        switch fact {
        case .joined(let concert, let user, let place, let at):
            self.done(.join(concert, user))
            self.joined(concert, user, place, at)
        case .admitted(let concert, let place, let at): self.admitted(concert, place, at, position)
        case .left(let concert, let place, _):
            self.done(.leave(concert, place))
            self.checkNothingKept(concert, self.person(concert, place)?.user)
            self.gone(concert, place, position, "left")
        case .lapsed(let concert, let place, let at): self.lapsed(concert, place, at, position)
        case .held(let concert, let reservation): self.held(concert, reservation, position)
        case .released(let concert, let id, let reason, let at): self.released(concert, id, reason, at, position)
        case .paymentStarted(let order): self.started(order)
        case .paymentDone(let concert, let payment, let balance, _):
            self.paid(concert, payment, balance, position)
        case .paymentRefused(_, let payment, _): self.paymentRefused(payment)
        case .cancelStarted(let order): self.cancelStarted(order)
        case .cancelDone(let concert, let id, let balance, _): self.cancelled(concert, id, balance, position)
        case .charged(let user, let id, let amount, let type, let at):
            self.done(.charge(user, amount))
            self.write(
                user,
                HistoryEntry(id: id, amount: amount, type: .charge, paymentType: type, at: at),
                position,
                amount
            )
            self.require(self.balance(of: user) <= Points.balanceMax, "user \(user) has too many points")
        case .used(let user, let id, let amount, let at):
            self.done(.use(user, amount))
            self.writeUse(user, id, amount, at, position)
        case .transferred(let order, let id, let at):
            switch order.direction {
            case .debit: self.debited(order.user, id, PaymentID(order.id.rawValue), order.amount, at, position)
            case .credit:
                self.credited(order.user, id, CancellationID(order.id.rawValue), order.amount, at, position)
            }
        case .transferRefused(let order, _):
            let payment = PaymentID(order.id.rawValue)
            guard let begun = self.askedOrder(payment, order.user) else { return }
            self.require(
                self.balance(of: order.user) < begun.amount,
                "payment \(payment) was refused, but user \(order.user) has \(self.balance(of: order.user)) points"
            )
            self.debits[payment] = Debit(user: order.user, amount: begun.amount, balance: nil)
        case .cancelRefused, .idsSkipped: self.fail("\(fact) although no disk was put back")
        case .debited, .debitRefused, .credited: self.fail("\(fact) is an earlier version's")
        case .answered(let answer): self.answered(answer, on: shard)
        }
    }

    // MARK: The line

    private func joined(_ concert: ConcertID, _ user: UserID, _ place: Place, _ at: Timestamp) {
        let count = self.lines[concert]!.people.count
        self.require(place.rawValue == UInt64(count) + 1, "place \(place) of concert \(concert) follows place \(count)")
        self.require(self.lines[concert]!.places[user] == nil, "user \(user) has joined concert \(concert) twice")
        self.require(at < self.lines[concert]!.concert.endsAt, "user \(user) joined concert \(concert) after its end")
        self.lines[concert]!.people.append(Person(user: user, joinedAt: at))
        self.lines[concert]!.places[user] = count
    }

    private func admitted(_ concert: ConcertID, _ place: Place, _ at: Timestamp, _ position: Int) {
        let book = self.lines[concert]!
        let rules = book.concert.rules
        let index = Int(place.rawValue) - 1
        guard index == self.firstWaiting(concert), index < book.people.count else {
            return self.fail("place \(place) of concert \(concert) was admitted past another, or is not waiting")
        }
        self.require(at >= book.concert.opensAt, "concert \(concert) let someone in before it opened")
        self.require(at < book.concert.endsAt, "concert \(concert) let someone in after its last play began")
        let perSecond = Int(rules.admissionsPerSecond)
        let many = perSecond + max(1, perSecond / 10)
        if book.admissions.count >= many {
            self.require(
                book.admissions[book.admissions.count - many] + .seconds(1) <= at,
                "concert \(concert) let in more than \(many) people within a second"
            )
        }
        self.lines[concert]!.people[index].admitted = (position, at)
        self.lines[concert]!.admissions.append(at)
        self.lines[concert]!.insideCount += 1
        self.lines[concert]!.insideChangedPosition = position
        self.lines[concert]!.insideChangedAt = at
        self.lines[concert]!.firstAdmission = book.firstAdmission ?? position
        if rules.maxActive > 0 {
            self.require(
                self.lines[concert]!.insideCount <= Int(rules.maxActive),
                "more than \(rules.maxActive) people are inside at concert \(concert)"
            )
        }
    }

    /// The index of the first person who waits; the number of all people when none does.
    func firstWaiting(_ concert: ConcertID) -> Int {
        var index = self.lines[concert]!.firstWaiting
        let people = self.lines[concert]!.people
        while index < people.count, people[index].admitted != nil || people[index].gonePosition != nil { index += 1 }
        self.lines[concert]!.firstWaiting = index
        return index
    }

    private func lapsed(_ concert: ConcertID, _ place: Place, _ at: Timestamp, _ position: Int) {
        guard let person = self.person(concert, place) else { return self.fail("place \(place) was never given") }
        let rules = self.lines[concert]!.concert.rules
        if let admitted = person.admitted {
            self.require(
                at >= admitted.at + rules.admittedLifetime,
                "place \(place) of concert \(concert) lapsed too early"
            )
            let held = self.seatCounts[Holding(concert: concert, user: person.user)]?.last.held ?? 0
            self.require(held == 0, "place \(place) of concert \(concert) lapsed, and its user holds \(held) seats")
        } else {
            self.require(
                at >= self.earliestLapse(of: person, concert),
                "place \(place) of concert \(concert) lapsed too early: its owner was there"
            )
        }
        self.gone(concert, place, position, "lapsed")
    }

    func person(_ concert: ConcertID, _ place: Place) -> Person? {
        guard let people = self.lines[concert]?.people else { return nil }
        guard place.rawValue >= 1, place.rawValue <= UInt64(people.count) else { return nil }
        return people[Int(place.rawValue) - 1]
    }

    private func gone(_ concert: ConcertID, _ place: Place, _ position: Int, _ how: String) {
        guard let person = self.person(concert, place), person.gonePosition == nil else {
            return self.fail("place \(place) of concert \(concert) \(how), but nobody was there")
        }
        self.lines[concert]!.people[Int(place.rawValue) - 1].gonePosition = position
        self.lines[concert]!.places[person.user] = nil
        guard person.admitted != nil else { return }
        self.lines[concert]!.insideCount -= 1
        self.lines[concert]!.insideChangedPosition = position
        self.lines[concert]!.insideChangedAt = self.lastAt(of: concert)
        if how != "lapsed" { self.lines[concert]!.hasEarlyDepartures = true }
    }

    // MARK: Seats

    private func held(_ concert: ConcertID, _ hold: Reservation, _ position: Int) {
        self.done(.hold(hold.user, hold.schedule, hold.seat))
        guard let schedule = self.lines[concert]!.concert.schedules.first(where: { $0.id == hold.schedule }) else {
            return self.fail("reservation \(hold.id) is for a schedule of another concert")
        }
        self.require(
            self.seats[hold.schedule]!.last[Int(hold.seat.rawValue) - 1] == .available,
            "seat \(hold.seat) of schedule \(hold.schedule) was held, but is not free"
        )
        self.require(self.reservations[hold.id] == nil, "reservation \(hold.id) was given twice")
        let section = schedule.hall.section(of: hold.seat)
        self.require(
            section?.price == hold.price && section?.grade == hold.grade,
            "reservation \(hold.id) has a wrong price or grade"
        )
        self.require(schedule.playsAt > hold.heldAt, "reservation \(hold.id) is for a play that has begun")
        let rules = self.lines[concert]!.concert.rules
        let admitted = self.admitted(hold.user, concert)
        self.require(admitted != nil, "user \(hold.user) holds a seat of concert \(concert), but is not inside")
        self.require(
            admitted.map { hold.heldAt < $0 + rules.admittedLifetime } ?? true,
            "user \(hold.user) holds a seat of concert \(concert) after their time inside"
        )
        self.require(hold.until <= hold.heldAt + rules.holdTime, "reservation \(hold.id) is held for too long")
        let freed = self.freed[hold.schedule]![Int(hold.seat.rawValue) - 1].last
        self.require(
            hold.until == hold.heldAt + rules.holdTime || freed?.user == hold.user,
            "reservation \(hold.id) is held for too short a time"
        )
        self.checkRenewal(hold)
        self.reservations[hold.id] = ReservationBook(reservation: hold, concert: concert, heldPosition: position)
        self.reservationsByUser[hold.user, default: []].append(hold.id)
        self.held.insert(hold.id)
        self.set(.held, hold, concert, position)
        let count = self.count(hold.user, concert, position) { $0.held += 1 }
        self.require(
            count.held <= rules.heldSeatsPerUserMax,
            "user \(hold.user) holds \(count.held) seats of concert \(concert) at once"
        )
        self.require(
            rules.seatsPerUserMax == 0 || count.held + count.paid <= rules.seatsPerUserMax,
            "user \(hold.user) has \(count.held + count.paid) seats of concert \(concert)"
        )
    }

    /// When somebody who is inside was let in.
    func admitted(_ user: UserID, _ concert: ConcertID) -> Timestamp? {
        self.lines[concert]!.places[user].flatMap { self.lines[concert]!.people[$0].admitted?.at }
    }

    /// Nobody keeps a seat beyond a deadline by holding it again before others had their chance.
    private func checkRenewal(_ hold: Reservation) {
        let freed = self.freed[hold.schedule]![Int(hold.seat.rawValue) - 1].last
        guard let freed, freed.user == hold.user, hold.heldAt < freed.at + .seconds(10) else { return }
        self.require(
            hold.until <= freed.until && hold.heldAt < freed.until,
            "user \(hold.user) holds seat \(hold.seat) of schedule \(hold.schedule) beyond \(freed.until)"
        )
    }

    /// Somebody who goes keeps no seats but those that are being paid.
    private func checkNothingKept(_ concert: ConcertID, _ user: UserID?) {
        guard let user else { return }
        let kept = self.reservationsByUser[user, default: []].filter { id in
            let book = self.reservations[id]!
            return book.concert == concert && !book.isOver && book.soldPosition == nil && book.payment == nil
        }
        self.require(kept.isEmpty, "user \(user) has left concert \(concert), and holds \(kept)")
    }

    /// Holds that are released because their owner goes stand right before that.
    private func checkLeaving(_ fact: Fact, _ shard: Int) {
        guard let leaving = self.journals[shard].leaving else { return }
        self.journals[shard].leaving = nil
        let isRight =
            switch fact {
            case .released(leaving.concert, let id, .ownerGone, _):
                self.reservations[id]?.reservation.user == leaving.user
            case .left(leaving.concert, let place, _): self.person(leaving.concert, place)?.user == leaving.user
            case .paymentDone(leaving.concert, let payment, _, _):
                self.paymentBooks[payment]?.order.user == leaving.user
            default: false
            }
        self.require(isRight, "holds of user \(leaving.user) were released, who does not go: \(fact) follows")
    }

    @discardableResult
    private func count(
        _ user: UserID,
        _ concert: ConcertID,
        _ position: Int,
        _ change: (inout SeatCount) -> Void
    ) -> SeatCount {
        let key = Holding(concert: concert, user: user)
        var count = self.seatCounts[key]?.last ?? SeatCount()
        change(&count)
        self.seatCounts[key, default: Versions(SeatCount())].append(count, at: position)
        return count
    }

    private func set(_ status: SeatStatus, _ reservation: Reservation, _ concert: ConcertID, _ position: Int) {
        var statuses = self.seats[reservation.schedule]!.last
        statuses[Int(reservation.seat.rawValue) - 1] = status
        self.seats[reservation.schedule]!.append(statuses, at: position)
        let freed =
            status == .available
            ? Freed(user: reservation.user, until: reservation.until, at: self.lastAt(of: concert)) : nil
        self.freed[reservation.schedule]![Int(reservation.seat.rawValue) - 1].append(freed, at: position)
        var free = self.free[concert]!.last
        free[Self.index(of: reservation.schedule)] = UInt32(statuses.count { $0 == .available })
        self.free[concert]!.append(free, at: position)
    }

    private func lastAt(of concert: ConcertID) -> Timestamp {
        self.journals[self.slots.shard(of: Slot(of: concert))].lastAt
    }

    private static func index(of schedule: ScheduleID) -> Int { Int(schedule.rawValue % 100) }

    private func released(
        _ concert: ConcertID,
        _ id: ReservationID,
        _ reason: ReleaseReason,
        _ at: Timestamp,
        _ position: Int
    ) {
        guard let book = self.reservations[id], book.releasedPosition == nil, book.soldPosition == nil else {
            return self.fail("reservation \(id) was released, but is not held")
        }
        self.require(book.payment == nil, "reservation \(id) was released while it is being paid")
        switch reason {
        case .released: self.done(.release(id))
        case .lapsed: self.require(at >= book.reservation.until, "reservation \(id) lapsed too early")
        case .ownerGone:
            guard self.admitted(book.reservation.user, concert) != nil else { break }
            let leaving = Holding(concert: concert, user: book.reservation.user)
            self.journals[self.slots.shard(of: Slot(of: concert))].leaving = leaving
        }
        self.reservations[id]!.releasedPosition = position
        self.held.remove(id)
        self.count(book.reservation.user, concert, position) { $0.held -= 1 }
        self.set(.available, book.reservation, concert, position)
    }

    // MARK: Payments

    private func started(_ order: PaymentOrder) {
        self.require(self.paymentBooks[order.id] == nil, "payment \(order.id) began twice")
        var amount = Won.zero
        for id in order.reservations {
            self.done(.pay(id))
            // A refused payment may be tried again, any number of times.
            self.tallies[.pay(id)]!.done = 0
            guard let book = self.reservations[id], book.releasedPosition == nil, book.soldPosition == nil,
                book.payment == nil, book.reservation.user == order.user
            else { return self.fail("payment \(order.id) pays for reservation \(id), which it may not") }
            self.reservations[id]!.payment = order.id
            amount += book.reservation.price
        }
        self.require(amount == order.amount, "payment \(order.id) takes \(order.amount) for seats of \(amount)")
        let person = self.person(order.concert, order.place)
        self.require(
            person?.user == order.user && person?.admitted != nil && person?.gonePosition == nil,
            "payment \(order.id) is by someone who is not inside"
        )
        self.payments.append(order.id)
        self.paymentBooks[order.id] = PaymentBook(order: order)
    }

    private func paid(_ concert: ConcertID, _ payment: PaymentID, _ balance: Won, _ position: Int) {
        guard let book = self.paymentBooks[payment], book.state == .open else {
            return self.fail("payment \(payment) is done, but was not under way")
        }
        guard let debit = self.debits[payment], let after = debit.balance else {
            return self.fail("payment \(payment) is done, but took no points")
        }
        self.require(after == balance, "payment \(payment) left \(after) points, and says \(balance)")
        self.paymentBooks[payment]!.state = .done(balance: balance)
        for id in book.order.reservations {
            guard let reservation = self.reservations[id], reservation.payment == payment else {
                return self.fail("payment \(payment) has bought reservation \(id), which it did not pin")
            }
            self.reservations[id]!.soldPosition = position
            self.held.remove(id)
            self.count(reservation.reservation.user, concert, position) {
                $0.held -= 1
                $0.paid += 1
            }
            self.set(.sold, reservation.reservation, concert, position)
        }
        if self.person(concert, book.order.place)?.gonePosition == nil {
            self.checkNothingKept(concert, book.order.user)
            self.gone(concert, book.order.place, position, "used up")
        }
    }

    private func paymentRefused(_ payment: PaymentID) {
        guard let book = self.paymentBooks[payment], book.state == .open else {
            return self.fail("payment \(payment) was refused, but was not under way")
        }
        guard let debit = self.debits[payment], debit.balance == nil else {
            return self.fail("payment \(payment) was refused, but its debit was not")
        }
        self.paymentBooks[payment]!.state = .refused
        for id in book.order.reservations { self.reservations[id]!.payment = nil }
    }

    // MARK: Cancellations

    private func cancelStarted(_ order: CancellationOrder) {
        self.require(self.cancellationBooks[order.id] == nil, "cancellation \(order.id) began twice")
        self.require(
            self.paymentBooks[PaymentID(order.id.rawValue)] == nil,
            "a payment has the number \(order.id), too"
        )
        var amount = Won.zero
        for id in order.reservations {
            self.done(.cancel(id))
            guard let book = self.reservations[id], book.soldPosition != nil, book.cancellation == nil,
                book.reservation.user == order.user, let payment = book.payment.flatMap({ self.paymentBooks[$0] }),
                let concert = self.lines[order.concert]?.concert,
                let schedule = concert.schedules.first(where: { $0.id == book.reservation.schedule })
            else { return self.fail("cancellation \(order.id) is of reservation \(id), which it may not be") }
            let inTime =
                order.at - payment.order.at < concert.rules.cancelTime
                && schedule.playsAt - order.at > concert.rules.cancelNotice
            self.require(inTime, "reservation \(id) was cancelled too late")
            self.reservations[id]!.cancellation = order.id
            amount += book.reservation.price
        }
        self.require(amount == order.amount, "cancellation \(order.id) gives \(order.amount) for seats of \(amount)")
        self.cancellations.append(order.id)
        self.cancellationBooks[order.id] = CancellationBook(order: order)
    }

    private func cancelled(_ concert: ConcertID, _ id: CancellationID, _ balance: Won, _ position: Int) {
        guard let book = self.cancellationBooks[id], !book.isDone else {
            return self.fail("cancellation \(id) is done, but was not under way")
        }
        guard let after = book.credited else {
            return self.fail("cancellation \(id) freed its seats, but the points are not back")
        }
        self.require(after == balance, "cancellation \(id) left \(after) points, and says \(balance)")
        self.cancellationBooks[id]!.isDone = true
        for id in book.order.reservations {
            self.reservations[id]!.cancelledPosition = position
            self.count(book.order.user, concert, position) { $0.paid -= 1 }
            self.set(.available, self.reservations[id]!.reservation, concert, position)
        }
    }

    private func credited(
        _ user: UserID,
        _ id: PointHistoryID,
        _ cancellation: CancellationID,
        _ amount: Won,
        _ at: Timestamp,
        _ position: Int
    ) {
        guard let book = self.cancellationBooks[cancellation], book.order.user == user else {
            return self.fail("user \(user) got points back for cancellation \(cancellation), which nobody began")
        }
        self.require(book.credited == nil, "cancellation \(cancellation) was credited twice")
        self.require(
            book.order.amount == amount,
            "cancellation \(cancellation) is of \(book.order.amount), and \(amount) came back"
        )
        if amount != .zero {
            let entry = HistoryEntry(id: id, amount: amount, type: .charge, paymentType: .free, at: at)
            self.write(user, entry, position, amount)
        }
        self.cancellationBooks[cancellation]!.credited = self.balance(of: user)
    }

    // MARK: Points

    /// The payment that a debit is for: it must be durable by now, and of this user.
    private func askedOrder(_ payment: PaymentID, _ user: UserID) -> PaymentOrder? {
        guard let order = self.paymentBooks[payment]?.order, order.user == user else {
            self.fail("points of user \(user) are taken for payment \(payment), which nobody began")
            return nil
        }
        guard self.debits[payment] == nil else {
            self.fail("payment \(payment) was debited twice")
            return nil
        }
        return order
    }

    private func debited(
        _ user: UserID,
        _ id: PointHistoryID,
        _ payment: PaymentID,
        _ amount: Won,
        _ at: Timestamp,
        _ position: Int
    ) {
        guard let order = self.askedOrder(payment, user) else { return }
        self.require(order.amount == amount, "payment \(payment) is of \(order.amount), and \(amount) was taken")
        if amount != .zero { self.writeUse(user, id, amount, at, position) }
        self.debits[payment] = Debit(user: user, amount: amount, balance: self.balance(of: user))
    }

    private func writeUse(_ user: UserID, _ id: PointHistoryID, _ amount: Won, _ at: Timestamp, _ position: Int) {
        let entry = HistoryEntry(id: id, amount: amount, type: .use, paymentType: .free, at: at)
        self.write(user, entry, position, .zero - amount)
        self.require(self.balance(of: user) >= .zero, "user \(user) has fewer than 0 points")
    }

    private func write(_ user: UserID, _ entry: HistoryEntry, _ position: Int, _ change: Won) {
        let line = Line(balance: self.balance(of: user) + change, entry: entry)
        if let newest = self.accounts[user]?.last {
            self.require(newest.entry.id < entry.id, "history lines of user \(user) are out of order")
        }
        self.accounts[user, default: Versions(nil)].append(line, at: position)
    }
}
