import Testing

@testable import Booking

@Suite struct ShardSeatsTests {
    private let stage = Stage()
    private let anna: Pass
    private let ben: Pass
    /// How they came in.
    private let joined: [Fact]

    init() {
        self.anna = self.stage.join(UserID(1))
        self.ben = self.stage.join(UserID(2))
        self.joined = self.stage.output().facts
    }

    @Test func `a reservation holds its seats for five minutes at the hall's prices`() {
        let holds = self.stage.reserve(self.anna, [10, 11])
        let slot = Slot(of: Stage.concert)
        let sold: [(UInt64, UInt64, Int64, String)] = [(1, 10, 170_000, "VIP"), (2, 11, 150_000, "R")]
        let expected = sold.map { counter, seat, price, grade in
            Reservation(
                id: ReservationID(SlotIDs.make(slot, counter: counter)),
                user: UserID(1),
                schedule: Stage.schedule,
                seat: SeatID(seat),
                price: Won(price),
                grade: grade,
                heldAt: Stage.start,
                until: Stage.start + .minutes(5)
            )
        }
        #expect(holds == expected)
        #expect(self.stage.output().facts == expected.map { .held(Stage.concert, $0) })
        #expect(self.stage.ask(.schedules(Stage.concert)) == .schedules([50, 48]))
        #expect(self.stage.ask(.reservations(Stage.concert, UserID(1))) == .reservations(expected))
        #expect(self.stage.ask(.reservations(Stage.concert, UserID(2))) == .reservations([]))
    }

    private func shown(_ user: UInt64) -> [ReservationID] {
        guard case .reservations(let all) = self.stage.ask(.reservations(Stage.concert, UserID(user))) else {
            return []
        }
        return all.map(\.id)
    }

    @Test func `of what is over the newest are known, and what is held stays`() {
        let held = self.stage.reserve(self.anna, [50])[0].id
        let ids = (0..<400).map { _ in
            let hold = self.stage.reserve(self.anna, [1])[0]
            self.stage.ask(.release(self.anna, [hold.id]))
            return hold.id
        }
        let countMax = RecordLimits().overPerUserMax
        #expect(self.shown(1) == [held] + ids.suffix(countMax))
        let forgotten = ids[ids.count - countMax - 1]
        #expect(self.stage.ask(.release(self.anna, [forgotten])) == .refused(.noSuchReservation))
        #expect(self.stage.ask(.pay(self.anna, [ids.last!])) == .refused(.holdExpired))
        // Other users' are not forgotten with them.
        let bens = self.stage.reserve(self.ben, [2])[0].id
        self.stage.ask(.release(self.ben, [bens]))
        #expect(self.shown(2) == [bens])
        self.stage.output()
    }

    @Test func `what was never paid is forgotten a day after its deadline`() {
        let over = self.stage.reserve(self.anna, [1])[0].id
        self.stage.ask(.release(self.anna, [over]))
        let paid = self.stage.reserve(self.anna, [31])[0].id
        self.stage.charge(UserID(1), 2_000_000)
        self.stage.ask(.pay(self.anna, [paid]))
        self.stage.pass(.minutes(24 * 60 + 5) - 1)
        let ben = self.stage.join(UserID(2))
        self.stage.ask(.release(ben, self.stage.reserve(ben, [2]).map(\.id)))
        #expect(self.shown(1) == [over, paid])
        self.stage.pass(Nanoseconds(1))
        // Nothing is forgotten without a fact.
        #expect(self.shown(1) == [over, paid])
        _ = self.stage.reserve(ben, [3])
        #expect(self.shown(1) == [paid])
        self.stage.output()
    }

    @Test func `a list costs what it shows, whatever was before`() {
        for _ in 0..<5_000 { self.stage.ask(.release(self.anna, self.stage.reserve(self.anna, [1]).map(\.id))) }
        let state = self.stage.shard.concertsInOrder[0]
        #expect(state.seats.reservations(of: UserID(1)).count == RecordLimits().overPerUserMax)
        var items = 0
        self.stage.shard.forEachItem { _ in items += 1 }
        #expect(items < RecordLimits().overPerUserMax + 20)
    }

    @Test func `all seats are taken or none`() {
        _ = self.stage.reserve(self.anna, [3])
        let refused = self.stage.ask(.reserve(self.ben, Stage.schedule, [1, 2, 3].map { SeatID($0) }))
        #expect(refused == .refused(.seatTaken))
        #expect(self.stage.ask(.schedules(Stage.concert)) == .schedules([50, 49]))
        #expect(self.stage.reserve(self.ben, [1, 2]).count == 2)
    }

    @Test func `the same seat of another schedule is another seat`() {
        _ = self.stage.reserve(self.anna, [1])
        #expect(self.stage.reserve(self.ben, [1], ScheduleID(10)).count == 1)
    }

    @Test(
        arguments: [
            ([], .noSeats),
            ([1, 2, 3, 4, 5], .tooManySeats),
            ([1, 1], .duplicateSeat),
            ([51], .noSuchSeat),
            ([0], .noSuchSeat),
            ([1, UInt64.max], .noSuchSeat),
        ] as [([UInt64], Refusal)]
    )
    func `a list of seats that makes no sense holds none`(seats: [UInt64], refusal: Refusal) {
        let reply = self.stage.ask(.reserve(self.anna, Stage.schedule, seats.map { SeatID($0) }))
        #expect(reply == .refused(refusal))
        #expect(self.stage.output() == Stage.Output())
    }

    @Test func `four seats are not too many`() {
        #expect(self.stage.reserve(self.anna, [1, 2, 3, 4]).count == 4)
    }

    @Test func `one user holds eight seats at once, over all schedules, and others once some are given back`() {
        let holds = self.stage.reserve(self.anna, [1, 2, 3, 4])
        _ = self.stage.reserve(self.anna, [1, 2, 3], ScheduleID(10))
        self.stage.output()
        let tooMany = Request.reserve(self.anna, Stage.schedule, [SeatID(20), SeatID(21)])
        #expect(self.stage.ask(tooMany) == .refused(.seatsPerUserExceeded))
        #expect(self.stage.output() == Stage.Output())
        #expect(self.stage.reserve(self.anna, [20]).count == 1)
        #expect(self.stage.ask(.reserve(self.anna, Stage.schedule, [SeatID(21)])) == .refused(.seatsPerUserExceeded))
        #expect(self.stage.reserve(self.ben, [21]).count == 1)
        self.stage.ask(.release(self.anna, [holds[0].id]))
        #expect(self.stage.reserve(self.anna, [22]).count == 1)
        // Other concerts count for themselves.
        #expect(self.stage.reserve(self.stage.join(UserID(1), ConcertID(2)), [1], ScheduleID(21)).count == 1)
    }

    @Test func `a bound over held and paid seats counts what was bought, until it is cancelled`() {
        var rules = ConcertRules()
        rules.seatsPerUserMax = 3
        rules.cancelNotice = .zero
        let stage = Stage(rules: rules)
        stage.charge(UserID(1), 2_000_000)
        var anna = stage.join(UserID(1))
        let bought = stage.reserve(anna, [31, 32]).map(\.id)
        stage.ask(.pay(anna, bought))
        anna = stage.join(UserID(1))
        #expect(stage.ask(.reserve(anna, Stage.schedule, [SeatID(1), SeatID(2)])) == .refused(.seatsPerUserExceeded))
        #expect(stage.reserve(anna, [33]).count == 1)
        #expect(stage.ask(.reserve(anna, Stage.schedule, [SeatID(34)])) == .refused(.seatsPerUserExceeded))
        stage.restart(from: stage.output().facts)
        #expect(stage.ask(.reserve(anna, Stage.schedule, [SeatID(34)])) == .refused(.seatsPerUserExceeded))
        stage.ask(.cancel(Stage.concert, UserID(1), [bought[0]]))
        #expect(stage.reserve(anna, [34]).count == 1)
    }

    @Test func `a schedule must be the concert's own`() {
        for id: UInt64 in [20, 0, .max] {
            #expect(self.stage.ask(.seats(Stage.concert, ScheduleID(id))) == .refused(.noSuchSchedule))
            let reply = self.stage.ask(.reserve(self.anna, ScheduleID(id), [SeatID(1)]))
            #expect(reply == .refused(.noSuchSchedule))
        }
    }

    @Test func `nothing is held from the moment of the play on`() {
        self.stage.pass(.minutes(600) - 1)
        let anna = self.stage.join(UserID(1))
        #expect(self.stage.reserve(anna, [1], ScheduleID(10)).count == 1)
        self.stage.pass(Nanoseconds(1))
        #expect(self.stage.ask(.reserve(anna, ScheduleID(10), [SeatID(2)])) == .refused(.scheduleOver))
    }

    @Test func `a hold lapses at its deadline and the next buyer gets the seat`() {
        self.stage.pass(.minutes(4))
        let hold = self.stage.reserve(self.anna, [7])[0]
        self.stage.pass(.minutes(5) - 1)
        let ben = self.stage.join(UserID(2))
        #expect(self.stage.ask(.reserve(ben, Stage.schedule, [SeatID(7)])) == .refused(.seatTaken))
        self.stage.output()
        self.stage.pass(Nanoseconds(1))
        let taken = self.stage.reserve(ben, [7])
        #expect(taken[0].seat == SeatID(7))
        let facts = self.stage.output().facts
        #expect(facts.first == .released(Stage.concert, hold.id, .lapsed, at: self.stage.now))
        #expect(facts.last == .held(Stage.concert, taken[0]))
    }

    @Test func `a seat given back is free at once, and giving it back again changes nothing`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        self.stage.output()
        var cancelled = hold
        cancelled.status = .cancelled
        #expect(self.stage.ask(.release(self.anna, [hold.id])) == .reservations([cancelled]))
        let expected = [Fact.released(Stage.concert, hold.id, .released, at: self.stage.now)]
        #expect(self.stage.output().facts == expected)
        #expect(self.stage.ask(.release(self.anna, [hold.id])) == .reservations([cancelled]))
        #expect(self.stage.output().facts == [])
        #expect(self.stage.reserve(self.ben, [7]).count == 1)
        #expect(self.stage.ask(.release(self.anna, [hold.id])) == .reservations([cancelled]))
        #expect(self.stage.status(of: 7) == .held)
    }

    @Test func `someone else's hold is answered like one that never was`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        #expect(self.stage.ask(.release(self.ben, [hold.id])) == .refused(.noSuchReservation))
        #expect(self.stage.ask(.release(self.ben, [ReservationID(.max)])) == .refused(.noSuchReservation))
        #expect(self.stage.ask(.pay(self.ben, [hold.id])) == .refused(.noSuchReservation))
        #expect(self.stage.ask(.release(self.anna, [])) == .refused(.noReservations))
        #expect(self.stage.ask(.release(self.anna, [hold.id, hold.id])) == .refused(.duplicateReservation))
        #expect(self.stage.status(of: 7) == .held)
    }

    @Test func `giving back is all or none`() {
        self.stage.charge(UserID(1), 2_000_000)
        let holds = self.stage.reserve(self.anna, [1, 2])
        self.stage.ask(.pay(self.anna, [holds[0].id]))
        let anna = self.stage.join(UserID(1))
        let more = self.stage.reserve(anna, [3])
        #expect(self.stage.ask(.release(anna, [more[0].id, holds[0].id])) == .refused(.alreadyPaid))
        #expect(self.stage.status(of: 3) == .held)
    }

    // MARK: Who may hold

    @Test func `whoever leaves the line keeps no seats`() {
        let holds = self.stage.reserve(self.anna, [7, 8])
        let own = self.stage.reserve(self.ben, [9])
        self.stage.output()
        self.stage.ask(.leave(self.anna))
        let at = self.stage.now
        #expect(
            self.stage.output().facts == holds.map { .released(Stage.concert, $0.id, .ownerGone, at: at) }
                + [.left(Stage.concert, self.anna.place, at: at)]
        )
        #expect(self.stage.status(of: 7) == .available)
        #expect(self.stage.ask(.reservations(Stage.concert, UserID(2))) == .reservations(own))
    }

    @Test func `a place that is used up keeps no seats that were not paid for`() {
        self.stage.charge(UserID(1), 2_000_000)
        let holds = self.stage.reserve(self.anna, [1, 2])
        #expect(Receipt(self.stage.ask(.pay(self.anna, [holds[0].id])))?.reservations.map(\.id) == [holds[0].id])
        #expect(self.stage.status(of: 1) == .sold)
        #expect(self.stage.status(of: 2) == .available)
    }

    @Test func `a stay goes on until the last hold ends, for everything but new reservations`() {
        self.stage.pass(.minutes(4))
        let holds = self.stage.reserve(self.anna, [7, 8])
        self.stage.pass(.minutes(1))
        self.stage.shard.tick(at: self.stage.now)
        // Ben, without holds, is gone.
        #expect(self.stage.output().facts.last == .lapsed(Stage.concert, self.ben.place, at: self.stage.now))
        self.stage.pass(.minutes(4) - 1)
        self.stage.shard.tick(at: self.stage.now)
        #expect(self.stage.output().facts == [])
        #expect(self.stage.ask(.poll(self.anna)) == .standing(.admitted))
        #expect(self.stage.join(UserID(1)) == self.anna)
        #expect(self.stage.ask(.reserve(self.anna, Stage.schedule, [SeatID(9)])) == .refused(.stayOver))
        self.stage.ask(.release(self.anna, [holds[0].id]))
        #expect(self.stage.ask(.poll(self.anna)) == .standing(.admitted))
        self.stage.output()
        self.stage.pass(Nanoseconds(1))
        self.stage.shard.tick(at: self.stage.now)
        #expect(
            self.stage.output().facts == [
                .released(Stage.concert, holds[1].id, .lapsed, at: self.stage.now),
                .lapsed(Stage.concert, self.anna.place, at: self.stage.now),
            ]
        )
        #expect(self.stage.ask(.poll(self.anna)) == .refused(.tokenUnknown))
    }

    @Test func `a stay beyond its time ends when the last hold is given back, also after a restart`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        let before: [Fact] = [
            .joined(Stage.concert, UserID(1), Place(1), at: Stage.start),
            .admitted(Stage.concert, Place(1), at: Stage.start),
            .joined(Stage.concert, UserID(2), Place(2), at: Stage.start),
            .admitted(Stage.concert, Place(2), at: Stage.start),
        ]
        self.stage.pass(.minutes(10))
        self.stage.restart(from: before + [.held(Stage.concert, Self.longer(hold))])
        #expect(self.stage.ask(.poll(self.anna)) == .standing(.admitted))
        self.stage.output()
        self.stage.ask(.release(self.anna, [hold.id]))
        #expect(
            self.stage.output().facts == [
                .released(Stage.concert, hold.id, .released, at: self.stage.now),
                .lapsed(Stage.concert, self.anna.place, at: self.stage.now),
            ]
        )
    }

    @Test func `a hold of somebody who is gone, from before holds ended with the place, runs out at its deadline`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        self.stage.restart(from: [
            .joined(Stage.concert, UserID(1), Place(1), at: Stage.start),
            .admitted(Stage.concert, Place(1), at: Stage.start),
            .held(Stage.concert, hold), .left(Stage.concert, Place(1), at: Stage.start),
        ])
        #expect(self.stage.status(of: 7) == .held)
        self.stage.pass(.minutes(5))
        #expect(self.stage.status(of: 7) == .available)
        #expect(
            self.stage.output().facts == [.released(Stage.concert, hold.id, .lapsed, at: self.stage.now)]
        )
    }

    private static func longer(_ hold: Reservation) -> Reservation {
        Reservation(
            id: hold.id,
            user: hold.user,
            schedule: hold.schedule,
            seat: hold.seat,
            price: hold.price,
            heldAt: hold.heldAt,
            until: hold.until + .minutes(10)
        )
    }

    // MARK: Holding again

    @Test func `a seat that is held again at once keeps its deadline, also through a new place and a restart`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        self.stage.pass(.minutes(1))
        self.stage.ask(.release(self.anna, [hold.id]))
        self.stage.pass(.seconds(10) - 1)
        let second = self.stage.reserve(self.anna, [7, 8])
        #expect(second[0].until == hold.until)
        #expect(second[1].until == self.stage.now + .minutes(5))
        self.stage.ask(.leave(self.anna))
        let again = self.stage.join(UserID(1))
        let third = self.stage.reserve(again, [7])
        #expect(third[0].until == hold.until)
        self.stage.ask(.release(again, [third[0].id]))
        // Other users start a new hold.
        #expect(self.stage.reserve(self.ben, [7])[0].until == self.stage.now + .minutes(5))
    }

    @Test func `after its deadline a seat is others' for ten seconds, then anybody's`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        self.stage.pass(.minutes(5))
        let anna = self.stage.join(UserID(1))
        let request = Request.reserve(anna, Stage.schedule, [SeatID(6), SeatID(7)])
        #expect(self.stage.ask(request) == .refused(.seatKeptTooLong))
        #expect(self.stage.status(of: 6) == .available)
        self.stage.pass(.seconds(10) - 1)
        #expect(self.stage.ask(request) == .refused(.seatKeptTooLong))
        self.stage.pass(Nanoseconds(1))
        #expect(self.stage.reserve(anna, [6, 7]).allSatisfy { $0.until == self.stage.now + .minutes(5) })
        #expect(hold.until < self.stage.now)
    }

    @Test func `a seat that another had in between is free for the first as for anybody`() {
        let hold = self.stage.reserve(self.anna, [7])[0]
        self.stage.pass(.minutes(1))
        self.stage.ask(.release(self.anna, [hold.id]))
        let others = self.stage.reserve(self.ben, [7])[0]
        self.stage.ask(.release(self.ben, [others.id]))
        #expect(self.stage.reserve(self.anna, [7])[0].until == self.stage.now + .minutes(5))
    }

    @Test func `a purchase that is cancelled renews nothing`() {
        var rules = ConcertRules()
        rules.cancelNotice = .zero
        let stage = Stage(rules: rules)
        stage.charge(UserID(1), 2_000_000)
        let ids = stage.reserve(stage.join(UserID(1)), [7]).map(\.id)
        stage.ask(.pay(stage.join(UserID(1)), ids))
        stage.pass(.minutes(6))
        stage.ask(.cancel(Stage.concert, UserID(1), ids))
        let request = Request.reserve(stage.join(UserID(1)), Stage.schedule, [SeatID(7)])
        #expect(stage.ask(request) == .refused(.seatKeptTooLong))
        stage.restart(from: stage.output().facts)
        #expect(stage.ask(request) == .refused(.seatKeptTooLong))
        stage.pass(.seconds(10))
        #expect(stage.reserve(stage.join(UserID(1)), [7]).count == 1)
    }

    // MARK: Another catalogue

    /// The same concerts, in a hall whose sections have moved, been renamed, and cost more.
    private static func changed() throws -> Catalogue {
        let hall = try Hall(sections: [
            Hall.Section(seats: 1...4, grade: "S", price: Won(200_000)),
            Hall.Section(seats: 5...50, grade: "A", price: Won(90_000)),
        ])
        return try Catalogue(
            Stage.catalogue().concerts.map { concert in
                Concert(
                    id: concert.id,
                    title: concert.title,
                    opensAt: concert.opensAt,
                    schedules: concert.schedules.map { Schedule(id: $0.id, playsAt: $0.playsAt, hall: hall) },
                    rules: concert.rules
                )
            }
        )
    }

    @Test func `what was held and sold keeps its grade and price, by facts and by snapshots`() throws {
        let held = self.stage.reserve(self.anna, [1, 50])
        self.stage.charge(UserID(1), 1_000_000)
        #expect(Receipt(self.stage.ask(.pay(self.anna, [held[0].id]))) != nil)
        let facts = self.stage.output().facts
        let before = self.stage.ask(.reservations(Stage.concert, UserID(1)))
        let next = Stage(index: 0, try Self.changed())
        next.restart(from: self.joined + facts)
        #expect(next.ask(.reservations(Stage.concert, UserID(1))) == before)
        let restoration = ShardRestoration {
            Shard(index: 0, slots: next.slots, catalogue: next.catalogue, hashSeed: 3)
        }
        next.shard.forEachItem { item in
            do { try restoration.restore(item) } catch { Issue.record("\(error)") }
        }
        next.shard = restoration.finish()
        #expect(next.ask(.reservations(Stage.concert, UserID(1))) == before)
        let ben = next.reserve(self.ben, [2, 5])
        #expect(ben.map(\.grade) == ["S", "A"] && ben.map(\.price) == [Won(200_000), Won(90_000)])
    }

    @Test func `a hold without a grade has that of the catalogue it is taken in by, and keeps that one`() throws {
        let held = self.stage.reserve(self.anna, [1, 50])
        let facts = self.stage.output().facts.map { fact -> Fact in
            guard case .held(let concert, var hold) = fact else { return fact }
            hold.grade = nil
            return .held(concert, hold)
        }
        let next = Stage(index: 0, try Self.changed())
        next.restart(from: self.joined + facts)
        guard case .reservations(let now) = next.ask(.reservations(Stage.concert, UserID(1))) else {
            return #expect(Bool(false), "no reservations")
        }
        #expect(now.map(\.grade) == ["S", "A"] && now.map(\.price) == held.map(\.price))
    }
}
