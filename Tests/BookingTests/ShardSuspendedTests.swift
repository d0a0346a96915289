import Testing

@testable import Booking

/// A shard whose journal can't write.
struct ShardSuspendedTests {
    private static let user = UserID(1)

    @Test func `what can be read is read as it is, and nothing is recorded`() {
        let stage = Stage()
        stage.charge(Self.user, 100_000)
        let pass = stage.join(Self.user)
        let holds = stage.reserve(pass, [1, 2])
        stage.output()
        let reads: [Request] = [
            .poll(pass), .schedules(Stage.concert), .seats(Stage.concert, Stage.schedule),
            .reservations(Stage.concert, Self.user), .balance(Self.user), .history(Self.user, HistoryQuery()),
            .seats(Stage.concert, ScheduleID(9)), .seats(ConcertID(99), Stage.schedule),
            .poll(Pass(concert: Stage.concert, user: UserID(2), place: pass.place, issuedAt: pass.issuedAt)),
        ]
        for request in reads { #expect(stage.shard.read(request) == stage.ask(request), "\(request)") }
        #expect(stage.shard.read(.reservations(Stage.concert, Self.user)) == .reservations(holds))
        #expect(stage.output() == Stage.Output())
    }

    @Test func `what would need a fact is refused before it is decided`() {
        let stage = Stage()
        let pass = stage.join(Self.user)
        let holds = stage.reserve(pass, [1])
        stage.output()
        let changes: [Request] = [
            .join(Stage.concert, UserID(2)), .leave(pass),
            .reserve(pass, Stage.schedule, [SeatID(3)]), .release(pass, holds.map(\.id)), .pay(pass, holds.map(\.id)),
            .charge(Self.user, Won(1), .free), .use(Self.user, Won(1)),
            Self.transfer(.debit, holds[0].id),
            .cancel(Stage.concert, Self.user, holds.map(\.id)),
            Self.transfer(.credit, holds[0].id),
        ]
        for request in changes { #expect(stage.shard.read(request) == .refused(.storageUnavailable), "\(request)") }
        for request in changes {
            let reply = stage.shard.read(request, refusing: .clockSuspended)
            #expect(reply == .refused(.clockSuspended), "\(request)")
        }
        #expect(stage.output() == Stage.Output())
    }

    private static func transfer(_ direction: Transfer.Direction, _ id: ReservationID) -> Request {
        .transfer(
            TransferOrder(
                id: TransferID(id.rawValue),
                direction: direction,
                concert: Stage.concert,
                user: Self.user,
                amount: Won(1),
                settled: 0
            )
        )
    }

    @Test func `nobody is told that nothing was done, whose request went with the refused batch`() {
        let stage = Stage()
        let operation = Operation(OperationID(high: 1, low: 2), .gateway)
        let request = Request.use(Self.user, Won(1))
        stage.charge(Self.user, 100_000)
        stage.output()
        _ = stage.shard.decide(request, from: stage.origin(0), as: operation, at: stage.now)
        let doubted = stage.shard.answersGiven
        let undone = Stage()
        #expect(undone.shard.read(request, as: operation) == .refused(.storageUnavailable))
        undone.shard.markIndeterminate(doubted)
        #expect(undone.shard.read(request, as: operation) == Reply.unanswered)
        undone.shard.resume(at: undone.now)
        #expect(undone.shard.read(request, as: operation) == .refused(.storageUnavailable))
    }

    @Test func `time stands still: a place whose time is over is still there until a fact says so`() {
        let stage = Stage()
        let pass = stage.join(Self.user)
        stage.pass(.minutes(60))
        stage.charge(UserID(2), 1)  // The state's time is later now; the line was not checked.
        guard case .standing(let standing) = stage.shard.read(.poll(pass)) else {
            Issue.record("the place is gone")
            return
        }
        #expect(standing.order == 0)
        #expect(stage.ask(.poll(pass)) == .refused(.tokenUnknown))
    }

    @Test func `those who wait for a payment can be told that nobody knows`() {
        let (concert, _, user) = Stage.apart()
        let pass = concert.join(user)
        let holds = concert.reserve(pass, [1]).map(\.id)
        #expect(concert.ask(.pay(pass, holds)) == nil)
        #expect(concert.ask(.pay(pass, holds)) == nil)
        let told = concert.shard.removeWaiters(telling: Reply.unanswered)
        #expect(told.map(\.origin) == [concert.origin(3), concert.origin(4)])
        #expect(told.allSatisfy { $0.kind == .pay && $0.reply == .refused(.unavailable) })
        #expect(concert.shard.removeWaiters(telling: .left) == [])
        // The payment goes on without them.
        let payment = concert.output().transfers[0].id
        concert.shard.completeTransfer(.debited(.zero), for: payment, at: concert.now)
        #expect(concert.output().late == [])
        #expect(Receipt(concert.ask(.pay(pass, holds))) != nil)
    }
}
