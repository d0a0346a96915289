import Testing

@testable import Booking

@Suite struct SeatsTests {
    private static let user = UserID(1)
    private static let payment = PaymentID(900)
    private static let start = Stage.start

    private static func seats() -> Seats { Seats(Stage.catalogue().concerts[0].schedules) }

    private static func hold(_ id: UInt64, seat: UInt64, until seconds: Int64 = 300) -> Reservation {
        Reservation(
            id: ReservationID(id),
            user: Self.user,
            schedule: Stage.schedule,
            seat: SeatID(seat),
            price: Won(100),
            heldAt: Self.start,
            until: Self.start + .seconds(seconds)
        )
    }

    @Test func `a concert begins with all its seats free`() {
        let seats = Self.seats()
        #expect(seats.remaining == [50, 50])
        #expect(seats.seatCount == 100)
        #expect(seats.statuses(of: Stage.schedule) == Array(repeating: .available, count: 50))
        #expect(seats.statuses(of: ScheduleID(99)) == nil)
        #expect(seats.isFree(SeatID(50), on: Stage.schedule) == true)
        #expect(false == seats.isFree(SeatID(1), on: ScheduleID(99)))
        #expect(seats.reservations(of: Self.user) == [])
        seats.checkInvariants()
    }

    @Test func `a seat goes from free to held to sold`() {
        var seats = Self.seats()
        seats.applyHeld(Self.hold(1, seat: 7))
        #expect(seats.statuses(of: Stage.schedule)?[6] == .held)
        #expect(seats.remaining == [50, 49])
        #expect((seats.heldCount, seats.soldCount) == (1, 0))
        seats.applyPinned(ReservationID(1), by: Self.payment)
        #expect(seats[ReservationID(1)]?.isPinned == true)
        seats.applySold(ReservationID(1), by: Self.payment)
        #expect(seats.statuses(of: Stage.schedule)?[6] == .sold)
        #expect(seats.remaining == [50, 49])
        #expect((seats.heldCount, seats.soldCount) == (0, 1))
        #expect(seats[ReservationID(1)]?.status == .paid)
        seats.checkInvariants()
    }

    @Test func `a released seat can be held by another reservation`() {
        var seats = Self.seats()
        seats.applyHeld(Self.hold(1, seat: 7))
        seats.applyReleased(ReservationID(1), at: Stage.start)
        #expect(seats.isFree(SeatID(7), on: Stage.schedule) == true)
        seats.applyHeld(Self.hold(2, seat: 7))
        #expect(seats.reservations(of: Self.user).map(\.status) == [.cancelled, .held])
        seats.checkInvariants()
    }

    @Test func `holds come up in the order of their deadlines, then of their ids, and not before`() {
        var seats = Self.seats()
        for (id, until): (UInt64, Int64) in [(4, 20), (2, 10), (3, 20), (1, 30)] {
            seats.applyHeld(Self.hold(id, seat: id, until: until))
        }
        #expect(seats.firstLapsed(at: Self.start + .seconds(10) - 1) == nil)
        var popped: [UInt64] = []
        while let id = seats.firstLapsed(at: Self.start + .seconds(20)) {
            seats.applyReleased(id, at: Stage.start)
            popped.append(id.rawValue)
        }
        #expect(popped == [2, 3, 4])
        seats.checkInvariants()
    }

    @Test func `sold, released and pinned holds do not come up`() {
        var seats = Self.seats()
        for id: UInt64 in 1...3 { seats.applyHeld(Self.hold(id, seat: id)) }
        seats.applyPinned(ReservationID(1), by: Self.payment)
        seats.applySold(ReservationID(1), by: Self.payment)
        seats.applyReleased(ReservationID(2), at: Stage.start)
        seats.applyPinned(ReservationID(3), by: PaymentID(901))
        #expect(seats.firstLapsed(at: .distantFuture) == nil)
        seats.checkInvariants()
        seats.applyUnpinned(ReservationID(3), by: PaymentID(901))
        seats.checkInvariants()
        #expect(seats.firstLapsed(at: Self.start + .seconds(300) - 1) == nil)
        #expect(seats.firstLapsed(at: Self.start + .seconds(300)) == ReservationID(3))
    }

    @Test func `a hold comes up once, however often its payments were refused`() {
        var seats = Self.seats()
        seats.applyHeld(Self.hold(1, seat: 1))
        for number: UInt64 in 1...5 {
            seats.applyPinned(ReservationID(1), by: PaymentID(number))
            if number == 3 { #expect(seats.firstLapsed(at: .distantFuture) == nil) }
            seats.applyUnpinned(ReservationID(1), by: PaymentID(number))
            seats.checkInvariants()
        }
        #expect(seats.firstLapsed(at: .distantFuture) == ReservationID(1))
        seats.applyReleased(ReservationID(1), at: Stage.start)
        #expect(seats.firstLapsed(at: .distantFuture) == nil)
    }

    @Test func `the largest hall is counted right at both ends`() throws {
        let count = UInt32(Hall.seatCountMax)
        let hall = try Hall(sections: [Hall.Section(seats: 1...count, grade: "A", price: Won(1))])
        var seats = Seats([Schedule(id: Stage.schedule, playsAt: .distantFuture, hall: hall)])
        seats.applyHeld(Self.hold(1, seat: 1))
        seats.applyHeld(Self.hold(2, seat: UInt64(count)))
        #expect(seats.remaining == [count - 2])
        #expect(false == seats.isFree(SeatID(UInt64(count)), on: Stage.schedule))
    }

    // MARK: Facts that can't be

    @Test func `a seat is not held twice`() async {
        await #expect(processExitsWith: .failure) {
            var seats = SeatsTests.seats()
            seats.applyHeld(SeatsTests.hold(1, seat: 7))
            seats.applyHeld(SeatsTests.hold(2, seat: 7))
        }
    }

    @Test func `a seat that no payment pins is not sold`() async {
        await #expect(processExitsWith: .failure) {
            var seats = SeatsTests.seats()
            seats.applyHeld(SeatsTests.hold(1, seat: 7))
            seats.applySold(ReservationID(1), by: SeatsTests.payment)
        }
    }

    @Test func `a pinned hold is not released`() async {
        await #expect(processExitsWith: .failure) {
            var seats = SeatsTests.seats()
            seats.applyHeld(SeatsTests.hold(1, seat: 7))
            seats.applyPinned(ReservationID(1), by: SeatsTests.payment)
            seats.applyReleased(ReservationID(1), at: Stage.start)
        }
    }

    @Test func `a hold of a seat that the hall has lost is not taken in`() async {
        await #expect(processExitsWith: .failure) {
            var seats = SeatsTests.seats()
            seats.applyHeld(SeatsTests.hold(1, seat: 51))
        }
    }
}
