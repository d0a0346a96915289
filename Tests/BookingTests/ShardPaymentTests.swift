import Testing

@testable import Booking

@Suite struct ShardPaymentTests {
    private let anna = UserID(1)

    // MARK: One shard

    @Test func `join, reserve, charge and pay on one shard`() throws {
        let stage = Stage()
        let pass = stage.join(self.anna)
        let holds = stage.reserve(pass, [1, 50])
        stage.charge(self.anna, 300_000)
        stage.output()
        let receipt = try #require(Receipt(stage.ask(.pay(pass, holds.map(\.id)))))
        let payment = PaymentID(SlotIDs.make(Slot(of: Stage.concert), counter: 3))
        #expect(receipt.user == self.anna)
        #expect(receipt.amount == Won(270_000))
        #expect(receipt.balance == Won(30_000))
        #expect(receipt.reservations.map(\.id) == holds.map(\.id))
        #expect(receipt.reservations.allSatisfy { $0.status == .paid && $0.payment == payment })
        let facts = stage.output().facts
        #expect(facts.count == 3)
        #expect(facts.last == .paymentDone(Stage.concert, payment, balance: Won(30_000), at: stage.now))
        #expect(stage.status(of: 50) == .sold)
        #expect(stage.ask(.schedules(Stage.concert)) == .schedules([50, 48]))
    }

    @Test func `a payment uses the token up, and joining again gives a new place`() {
        let stage = Stage()
        let pass = stage.join(self.anna)
        stage.charge(self.anna, 200_000)
        let hold = stage.reserve(pass, [1])[0]
        stage.ask(.pay(pass, [hold.id]))
        #expect(stage.ask(.poll(pass)) == .refused(.tokenUnknown))
        #expect(stage.ask(.reserve(pass, Stage.schedule, [SeatID(2)])) == .refused(.tokenUnknown))
        #expect(stage.join(self.anna).place == Place(2))
    }

    @Test func `repeating a payment gives the first receipt, whatever happened since`() {
        let stage = Stage()
        let pass = stage.join(self.anna)
        stage.charge(self.anna, 500_000)
        let holds = stage.reserve(pass, [1, 2]).map(\.id)
        let first = stage.ask(.pay(pass, holds))
        stage.charge(self.anna, 77)
        stage.pass(.minutes(60))
        stage.output()
        #expect(Receipt(first) != nil)
        #expect(stage.ask(.pay(pass, holds)) == first)
        #expect(stage.ask(.pay(pass, holds.reversed())) == first)
        #expect(stage.ask(.pay(stage.join(self.anna), holds)) == first)
        #expect(stage.balance(self.anna) == 160_077)
    }

    @Test func `a sold seat is not paid for again together with another`() {
        let stage = Stage()
        let pass = stage.join(self.anna)
        stage.charge(self.anna, 500_000)
        let holds = stage.reserve(pass, [1, 2]).map(\.id)
        stage.ask(.pay(pass, [holds[0]]))
        #expect(stage.ask(.pay(pass, holds)) == .refused(.tokenUnknown))
        #expect(stage.ask(.pay(stage.join(self.anna), holds)) == .refused(.alreadyPaid))
        #expect(stage.balance(self.anna) == 330_000)
        #expect(stage.status(of: 2) == .available)
    }

    @Test func `a payment that is refused for want of points can be done after a charge`() {
        let stage = Stage()
        let pass = stage.join(self.anna)
        stage.charge(self.anna, 169_999)
        let hold = stage.reserve(pass, [1])[0]
        #expect(stage.ask(.pay(pass, [hold.id])) == .refused(.insufficientPoints))
        #expect(stage.ask(.poll(pass)) == .standing(.admitted))
        #expect(stage.balance(self.anna) == 169_999)
        stage.charge(self.anna, 1)
        #expect(Receipt(stage.ask(.pay(pass, [hold.id])))?.balance == .zero)
        stage.output()
    }

    @Test func `a lapsed hold cannot be paid`() {
        let stage = Stage()
        stage.charge(self.anna, 200_000)
        stage.pass(.minutes(1))
        let hold = stage.reserve(stage.join(self.anna), [1])[0]
        stage.pass(.minutes(5))
        let pass = stage.join(self.anna)
        #expect(stage.ask(.pay(pass, [hold.id])) == .refused(.holdExpired))
        #expect(stage.balance(self.anna) == 200_000)
        #expect(stage.ask(.poll(pass)) == .standing(.admitted))
    }

    @Test func `a hold can be paid until just before its deadline`() {
        let stage = Stage()
        stage.charge(self.anna, 200_000)
        let hold = stage.reserve(stage.join(self.anna), [1])[0]
        stage.pass(.minutes(5) - 1)
        #expect(Receipt(stage.ask(.pay(stage.join(self.anna), [hold.id]))) != nil)
    }

    @Test func `a list that names nothing or one thing twice pays nothing`() {
        let stage = Stage()
        let pass = stage.join(self.anna)
        let hold = stage.reserve(pass, [1])[0]
        #expect(stage.ask(.pay(pass, [])) == .refused(.noReservations))
        #expect(stage.ask(.pay(pass, [hold.id, hold.id])) == .refused(.duplicateReservation))
        #expect(stage.ask(.pay(pass, [hold.id, ReservationID(.max)])) == .refused(.noSuchReservation))
    }

    @Test func `a free seat is bought without an account, and leaves no line in the history`() throws {
        let hall = try Hall(sections: [Hall.Section(seats: 1...1, grade: "FREE", price: .zero)])
        let schedule = Schedule(id: Stage.schedule, playsAt: Stage.start + .minutes(60), hall: hall)
        let concert = Concert(
            id: Stage.concert,
            title: "free",
            opensAt: Stage.start,
            schedules: [schedule],
            rules: ConcertRules()
        )
        let stage = Stage(index: 0, try Catalogue([concert]))
        let pass = stage.join(self.anna)
        let hold = stage.reserve(pass, [1])[0]
        #expect(Receipt(stage.ask(.pay(pass, [hold.id])))?.amount == .zero)
        #expect(stage.status(of: 1) == .sold)
        #expect(stage.ask(.history(self.anna, HistoryQuery())) == .history([]))
        #expect(stage.ask(.balance(self.anna)) == .balance(Balance(balance: .zero, updatedAt: nil)))
        stage.output()
    }

    // MARK: Two shards

    /// The concert's shard with one pinned hold of a user of the other shard, the question to ask there, and the facts.
    private struct Story {
        let home: Stage
        let away: Stage
        let pass: Pass
        let hold: Reservation
        let debit: TransferOrder
        var facts: [Fact] = []
        var payment: PaymentID { PaymentID(self.debit.id.rawValue) }

        init(points: Int64) {
            let (home, away, stranger) = Stage.apart()
            if points > 0 { away.charge(stranger, points) }
            away.output()
            self.home = home
            self.away = away
            self.pass = home.join(stranger)
            self.hold = home.reserve(self.pass, [1])[0]
            self.facts = home.output().facts
            #expect(home.ask(.pay(self.pass, [self.hold.id])) == nil)
            let output = home.output()
            self.debit = output.transfers[0]
            self.facts += output.facts
        }

        /// Asks the user's shard.
        func debited() -> Reply? { self.away.ask(self.debit.request) }

        func receive(_ reply: Reply?) {
            self.home.shard.completeTransfer(reply!, for: self.debit.id, at: self.home.now)
        }
    }

    @Test func `a payment over two shards asks once, and answers when the points are taken`() throws {
        let story = Story(points: 200_000)
        #expect(story.debit.user == story.pass.user)
        #expect(story.debit.amount == Won(170_000))
        #expect(story.home.slots.shard(of: story.debit.request.slot) == story.away.index)
        let reply = story.debited()
        #expect(reply == .debited(Won(30_000)))
        story.receive(reply)
        let output = story.home.output()
        let done = Fact.paymentDone(Stage.concert, story.payment, balance: Won(30_000), at: story.home.now)
        #expect(output.facts == [done])
        #expect(output.transfers == [])
        #expect(output.late.map(\.origin) == [story.home.origin(3)])
        let receipt = try #require(Receipt(output.late.first?.reply))
        #expect(receipt.balance == Won(30_000))
        #expect(receipt.reservations.map(\.status) == [.paid])
        #expect(story.home.ask(.poll(story.pass)) == .refused(.tokenUnknown))
        #expect(story.home.ask(.pay(story.pass, [story.hold.id])) == .paid(receipt))
    }

    @Test func `whoever repeats a payment under way gets the same answer with the first`() {
        let story = Story(points: 200_000)
        #expect(story.home.ask(.pay(story.pass, [story.hold.id])) == nil)
        #expect(story.home.output() == Stage.Output())
        story.receive(story.debited())
        let late = story.home.output().late
        #expect(late.map(\.origin) == [story.home.origin(3), story.home.origin(4)])
        #expect(late[0].reply == late[1].reply)
    }

    @Test func `only so many wait for one payment`() {
        let story = Story(points: 200_000)
        for _ in 1..<Transfers.waitersMax { #expect(story.home.ask(.pay(story.pass, [story.hold.id])) == nil) }
        #expect(story.home.ask(.pay(story.pass, [story.hold.id])) == .refused(.unavailable))
        story.receive(story.debited())
        #expect(story.home.output().late.count == Transfers.waitersMax)
    }

    @Test func `a debit is taken once, however often it is asked`() {
        let story = Story(points: 200_000)
        let first = story.debited()
        story.away.charge(story.pass.user, 5)
        story.away.output()
        #expect(story.debited() == first)
        #expect(story.away.output().facts == [])
        #expect(story.away.balance(story.pass.user) == 30_005)
        story.receive(first)
        story.home.output()
        story.receive(first)
        #expect(story.home.output() == Stage.Output())
    }

    @Test func `a debit that was refused stays refused for its late duplicates`() {
        let story = Story(points: 0)
        #expect(story.debited() == .refused(.insufficientPoints))
        story.away.charge(story.pass.user, 200_000)
        #expect(story.debited() == .refused(.insufficientPoints))
        #expect(story.away.balance(story.pass.user) == 200_000)
    }

    @Test func `a negative debit is refused, and not kept`() {
        let story = Story(points: 200_000)
        let negative = TransferOrder(
            id: story.debit.id,
            direction: .debit,
            concert: Stage.concert,
            user: story.pass.user,
            amount: Won(.min),
            settled: 0
        )
        #expect(story.away.ask(negative.request) == .refused(.useNotPositive))
        #expect(story.debited() == .debited(Won(30_000)))
    }

    @Test func `refused, charged, and paid over two shards`() {
        let story = Story(points: 0)
        story.receive(story.debited())
        #expect(story.home.output().late.map(\.reply) == [.refused(.insufficientPoints)])
        #expect(story.home.status(of: 1) == .held)
        story.away.charge(story.pass.user, 170_000)
        #expect(story.home.ask(.pay(story.pass, [story.hold.id])) == nil)
        let debit = story.home.output().transfers[0]
        #expect(debit.id != story.debit.id)
        let reply = story.away.ask(debit.request)
        #expect(reply == .debited(.zero))
        // A duplicate answer to the first payment does not affect the second.
        story.receive(.refused(.insufficientPoints))
        #expect(story.home.output() == Stage.Output())
        story.home.shard.completeTransfer(reply!, for: debit.id, at: story.home.now)
        #expect(Receipt(story.home.output().late.first?.reply)?.balance == .zero)
    }

    @Test func `a pinned hold outlives its deadline, and is sold when the points come`() {
        let story = Story(points: 200_000)
        story.home.pass(.minutes(20))
        story.home.shard.tick(at: story.home.now)
        story.home.output()
        #expect(story.home.status(of: 1) == .held)
        // Its owner stays as long.
        #expect(story.home.join(story.pass.user) == story.pass)
        #expect(story.home.ask(.release(story.pass, [story.hold.id])) == .refused(.paymentInProgress))
        story.receive(story.debited())
        story.home.output()
        #expect(story.home.status(of: 1) == .sold)
        #expect(story.home.ask(.poll(story.pass)) == .refused(.tokenUnknown))
    }

    @Test func `a payment that is done after its owner left and came again uses up the old place only`() {
        let story = Story(points: 200_000)
        story.home.ask(.leave(story.pass))
        let pass = story.home.join(story.pass.user)
        let more = story.home.reserve(pass, [2])[0]
        story.receive(story.debited())
        story.home.output()
        #expect(story.home.status(of: 1) == .sold)
        #expect(story.home.ask(.poll(pass)) == .standing(.admitted))
        #expect(story.home.ask(.release(pass, [more.id])) != .refused(.tokenUnknown))
    }

    @Test func `a stay that goes on for a payment of an earlier visit ends with it`() {
        let story = Story(points: 200_000)
        story.home.ask(.leave(story.pass))
        let pass = story.home.join(story.pass.user)
        story.home.pass(.minutes(20))
        story.home.shard.tick(at: story.home.now)
        #expect(story.home.ask(.poll(pass)) == .standing(.admitted))
        story.home.output()
        story.receive(story.debited())
        #expect(story.home.output().facts.last == .lapsed(Stage.concert, pass.place, at: story.home.now))
        #expect(story.home.ask(.poll(pass)) == .refused(.tokenUnknown))
    }

    @Test func `a pinned hold of somebody who has left is released when the points are refused`() {
        let story = Story(points: 0)
        story.home.ask(.leave(story.pass))
        #expect(story.home.status(of: 1) == .held)
        story.home.output()
        story.receive(story.debited())
        #expect(
            story.home.output().facts == [
                .paymentRefused(Stage.concert, story.payment, at: story.home.now),
                .released(Stage.concert, story.hold.id, .ownerGone, at: story.home.now),
            ]
        )
    }

    @Test func `a pinned hold past its deadline lapses when the points are refused`() {
        let story = Story(points: 0)
        story.home.pass(.minutes(20))
        story.home.shard.tick(at: story.home.now)
        story.home.output()
        story.receive(story.debited())
        #expect(
            story.home.output().facts == [
                .paymentRefused(Stage.concert, story.payment, at: story.home.now),
                .released(Stage.concert, story.hold.id, .lapsed, at: story.home.now),
                .lapsed(Stage.concert, story.pass.place, at: story.home.now),
            ]
        )
        #expect(story.home.status(of: 1) == .available)
    }

    @Test func `a payment refused before the deadline leaves the hold its time`() {
        let story = Story(points: 0)
        story.home.pass(.minutes(5) - 1)
        story.receive(story.debited())
        #expect(story.home.status(of: 1) == .held)
        story.home.pass(Nanoseconds(1))
        #expect(story.home.status(of: 1) == .available)
        story.home.output()
    }

    @Test func `a payment that names a pinned hold beside another is told to wait`() {
        let story = Story(points: 0)
        let other = story.home.reserve(story.pass, [2])[0]
        let reply = story.home.ask(.pay(story.pass, [other.id, story.hold.id]))
        #expect(reply == .refused(.paymentInProgress))
        #expect(story.home.status(of: 2) == .held)
    }

    @Test func `someone who leaves while the points are asked for is gone, and has the seat`() {
        let story = Story(points: 200_000)
        #expect(story.home.ask(.leave(story.pass)) == .left)
        story.receive(story.debited())
        #expect(Receipt(story.home.output().late.first?.reply) != nil)
        let totals = story.home.shard.concertsInOrder.first { $0.concert.id == Stage.concert }!.line.totals
        #expect(totals == Line.Totals(left: 1))
    }

    @Test func `a debit without an answer is asked again after its patience, and as often as it takes`() {
        let story = Story(points: 200_000)
        for _ in 0..<3 {
            story.home.pass(Transfers.patience - 1)
            story.home.shard.tick(at: story.home.now)
            #expect(story.home.output().transfers == [])
            story.home.pass(Nanoseconds(1))
            story.home.shard.tick(at: story.home.now)
            story.home.shard.tick(at: story.home.now)
            #expect(story.home.output().transfers == [story.debit])
        }
        story.receive(story.debited())
        story.home.output()
        story.home.pass(.minutes(1))
        story.home.shard.tick(at: story.home.now)
        #expect(story.home.output().transfers == [])
    }

    @Test func `an answer that says nothing about the points is as good as none`() {
        let story = Story(points: 200_000)
        for reply in [Reply.refused(.wrongShard), .refused(.overloaded), .left] {
            story.receive(reply)
            #expect(story.home.output() == Stage.Output())
        }
        story.receive(story.debited())
        #expect(story.home.output().late.count == 1)
    }

    @Test func `a link that is up again asks for its own payments in the order of their ids`() {
        let story = Story(points: 1_000_000)
        let more = (2...8).map { story.home.reserve(story.pass, [$0])[0].id }
        for hold in more { #expect(story.home.ask(.pay(story.pass, [hold])) == nil) }
        let asked = [story.debit] + story.home.output().transfers
        story.home.shard.linkIsUp(to: story.home.index)
        #expect(story.home.output().transfers == [])
        story.home.shard.linkIsUp(to: story.away.index)
        #expect(story.home.output().transfers == asked)
    }

    // MARK: Replays

    @Test func `a payment that was under way in a crash is asked for again, and done`() {
        let story = Story(points: 200_000)
        _ = story.debited()
        story.home.pass(.minutes(30))
        story.home.restart(from: story.facts)
        story.home.shard.tick(at: story.home.now)
        let output = story.home.output()
        #expect(output.transfers == [story.debit])
        #expect(story.home.status(of: 1) == .held)
        story.receive(story.debited())
        let after = story.home.output()
        #expect(after.late == [])
        #expect(Receipt(story.home.ask(.pay(story.pass, [story.hold.id])))?.balance == Won(30_000))
        #expect(story.away.balance(story.pass.user) == 30_000)
    }

    @Test func `a payment on one shard that a crash cut off from its end is done by a tick`() {
        let stage = Stage()
        let pass = stage.join(self.anna)
        stage.charge(self.anna, 200_000)
        let hold = stage.reserve(pass, [1])[0]
        stage.ask(.pay(pass, [hold.id]))
        let facts = stage.output().facts
        let start = facts.firstIndex { if case .paymentStarted = $0 { true } else { false } }!
        stage.pass(.minutes(30))
        stage.restart(from: Array(facts[...start]))
        stage.shard.tick(at: stage.now)
        #expect(stage.output().transfers == [])
        #expect(stage.status(of: 1) == .sold)
        #expect(stage.balance(self.anna) == 30_000)
    }

    @Test func `a hold whose payment is refused after a crash lapses`() {
        let story = Story(points: 0)
        story.home.pass(.minutes(30))
        story.home.restart(from: story.facts)
        story.home.shard.tick(at: story.home.now)
        story.receive(story.debited())
        story.home.output()
        #expect(story.home.status(of: 1) == .available)
    }

    @Test func `a user's shard that starts again remembers the debits it took and refused`() {
        let story = Story(points: 200_000)
        let taken = story.debited()
        let other = TransferOrder(
            id: TransferID(story.debit.id.rawValue + 1),
            direction: .debit,
            concert: Stage.concert,
            user: story.pass.user,
            amount: Won(1_000_000),
            settled: 0
        )
        let refused = story.away.ask(other.request)
        #expect(refused == .refused(.insufficientPoints))
        let facts = story.away.output().facts
        let charge = Fact.charged(
            story.pass.user,
            PointHistoryID(SlotIDs.make(Slot(of: story.pass.user), counter: 1)),
            Won(200_000),
            .free,
            at: Stage.start
        )
        story.away.restart(from: [charge] + facts)
        story.away.charge(story.pass.user, 2_000_000)
        #expect(story.debited() == taken)
        #expect(story.away.ask(other.request) == refused)
        #expect(story.away.balance(story.pass.user) == 2_030_000)
    }
}
