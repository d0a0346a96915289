import Booking
import Node

/// The books at the end of a run, once everything is healed and settled.
extension Auditor {
    /// The books in themselves, then each shard against them.
    func checkBooks(_ shards: [ShardHost], _ users: [UserID]) {
        self.checkSums()
        self.checkDeeds()
        for concert in SmallWorld.catalogue.concerts {
            let host = shards[self.slots.shard(of: concert.slot)]
            guard let census = host.node.machine.concertCensus.first(where: { $0.concert == concert.id }) else {
                return self.fail("concert \(concert.id) is on no shard")
            }
            self.check(census, concert)
            for schedule in concert.schedules {
                let statuses = self.seats[schedule.id]!.last
                let reply = host.node.machine.read(.seats(concert.id, schedule.id))
                self.require(
                    reply == .seats(statuses),
                    "schedule \(schedule.id) is \(statuses), its shard says \(reply)"
                )
            }
        }
        for user in users {
            let host = shards[self.slots.shard(of: Slot(of: user))]
            let line = self.accounts[user]?.last
            let balance = Balance(balance: line?.balance ?? .zero, updatedAt: line?.entry.at)
            let reply = host.node.machine.read(.balance(user))
            self.require(reply == .balance(balance), "user \(user) has \(balance), the shard says \(reply)")
        }
        for host in shards { self.checkPoints(host, users) }
    }

    /// The points that payments took and cancellations did not give back are the prices of the seats sold, and nothing is
    /// left half done.
    private func checkSums() {
        var taken = Won.zero
        var sold = Won.zero
        for payment in self.payments {
            let book = self.paymentBooks[payment]!
            self.require(book.state != .open, "payment \(payment) is never decided")
            if let debit = self.debits[payment], debit.balance != nil { taken += debit.amount }
            for id in book.order.reservations {
                let reservation = self.reservations[id]!
                guard reservation.payment == payment, reservation.soldPosition != nil,
                    reservation.cancelledPosition == nil
                else { continue }
                sold += reservation.reservation.price
            }
        }
        for cancellation in self.cancellations {
            let book = self.cancellationBooks[cancellation]!
            self.require(book.isDone, "cancellation \(cancellation) is never done")
            if book.credited != nil { taken -= book.order.amount }
        }
        self.require(taken == sold, "payments took \(taken) points for seats of \(sold)")
    }

    /// What was acknowledged is done, as often as it was acknowledged; what was refused is not.
    private func checkDeeds() {
        var wrong: [String] = []
        for (deed, tally) in self.tallies {
            let isIn =
                deed.isIdempotent ? tally.acknowledged == 0 || self.isDone(deed) : tally.done >= tally.acknowledged
            guard !isIn || tally.done > tally.doneMax else { continue }
            wrong.append("\(deed) is wrong: \(tally)")
        }
        // A dictionary's order is not the seed's.
        if let first = wrong.min() { self.fail(first) }
    }

    private func isDone(_ deed: Deed) -> Bool {
        switch deed {
        case .pay(let id): self.reservations[id]?.soldPosition != nil
        // Seats whose hold had run out, or that were cancelled, count as given back.
        case .release(let id): self.reservations[id]?.isOver == true
        case .cancel(let id): self.reservations[id]?.cancelledPosition != nil
        case .join, .leave, .hold, .charge, .use: self.tallies[deed]!.done > 0
        }
    }

    private func check(_ census: Shard.ConcertCensus, _ concert: Concert) {
        let people = self.lines[concert.id]!.people
        let present = people.filter { $0.gonePosition == nil }
        let statuses = concert.schedules.flatMap { self.seats[$0.id]!.last }
        let expected = [
            people.count, present.count { $0.admitted == nil }, present.count { $0.admitted != nil },
            statuses.count { $0 == .held }, statuses.count { $0 == .sold }, 0, 0,
        ]
        let actual = [
            Int(census.line.joined), Int(census.line.waiting), Int(census.line.admitted), census.seatsHeld,
            census.seatsSold, census.paymentsOpen, census.cancellationsOpen,
        ]
        self.require(
            actual == expected,
            "concert \(concert.id) has \(expected) people, waiting, inside, held, sold, open payments and "
                + "cancellations; its shard says \(actual)"
        )
    }

    private func checkPoints(_ host: ShardHost, _ users: [UserID]) {
        let own = users.filter { self.slots.shard(of: Slot(of: $0)) == host.index }
        let balances = own.reduce(Won.zero) { $0 + self.balance(of: $1) }
        let census = host.node.machine.pointsCensus
        let debited = self.debits.values.reduce(Won.zero) { sum, debit in
            guard debit.balance != nil, self.slots.shard(of: Slot(of: debit.user)) == host.index else { return sum }
            return sum + debit.amount
        }
        let credited = self.cancellationBooks.values.reduce(Won.zero) { sum, book in
            guard book.credited != nil, self.slots.shard(of: Slot(of: book.order.user)) == host.index else {
                return sum
            }
            return sum + book.order.amount
        }
        self.require(
            census.debited == debited && census.credited == credited,
            "shard \(host.index) was debited \(debited) and credited \(credited), and says \(census)"
        )
        self.require(
            census.balances == balances && census.charged == census.balances + census.used,
            "the points of shard \(host.index) are \(census), the balances \(balances)"
        )
    }
}
