import Booking
import Testing

@Suite struct LineTests {
    private static let start = Timestamp(seconds: 1_700_000_000)

    private func makeLine(
        _ rules: LineRules = LineRules(),
        people: Int = 0,
        opensAt: Timestamp = .distantPast
    ) -> Line {
        var line = Line(rules: rules, opensAt: opensAt, hashSeed: 42)
        for user in 0..<people { line.join(UInt64(user + 1), at: Self.start) }
        return line
    }

    @Test func `whoever lingers is passed over until they go, and counts as inside`() {
        var line = self.makeLine(LineRules(admittedLifetime: .seconds(10)), people: 0)
        let start = Timestamp(seconds: 1_000)
        for user: UInt64 in 1...3 {
            line.applyJoined(UserID(user), place: line.nextPlace, at: start)
            line.applyAdmitted(Place(user), at: start + .seconds(Int64(user)))
        }
        let now = start + .seconds(12)
        #expect(line.firstExpired(at: now)?.place == Place(1))
        line.linger(Place(1), until: now + .seconds(5), at: now)
        line.linger(Place(2), until: now + .seconds(5), at: now)
        #expect(line.firstExpired(at: now) == nil)
        #expect(line.nextExpiry == start + .seconds(13))
        #expect(line.checkInvariants() == nil)
        #expect(line.totals.admitted == 3)
        line.applyExpired(Place(2), at: now)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `an empty line has nobody to tell of`() {
        let line = self.makeLine()
        #expect(line.nextPlace == Place(1))
        #expect(line.place(of: UserID(1)) == nil)
        #expect(line.entry(at: Place(0)) == nil)
        #expect(line.entry(at: Place(1)) == nil)
        #expect(line.entry(at: Place(.max)) == nil)
        #expect(line.order(of: Place(1)) == nil)
        #expect(line.nextAdmission(at: Self.start) == nil)
        #expect(line.nextAdmissionTime == nil)
        #expect(line.nextExpiry == nil)
        #expect(line.totals == Line.Totals())
        #expect(line.isFull == false)
        #expect(line.chunkCount == 0)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `places are given one after another, and each person is found by user and by place`() {
        let line = self.makeLine(people: 3)
        #expect(line.nextPlace == Place(4))
        #expect(line.place(of: UserID(2)) == Place(2))
        let entry = Line.Entry(place: Place(2), user: UserID(2), joinedAt: Self.start, state: .waiting)
        #expect(line.entry(at: Place(2)) == entry)
        #expect(line.totals == Line.Totals(waiting: 3))
        #expect(line.totals.joined == 3)
    }

    @Test func `an admitted user keeps place and join time, and one who is gone gets a new place`() {
        var line = self.makeLine(people: 2)
        line.applyAdmitted(Place(1), at: Self.start + .seconds(3))
        #expect(line.place(of: UserID(1)) == Place(1))
        #expect(line.entry(at: Place(1))?.joinedAt == Self.start)
        #expect(line.entry(at: Place(1))?.state == .admitted(at: Self.start + .seconds(3)))
        line.applyUsedUp(Place(1), at: Self.start)
        #expect(line.place(of: UserID(1)) == nil)
        #expect(line.entry(at: Place(1)) == nil)
        line.join(1, at: Self.start + .seconds(4))
        #expect(line.place(of: UserID(1)) == Place(3))
        #expect(line.order(of: Place(3)) == 2)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `everyone behind moves up when somebody leaves the middle`() {
        var line = self.makeLine(people: 200)
        #expect(line.order(of: Place(200)) == 200)
        for place in [3, 64, 65, 128, 199] as [UInt64] { line.applyLeft(Place(place), at: Self.start) }
        #expect(line.order(of: Place(2)) == 2)
        #expect(line.order(of: Place(4)) == 3)
        #expect(line.order(of: Place(66)) == 63)
        #expect(line.order(of: Place(200)) == 195)
        #expect(line.order(of: Place(64)) == nil)
        #expect(line.totals == Line.Totals(waiting: 195, left: 5))
        #expect(line.checkInvariants() == nil)
    }

    @Test(arguments: [(1, 1), (49, 1), (50, 1), (51, 2), (100, 2), (101, 3)] as [(UInt64, UInt64)])
    func `the time to wait is the order divided by the rate, rounded up`(order: UInt64, seconds: UInt64) {
        var line = self.makeLine(people: 101)
        #expect(line.order(of: Place(order)) == order)
        #expect(line.standing(of: Place(order), at: Self.start)?.seconds == seconds)
    }

    @Test func `an admitted person has order 0 and nothing to wait for`() {
        var line = self.makeLine(people: 1)
        line.applyAdmitted(Place(1), at: Self.start)
        #expect(line.order(of: Place(1)) == 0)
        #expect(line.standing(of: Place(1), at: Self.start)?.seconds == 0)
    }

    @Test func `people go in by the order of their places, past those who left`() {
        var line = self.makeLine(people: 5)
        line.applyLeft(Place(1), at: Self.start)
        line.applyLeft(Place(3), at: Self.start)
        var admitted: [UInt64] = []
        while let place = line.nextAdmission(at: Self.start) {
            line.applyAdmitted(place, at: Self.start)
            admitted.append(place.rawValue)
        }
        #expect(admitted == [2, 4, 5])
        #expect(line.checkInvariants() == nil)
    }

    @Test(arguments: [50, 20, 2_000] as [UInt32])
    func `over 20 seconds of ticks the rate is kept`(rate: UInt32) {
        let seconds: Int64 = 20
        var line = self.makeLine(
            LineRules(admissionsPerSecond: rate, admittedLifetime: .minutes(60)),
            people: Int(rate) * 25,
            opensAt: Self.start
        )
        for tick in 0..<seconds * 100 {
            let now = Self.start + .milliseconds(tick * 10)
            let allowed = line.admissionsAllowed(at: now)
            var admitted = 0
            while let place = line.nextAdmission(at: now) {
                line.applyAdmitted(place, at: now)
                admitted += 1
            }
            if admitted != allowed { Issue.record("\(allowed) were allowed and \(admitted) admitted at tick \(tick)") }
        }
        let expected = Int(rate) * Int(seconds)
        #expect(abs(Int(line.totals.admitted) - expected) <= AdmissionRate(perSecond: rate).burst)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `the timer's next moment is when the next one is let in`() {
        var line = self.makeLine(people: 3, opensAt: Self.start + .seconds(1))
        #expect(line.nextAdmissionTime == Self.start + .seconds(1))
        #expect(line.nextAdmission(at: Self.start + .milliseconds(999)) == nil)
        #expect(line.nextAdmission(at: Self.start + .seconds(1)) == Place(1))
        line.applyAdmitted(Place(1), at: Self.start + .seconds(1))
        #expect(line.nextAdmissionTime == Self.start + .milliseconds(1_020))
        #expect(line.nextAdmission(at: Self.start + .milliseconds(1_019)) == nil)
        #expect(line.nextAdmission(at: Self.start + .milliseconds(1_020)) == Place(2))
    }

    @Test func `no more than the limit are inside, and each who goes makes room for one`() {
        var line = self.makeLine(LineRules(admissionsPerSecond: 1_000, maxActive: 2), people: 5)
        #expect(line.admissionsAllowed(at: Self.start) == 2)
        line.applyAdmitted(Place(1), at: Self.start)
        line.applyAdmitted(Place(2), at: Self.start)
        #expect(line.nextAdmission(at: Self.start + .seconds(10)) == nil)
        #expect(line.nextAdmissionTime == nil)
        line.applyUsedUp(Place(1), at: Self.start)
        #expect(line.admissionsAllowed(at: Self.start + .seconds(10)) == 1)
        #expect(line.nextAdmission(at: Self.start + .seconds(10)) == Place(3))
    }

    @Test func `a waiting place lapses its lifetime after the last poll, in the order of polls`() {
        var line = self.makeLine(LineRules(waitingLifetime: .seconds(10)), people: 3)
        line.seen(Place(1), at: Self.start + .seconds(4))
        line.seen(Place(2), at: Self.start + .seconds(2))  // earlier than the last: counts as seen at 4
        #expect(line.nextExpiry == Self.start + .seconds(10))
        #expect(line.firstExpired(at: Self.start + .milliseconds(9_999)) == nil)
        #expect(line.firstExpired(at: Self.start + .seconds(10))?.place == Place(3))
        line.applyExpired(Place(3), at: Self.start)
        #expect(line.nextExpiry == Self.start + .seconds(14))
        #expect(line.firstExpired(at: Self.start + .seconds(14))?.place == Place(1))
        line.applyExpired(Place(1), at: Self.start)
        #expect(line.firstExpired(at: Self.start + .seconds(14))?.place == Place(2))
        #expect(line.totals == Line.Totals(waiting: 1, expired: 2))
        #expect(line.checkInvariants() == nil)
    }

    @Test func `a poll within a second of the last one counts for nothing`() {
        var line = self.makeLine(LineRules(waitingLifetime: .seconds(10)), people: 2)
        line.seen(Place(1), at: Self.start + .milliseconds(999))
        #expect(line.expiry(of: Place(1)) == Self.start + .seconds(10))
        line.seen(Place(1), at: Self.start + .milliseconds(1_000))
        #expect(line.expiry(of: Place(1)) == Self.start + .seconds(11))
        line.seen(Place(1), at: Self.start + .seconds(5))  // the last in the list already
        #expect(line.expiry(of: Place(1)) == Self.start + .seconds(15))
        #expect(line.checkInvariants() == nil)
    }

    @Test func `an admitted place lapses its lifetime after admission, whatever the polls`() {
        let rules = LineRules(waitingLifetime: .seconds(100), admittedLifetime: .seconds(10))
        var line = self.makeLine(rules, people: 3)
        line.applyAdmitted(Place(1), at: Self.start + .seconds(1))
        line.applyAdmitted(Place(2), at: Self.start + .seconds(2))
        line.seen(Place(1), at: Self.start + .seconds(9))
        let expired = line.firstExpired(at: Self.start + .seconds(11))
        #expect(expired?.place == Place(1))
        #expect(expired?.state == .admitted(at: Self.start + .seconds(1)))
        line.applyExpired(Place(1), at: Self.start)
        #expect(line.nextExpiry == Self.start + .seconds(12))
        line.applyLeft(Place(2), at: Self.start)
        #expect(line.nextExpiry == Self.start + .seconds(100))
        #expect(line.expiry(of: Place(2)) == nil)
        #expect(line.totals == Line.Totals(waiting: 1, left: 1, expired: 1))
    }

    @Test func `after a pause everyone waiting counts as seen at its end`() {
        var line = self.makeLine(LineRules(waitingLifetime: .seconds(10)), people: 2)
        line.resume(at: Self.start + .seconds(60))
        #expect(line.firstExpired(at: Self.start + .seconds(69)) == nil)
        #expect(line.nextExpiry == Self.start + .seconds(70))
        line.seen(Place(1), at: Self.start + .seconds(65))
        #expect(line.firstExpired(at: Self.start + .seconds(70))?.place == Place(2))
        #expect(line.expiry(of: Place(1)) == Self.start + .seconds(75))
    }

    @Test func `a poll of one who is gone or never came changes nothing`() {
        var line = self.makeLine(people: 2)
        line.applyLeft(Place(1), at: Self.start)
        for place in [0, 1, 3, 5_000, .max] as [UInt64] { line.seen(Place(place), at: Self.start + .seconds(9)) }
        #expect(line.nextExpiry == Self.start + .minutes(30))
        #expect(line.checkInvariants() == nil)
    }

    @Test func `facts of a time with a faster rate are taken in`() {
        var line = self.makeLine(LineRules(admissionsPerSecond: 1), people: 100)
        for place in 1...50 as ClosedRange<UInt64> { line.applyAdmitted(Place(place), at: Self.start) }
        #expect(line.totals.admitted == 50)
        #expect(line.nextAdmissionTime == Self.start + .seconds(1))
    }

    @Test func `facts that cannot be trap`() async {
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.applyJoined(UserID(1), place: Place(2), at: Timestamp(seconds: 0))
        }
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.join(1, at: Timestamp(seconds: 0))
            line.join(1, at: Timestamp(seconds: 0))
        }
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.join(1, at: Timestamp(seconds: 0))
            line.join(2, at: Timestamp(seconds: 0))
            line.applyAdmitted(Place(2), at: Timestamp(seconds: 0))
        }
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.applyAdmitted(Place(1), at: Timestamp(seconds: 0))
        }
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.join(1, at: Timestamp(seconds: 0))
            line.applyUsedUp(Place(1), at: Self.start)
        }
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.join(1, at: Timestamp(seconds: 0))
            line.applyLeft(Place(1), at: Self.start)
            line.applyLeft(Place(1), at: Self.start)
        }
        await #expect(processExitsWith: .failure) {
            var line = Line(rules: LineRules(), hashSeed: 1)
            line.applyExpired(Place(1), at: Self.start)
        }
    }
}

extension Line {
    fileprivate mutating func join(_ user: UInt64, at now: Timestamp) {
        self.applyJoined(UserID(user), place: self.nextPlace, at: now)
    }
}
