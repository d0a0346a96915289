import Booking
import Wire

/// One or more values of every kind, with their fixed bytes. The bytes were made by another program, from the layouts
/// in README.md.
enum FrameSamples {
    static let slot = Slot(checking: 0x1234)!
    static let requestID: UInt64 = 0x0102_0304_0506_0708
    static let moment = Timestamp(nanoseconds: 1_767_193_200_123_456_789)
    static let pass = Pass(concert: ConcertID(7), user: UserID(42), place: Place(1_001), issuedAt: Self.moment)
    static let held = Reservation(
        id: ReservationID(274_877_906_945),
        user: UserID(42),
        schedule: ScheduleID(1_681),
        seat: SeatID(9),
        price: Won(170_000),
        grade: "VIP",
        heldAt: Self.moment,
        until: Self.moment + .minutes(5)
    )
    /// As earlier versions recorded it.
    static let ungraded: Reservation = {
        var reservation = Self.held
        reservation.grade = nil
        return reservation
    }()
    static let paid = Reservation(
        id: ReservationID(274_877_906_946),
        user: UserID(42),
        schedule: ScheduleID(1_681),
        seat: SeatID(50),
        price: Won(100_000),
        grade: "A석",
        heldAt: Self.moment,
        until: Self.moment + .minutes(5),
        status: .paid,
        payment: PaymentID(274_877_906_947)
    )
    static let cancelled = Reservation(
        id: ReservationID(274_877_906_948),
        user: UserID(9_007_199_254_740_991),
        schedule: ScheduleID(1),
        seat: SeatID(1),
        price: .zero,
        grade: "",
        heldAt: Timestamp(nanoseconds: -1),
        until: Timestamp(nanoseconds: 0),
        status: .cancelled
    )
    static let cancelledAfterPayment: Reservation = {
        var reservation = Self.paid
        reservation.status = .cancelled
        return reservation
    }()
    static let charge = HistoryEntry(
        id: PointHistoryID(3),
        amount: Won(1_000),
        type: .charge,
        paymentType: .kakaoPay,
        at: Self.moment
    )
    static let use = HistoryEntry(
        id: PointHistoryID(4),
        amount: Won(10),
        type: .use,
        paymentType: .free,
        at: Self.moment
    )
    static let order = PaymentOrder(
        id: PaymentID(274_877_906_947),
        concert: ConcertID(7),
        user: UserID(42),
        place: Place(1_001),
        reservations: [ReservationID(274_877_906_945), ReservationID(274_877_906_946)],
        amount: Won(270_000),
        at: Self.moment
    )

    static let cancellation = CancellationOrder(
        id: CancellationID(274_877_906_949),
        concert: ConcertID(7),
        user: UserID(42),
        reservations: [ReservationID(274_877_906_945), ReservationID(274_877_906_946)],
        amount: Won(270_000),
        at: Self.moment
    )
    static func answer(
        _ owner: Operation.Owner,
        _ outcome: StoredAnswer.Outcome,
        from address: AddressTag? = nil
    ) -> StoredAnswer {
        let operation = Operation(Self.key, owner, from: address)
        return StoredAnswer(operation: operation, fingerprint: 0x77, outcome: outcome, at: Self.moment)
    }
    static let address = AddressTag(0x3132_3334_3536_3738)!
    static let key = OperationID(high: 0x1112_1314_1516_1718, low: 0x2122_2324_2526_2728)
    private static let answeredHex = "400118171615141312112827262524232221"
    private static let answeredAtHex = "7700000000000000" + "152dd83eda548618"

    /// As frames of `slot` and `requestID`.
    static let requests: [(Request, hex: String)] = [
        (
            .join(ConcertID(7), UserID(42)),
            "1c00000001003412080706050403020107000000000000002a00000000000000"
        ),
        (
            .poll(Self.pass),
            "2c00000002003412080706050403020107000000000000002a00000000000000e903000000000000152dd83eda548618"
        ),
        (
            .leave(Self.pass),
            "2c00000003003412080706050403020107000000000000002a00000000000000e903000000000000152dd83eda548618"
        ),
        (
            .schedules(ConcertID(7)),
            "140000000400341208070605040302010700000000000000"
        ),
        (
            .seats(ConcertID(7), ScheduleID(1_681)),
            "1c00000005003412080706050403020107000000000000009106000000000000"
        ),
        (
            .reserve(Self.pass, ScheduleID(1_681), [SeatID(9), SeatID(50)]),
            "4800000006003412080706050403020107000000000000002a00000000000000e903000000000000152dd83eda548618"
                + "91060000000000000200000009000000000000003200000000000000"
        ),
        (
            .reserve(Self.pass, ScheduleID(1_681), []),
            "3800000006003412080706050403020107000000000000002a00000000000000e903000000000000152dd83eda548618"
                + "910600000000000000000000"
        ),
        (
            .release(Self.pass, [ReservationID(274_877_906_945)]),
            "3800000007003412080706050403020107000000000000002a00000000000000e903000000000000152dd83eda548618"
                + "010000000100000040000000"
        ),
        (
            .reservations(ConcertID(7), UserID(9_007_199_254_740_991)),
            "1c0000000800341208070605040302010700000000000000ffffffffffff1f00"
        ),
        (
            .pay(Self.pass, [ReservationID(274_877_906_945), ReservationID(274_877_906_946)]),
            "4000000009003412080706050403020107000000000000002a00000000000000e903000000000000152dd83eda548618"
                + "0200000001000000400000000200000040000000"
        ),
        (
            .charge(UserID(42), Won(2_000_000), .kakaoPay),
            "1d0000000a00341208070605040302012a0000000000000080841e000000000002"
        ),
        (
            .charge(UserID(42), Won(-9_007_199_254_740_991), .free),
            "1d0000000a00341208070605040302012a00000000000000010000000000e0ff00"
        ),
        (
            .use(UserID(42), Won(170_000)),
            "1c0000000b00341208070605040302012a000000000000001098020000000000"
        ),
        (
            .balance(UserID(42)),
            "140000000c00341208070605040302012a00000000000000"
        ),
        (
            .history(UserID(42), HistoryQuery()),
            "1d0000000d00341208070605040302012a00000000000000000000000014000000"
        ),
        (
            .history(UserID(42), HistoryQuery(only: .use, page: 10_000_000, size: 100)),
            "1d0000000d00341208070605040302012a00000000000000028096980064000000"
        ),
        (
            .cancel(ConcertID(7), UserID(42), [ReservationID(274_877_906_945), ReservationID(274_877_906_946)]),
            "300000000f003412080706050403020107000000000000002a0000000000000002000000010000004000000002000000"
                + "40000000"
        ),
        (
            .claim(UserID(42), fingerprint: 0x1112_1314_1516_1718),
            "1c0000002000341208070605040302012a000000000000001817161514131211"
        ),
        (
            .transfer(Self.debit),
            "34000000210034120807060504030201030000004000000007000000000000002a00000000000000b01e040000000000"
                + "0200000000000000"
        ),
        (
            .transfer(Self.credit),
            "34000000220034120807060504030201050000004000000007000000000000002a00000000000000b01e040000000000"
                + "0200000000000000"
        ),
        (
            .transfersSeen(shard: 3),
            "0e0000002300341208070605040302010300"
        ),
    ]

    static let debit = TransferOrder(
        id: TransferID(274_877_906_947),
        direction: .debit,
        concert: ConcertID(7),
        user: UserID(42),
        amount: Won(270_000),
        settled: 2
    )
    static let credit = TransferOrder(
        id: TransferID(274_877_906_949),
        direction: .credit,
        concert: ConcertID(7),
        user: UserID(42),
        amount: Won(270_000),
        settled: 2
    )

    /// As frames of `slot` and `requestID`.
    static let replies: [(Reply, hex: String)] = [
        (
            .joined(Joined(place: Place(1_001), issuedAt: Self.moment, standing: Standing(order: 951, seconds: 20))),
            "2c000000410034120807060504030201e903000000000000152dd83eda548618b7030000000000001400000000000000"
        ),
        (
            .standing(Standing(order: 1, seconds: 1)),
            "1c00000042003412080706050403020101000000000000000100000000000000"
        ),
        (
            .standing(.admitted),
            "1c00000042003412080706050403020100000000000000000000000000000000"
        ),
        (
            .left,
            "0c000000430034120807060504030201"
        ),
        (
            .schedules([50, 0, 200_000]),
            "1c000000440034120807060504030201030000003200000000000000400d0300"
        ),
        (
            .schedules([]),
            "1000000044003412080706050403020100000000"
        ),
        (
            .seats([.available, .held, .sold]),
            "1300000045003412080706050403020103000000000102"
        ),
        (
            .reservations([Self.held, Self.paid, Self.cancelled]),
            "dd0000004600341208070605040302010300000001000000400000002a00000000000000910600000000000009000000"
                + "000000001098020000000000152dd83eda54861815e53c18205586180000000000000000000356495002000000400000"
                + "002a0000000000000091060000000000003200000000000000a086010000000000152dd83eda54861815e53c18205586"
                + "180103000000400000000441ec849d0400000040000000ffffffffffff1f000100000000000000010000000000000000"
                + "00000000000000ffffffffffffffff000000000000000002000000000000000000"
        ),
        (
            .paid(Receipt(user: UserID(42), amount: Won(100_000), balance: Won(1_900_000), reservations: [Self.paid])),
            "6e0000004700341208070605040302012a00000000000000a086010000000000e0fd1c00000000000100000002000000"
                + "400000002a0000000000000091060000000000003200000000000000a086010000000000152dd83eda54861815e53c18"
                + "205586180103000000400000000441ec849d"
        ),
        (
            .points(PointsChange(amount: Won(5), balance: Won(6), type: .use, paymentType: .naverPay, at: Self.moment)),
            "26000000480034120807060504030201050000000000000006000000000000000101152dd83eda548618"
        ),
        (
            .balance(Balance(balance: Won(6), updatedAt: Self.moment)),
            "1d000000490034120807060504030201060000000000000001152dd83eda548618"
        ),
        (
            .balance(Balance(balance: .zero, updatedAt: nil)),
            "1d0000004900341208070605040302010000000000000000000000000000000000"
        ),
        (
            .history([Self.charge, Self.use]),
            "440000004a0034120807060504030201020000000300000000000000e8030000000000000002152dd83eda5486180400"
                + "0000000000000a000000000000000100152dd83eda548618"
        ),
        (
            .debited(Won(1_730_000)),
            "140000004b0034120807060504030201d0651a0000000000"
        ),
        (
            .refused(.tokenUnknown),
            "0e0000007f00341208070605040302010200"
        ),
        (
            .refused(.unavailable),
            "0e0000007f00341208070605040302011700"
        ),
        (
            .cancelled(
                Receipt(
                    user: UserID(42),
                    amount: Won(100_000),
                    balance: Won(1_900_000),
                    reservations: [Self.cancelledAfterPayment]
                )
            ),
            "6e0000004c00341208070605040302012a00000000000000a086010000000000e0fd1c00000000000100000002000000"
                + "400000002a0000000000000091060000000000003200000000000000a086010000000000152dd83eda54861815e53c18"
                + "205586180203000000400000000441ec849d"
        ),
        (
            .credited(Won(1_730_000)),
            "140000004d0034120807060504030201d0651a0000000000"
        ),
        (
            .transfersSeen([TransferMark(slot: Slot(checking: 0x1234)!, counter: 5)]),
            "1a0000006100341208070605040302010100000034120500000000000000"
        ),
        (
            .claimed,
            "0c000000600034120807060504030201"
        ),
        (
            .refusedFor(.keysFull, seconds: 86_400),
            "120000006c003412080706050403020142008051" + "0100"
        ),
    ]

    /// As frames of slot 0 and `requestID`.
    static let controls: [(Control, hex: String)] = [
        (
            .hello(Hello(role: .shard, index: 3, shardCount: 4, slotMapVersion: 9, life: 0x0102, catalogue: 0x0304)),
            "27000000c00000000807060504030201040001030004000900000002010000000000000403000000000000"
        ),
        (
            .otherVersion(5),
            "0e000000c000000008070605040302010500"
        ),
        (
            .helloAccepted(Hello(role: .shard, index: 3, shardCount: 4, slotMapVersion: 9)),
            "27000000c10000000807060504030201040001030004000900000000000000000000000000000000000000"
        ),
        (
            .goodbye(reason: "슬롯"),
            "16000000c2000000080706050403020106000000ec8aaceba1af"
        ),
        (
            .ping,
            "0c000000c30000000807060504030201"
        ),
        (
            .pong,
            "0c000000c40000000807060504030201"
        ),
        (
            .stats,
            "0c000000c50000000807060504030201"
        ),
        (
            .statsAnswer("{}"),
            "12000000c60000000807060504030201020000007b7d"
        ),
        (
            .unknownKind(250),
            "0d000000c70000000807060504030201fa"
        ),
    ]

    /// As in the journal: no frame around them.
    static let facts: [(Fact, hex: String)] = [
        (
            .joined(ConcertID(7), UserID(42), Place(1_001), at: Self.moment),
            "010107000000000000002a00000000000000e903000000000000152dd83eda548618"
        ),
        (
            .admitted(ConcertID(7), Place(1_001), at: Self.moment),
            "02010700000000000000e903000000000000152dd83eda548618"
        ),
        (
            .left(ConcertID(7), Place(1_001), at: Self.moment),
            "03010700000000000000e903000000000000152dd83eda548618"
        ),
        (
            .lapsed(ConcertID(7), Place(1_001), at: Self.moment),
            "04010700000000000000e903000000000000152dd83eda548618"
        ),
        (
            .held(ConcertID(7), Self.ungraded),
            "1001070000000000000001000000400000002a0000000000000091060000000000000900000000000000109802000000"
                + "0000152dd83eda54861815e53c1820558618"
        ),
        (
            .held(ConcertID(7), Self.held),
            "1002070000000000000001000000400000002a0000000000000091060000000000000900000000000000109802000000"
                + "0000152dd83eda54861815e53c182055861803564950"
        ),
        (
            .released(ConcertID(7), ReservationID(274_877_906_945), .released, at: Self.moment),
            "11010700000000000000010000004000000001152dd83eda548618"
        ),
        (
            .paymentStarted(Self.order),
            "2001030000004000000007000000000000002a00000000000000e903000000000000b01e040000000000152dd83eda54"
                + "86180200000001000000400000000200000040000000"
        ),
        (
            .paymentDone(ConcertID(7), PaymentID(274_877_906_947), balance: Won(6), at: Self.moment),
            "2101070000000000000003000000400000000600000000000000152dd83eda548618"
        ),
        (
            .paymentRefused(ConcertID(7), PaymentID(274_877_906_947), at: Self.moment),
            "220107000000000000000300000040000000152dd83eda548618"
        ),
        (
            .charged(UserID(42), PointHistoryID(3), Won(1_000), .kakaoPay, at: Self.moment),
            "30012a000000000000000300000000000000e80300000000000002152dd83eda548618"
        ),
        (
            .used(UserID(42), PointHistoryID(4), Won(10), at: Self.moment),
            "31012a0000000000000004000000000000000a00000000000000152dd83eda548618"
        ),
        (
            .debited(UserID(42), PointHistoryID(5), PaymentID(274_877_906_947), Won(270_000), at: Self.moment),
            "32012a0000000000000005000000000000000300000040000000b01e040000000000152dd83eda548618"
        ),
        (
            .debitRefused(UserID(42), PaymentID(274_877_906_947), at: Self.moment),
            "33012a000000000000000300000040000000152dd83eda548618"
        ),
        (
            .cancelStarted(Self.cancellation),
            "2301050000004000000007000000000000002a00000000000000b01e040000000000152dd83eda548618020000000100"
                + "0000400000000200000040000000"
        ),
        (
            .cancelDone(ConcertID(7), CancellationID(274_877_906_949), balance: Won(6), at: Self.moment),
            "2401070000000000000005000000400000000600000000000000152dd83eda548618"
        ),
        (
            .credited(UserID(42), PointHistoryID(5), CancellationID(274_877_906_949), Won(270_000), at: Self.moment),
            "34012a0000000000000005000000000000000500000040000000b01e040000000000152dd83eda548618"
        ),
        (
            .cancelRefused(ConcertID(7), CancellationID(274_877_906_949), at: Self.moment),
            "250107000000000000000500000040000000152dd83eda548618"
        ),
        (
            .transferred(Self.debit, PointHistoryID(5), at: Self.moment),
            "350100030000004000000007000000000000002a00000000000000b01e04000000000002000000000000000500000000"
                + "000000152dd83eda548618"
        ),
        (
            .transferred(Self.credit, PointHistoryID(5), at: Self.moment),
            "350101050000004000000007000000000000002a00000000000000b01e04000000000002000000000000000500000000"
                + "000000152dd83eda548618"
        ),
        (
            .transferRefused(Self.debit, at: Self.moment),
            "360100030000004000000007000000000000002a00000000000000b01e0400000000000200000000000000152dd83eda"
                + "548618"
        ),
        (
            .idsSkipped(6, at: Self.moment),
            "37010600000000000000152dd83eda548618"
        ),
        (
            .answered(
                Self.answer(.client, .joined(Joined(place: Place(1_001), issuedAt: Self.moment, standing: .admitted)))
            ),
            Self.answeredHex + "01" + Self.answeredAtHex + "01" + "e903000000000000152dd83eda548618"
                + "00000000000000000000000000000000"
        ),
        (.answered(Self.answer(.gateway, .left)), Self.answeredHex + "00" + Self.answeredAtHex + "02"),
        (
            .answered(Self.answer(.client, .held(ReservationID(274_877_906_945)))),
            Self.answeredHex + "01" + Self.answeredAtHex + "03" + "0100000040000000"
        ),
        (.answered(Self.answer(.client, .released)), Self.answeredHex + "01" + Self.answeredAtHex + "04"),
        (
            .answered(Self.answer(.gateway, .paying(PaymentID(274_877_906_947)))),
            Self.answeredHex + "00" + Self.answeredAtHex + "05" + "0300000040000000"
        ),
        (
            .answered(Self.answer(.client, .points(balance: Won(6)))),
            Self.answeredHex + "01" + Self.answeredAtHex + "06" + "0600000000000000"
        ),
        (
            .answered(Self.answer(.client, .cancelling(CancellationID(274_877_906_949)))),
            Self.answeredHex + "01" + Self.answeredAtHex + "07" + "0500000040000000"
        ),
        (.answered(Self.answer(.client, .claimed)), Self.answeredHex + "01" + Self.answeredAtHex + "20"),
        (
            .answered(Self.answer(.client, .refused(.seatTaken))),
            Self.answeredHex + "01" + Self.answeredAtHex + "7f" + "0700"
        ),
        (
            .answered(Self.answer(.client, .left, from: Self.address)),
            "4101" + "3837363534333231" + Self.answeredHex.dropFirst(4) + "01" + Self.answeredAtHex + "02"
        ),
    ]
}
