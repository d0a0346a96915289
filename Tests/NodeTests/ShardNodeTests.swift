import Booking
import Node
import Testing
import Wire

/// Flows through a shard's node, as transcripts: an event in, what to do out.
@Suite struct ShardNodeTests {
    private static let user = UserID(1)
    private static let charge = Request.charge(Self.user, Won(5), .free)

    /// The concert's shard of two, the other one, and a user who lives there.
    private static func apart() -> (home: Int, user: UserID) {
        let slots = SlotMap(shardCount: 2)
        let home = slots.shard(of: Slot(of: ShardStage.concert))
        return (home, (1...100).map { UserID($0) }.first { slots.shard(of: Slot(of: $0)) != home }!)
    }

    /// The balance in the answer to question `id`.
    private static func balance(_ effects: [ShardStage.Effect]) -> Int64? {
        for case .reply(_, .balance(let balance), _) in effects { return balance.balance.rawValue }
        return nil
    }

    // MARK: Links

    @Test func `a gateway that dials again has one link, and another life of it keeps its own`() {
        let stage = ShardStage()
        #expect(stage.dial(1, life: 7) == [])
        #expect(stage.dial(2, life: 8) == [])
        #expect(stage.dial(3, life: 7) == [.close(1, "this gateway has a newer link")])
        #expect(stage.dial(4, life: 8) == [.close(2, "this gateway has a newer link")])
    }

    @Test func `a shard that dials again has one link, and tools have as many as they want`() {
        let stage = ShardStage(0, of: 2)
        #expect(stage.dial(1, as: .shard, index: 1, life: 0) == [])
        #expect(stage.dial(2, as: .tool, life: 0) == [])
        #expect(stage.dial(3, as: .tool, life: 0) == [])
        #expect(stage.dial(4, as: .shard, index: 1, life: 0) == [.close(1, "this shard has a newer link")])
    }

    @Test func `what a closed link still brings is not looked at, and nothing is sent over it`() throws {
        let stage = ShardStage()
        stage.dial(1)
        try stage.ask(1, Self.charge, over: 1)
        stage.dial(2)
        try stage.ask(2, Self.charge, over: 1)
        #expect(stage.endTurn() == [.append(first: 1, count: 1)])
        #expect(stage.journal(.durable) == [])
        try stage.ask(3, .balance(Self.user), over: 2)
        #expect(Self.balance(stage.endTurn()) == 5)
    }

    @Test func `each role may ask for its own only, and everyone for statistics`() throws {
        let stage = ShardStage(0, of: 2)
        stage.dial(1, as: .gateway)
        stage.dial(2, as: .shard, index: 1, life: 0)
        stage.dial(3, as: .tool, life: 0)
        let seen = Request.transfersSeen(shard: 1)
        #expect(throws: WireError("a gateway may not ask a shard to transfersSeen")) { try stage.ask(1, seen, over: 1) }
        #expect(throws: WireError("a shard may not ask a shard to balance")) {
            try stage.ask(1, .balance(Self.user), over: 2)
        }
        #expect(throws: WireError("a tool may not ask a shard to balance")) {
            try stage.ask(1, .balance(Self.user), over: 3)
        }
        #expect(throws: WireError("a shard takes requests and stats, no frame of kind 196")) {
            _ = try stage.ask(1, .pong, over: 3)
        }
        try stage.ask(2, seen, over: 2)
        #expect(stage.endTurn() == [.reply(2, .transfersSeen([]), over: 2)])
        #expect(try stage.ask(9, .stats, over: 3) == [.stats(3, 9)])
    }

    // MARK: Turns

    @Test func `replies of one turn leave together, each over its link`() throws {
        let stage = ShardStage()
        stage.dial(1, life: 7)
        stage.dial(2, life: 8)
        let none = Reply.balance(Balance(balance: .zero, updatedAt: nil))
        #expect(try stage.ask(1, .balance(Self.user), over: 1) == [])
        #expect(try stage.ask(1, .balance(Self.user), over: 2) == [])
        #expect(try stage.ask(2, .balance(Self.user), over: 1) == [])
        #expect(stage.endTurn() == [.reply(1, none, over: 1), .reply(2, none, over: 1), .reply(1, none, over: 2)])
        #expect(stage.endTurn() == [])
    }

    @Test func `a turn has one time, that of its first event`() throws {
        let stage = ShardStage()
        stage.dial()
        stage.endTurn()
        stage.pass(.seconds(1))
        try stage.ask(1, Self.charge)
        stage.pass(.seconds(1))
        try stage.ask(2, Self.charge)
        stage.endTurn()
        #expect(stage.newestFacts.map(\.at) == Array(repeating: ShardStage.start + .seconds(1), count: 2))
        #expect(stage.batches[0].time == ShardStage.start + .seconds(1))
        stage.journal(.durable)
        try stage.ask(3, Self.charge)
        stage.endTurn()
        #expect(stage.newestFacts.map(\.at) == [ShardStage.start + .seconds(2)])
    }

    @Test func `the next commit waits for its time, and a turn has to end then`() throws {
        let stage = ShardStage(pace: .milliseconds(2))
        stage.dial()
        try stage.ask(1, Self.charge)
        #expect(stage.endTurn() == [.append(first: 1, count: 1)])
        try stage.ask(2, Self.charge)
        #expect(stage.journal(.durable).last == .wake(.milliseconds(2)))
        stage.pass(.milliseconds(2))
        #expect(stage.endTurn() == [.append(first: 2, count: 1)])
    }

    // MARK: Transfers

    @Test func `points are asked for once the payment is durable, and again when the link is up again`() throws {
        let (home, user) = Self.apart()
        let stage = ShardStage(home, of: 2)
        stage.dial()
        let seen = ShardStage.Effect.ask(shard: 1 - home, .transfersSeen(shard: UInt16(home)))
        #expect(stage.step(.shardUp(1 - home)) == [])
        #expect(stage.endTurn().allSatisfy { $0 == seen })
        try stage.hear(0, .transfersSeen([]), fromShard: 1 - home)
        try stage.ask(1, .join(ShardStage.concert, user))
        stage.endTurn()
        let joined = stage.journal(.durable)
        guard case .reply(1, .joined(let place), _) = try #require(joined.first) else {
            Issue.record("nobody joined: \(joined)")
            return
        }
        let pass = Pass(concert: ShardStage.concert, user: user, place: place.place, issuedAt: place.issuedAt)
        try stage.ask(2, .reserve(pass, ShardStage.schedule, [SeatID(1)]))
        stage.endTurn()
        guard case .reply(2, .reservations(let holds), _) = try #require(stage.journal(.durable).first) else {
            Issue.record("no seat is held")
            return
        }
        try stage.ask(3, .pay(pass, holds.map(\.id)))
        #expect(stage.endTurn() == [.append(first: stage.gate.durableSequence + 1, count: 1)])
        let asked = stage.journal(.durable)
        guard case .ask(1 - home, .transfer(let order)) = try #require(asked.first) else {
            Issue.record("no points are asked for: \(asked)")
            return
        }
        #expect(asked.count == 1 && order.user == user)

        #expect(stage.step(.shardLost(1 - home)) == [])
        #expect(stage.step(.shardUp(1 - home)) == [])
        #expect(stage.endTurn() == [seen, .ask(shard: 1 - home, .transfer(order))])
        // Half a second without an answer.
        stage.pass(.milliseconds(600))
        stage.step(.tick)
        #expect(stage.endTurn() == [.ask(shard: 1 - home, .transfer(order))])

        try stage.hear(order.id.rawValue, .debited(.zero), fromShard: 1 - home)
        #expect(stage.endTurn().count == 1)
        guard case .reply(3, .paid(let receipt), _) = try #require(stage.journal(.durable).first) else {
            Issue.record("no receipt")
            return
        }
        #expect(receipt.amount == order.amount)
    }

    // MARK: Only reading

    @Test func `a shard that starts on a full disk reads, and decides nothing until there is room`() throws {
        let stage = ShardStage(isSuspended: true)
        stage.dial()
        try stage.ask(1, Self.charge)
        #expect(stage.endTurn() == [.reply(1, .refused(.storageUnavailable), over: 1)])
        stage.step(.tick)
        try stage.ask(2, .balance(Self.user))
        #expect(Self.balance(stage.endTurn()) == 0)
        #expect(stage.step(.renewalDue) == [.renew])
        #expect(stage.journal(.renewed) == [.recovered])
        try stage.ask(3, Self.charge)
        #expect(stage.endTurn() == [.append(first: 1, count: 1)])
    }

    @Test func `a shard that starts with an absurd clock reads, until the clock is sane or trusted`() throws {
        for isTrusted in [false, true] {
            let stage = ShardStage(expectedTime: ShardStage.start, ahead: .days(3_650))
            stage.dial()
            try stage.ask(1, Self.charge)
            #expect(stage.endTurn() == [.reply(1, .refused(.clockSuspended), over: 1)])
            if isTrusted {
                #expect(stage.trustClock() == [.trusted, .clock(isSuspended: false)])
            } else {
                stage.ahead = .zero
                #expect(stage.step(.tick) == [.note(.resumed), .clock(isSuspended: false)])
            }
            try stage.ask(2, Self.charge)
            #expect(stage.endTurn() == [.append(first: 1, count: 1)])
            #expect(stage.newestFacts.map(\.at) == [ShardStage.start + stage.ahead])
        }
    }

    @Test func `a clock that jumps in the middle of a turn is noticed by the next`() throws {
        let stage = ShardStage()
        stage.dial()
        try stage.ask(1, Self.charge)
        stage.ahead = .days(3_650)
        try stage.ask(2, Self.charge)
        #expect(stage.endTurn() == [.append(first: 1, count: 2)])
        #expect(stage.step(.tick) == [.note(.suspended(.days(3_650))), .clock(isSuspended: true)])
        // What was decided before is durable, and answered.
        #expect(stage.journal(.durable).count == 2)
        try stage.ask(3, Self.charge)
        #expect(stage.endTurn() == [.reply(3, .refused(.clockSuspended), over: 1)])
        #expect(stage.trustClock().contains(.trusted))
        #expect(stage.trustClock() == [])
    }

    @Test func `a full disk tells everyone who waits that nobody knows, and those who ask again, too`() throws {
        let stage = ShardStage()
        stage.dial(life: 7)
        try stage.ask(1, Self.charge)
        stage.endTurn()
        try stage.ask(2, Self.charge)
        let unknown = Reply.unanswered
        #expect(stage.journal(.refused) == [.reply(1, unknown, over: 1), .reply(2, unknown, over: 1), .rebuild])
        #expect(stage.rebuild() == [])
        try stage.ask(1, Self.charge)
        try stage.ask(3, Self.charge)
        #expect(
            stage.endTurn() == [.reply(1, unknown, over: 1), .reply(3, .refused(.storageUnavailable), over: 1)]
        )
    }

    @Test func `a batch that the journal kept after all is in the state`() throws {
        let stage = ShardStage()
        stage.dial(life: 7)
        try stage.ask(1, Self.charge)
        stage.endTurn()
        let facts = stage.newestFacts
        stage.journal(.refused)
        #expect(stage.rebuild(facts) == [])
        try stage.ask(2, .balance(Self.user))
        #expect(Self.balance(stage.endTurn()) == 5)
        #expect(stage.step(.renewalDue) == [.renew])
        stage.journal(.renewed)
        try stage.ask(3, Self.charge)
        #expect(stage.endTurn() == [.append(first: UInt64(facts.count) + 1, count: UInt32(facts.count))])
    }

    @Test(arguments: [false, true])
    func `a full disk and an absurd clock both have to end before anything is decided`(clockIsLast: Bool) throws {
        let stage = ShardStage()
        stage.dial(life: 7)
        try stage.ask(1, Self.charge)
        stage.endTurn()
        stage.journal(.refused)
        _ = stage.rebuild()
        stage.endTurn()
        stage.ahead = .days(3_650)
        #expect(stage.step(.renewalDue).contains(.renew))
        if clockIsLast {
            #expect(stage.journal(.renewed) == [.recovered])
            // As long as nothing is decided, nobody is told that nothing was done whose request went with the batch.
            try stage.ask(1, Self.charge)
            try stage.ask(2, Self.charge)
            #expect(
                stage.endTurn()
                    == [.reply(1, .unanswered, over: 1), .reply(2, .refused(.clockSuspended), over: 1)]
            )
            stage.ahead = .zero
            #expect(stage.step(.tick).contains(.clock(isSuspended: false)))
        } else {
            stage.endTurn()
            stage.ahead = .zero
            #expect(stage.step(.tick).contains(.clock(isSuspended: false)))
            try stage.ask(2, Self.charge)
            #expect(stage.endTurn() == [.reply(2, .refused(.storageUnavailable), over: 1)])
            #expect(stage.journal(.renewed) == [.recovered])
        }
        #expect(!stage.isReading)
        try stage.ask(3, Self.charge)
        #expect(stage.endTurn() == [.append(first: 1, count: stage.batches[0].count)])
    }
}
