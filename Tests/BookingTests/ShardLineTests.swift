import Testing

@testable import Booking

@Suite struct ShardLineTests {
    private let anna = UserID(1)
    private let ben = UserID(2)

    private static func narrow(_ maxActive: UInt32) -> ConcertRules {
        var rules = ConcertRules()
        rules.maxActive = maxActive
        return rules
    }

    @Test func `the first to join is let in at once`() {
        let stage = Stage()
        let reply = stage.ask(.join(Stage.concert, self.anna))
        let joined = Joined(place: Place(1), issuedAt: Stage.start, standing: .admitted)
        #expect(reply == .joined(joined))
        #expect(
            stage.output().facts == [
                .joined(Stage.concert, self.anna, Place(1), at: Stage.start),
                .admitted(Stage.concert, Place(1), at: Stage.start),
            ]
        )
    }

    @Test func `joining twice gives the same place, also once inside`() {
        let stage = Stage(rules: Self.narrow(1))
        let anna = stage.join(self.anna)
        let ben = stage.join(self.ben)
        stage.output()
        stage.pass(.seconds(10))
        #expect(stage.join(self.anna) == anna)
        #expect(stage.join(self.ben) == ben)
        #expect(stage.output().facts == [])
    }

    @Test func `places are given in order, and the standing is the exact place`() {
        var rules = Self.narrow(1)
        rules.admissionsPerSecond = 2
        let stage = Stage(rules: rules)
        let passes = (1...4).map { stage.join(UserID($0)) }
        #expect(passes.map(\.place.rawValue) == [1, 2, 3, 4])
        #expect(stage.ask(.poll(passes[0])) == .standing(.admitted))
        // One is inside, for five minutes at most.
        #expect(stage.ask(.poll(passes[1])) == .standing(Standing(order: 1, seconds: 300)))
        #expect(stage.ask(.poll(passes[3])) == .standing(Standing(order: 3, seconds: 900)))
    }

    @Test func `everyone behind one who leaves moves up`() {
        let stage = Stage(rules: Self.narrow(1))
        let passes = (1...4).map { stage.join(UserID($0)) }
        #expect(stage.ask(.leave(passes[1])) == .left)
        #expect(stage.ask(.poll(passes[3])) == .standing(Standing(order: 2, seconds: 600)))
        #expect(stage.ask(.leave(passes[1])) == .refused(.tokenUnknown))
        #expect(stage.ask(.poll(passes[1])) == .refused(.tokenUnknown))
    }

    @Test func `one who leaves from inside makes room for the next`() {
        let stage = Stage(rules: Self.narrow(1))
        let anna = stage.join(self.anna)
        let ben = stage.join(self.ben)
        stage.pass(.seconds(1))
        stage.output()
        stage.ask(.leave(anna))
        #expect(
            stage.output().facts == [
                .left(Stage.concert, anna.place, at: stage.now), .admitted(Stage.concert, ben.place, at: stage.now),
            ]
        )
    }

    @Test func `a question lets go of what has run out, and lets nobody in`() {
        let stage = Stage(rules: Self.narrow(1))
        let anna = stage.join(self.anna)
        let ben = stage.join(self.ben)
        stage.output()
        stage.pass(.minutes(5))
        #expect(stage.ask(.poll(ben)) == .standing(Standing(order: 1, seconds: 1)))
        #expect(stage.output().facts == [.lapsed(Stage.concert, anna.place, at: stage.now)])
        stage.shard.tick(at: stage.now)
        #expect(stage.output().facts == [.admitted(Stage.concert, ben.place, at: stage.now)])
        #expect(stage.ask(.poll(ben)) == .standing(.admitted))
    }

    @Test func `a place inside lapses after exactly five minutes, and lets the next in at once`() {
        let stage = Stage(rules: Self.narrow(1))
        let anna = stage.join(self.anna)
        let ben = stage.join(self.ben)
        stage.pass(.minutes(5) - 1)
        #expect(stage.ask(.poll(anna)) == .standing(.admitted))
        stage.output()
        stage.pass(Nanoseconds(1))
        stage.shard.tick(at: stage.now)
        #expect(stage.ask(.poll(ben)) == .standing(.admitted))
        #expect(
            stage.output().facts == [
                .lapsed(Stage.concert, anna.place, at: stage.now), .admitted(Stage.concert, ben.place, at: stage.now),
            ]
        )
        #expect(stage.ask(.poll(anna)) == .refused(.tokenUnknown))
        #expect(stage.join(self.anna).place == Place(3))
    }

    @Test func `a place in line lapses 30 minutes after the last poll`() {
        let stage = Stage(index: 0, Stage.catalogue(opensAfter: .minutes(1_000)))
        let anna = stage.join(self.anna)
        let ben = stage.join(self.ben)
        stage.pass(.minutes(20))
        #expect(stage.ask(.poll(anna)) == .standing(Standing(order: 1, seconds: 980 * 60 + 1)))
        stage.pass(.minutes(10))
        #expect(stage.ask(.poll(ben)) == .refused(.tokenUnknown))
        stage.pass(.minutes(20) - 1)
        stage.output()
        stage.shard.tick(at: stage.now)
        #expect(stage.output().facts == [])
        stage.pass(Nanoseconds(1))
        stage.shard.tick(at: stage.now)
        #expect(stage.output().facts == [.lapsed(Stage.concert, anna.place, at: stage.now)])
    }

    @Test func `nobody is let in before the opening, and people may wait`() {
        let stage = Stage(index: 0, Stage.catalogue(opensAfter: .seconds(60)))
        let anna = stage.join(self.anna)
        stage.pass(.seconds(60) - 1)
        #expect(stage.ask(.poll(anna)) == .standing(Standing(order: 1, seconds: 1)))
        #expect(stage.ask(.reserve(anna, Stage.schedule, [SeatID(1)])) == .refused(.notAdmitted))
        #expect(stage.ask(.release(anna, [ReservationID(1)])) == .refused(.notAdmitted))
        #expect(stage.ask(.pay(anna, [ReservationID(1)])) == .refused(.notAdmitted))
        stage.pass(Nanoseconds(1))
        stage.shard.tick(at: stage.now)
        #expect(stage.ask(.poll(anna)) == .standing(.admitted))
    }

    @Test func `a token of another life of its place is unknown`() {
        let stage = Stage()
        let anna = stage.join(self.anna)
        let earlier = Pass(concert: anna.concert, user: anna.user, place: anna.place, issuedAt: anna.issuedAt - 1)
        let others = Pass(concert: anna.concert, user: self.ben, place: anna.place, issuedAt: anna.issuedAt)
        let never = Pass(concert: anna.concert, user: anna.user, place: Place(.max), issuedAt: anna.issuedAt)
        let elsewhere = Pass(concert: ConcertID(2), user: anna.user, place: anna.place, issuedAt: anna.issuedAt)
        for pass in [earlier, others, never, elsewhere] {
            #expect(stage.ask(.poll(pass)) == .refused(.tokenUnknown))
            #expect(stage.ask(.leave(pass)) == .refused(.tokenUnknown))
            #expect(stage.ask(.reserve(pass, Stage.schedule, [SeatID(1)])) == .refused(.tokenUnknown))
        }
        #expect(stage.ask(.poll(anna)) == .standing(.admitted))
    }

    @Test func `a concert that is nowhere and one that is elsewhere are told apart`() {
        let (home, away, stranger) = Stage.apart()
        #expect(home.ask(.join(ConcertID(99), stranger)) == .refused(.unknownConcert))
        #expect(away.ask(.join(Stage.concert, stranger)) == .refused(.wrongShard))
        #expect(home.ask(.balance(stranger)) == .refused(.wrongShard))
    }

    @Test func `a mass expiry is cleared bit by bit, and nobody gains by it`() {
        var rules = ConcertRules()
        rules.admissionsPerSecond = 1_000_000
        let stage = Stage(rules: rules)
        let passes = (1...600).map { stage.join(UserID($0)) }
        stage.pass(.minutes(5))
        stage.output()
        stage.shard.tick(at: stage.now)
        #expect(stage.output().facts.count == Shard.lapsesPerStepMax)
        // Not cleared yet, nor by the step of this request.
        #expect(stage.ask(.reserve(passes[599], Stage.schedule, [SeatID(1)])) == .refused(.tokenUnknown))
        stage.output()
        let last = stage.join(UserID(600))
        #expect(last.place == Place(601))
        #expect(stage.ask(.poll(last)) == .standing(.admitted))
        stage.shard.tick(at: stage.now)
        stage.output()
        #expect(stage.shard.concertsInOrder[0].line.totals.admitted == 1)
    }

    @Test func `a tick goes by the order of concerts`() {
        let stage = Stage(index: 0, Stage.catalogue(opensAfter: .seconds(1)))
        for concert in [3, 1, 2] { _ = stage.join(self.anna, ConcertID(UInt64(concert))) }
        stage.output()
        stage.pass(.seconds(1))
        stage.shard.tick(at: stage.now)
        #expect(stage.output().facts == (1...3).map { .admitted(ConcertID($0), Place(1), at: stage.now) })
    }

    @Test func `time never goes back`() {
        let stage = Stage()
        stage.pass(.seconds(10))
        _ = stage.join(self.anna)
        stage.now = Stage.start
        let ben = stage.join(self.ben)
        #expect(ben.issuedAt == Stage.start + .seconds(10))
    }

    // MARK: The end

    /// In a line with room for one inside: Anna inside, with a seat, and Ben waiting, a minute before the last play begins.
    private func beforeTheEnd() -> (stage: Stage, anna: Pass, ben: Pass, hold: Reservation) {
        let stage = Stage(rules: Self.narrow(1))
        stage.pass(.minutes(144_000 - 1))
        let anna = stage.join(self.anna)
        let hold = stage.reserve(anna, [1])[0]
        return (stage, anna, stage.join(self.ben), hold)
    }

    @Test func `when the last play begins, whoever waits loses the place and hears why, and nobody joins`() {
        let (stage, _, ben, _) = self.beforeTheEnd()
        stage.pass(.seconds(59))
        // Anna's stay lasts 4 minutes more: the forecast ignores the coming end.
        #expect(stage.ask(.poll(ben)) == .standing(Standing(order: 1, seconds: 241)))
        stage.output()
        stage.pass(.seconds(1))
        #expect(stage.ask(.poll(ben)) == .refused(.concertOver))
        #expect(stage.output().facts == [.lapsed(Stage.concert, ben.place, at: stage.now)])
        #expect(stage.ask(.poll(ben)) == .refused(.concertOver))
        #expect(stage.ask(.leave(ben)) == .refused(.concertOver))
        #expect(stage.ask(.join(Stage.concert, self.ben)) == .refused(.concertOver))
        #expect(stage.ask(.join(Stage.concert, UserID(3))) == .refused(.concertOver))
        #expect(stage.output().facts == [])
    }

    @Test func `at the end nobody takes the place of whoever leaves, however late the tick`() {
        let (stage, anna, _, _) = self.beforeTheEnd()
        stage.pass(.seconds(60))
        stage.output()
        stage.ask(.leave(anna))
        stage.shard.tick(at: stage.now)
        #expect(
            stage.output().facts.allSatisfy { fact in
                if case .admitted = fact { false } else { true }
            }
        )
        #expect(stage.shard.concertCensus[0].line.waiting == 0)
    }

    @Test func `people inside at the end keep their place and pay what they hold, and hold no more`() {
        let (stage, anna, _, hold) = self.beforeTheEnd()
        stage.charge(self.anna, 1_000_000)
        stage.pass(.seconds(60))
        #expect(stage.ask(.poll(anna)) == .standing(.admitted))
        #expect(stage.join(self.anna) == anna)
        let late = stage.ask(.reserve(anna, ScheduleID(11), [SeatID(2)]))
        #expect(late == .refused(.scheduleOver))
        #expect(Receipt(stage.ask(.pay(anna, [hold.id])))?.reservations.map(\.status) == [.paid])
        #expect(stage.ask(.poll(anna)) == .refused(.concertOver))
    }

    @Test func `a concert goes on while one of its plays is to come`() {
        let stage = Stage()
        stage.pass(.minutes(600))
        let anna = stage.join(self.anna)
        #expect(stage.ask(.poll(anna)) == .standing(.admitted))
        #expect(stage.ask(.reserve(anna, ScheduleID(10), [SeatID(1)])) == .refused(.scheduleOver))
        #expect(stage.reserve(anna, [1]).count == 1)
    }

    @Test func `the places that end with a concert end in the same way after a restart`() {
        let (stage, _, ben, _) = self.beforeTheEnd()
        let facts = stage.output().facts
        stage.pass(.minutes(2))
        stage.restart(from: facts)
        stage.shard.tick(at: stage.now)
        #expect(stage.output().facts.contains(.lapsed(Stage.concert, ben.place, at: stage.now)))
        #expect(stage.ask(.poll(ben)) == .refused(.concertOver))
    }

    @Test func `a shard that can't write says of what is over that it is`() {
        let (stage, anna, ben, _) = self.beforeTheEnd()
        stage.pass(.seconds(60))
        // That time has come, and no fact says so yet.
        _ = stage.ask(.balance(self.anna))
        #expect(stage.shard.read(.join(Stage.concert, UserID(3))) == .refused(.concertOver))
        #expect(stage.shard.read(.poll(ben)) == .refused(.concertOver))
        #expect(stage.shard.read(.poll(anna)) == .standing(.admitted))
    }
}

extension Nanoseconds {
    static func - (span: Nanoseconds, nanoseconds: Int64) -> Nanoseconds { Nanoseconds(span.rawValue - nanoseconds) }
}

extension Timestamp {
    static func - (moment: Timestamp, nanoseconds: Int64) -> Timestamp { moment - Nanoseconds(nanoseconds) }
}
