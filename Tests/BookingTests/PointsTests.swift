import Testing

@testable import Booking

@Suite struct PointsTests {
    private static let user = UserID(1)

    private static func entry(_ id: UInt64, _ amount: Int64, _ type: TransactionType = .charge) -> HistoryEntry {
        HistoryEntry(
            id: PointHistoryID(id),
            amount: Won(amount),
            type: type,
            paymentType: .free,
            at: Stage.start + .seconds(Int64(id))
        )
    }

    /// 250 lines, every third one a use.
    private static func busy() -> Points {
        var points = Points()
        for id: UInt64 in 1...250 {
            if id % 3 == 0 {
                points.applyUsed(Self.user, Self.entry(id, 1, .use))
            } else {
                points.applyCharged(Self.user, Self.entry(id, 10))
            }
        }
        return points
    }

    @Test func `a page with a filter is that of all lines of its type`() {
        let points = Self.busy()
        let lines =
            points.history(of: Self.user, HistoryQuery(page: 0, size: 100))
            + points.history(of: Self.user, HistoryQuery(page: 1, size: 100))
            + points.history(of: Self.user, HistoryQuery(page: 2, size: 100))
        #expect(lines.count == 250)
        for type in [TransactionType.charge, .use] {
            let all = lines.filter { $0.type == type }
            for size in [1, 3, 64, 100] {
                for page in 0..<(250 / size + 2) {
                    let query = HistoryQuery(only: type, page: UInt32(page), size: UInt32(size))
                    #expect(points.history(of: Self.user, query) == Array(all.dropFirst(page * size).prefix(size)))
                }
            }
            #expect(
                points.history(of: Self.user, HistoryQuery(only: type, page: HistoryQuery.pageMax, size: 100)) == []
            )
        }
        points.checkInvariants()
    }

    @Test func `a history of nothing but charges has no uses, and of one use that one`() {
        var points = Points()
        for id: UInt64 in 1...130 { points.applyCharged(Self.user, Self.entry(id, 1)) }
        #expect(points.history(of: Self.user, HistoryQuery(only: .use)) == [])
        points.applyUsed(Self.user, Self.entry(131, 1, .use))
        for id: UInt64 in 132...400 { points.applyCharged(Self.user, Self.entry(id, 1)) }
        #expect(points.history(of: Self.user, HistoryQuery(only: .use)).map(\.id) == [PointHistoryID(131)])
        points.checkInvariants()
    }

    @Test func `nobody has points to begin with`() {
        let points = Points()
        #expect(points.balance(of: Self.user) == Balance(balance: .zero, updatedAt: nil))
        #expect(points.history(of: Self.user, HistoryQuery()) == [])
        #expect(points.transfers[TransferID(1)] == nil)
    }

    @Test func `charges and uses move the balance and the totals`() {
        var points = Points()
        points.applyCharged(Self.user, Self.entry(1, 500))
        points.applyUsed(Self.user, Self.entry(2, 200, .use))
        points.applyCharged(UserID(2), Self.entry(3, 7))
        #expect(points.balance(of: Self.user) == Balance(balance: Won(300), updatedAt: Stage.start + .seconds(2)))
        #expect((points.charged, points.used, points.balances) == (Won(507), Won(200), Won(307)))
        #expect(points.accountCount == 2)
        points.checkInvariants()
    }

    @Test func `of a long history the newest lines are kept, and all of it counts`() {
        var points = Points(historyLinesPerUserMax: 3)
        func entry(_ id: UInt64, _ type: TransactionType) -> HistoryEntry {
            HistoryEntry(
                id: PointHistoryID(id),
                amount: Won(Int64(id) * 10),
                type: type,
                paymentType: .free,
                at: Timestamp(seconds: Int64(id))
            )
        }
        for id: UInt64 in 1...4 { points.applyCharged(Self.user, entry(id, .charge)) }
        points.applyUsed(Self.user, entry(5, .use))
        points.checkInvariants()
        #expect(points.history(of: Self.user, HistoryQuery()).map(\.id.rawValue) == [5, 4, 3])
        #expect(points.balance(of: Self.user).balance == Won(50))
        #expect((points.charged, points.used, points.balances) == (Won(100), Won(50), Won(50)))
        var again = Points(historyLinesPerUserMax: 3)
        var forgotten: [Won] = []
        points.forEachLine(
            forgotten: { user, charged, used in
                forgotten += [charged, used]
                again.restore(user, forgottenCharged: charged, used: used)
            },
            { again.restore($0, $1) }
        )
        again.checkInvariants()
        #expect(forgotten == [Won(30), .zero])
        #expect(again.history(of: Self.user, HistoryQuery()) == points.history(of: Self.user, HistoryQuery()))
        #expect(again.balance(of: Self.user) == points.balance(of: Self.user))
        #expect((again.charged, again.used) == (Won(100), Won(50)))
    }

    @Test func `the history is newest first, in pages`() {
        let points = Self.busy()
        func ids(_ query: HistoryQuery) -> [UInt64] { points.history(of: Self.user, query).map(\.id.rawValue) }
        #expect(ids(HistoryQuery()) == Array((231...250).reversed()))
        #expect(ids(HistoryQuery(page: 1, size: 3)) == [247, 246, 245])
        #expect(ids(HistoryQuery(page: 2, size: 100)) == Array((1...50).reversed()))
        #expect(ids(HistoryQuery(page: 3, size: 100)) == [])
        #expect(ids(HistoryQuery(only: .use, page: 0, size: 2)) == [249, 246])
        #expect(ids(HistoryQuery(only: .use, page: 41, size: 2)) == [3])
        #expect(ids(HistoryQuery(only: .charge, page: 1, size: 2)) == [247, 245])
    }

    @Test func `a page of any size and number is cut to the limit, and nothing overflows`() {
        let points = Self.busy()
        #expect(points.history(of: Self.user, HistoryQuery(size: .max)).count == 100)
        for only in [nil, TransactionType.charge] {
            #expect(points.history(of: Self.user, HistoryQuery(only: only, page: .max, size: .max)) == [])
        }
        #expect(points.history(of: Self.user, HistoryQuery(size: 0)) == [])
    }

    private static func move(
        _ points: inout Points,
        _ direction: Transfer.Direction,
        _ id: UInt64,
        _ entry: HistoryEntry
    ) {
        let order = TransferOrder(
            id: TransferID(id),
            direction: direction,
            concert: ConcertID(7),
            user: Self.user,
            amount: entry.amount,
            settled: 0
        )
        points.applyMoved(KnownTransfer(order), entry)
    }

    private static func moved(_ direction: Transfer.Direction, _ amount: Int64, balance: Int64) -> TransferLedger.Entry
    {
        TransferLedger.Entry(
            direction: direction,
            concert: ConcertID(7),
            user: Self.user,
            amount: Won(amount),
            outcome: .moved(balance: Won(balance))
        )
    }

    @Test func `debits and credits are kept with the balance of their moment`() {
        var points = Points()
        points.applyCharged(Self.user, Self.entry(1, 500))
        Self.move(&points, .debit, 1, Self.entry(2, 500, .use))
        Self.move(&points, .credit, 2, Self.entry(3, 300))
        points.applyCharged(Self.user, Self.entry(4, 9))
        #expect(points.transfers[TransferID(1)] == Self.moved(.debit, 500, balance: 0))
        #expect(points.transfers[TransferID(2)] == Self.moved(.credit, 300, balance: 300))
        #expect(points.balance(of: Self.user).balance == Won(309))
        #expect((points.debited, points.credited) == (Won(500), Won(300)))
        points.checkInvariants()
    }

    @Test func `a transfer of nothing makes no account`() {
        var points = Points()
        Self.move(&points, .debit, 1, Self.entry(1, 0, .use))
        Self.move(&points, .credit, 2, Self.entry(2, 0))
        #expect(points.transfers[TransferID(1)] == Self.moved(.debit, 0, balance: 0))
        #expect(points.accountCount == 0)
        points.checkInvariants()
    }

    @Test func `a transfer does not move points twice`() async {
        await #expect(processExitsWith: .failure) {
            var points = PointsTests.busy()
            PointsTests.move(&points, .debit, 1, PointsTests.entry(300, 1, .use))
            PointsTests.move(&points, .debit, 1, PointsTests.entry(301, 1, .use))
        }
    }

    @Test func `nobody falls below 0 points`() async {
        await #expect(processExitsWith: .failure) {
            var points = PointsTests.busy()
            points.applyUsed(PointsTests.user, PointsTests.entry(300, 1_000_000, .use))
        }
    }
}
