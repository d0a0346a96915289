import Testing

@testable import Booking

/// What a shard does with the facts of an earlier life.
@Suite struct ShardFactsTests {
    private static let anna = UserID(1)

    private static func shard(index: Int = 0, of count: Int = 1) -> Shard {
        Shard(index: index, slots: SlotMap(shardCount: count), catalogue: Stage.catalogue(), hashSeed: 1)
    }

    @Test func `ids go on after those that were given, also those that came to nothing`() {
        let stage = Stage()
        let pass = stage.join(Self.anna)
        let hold = stage.reserve(pass, [1])[0]
        stage.ask(.pay(pass, [hold.id]))
        stage.restart(from: stage.output().facts)
        let next = stage.reserve(pass, [2])[0]
        #expect(SlotIDs.counter(of: next.id.rawValue) == 3)
        #expect(SlotIDs.slot(of: next.id.rawValue) == Slot(of: Stage.concert))
    }

    @Test func `places go on, and tokens of those inside stay good`() {
        let stage = Stage()
        let pass = stage.join(Self.anna)
        stage.restart(from: stage.output().facts)
        #expect(stage.ask(.poll(pass)) == .standing(.admitted))
        #expect(stage.join(UserID(2)).place == Place(2))
    }

    @Test func `time does not go back behind the last fact`() {
        let stage = Stage()
        stage.pass(.minutes(10))
        _ = stage.join(Self.anna)
        let last = stage.now
        stage.now = Stage.start
        stage.restart(from: stage.output().facts)
        #expect(stage.join(UserID(2)).issuedAt == last)
    }

    @Test func `whoever waited through a restart counts as seen after it`() {
        let stage = Stage(index: 0, Stage.catalogue(opensAfter: .minutes(1_000)))
        let pass = stage.join(Self.anna)
        stage.pass(.minutes(40))
        stage.restart(from: stage.output().facts)
        stage.pass(.minutes(30) - 1)
        // 930 minutes to the opening and a nanosecond, and a fiftieth of a second by the rate.
        #expect(stage.ask(.poll(pass)) == .standing(Standing(order: 1, seconds: 55_801)))
    }

    @Test func `a replay forgets nothing that lapses, and lets it lapse on time`() {
        let stage = Stage()
        stage.pass(.minutes(1))
        _ = stage.reserve(stage.join(Self.anna), [1])
        stage.restart(from: stage.output().facts)
        stage.pass(.minutes(5) - 1)
        #expect(stage.status(of: 1) == .held)
        stage.pass(Nanoseconds(1))
        #expect(stage.status(of: 1) == .available)
    }

    @Test(arguments: Fact.Kind.allCases)
    func `a fact tells its time`(kind: Fact.Kind) {
        let at = Stage.start
        let concert = Stage.concert
        let hold = Reservation(
            id: ReservationID(1),
            user: Self.anna,
            schedule: Stage.schedule,
            seat: SeatID(1),
            price: .zero,
            heldAt: at,
            until: .distantFuture
        )
        let order = PaymentOrder(
            id: PaymentID(1),
            concert: concert,
            user: Self.anna,
            place: Place(1),
            reservations: [],
            amount: .zero,
            at: at
        )
        let cancellation = CancellationOrder(
            id: CancellationID(1),
            concert: concert,
            user: Self.anna,
            reservations: [],
            amount: .zero,
            at: at
        )
        let transfer = TransferOrder(
            id: TransferID(1),
            direction: .debit,
            concert: concert,
            user: Self.anna,
            amount: .zero,
            settled: 0
        )
        let fact: Fact =
            switch kind {
            case .joined: .joined(concert, Self.anna, Place(1), at: at)
            case .admitted: .admitted(concert, Place(1), at: at)
            case .left: .left(concert, Place(1), at: at)
            case .lapsed: .lapsed(concert, Place(1), at: at)
            case .held: .held(concert, hold)
            case .released: .released(concert, hold.id, .lapsed, at: at)
            case .paymentStarted: .paymentStarted(order)
            case .paymentDone: .paymentDone(concert, order.id, balance: .zero, at: at)
            case .paymentRefused: .paymentRefused(concert, order.id, at: at)
            case .charged: .charged(Self.anna, PointHistoryID(1), Won(1), .free, at: at)
            case .used: .used(Self.anna, PointHistoryID(1), Won(1), at: at)
            case .debited: .debited(Self.anna, PointHistoryID(1), order.id, Won(1), at: at)
            case .debitRefused: .debitRefused(Self.anna, order.id, at: at)
            case .cancelStarted: .cancelStarted(cancellation)
            case .cancelDone: .cancelDone(concert, cancellation.id, balance: .zero, at: at)
            case .credited: .credited(Self.anna, PointHistoryID(1), cancellation.id, Won(1), at: at)
            case .cancelRefused: .cancelRefused(concert, cancellation.id, at: at)
            case .transferred: .transferred(transfer, PointHistoryID(1), at: at)
            case .transferRefused: .transferRefused(transfer, at: at)
            case .idsSkipped: .idsSkipped(1, at: at)
            case .answered, .answeredFromAddress:
                .answered(
                    StoredAnswer(
                        operation: Operation(
                            OperationID(high: 1, low: 2),
                            .client,
                            from: kind == .answered ? nil : AddressTag(3)
                        ),
                        fingerprint: 3,
                        outcome: .left,
                        at: at
                    )
                )
            }
        #expect(fact.at == at)
    }

    // MARK: Facts that can't be

    @Test func `an id is not given twice`() async {
        await #expect(processExitsWith: .failure) {
            var shard = ShardFactsTests.shard()
            let user = ShardFactsTests.anna
            let id = PointHistoryID(SlotIDs.make(Slot(of: user), counter: 1))
            shard.apply(.charged(user, id, Won(1), .free, at: Stage.start))
            shard.apply(.charged(user, id, Won(1), .free, at: Stage.start))
        }
    }

    @Test func `an id is one of its owner's slot`() async {
        await #expect(processExitsWith: .failure) {
            var shard = ShardFactsTests.shard()
            shard.apply(.charged(ShardFactsTests.anna, PointHistoryID(1), Won(1), .free, at: Stage.start))
        }
    }

    @Test func `another shard's user has no points here`() async {
        await #expect(processExitsWith: .failure) {
            let user = ShardFactsTests.anna
            let home = SlotMap(shardCount: 2).shard(of: Slot(of: user))
            var shard = ShardFactsTests.shard(index: 1 - home, of: 2)
            let id = PointHistoryID(SlotIDs.make(Slot(of: user), counter: 1))
            shard.apply(.charged(user, id, Won(1), .free, at: Stage.start))
        }
    }

    @Test func `a concert with a history is in the catalogue`() async {
        await #expect(processExitsWith: .failure) {
            var shard = ShardFactsTests.shard()
            shard.apply(.joined(ConcertID(99), ShardFactsTests.anna, Place(1), at: Stage.start))
        }
    }

    @Test func `nobody is let in past someone who waits`() async {
        await #expect(processExitsWith: .failure) {
            var shard = ShardFactsTests.shard()
            shard.apply(.joined(Stage.concert, UserID(1), Place(1), at: Stage.start))
            shard.apply(.joined(Stage.concert, UserID(2), Place(2), at: Stage.start))
            shard.apply(.admitted(Stage.concert, Place(2), at: Stage.start))
        }
    }
}
