import Booking
import Testing

@testable import Wire

@Suite struct SnapshotBytesTests {
    /// One of each kind, with its golden bytes after the kind.
    static let samples: [(item: SnapshotItem, hex: String)] = [
        (.time(Timestamp(nanoseconds: 5)), "01" + "0500000000000000"),
        (.counter(Slot(checking: 258)!, 7), "02" + "0201" + "0700000000000000"),
        (
            .concert(
                ConcertID(3),
                Line.Totals(waiting: 1, admitted: 2, left: 3, expired: 4, usedUp: 5),
                admissionDue: Timestamp(nanoseconds: -1),
                paymentsRefused: 6
            ),
            "10" + "0300000000000000" + "0100000000000000" + "0200000000000000" + "0300000000000000"
                + "0400000000000000" + "0500000000000000" + "ffffffffffffffff" + "0600000000000000"
        ),
        (
            .person(
                Line.Entry(place: Place(9), user: UserID(8), joinedAt: Timestamp(nanoseconds: 7), state: .waiting)
            ),
            "11" + "0900000000000000" + "0800000000000000" + "0700000000000000" + "00"
        ),
        (
            .person(
                Line.Entry(
                    place: Place(9),
                    user: UserID(8),
                    joinedAt: Timestamp(nanoseconds: 7),
                    state: .admitted(at: Timestamp(nanoseconds: 10))
                )
            ),
            "11" + "0900000000000000" + "0800000000000000" + "0700000000000000" + "01" + "0a00000000000000"
        ),
        (
            .reservation(
                Reservation(
                    id: ReservationID(1),
                    user: UserID(2),
                    schedule: ScheduleID(3),
                    seat: SeatID(4),
                    price: Won(5),
                    heldAt: Timestamp(nanoseconds: 6),
                    until: Timestamp(nanoseconds: 7),
                    status: .paid,
                    payment: PaymentID(8)
                )
            ),
            "12" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000"
                + "0500000000000000" + "0600000000000000" + "0700000000000000" + "01" + "0800000000000000"
        ),
        (
            .reservation(
                Reservation(
                    id: ReservationID(1),
                    user: UserID(2),
                    schedule: ScheduleID(3),
                    seat: SeatID(4),
                    price: Won(5),
                    grade: "R석",
                    heldAt: Timestamp(nanoseconds: 6),
                    until: Timestamp(nanoseconds: 7),
                    status: .paid,
                    payment: PaymentID(8)
                )
            ),
            "1a" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000"
                + "0500000000000000" + "0600000000000000" + "0700000000000000" + "01" + "0800000000000000"
                + "0452ec849d"
        ),
        (
            .payment(
                PaymentOrder(
                    id: PaymentID(1),
                    concert: ConcertID(2),
                    user: UserID(3),
                    place: Place(4),
                    reservations: [ReservationID(5)],
                    amount: Won(6),
                    at: Timestamp(nanoseconds: 7)
                ),
                balance: Won(8)
            ),
            "13" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000"
                + "0600000000000000" + "0700000000000000" + "01000000" + "0500000000000000" + "01"
                + "0800000000000000"
        ),
        (
            .historyLine(
                UserID(1),
                HistoryEntry(
                    id: PointHistoryID(2),
                    amount: Won(3),
                    type: .use,
                    paymentType: .kakaoPay,
                    at: Timestamp(nanoseconds: 4)
                )
            ),
            "20" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "01" + "02" + "0400000000000000"
        ),
        (
            .freedSeat(
                ScheduleID(1),
                SeatID(2),
                UserID(3),
                until: Timestamp(nanoseconds: 4),
                at: Timestamp(nanoseconds: 5)
            ),
            "15" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000"
                + "0500000000000000"
        ),
        (.forgotten(payments: 1, cancellations: 2), "16" + "0100000000000000" + "0200000000000000"),
        (
            .historyForgotten(UserID(1), charged: Won(2), used: Won(3)),
            "2d" + "0100000000000000" + "0200000000000000" + "0300000000000000"
        ),
        (.debit(PaymentID(1), .done(balance: .zero)), "21" + "0100000000000000" + "01" + "0000000000000000"),
        (.debit(PaymentID(1), .refused), "21" + "0100000000000000" + "00"),
        (
            .cancellation(
                CancellationOrder(
                    id: CancellationID(1),
                    concert: ConcertID(2),
                    user: UserID(3),
                    reservations: [ReservationID(4)],
                    amount: Won(5),
                    at: Timestamp(nanoseconds: 6)
                ),
                balance: nil
            ),
            "14" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "0500000000000000"
                + "0600000000000000" + "01000000" + "0400000000000000" + "00"
        ),
        (.credit(CancellationID(1), balance: Won(2)), "22" + "0100000000000000" + "0200000000000000"),
        (
            .transferMarks(Slot(checking: 0x1234)!, TransferLedger.Marks(seen: 3, settled: 2, forgotten: 1)),
            "24" + "3412" + "0300000000000000" + "0200000000000000" + "0100000000000000"
        ),
        (
            .transfer(
                TransferID(1),
                TransferLedger.Entry(
                    direction: .credit,
                    concert: ConcertID(2),
                    user: UserID(3),
                    amount: Won(4),
                    outcome: .moved(balance: Won(5))
                )
            ),
            "25" + "0100000000000000" + "01" + "0200000000000000" + "0300000000000000" + "0400000000000000" + "01"
                + "0500000000000000"
        ),
        (
            .transfer(TransferID(1), TransferLedger.Entry(direction: .debit, outcome: .refused)),
            "25" + "0100000000000000" + "00" + "0000000000000000" + "0000000000000000" + "ffffffffffffffff" + "00"
        ),
        (
            .transfersDecided(Slot(checking: 0x1234)!, shard: 2, counter: 3),
            "26" + "3412" + "0200" + "0300000000000000"
        ),
        (.pointTotals(debited: Won(1), credited: Won(2)), "23" + "0100000000000000" + "0200000000000000"),
        (
            .answer(
                StoredAnswer(
                    operation: Operation(OperationID(high: 1, low: 2), .client),
                    fingerprint: 3,
                    outcome: .points(balance: Won(4)),
                    at: Timestamp(nanoseconds: 5)
                )
            ),
            "30" + "0100000000000000" + "0200000000000000" + "01" + "0300000000000000" + "0500000000000000" + "06"
                + "0400000000000000"
        ),
        (
            .answer(
                StoredAnswer(
                    operation: Operation(OperationID(high: 1, low: 2), .client, from: AddressTag(6)),
                    fingerprint: 3,
                    outcome: .left,
                    at: Timestamp(nanoseconds: 5)
                )
            ),
            "31" + "0600000000000000" + "0100000000000000" + "0200000000000000" + "01" + "0300000000000000"
                + "0500000000000000" + "02"
        ),
    ]

    private static func snapshot(_ items: String, count: UInt8) -> [UInt8] {
        [UInt8](hex: "55534852534e4150" + "0100" + items + "ff" + [count].hex + "00000000000000")
    }

    private func items(_ bytes: [UInt8]) throws -> [SnapshotItem] {
        var items: [SnapshotItem] = []
        try bytes.withUnsafeBytes { try SnapshotBytes.forEachItem(in: $0) { items.append($0) } }
        return items
    }

    @Test func `every kind has its golden bytes`() throws {
        for (item, hex) in Self.samples {
            #expect(bytes { item.encode(into: &$0) }.hex == hex, "\(item)")
        }
        let whole = Self.snapshot(Self.samples.map(\.hex).joined(), count: UInt8(Self.samples.count))
        #expect(try self.items(whole) == Self.samples.map(\.item))
        #expect(Set(Self.samples.map { [UInt8](hex: $0.hex)[0] }) == Set(SnapshotItem.Kind.allCases.map(\.rawValue)))
    }

    @Test func `a snapshot cut anywhere is refused`() {
        let whole = Self.snapshot(Self.samples.map(\.hex).joined(), count: UInt8(Self.samples.count))
        for count in whole.indices {
            #expect(throws: WireError.self, "cut at \(count)") { try self.items(Array(whole[..<count])) }
        }
        #expect(throws: WireError.self) { try self.items(whole + [0]) }
    }

    @Test func `a newer version, a foreign file and an unknown kind are refused, and say so`() {
        var newer = Self.snapshot("", count: 0)
        newer[8] = 2
        #expect(throws: WireError("the snapshot has version 2, and this program reads version 1")) {
            try self.items(newer)
        }
        #expect(throws: WireError("the bytes are not a snapshot of a shard")) {
            try self.items([UInt8](repeating: 7, count: 30))
        }
        #expect(throws: WireError("items of kind 99 are not known to this version: a newer one wrote them")) {
            try self.items(Self.snapshot("63", count: 1))
        }
        #expect(throws: WireError("items of the snapshot are missing")) { try self.items(Self.snapshot("", count: 1)) }
    }

    @Test func `an empty shard's snapshot is short, and restores an empty shard`() throws {
        let first = bytes { SnapshotBytes.encode(Self.fresh(), into: &$0) }
        #expect(first.count == 10 + 9 + 9)
        let second = try Self.again(first)
        #expect(second == first)
    }

    @Test func `what the catalogue no longer has is named`() {
        let item = bytes {
            SnapshotItem.concert(ConcertID(77), Line.Totals(), admissionDue: .distantPast, paymentsRefused: 0)
                .encode(into: &$0)
        }
        let snapshot = Self.snapshot(item.hex, count: 1)
        #expect(throws: WireError("concert 77 has a history here, but is not in the catalogue: put it back")) {
            try Self.again(snapshot)
        }
    }

    private static func fresh() -> Shard {
        Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: .original(), hashSeed: 1)
    }

    /// Restores a snapshot and makes another.
    @discardableResult
    private static func again(_ snapshot: [UInt8]) throws -> [UInt8] {
        let restoration = ShardRestoration { Self.fresh() }
        try snapshot.withUnsafeBytes { try SnapshotBytes.restore($0, into: restoration) }
        let shard = restoration.finish()
        var bytes = FrameBytes()
        SnapshotBytes.encode(shard, into: &bytes)
        return bytes.array
    }
}
