import Booking

/// Comparing what a fan hears with what the books said between its request and now.
extension Auditor {
    func hears(_ reply: Reply, to attempt: Attempt, at now: Timestamp) {
        // What was promised may be lost, and what is not is checked from the facts.
        guard !self.hasLost else { return self.ended(attempt, .unknown) }
        let shard = self.shard(of: attempt.request)
        let start = self.start(of: attempt)
        let window = start.durable...max(start.durable, self.journals[shard].count)
        guard self.isFirstAnswer(reply, to: attempt, at: now) else { return }
        switch reply {
        case .refused(let refusal) where self.isForgottenAnswer(refusal, to: attempt):
            return self.ended(attempt, .unknown)
        case .refused(let refusal):
            self.ended(attempt, .refused)
            return self.refused(refusal, attempt.request, attempt, window)
        default: break
        }
        self.require(!attempt.isForged, "a forged pass was taken: \(attempt.request)")
        self.ended(attempt, .acknowledged)
        switch (attempt.request, reply) {
        case (.join(let concert, let user), .joined(let joined)):
            let pass = Pass(concert: concert, user: user, place: joined.place, issuedAt: joined.issuedAt)
            self.stands(pass, joined.standing, window, attempt, now)
        case (.poll(let pass), .standing(let standing)): self.stands(pass, standing, window, attempt, now)
        case (.leave(let pass), .left):
            self.require(self.isGone(pass, in: window), "\(pass) has left, and no fact says so")
        case (.reserve(let pass, let schedule, let seats), .reservations(let holds)):
            self.holds(holds, pass, schedule, seats, window)
        case (.release(_, let ids), .reservations(let all)):
            self.require(all.map(\.id) == ids, "seats \(ids) were given back, and \(all.map(\.id)) answered")
            for id in ids {
                self.require(
                    self.reservations[id]?.isOver == true,
                    "reservation \(id) was given back, and no fact says so"
                )
            }
        case (.pay(let pass, let ids), .paid(let receipt)): self.pays(receipt, pass, ids)
        case (.cancel(_, let user, let ids), .cancelled(let receipt)): self.cancels(receipt, user, ids)
        case (.charge(let user, let amount, let type), .points(let change)):
            self.moves(user, change, amount, .charge, type, window)
        case (.use(let user, let amount), .points(let change)): self.moves(user, change, amount, .use, .free, window)
        case (.balance(let user), .balance(let balance)):
            let versions = self.accounts[user] ?? Versions(nil)
            let isTrue = versions.contains(in: window) { line in
                balance.balance == line?.balance ?? .zero && balance.updatedAt == line?.entry.at
            }
            self.require(isTrue, "user \(user) heard of \(balance), which was never so")
        case (.history(let user, _), .history(let entries)): self.remembers(user, entries, window)
        case (.seats(_, let schedule), .seats(let statuses)):
            let isTrue = self.seats[schedule]!.contains(in: window) { $0 == statuses }
            self.require(isTrue, "the seats of schedule \(schedule) were never \(statuses)")
        case (.schedules(let concert), .schedules(let free)):
            let isTrue = self.free[concert]!.contains(in: window) { $0 == free }
            self.require(isTrue, "concert \(concert) never had \(free) free seats in the last second")
        case (.reservations(let concert, let user), .reservations(let all)):
            self.lists(concert, user, all, window)
        default: self.fail("\(attempt.request) was answered \(reply)")
        }
    }

    // MARK: The line

    private func stands(
        _ pass: Pass,
        _ standing: Standing,
        _ window: ClosedRange<Int>,
        _ attempt: Attempt,
        _ now: Timestamp
    ) {
        guard let person = self.person(pass.concert, pass.place), person.user == pass.user,
            person.joinedAt == pass.issuedAt
        else { return self.fail("\(pass) was answered, and no fact gave that place") }
        if let gone = person.gonePosition {
            self.require(gone > window.lowerBound, "\(pass) was answered, but was gone before")
        }
        if standing.order == 0 {
            self.require(person.admitted != nil, "\(pass) is inside, and no fact says so")
        } else if let admitted = person.admitted {
            self.require(admitted.position > window.lowerBound, "\(pass) waits, but was inside before")
        }
        self.tellsTime(standing, pass.concert, window, attempt)
        let index = SmallWorld.catalogue.concerts.firstIndex { $0.id == pass.concert }!
        let told = self.orders[index][pass.place] ?? []
        // Of two answers under way at once, either may come first.
        let before = told.last { $0.since < self.start(of: attempt).at }?.order ?? .max
        self.require(standing.order <= before, "\(pass) has \(standing.order) to go in, and had \(before) before")
        guard standing.order < told.last?.order ?? .max else { return }
        self.orders[index][pass.place, default: []].append((now, standing.order))
    }

    /// At the end of the window, at the latest.
    private func isGone(_ pass: Pass, in window: ClosedRange<Int>) -> Bool {
        guard let person = self.person(pass.concert, pass.place) else { return true }
        guard person.user == pass.user, person.joinedAt == pass.issuedAt else { return true }
        return person.gonePosition != nil
    }

    // MARK: Seats

    private func holds(
        _ holds: [Reservation],
        _ pass: Pass,
        _ schedule: ScheduleID,
        _ seats: [SeatID],
        _ window: ClosedRange<Int>
    ) {
        self.require(holds.map(\.seat) == seats, "seats \(seats) were asked for, and \(holds.map(\.seat)) held")
        for hold in holds {
            guard let book = self.reservations[hold.id], book.reservation == hold, hold.user == pass.user,
                hold.schedule == schedule, book.heldPosition > window.lowerBound
            else { return self.fail("user \(pass.user) was told of \(hold), and no fact says so") }
        }
    }

    private func lists(_ concert: ConcertID, _ user: UserID, _ all: [Reservation], _ window: ClosedRange<Int>) {
        for reservation in all {
            guard let book = self.reservations[reservation.id], book.reservation.user == user, book.concert == concert
            else { return self.fail("user \(user) was told of \(reservation), and no fact says so") }
            let isTrue =
                switch reservation.status {
                case .held:
                    (book.releasedPosition ?? .max) > window.lowerBound
                        && (book.soldPosition ?? .max) > window.lowerBound
                case .paid: book.soldPosition != nil && (book.cancelledPosition ?? .max) > window.lowerBound
                case .cancelled: book.isOver
                }
            let isAsHeld = reservation.grade == book.reservation.grade && reservation.price == book.reservation.price
            self.require(isTrue && isAsHeld, "user \(user) was told of \(reservation), which was not so")
        }
        let told = Set(all.map(\.id))
        for id in self.reservationsByUser[user, default: []] {
            let book = self.reservations[id]!
            guard book.concert == concert, book.heldPosition <= window.lowerBound else { continue }
            self.require(
                told.contains(id) || self.mayBeForgotten(id),
                "user \(user) was not told of reservation \(id)"
            )
        }
    }

    // MARK: Payments and points

    private func pays(_ receipt: Receipt, _ pass: Pass, _ ids: [ReservationID]) {
        guard let payment = ids.first.flatMap({ self.reservations[$0]?.payment }),
            let book = self.paymentBooks[payment], case .done(let balance) = book.state
        else { return self.fail("\(ids) were paid, and no fact says so") }
        self.require(Set(book.order.reservations) == Set(ids), "\(ids) were paid, but not together")
        self.require(
            receipt.user == pass.user && receipt.amount == book.order.amount && receipt.balance == balance,
            "the receipt of payment \(payment) is \(receipt), and not for \(book.order) and \(balance)"
        )
        for reservation in receipt.reservations {
            self.require(
                reservation.status == .paid && self.reservations[reservation.id]?.soldPosition != nil,
                "the receipt of payment \(payment) names \(reservation), which is not sold"
            )
        }
    }

    private func cancels(_ receipt: Receipt, _ user: UserID, _ ids: [ReservationID]) {
        guard let cancellation = ids.first.flatMap({ self.reservations[$0]?.cancellation }),
            let book = self.cancellationBooks[cancellation], book.isDone, let balance = book.credited
        else { return self.fail("\(ids) were cancelled, and no fact says so") }
        self.require(Set(book.order.reservations) == Set(ids), "\(ids) were cancelled, but not together")
        self.require(
            receipt.user == user && receipt.amount == book.order.amount && receipt.balance == balance,
            "the receipt of cancellation \(cancellation) is \(receipt), and not for \(book.order) and \(balance)"
        )
        self.require(
            receipt.reservations.map(\.id) == book.order.reservations
                && receipt.reservations.allSatisfy { $0.status == .cancelled },
            "the receipt of cancellation \(cancellation) names what is not cancelled: \(receipt)"
        )
    }

    private func moves(
        _ user: UserID,
        _ change: PointsChange,
        _ amount: Won,
        _ type: TransactionType,
        _ paymentType: PaymentType,
        _ window: ClosedRange<Int>
    ) {
        let versions = self.accounts[user] ?? Versions(nil)
        let isTrue = versions.all.contains { position, line in
            guard let line, position > window.lowerBound, position <= window.upperBound else { return false }
            return line.balance == change.balance && line.entry.amount == change.amount && line.entry.at == change.at
                && line.entry.type == type
        }
        let isAsAsked = change.amount == amount && change.type == type && change.paymentType == paymentType
        self.require(isTrue && isAsAsked, "user \(user) was told of \(change), and no fact says so")
    }

    private func remembers(_ user: UserID, _ entries: [HistoryEntry], _ window: ClosedRange<Int>) {
        let all = (self.accounts[user] ?? Versions(nil)).all
        let isTrue = self.accounts[user, default: Versions(nil)].contains(in: window) { $0?.entry == entries.first }
        self.require(isTrue, "user \(user) saw a history that never was the newest")
        guard let newest = entries.first else { return }
        let known = all.compactMap { $0.value?.entry }
        let end = known.firstIndex(of: newest).map { $0 + 1 } ?? 0
        let expected = Array(known[..<end].reversed().prefix(min(100, self.recordLimits.historyLinesPerUserMax)))
        self.require(entries == expected, "user \(user) saw a history with a line that is missing or wrong")
    }

    // MARK: Refusals

    private func refused(
        _ refusal: Refusal,
        _ request: Request,
        _ attempt: Attempt,
        _ window: ClosedRange<Int>
    ) {
        switch (request, refusal) {
        case (_, .overloaded), (_, .storageUnavailable): break
        case (_, .clockSuspended):
            self.require(
                self.clocks[self.shard(of: request)].suspendedAt >= self.start(of: attempt).at
                    || attempt.key != nil,
                "\(request) was refused for a clock that is to be believed"
            )
        case (.reserve(_, let schedule, _), .scheduleOver):
            let concert = self.lines.values.first { $0.concert.schedules.contains { $0.id == schedule } }!.concert
            let playsAt = concert.schedules.first { $0.id == schedule }!.playsAt
            self.require(
                playsAt <= self.clocks[self.shard(of: request)].latest,
                "schedule \(schedule) was refused as over, and is not"
            )
        case (.poll(let pass), .tokenUnknown), (.leave(let pass), .tokenUnknown),
            (.reserve(let pass, _, _), .tokenUnknown), (.release(let pass, _), .tokenUnknown),
            (.pay(let pass, _), .tokenUnknown):
            self.require(self.isGone(pass, in: window), "\(pass) was told to be gone, and no fact says so")
        case (.join(let concert, _), .concertOver): self.isOver(concert)
        case (.poll(let pass), .concertOver), (.leave(let pass), .concertOver):
            self.isOver(pass.concert)
            let admitted = self.person(pass.concert, pass.place)?.admitted?.position ?? .max
            self.require(
                admitted > window.lowerBound || self.isGone(pass, in: window),
                "\(pass) was told that the concert is over, and was inside"
            )
        case (.reserve(let pass, _, _), .notAdmitted), (.release(let pass, _), .notAdmitted),
            (.pay(let pass, _), .notAdmitted):
            guard let admitted = self.person(pass.concert, pass.place)?.admitted else { return }
            self.require(admitted.position > window.lowerBound, "\(pass) was refused as waiting, but was inside")
        case (.reserve(_, let schedule, let seats), .seatTaken):
            let isTrue = self.seats[schedule]!.contains(in: window) { statuses in
                seats.contains { statuses[Int($0.rawValue) - 1] != .available }
            }
            self.require(isTrue, "seats \(seats) of schedule \(schedule) were refused as taken, and were free")
        case (.reserve(_, _, let seats), .tooManySeats):
            self.require(seats.count > 2, "\(seats.count) seats were refused as too many")
        case (.reserve(let pass, _, let seats), .seatsPerUserExceeded):
            let rules = self.lines[pass.concert]!.concert.rules
            let counts = self.seatCounts[Holding(concert: pass.concert, user: pass.user)] ?? Versions(SeatCount())
            let isTrue = counts.contains(in: window) { count in
                let isHeld = count.held + seats.count > rules.heldSeatsPerUserMax
                return isHeld
                    || rules.seatsPerUserMax > 0 && count.held + count.paid + seats.count > rules.seatsPerUserMax
            }
            self.require(isTrue, "\(seats.count) more seats were refused to user \(pass.user), who may have them")
        case (.reserve(let pass, _, _), .stayOver):
            let counts = self.seatCounts[Holding(concert: pass.concert, user: pass.user)] ?? Versions(SeatCount())
            let isTrue =
                self.person(pass.concert, pass.place)?.admitted != nil
                && counts.contains(in: window) { $0.held > 0 }
            self.require(isTrue, "\(pass) was refused as beyond its time, and holds nothing")
        case (.reserve(let pass, let schedule, let seats), .seatKeptTooLong):
            let since = self.time(of: self.shard(of: request), at: window.lowerBound)
            let isTrue = seats.contains { seat in
                self.freed[schedule]![Int(seat.rawValue) - 1].contains(in: window) { freed in
                    freed.map { $0.user == pass.user && $0.at + .seconds(10) > since } ?? false
                }
            }
            self.require(isTrue, "seats \(seats) were refused to user \(pass.user), who had none of them before")
        case (.release(_, let ids), .alreadyPaid), (.pay(_, let ids), .alreadyPaid):
            let isTrue = ids.contains { self.reservations[$0]?.soldPosition != nil }
            self.require(isTrue, "\(ids) were refused as paid, and none is")
        case (.release, .paymentInProgress), (.pay, .paymentInProgress): break
        case (.pay(_, let ids), .holdExpired):
            let isTrue = ids.contains { self.reservations[$0]?.releasedPosition != nil }
            self.require(isTrue, "\(ids) were refused as run out, and none is")
        case (.pay(_, let ids), .alreadyCancelled), (.cancel(_, _, let ids), .alreadyCancelled):
            let isTrue = ids.contains { self.reservations[$0]?.cancelledPosition != nil }
            self.require(isTrue, "\(ids) were refused as cancelled, and none is")
        case (.cancel(_, _, let ids), .cancelInProgress):
            let isTrue = ids.contains { self.reservations[$0]?.cancellation != nil }
            self.require(isTrue, "\(ids) were refused as being cancelled, and none was")
        case (.cancel(_, _, let ids), .notPaid):
            let isTrue = ids.contains { (self.reservations[$0]?.soldPosition ?? .max) > window.lowerBound }
            self.require(isTrue, "\(ids) were refused as not paid, and all were")
        case (.cancel(_, _, let ids), .paymentInProgress):
            // The payment may have been refused since, in the same batch.
            let isTrue = ids.contains { id in
                self.reservations[id]?.payment != nil
                    || self.payments.contains { self.paymentBooks[$0]!.order.reservations.contains(id) }
            }
            self.require(isTrue, "\(ids) were refused as being paid, and none was")
        case (.release(_, let ids), .noSuchReservation), (.pay(_, let ids), .noSuchReservation):
            self.require(ids.contains { self.mayBeForgotten($0) }, "\(ids) were refused as unknown, and are known")
        case (.cancel(_, let user, let ids), .noSuchReservation):
            let isTrue = ids.contains { self.reservations[$0]?.reservation.user != user || self.mayBeForgotten($0) }
            self.require(isTrue, "\(ids) were refused as someone else's, and are of user \(user)")
        case (.cancel(_, _, let ids), .cancelTooLate):
            // Too late by the shard's clock, which the books don't know; a cancellation that is done they do check.
            let isTrue = ids.contains { self.reservations[$0]?.soldPosition != nil }
            self.require(isTrue, "\(ids) were refused as too late, and none was paid")
        case (.pay(let pass, let ids), .insufficientPoints):
            let isTrue = self.payments.contains { payment in
                self.paymentBooks[payment]!.order.user == pass.user && self.paymentBooks[payment]!.state == .refused
                    && Set(self.paymentBooks[payment]!.order.reservations) == Set(ids)
            }
            self.require(isTrue, "\(ids) were refused for want of points, and no fact says so")
        case (.use(let user, let amount), .insufficientPoints):
            let isTrue = (self.accounts[user] ?? Versions(nil)).contains(in: window) { line in
                line?.balance ?? .zero < amount
            }
            self.require(isTrue, "user \(user) was refused \(amount) points, and had them")
        case (.charge(_, let amount, _), .chargeNotPositive):
            self.require(amount <= .zero, "\(amount) points were refused as not positive")
        case (.charge(_, let amount, _), .chargeTooLarge):
            self.require(amount > Points.chargeMax, "\(amount) points were refused as too many")
        case (.charge(let user, let amount, _), .balanceTooLarge):
            self.require(self.balance(of: user) + amount > Points.balanceMax, "\(amount) points were refused")
        default: self.fail("\(request) was refused as \(refusal)")
        }
    }

    /// By the shard's clock.
    private func isOver(_ concert: ConcertID) {
        self.require(
            self.lines[concert]!.concert.endsAt <= self.clocks[self.slots.shard(of: Slot(of: concert))].latest,
            "concert \(concert) was said to be over, and plays later"
        )
    }
}
