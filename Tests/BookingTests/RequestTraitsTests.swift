import Booking
import Testing

/// What the table of traits says of a kind, and what a request of the kind names, agree.
@Suite struct RequestTraitsTests {
    private static let pass = Pass(
        concert: ConcertID(1),
        user: UserID(2),
        place: Place(3),
        issuedAt: Timestamp(seconds: 4)
    )
    private static let order = TransferOrder(
        id: TransferID(9),
        direction: .debit,
        concert: ConcertID(1),
        user: UserID(2),
        amount: Won(3),
        settled: 0
    )

    private static let requests: [Request] = [
        .join(ConcertID(1), UserID(2)), .poll(Self.pass), .leave(Self.pass), .schedules(ConcertID(1)),
        .seats(ConcertID(1), ScheduleID(1)), .reserve(Self.pass, ScheduleID(1), [SeatID(1)]),
        .release(Self.pass, [ReservationID(1)]), .reservations(ConcertID(1), UserID(2)),
        .pay(Self.pass, [ReservationID(1)]), .cancel(ConcertID(1), UserID(2), [ReservationID(1)]),
        .charge(UserID(2), Won(1), .free), .use(UserID(2), Won(1)), .balance(UserID(2)),
        .history(UserID(2), HistoryQuery()), .transfer(Self.order), .transfersSeen(shard: 1),
        .claim(UserID(2), fingerprint: 1),
    ]

    @Test(arguments: Self.requests)
    func `a request names a user where its kind is about one`(request: Request) {
        #expect((request.user != nil) == request.kind.traits.isAboutUser)
    }

    @Test(arguments: Self.requests)
    func `only a change has somebody who changes something`(request: Request) {
        let isChange = [.change, .repeatableChange].contains(request.kind.traits.effect)
        #expect((request.mutatingUser != nil) == isChange)
        #expect(request.mutatingUser == nil || request.mutatingUser == request.user)
    }

    @Test func `names are told apart`() {
        #expect(Set(Request.Kind.allCases.map { "\($0.name)" }).count == Request.Kind.allCases.count)
    }
}
