import Testing

@testable import Booking

@Suite struct ShardCancellingTests {
    private let anna = UserID(1)

    /// Joins, reserves and pays; the reservations.
    private func buy(_ seats: [UInt64], on stage: Stage, _ schedule: ScheduleID = ScheduleID(11)) -> [ReservationID] {
        let pass = stage.join(self.anna)
        let ids = stage.reserve(pass, seats, schedule).map(\.id)
        #expect(Receipt(stage.ask(.pay(pass, ids))) != nil)
        return ids
    }

    private func cancel(_ ids: [ReservationID], by user: UserID? = nil) -> Request {
        .cancel(Stage.concert, user ?? self.anna, ids)
    }

    // MARK: One shard

    @Test func `cancelling brings the points back and frees the seats`() throws {
        let stage = Stage()
        stage.charge(self.anna, 300_000)
        let ids = self.buy([1, 50], on: stage)
        stage.output()
        let receipt = try #require(Receipt(stage.ask(self.cancel(ids))))
        #expect(receipt.user == self.anna)
        #expect(receipt.amount == Won(270_000))
        #expect(receipt.balance == Won(300_000))
        #expect(receipt.reservations.map(\.id) == ids)
        #expect(receipt.reservations.allSatisfy { $0.status == .cancelled && $0.payment != nil })
        let facts = stage.output().facts
        let id = CancellationID(SlotIDs.make(Slot(of: Stage.concert), counter: 4))
        #expect(facts.count == 3)
        #expect(facts.last == .cancelDone(Stage.concert, id, balance: Won(300_000), at: stage.now))
        #expect(stage.status(of: 1) == .available)
        #expect(stage.ask(.schedules(Stage.concert)) == .schedules([50, 50]))
        guard case .history(let lines) = stage.ask(.history(self.anna, HistoryQuery())) else { return }
        #expect(lines.map(\.type) == [.charge, .use, .charge])
        #expect(lines[0].amount == Won(270_000) && lines[0].paymentType == .free)
    }

    @Test func `a seat that was cancelled is sold again, to anybody`() {
        let stage = Stage()
        stage.charge(self.anna, 400_000)
        let ids = self.buy([1], on: stage)
        stage.ask(self.cancel(ids))
        let again = self.buy([1], on: stage)
        #expect(again != ids)
        #expect(stage.status(of: 1) == .sold)
        #expect(stage.balance(self.anna) == 230_000)
        #expect(stage.ask(self.cancel(ids)) != nil)
        #expect(stage.status(of: 1) == .sold)
        stage.output()
    }

    @Test func `repeating a cancellation gives its answer again, whatever happened since`() {
        let stage = Stage()
        stage.charge(self.anna, 300_000)
        let ids = self.buy([1, 2].map { $0 + 40 }, on: stage)
        let first = stage.ask(self.cancel(ids))
        stage.charge(self.anna, 77)
        stage.pass(.days(200))
        stage.output()
        #expect(Receipt(first) != nil)
        #expect(stage.ask(self.cancel(ids)) == first)
        #expect(stage.ask(self.cancel(ids.reversed())) == first)
        #expect(stage.balance(self.anna) == 300_077)
    }

    @Test func `a payment is answered as at first, also when it was cancelled`() {
        let stage = Stage()
        stage.charge(self.anna, 300_000)
        let pass = stage.join(self.anna)
        let ids = stage.reserve(pass, [1]).map(\.id)
        let first = stage.ask(.pay(pass, ids))
        stage.ask(self.cancel(ids))
        #expect(stage.ask(.pay(pass, ids)) == first)
        #expect(stage.balance(self.anna) == 300_000)
    }

    @Test func `one seat of a payment can be cancelled, and the others after it`() {
        let stage = Stage()
        stage.charge(self.anna, 500_000)
        let ids = self.buy([1, 2], on: stage)
        #expect(Receipt(stage.ask(self.cancel([ids[0]])))?.balance == Won(330_000))
        #expect(stage.ask(self.cancel(ids)) == .refused(.alreadyCancelled))
        #expect(stage.status(of: 2) == .sold)
        #expect(Receipt(stage.ask(self.cancel([ids[1]])))?.balance == Won(500_000))
        stage.output()
    }

    @Test func `seats of two payments can be cancelled together`() {
        let stage = Stage()
        stage.charge(self.anna, 500_000)
        let ids = self.buy([1], on: stage) + self.buy([50], on: stage)
        #expect(Receipt(stage.ask(self.cancel(ids)))?.amount == Won(270_000))
        stage.output()
    }

    @Test func `all or nothing`() {
        let stage = Stage()
        stage.charge(self.anna, 500_000)
        let ids = self.buy([1], on: stage)
        let held = stage.reserve(stage.join(self.anna), [2]).map(\.id)
        #expect(stage.ask(self.cancel(ids + held)) == .refused(.notPaid))
        #expect(stage.status(of: 1) == .sold && stage.status(of: 2) == .held)
        #expect(stage.balance(self.anna) == 330_000)
    }

    @Test func `what is not paid, not one's own, or named wrongly is refused`() {
        let stage = Stage()
        stage.charge(self.anna, 500_000)
        let ids = self.buy([1], on: stage)
        let pass = stage.join(self.anna)
        let held = stage.reserve(pass, [2]).map(\.id)
        #expect(stage.ask(self.cancel(held)) == .refused(.notPaid))
        stage.ask(.release(pass, held))
        #expect(stage.ask(self.cancel(held)) == .refused(.notPaid))
        #expect(stage.ask(self.cancel(ids, by: UserID(2))) == .refused(.noSuchReservation))
        #expect(stage.ask(self.cancel([ReservationID(.max)])) == .refused(.noSuchReservation))
        #expect(stage.ask(self.cancel([])) == .refused(.noReservations))
        #expect(stage.ask(self.cancel(ids + ids)) == .refused(.duplicateReservation))
        #expect(stage.ask(.cancel(ConcertID(99), self.anna, ids)) == .refused(.unknownConcert))
        #expect(stage.ask(.cancel(ConcertID(2), self.anna, ids)) == .refused(.noSuchReservation))
        stage.output()
    }

    // MARK: The deadline

    @Test func `7 days after the payment it is too late`() {
        let stage = Stage()
        stage.charge(self.anna, 500_000)
        let ids = self.buy([1, 2], on: stage)
        stage.pass(.days(7) - 1)
        #expect(Receipt(stage.ask(self.cancel([ids[0]]))) != nil)
        stage.pass(Nanoseconds(1))
        #expect(stage.ask(self.cancel([ids[1]])) == .refused(.cancelTooLate))
    }

    @Test func `a day before the play it is too late`() {
        // It plays after 100 days.
        let stage = Stage()
        stage.charge(self.anna, 500_000)
        stage.pass(.days(98))
        let ids = self.buy([1, 2], on: stage)
        stage.pass(.days(1) - 1)
        #expect(Receipt(stage.ask(self.cancel([ids[0]]))) != nil)
        stage.pass(Nanoseconds(1))
        #expect(stage.ask(self.cancel([ids[1]])) == .refused(.cancelTooLate))
    }

    @Test func `a concert may have its own times, and may allow no cancelling`() {
        var rules = ConcertRules()
        rules.cancelTime = .minutes(10)
        rules.cancelNotice = .zero
        let short = Stage(rules: rules)
        short.charge(self.anna, 500_000)
        // It plays after 10 hours.
        let ids = self.buy([1, 2], on: short, ScheduleID(10))
        short.pass(.minutes(10) - 1)
        #expect(Receipt(short.ask(self.cancel([ids[0]]))) != nil)
        short.pass(Nanoseconds(1))
        #expect(short.ask(self.cancel([ids[1]])) == .refused(.cancelTooLate))
        rules.cancelTime = .zero
        let never = Stage(rules: rules)
        never.charge(self.anna, 500_000)
        #expect(never.ask(self.cancel(self.buy([1], on: never))) == .refused(.cancelTooLate))
    }

    // MARK: What is over

    @Test func `a purchase is remembered whole as long as one of its seats is sold, and then for seven days`() {
        var rules = ConcertRules()
        rules.cancelTime = .days(100)
        rules.cancelNotice = .zero
        let stage = Stage(rules: rules)
        stage.charge(self.anna, 2_000_000)
        let pass = stage.join(self.anna)
        let ids = stage.reserve(pass, [41, 42]).map(\.id)
        let receipt = stage.ask(.pay(pass, ids))
        let first = stage.ask(self.cancel([ids[0]]))
        stage.pass(.days(30))
        self.letGo(stage)
        // Repeated after a month, both are answered as at first.
        #expect(stage.ask(.pay(pass, ids)) == receipt)
        #expect(stage.ask(self.cancel([ids[0]])) == first)
        let second = stage.ask(self.cancel([ids[1]]))
        #expect(Receipt(second)?.reservations.map(\.id) == [ids[1]])
        // The first seat was cancelled long ago, the second was not.
        #expect(stage.ask(self.cancel([ids[1]])) == second)
        #expect(stage.ask(self.cancel([ids[0]])) == .refused(.noSuchReservation))
        let facts = stage.output().facts
        stage.pass(.days(7))
        self.letGo(stage)
        #expect(stage.ask(self.cancel([ids[1]])) == .refused(.noSuchReservation))
        #expect(stage.ask(.pay(pass, ids)) == .refused(.tokenUnknown))
        let census = stage.shard.concertCensus[0]
        #expect((census.paymentsDone, census.cancellationsDone, census.takings) == (1, 2, .zero))
        let counts = [stage.balance(self.anna)]
        stage.restart(from: facts + stage.output().facts)
        #expect(counts == [stage.balance(self.anna)])
        #expect(stage.shard.concertCensus[0] == census)
    }

    /// A fact about seats, which makes the shard forget ended ones.
    private func letGo(_ stage: Stage) {
        let pass = stage.join(UserID(77))
        stage.ask(.release(pass, stage.reserve(pass, [50]).map(\.id)))
        stage.ask(.leave(pass))
    }

    @Test func `paying and cancelling again and again leaves little behind`() {
        var rules = ConcertRules()
        rules.cancelNotice = .zero
        let stage = Stage(rules: rules)
        stage.charge(self.anna, 2_000_000)
        for _ in 0..<600 {
            let pass = stage.join(self.anna)
            let ids = stage.reserve(pass, [41]).map(\.id)
            stage.ask(.pay(pass, ids))
            #expect(Receipt(stage.ask(self.cancel(ids))) != nil)
            // Until others have had a chance at the seat.
            stage.pass(.seconds(10))
        }
        var items: [String: Int] = [:]
        stage.shard.forEachItem { items[String("\($0)".prefix { $0 != "(" }), default: 0] += 1 }
        let most = RecordLimits().overPerUserMax
        #expect(
            items["reservation"]! <= most && items["payment"]! <= most && items["cancellation"]! <= most,
            "\(items)"
        )
        #expect(stage.shard.concertCensus[0].paymentsDone == 600)
        #expect(items["historyLine"] == RecordLimits().historyLinesPerUserMax)
        #expect(stage.balance(self.anna) == 2_000_000)
        stage.output()
    }

    // MARK: Money

    @Test func `points come back past the highest balance`() {
        let stage = Stage()
        for _ in 0..<50 { stage.charge(self.anna, 2_000_000) }
        let ids = self.buy([1], on: stage)
        stage.charge(self.anna, 170_000)
        #expect(Receipt(stage.ask(self.cancel(ids)))?.balance == Won(100_170_000))
        #expect(stage.ask(.charge(self.anna, Won(1), .free)) == .refused(.balanceTooLarge))
        stage.output()
    }

    @Test func `a free seat is cancelled, and leaves no line in the history`() throws {
        let hall = try Hall(sections: [Hall.Section(seats: 1...1, grade: "FREE", price: .zero)])
        let schedule = Schedule(id: Stage.schedule, playsAt: Stage.start + .days(30), hall: hall)
        let concert = Concert(
            id: Stage.concert,
            title: "free",
            opensAt: Stage.start,
            schedules: [schedule],
            rules: ConcertRules()
        )
        let stage = Stage(index: 0, try Catalogue([concert]))
        let ids = self.buy([1], on: stage)
        #expect(Receipt(stage.ask(self.cancel(ids)))?.amount == .zero)
        #expect(stage.status(of: 1) == .available)
        #expect(stage.ask(.history(self.anna, HistoryQuery())) == .history([]))
        stage.output()
    }

    @Test func `a negative credit is refused, and not kept`() {
        let stage = Stage()
        func credit(_ amount: Int64) -> Request {
            .transfer(
                TransferOrder(
                    id: TransferID(1),
                    direction: .credit,
                    concert: Stage.concert,
                    user: self.anna,
                    amount: Won(amount),
                    settled: 0
                )
            )
        }
        #expect(stage.ask(credit(-1)) == .refused(.chargeNotPositive))
        #expect(stage.ask(credit(1)) == .credited(Won(1)))
    }

    // MARK: Two shards

    /// The concert's shard with two seats sold to a user of the other shard, who has cancelled the first; the pending
    /// order, and the facts.
    private struct Story {
        let home: Stage
        let away: Stage
        let user: UserID
        let ids: [ReservationID]
        let credit: TransferOrder
        var facts: [Fact] = []
        var question: Request { .cancel(Stage.concert, self.user, [self.ids[0]]) }

        init() {
            let (home, away, stranger) = Stage.apart()
            away.charge(stranger, 400_000)
            let pass = home.join(stranger)
            let ids = home.reserve(pass, [1, 2]).map(\.id)
            #expect(home.ask(.pay(pass, ids)) == nil)
            var output = home.output()
            self.facts = output.facts
            let debit = output.transfers[0]
            home.shard.completeTransfer(away.ask(debit.request)!, for: debit.id, at: home.now)
            self.facts += home.output().facts
            away.output()
            self.home = home
            self.away = away
            self.user = stranger
            self.ids = ids
            #expect(home.ask(.cancel(Stage.concert, stranger, [ids[0]])) == nil)
            output = home.output()
            self.credit = output.transfers[0]
            self.facts += output.facts
        }

        func credited() -> Reply? { self.away.ask(self.credit.request) }

        func receive(_ reply: Reply?) {
            self.home.shard.completeTransfer(reply!, for: self.credit.id, at: self.home.now)
        }
    }

    @Test func `over two shards the seats are free when the points are back, not before`() throws {
        let story = Story()
        #expect(story.credit.direction == .credit && story.credit.amount == Won(170_000))
        #expect(story.home.status(of: 1) == .sold)
        let reply = story.credited()
        #expect(reply == .credited(Won(230_000)))
        #expect(story.home.status(of: 1) == .sold)
        story.receive(reply)
        #expect(story.home.status(of: 1) == .available && story.home.status(of: 2) == .sold)
        let late = story.home.output().late
        #expect(late.map(\.kind) == [.cancel])
        let receipt = try #require(Receipt(late.first?.reply))
        #expect(receipt.balance == Won(230_000))
        #expect(story.home.ask(story.question) == .cancelled(receipt))
    }

    @Test func `whoever repeats a cancellation under way gets the same answer with the first`() {
        let story = Story()
        #expect(story.home.ask(story.question) == nil)
        #expect(story.home.output() == Stage.Output())
        story.receive(story.credited())
        let late = story.home.output().late
        #expect(late.count == 2 && late[0].reply == late[1].reply)
        for _ in 0...Transfers.waitersMax { #expect(story.home.ask(story.question) == late[0].reply) }
    }

    @Test func `a seat that is being cancelled is not cancelled together with another`() {
        let story = Story()
        let both = Request.cancel(Stage.concert, story.user, story.ids)
        #expect(story.home.ask(both) == .refused(.cancelInProgress))
        story.receive(story.credited())
        #expect(story.home.ask(both) == .refused(.alreadyCancelled))
        story.home.output()
    }

    @Test func `a cancellation that was begun in time is done after the deadline`() {
        let story = Story()
        story.home.pass(.days(300))
        story.home.shard.tick(at: story.home.now)
        #expect(story.home.output().transfers == [story.credit])
        story.receive(story.credited())
        #expect(Receipt(story.home.output().late.first?.reply) != nil)
    }

    @Test func `points come back once, however often they are asked for`() {
        let story = Story()
        let first = story.credited()
        story.away.charge(story.user, 5)
        story.away.output()
        #expect(story.credited() == first)
        #expect(story.away.output().facts == [])
        #expect(story.away.balance(story.user) == 230_005)
        story.receive(first)
        story.home.output()
        story.receive(first)
        #expect(story.home.output() == Stage.Output())
    }

    @Test func `nothing but the points ends a cancellation`() {
        let story = Story()
        for reply in [Reply.refused(.wrongShard), .refused(.insufficientPoints), .debited(Won(1)), .left] {
            story.receive(reply)
            #expect(story.home.output() == Stage.Output())
        }
        story.receive(story.credited())
        #expect(story.home.output().late.count == 1)
    }

    @Test func `a cancellation that was under way in a crash is asked for again, and done`() {
        let story = Story()
        _ = story.credited()
        story.home.restart(from: story.facts)
        story.home.shard.linkIsUp(to: story.away.index)
        #expect(story.home.output().transfers == [story.credit])
        story.home.pass(Transfers.patience)
        story.home.shard.tick(at: story.home.now)
        #expect(story.home.output().transfers == [story.credit])
        #expect(story.home.status(of: 1) == .sold)
        story.receive(story.credited())
        #expect(story.home.output().late == [])
        #expect(Receipt(story.home.ask(story.question))?.balance == Won(230_000))
        #expect(story.away.balance(story.user) == 230_000)
    }

    @Test func `a cancellation on one shard that a crash cut off from its end is done by a tick`() {
        let stage = Stage()
        stage.charge(self.anna, 200_000)
        let ids = self.buy([1], on: stage)
        stage.ask(self.cancel(ids))
        let facts = stage.output().facts
        let start = facts.firstIndex { if case .cancelStarted = $0 { true } else { false } }!
        stage.restart(from: Array(facts[...start]))
        #expect(stage.ask(self.cancel(ids)) == nil)
        stage.pass(Transfers.patience)
        stage.shard.tick(at: stage.now)
        #expect(stage.output().late.count == 1)
        #expect(stage.status(of: 1) == .available)
        #expect(stage.balance(self.anna) == 200_000)
    }
}
