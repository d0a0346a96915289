import Testing

@testable import Booking

@Suite struct ShardOperationsTests {
    private static func key(_ number: UInt64) -> Operation { Operation(OperationID(high: 0, low: number), .client) }
    private static func resend(_ number: UInt64) -> Operation { Operation(OperationID(high: 7, low: number), .gateway) }
    private static let user = UserID(1)

    @discardableResult
    private static func ask(_ stage: Stage, _ request: Request, _ operation: Operation?) -> Reply? {
        stage.shard.decide(request, from: stage.origin(900), as: operation, at: stage.now)
    }

    /// Asks, and repeats a minute later, which must change nothing. Returns the answer.
    @discardableResult
    private static func askTwice(_ stage: Stage, _ request: Request, _ operation: Operation = Self.key(1)) -> Reply? {
        let first = Self.ask(stage, request, operation)
        stage.pass(.minutes(1))
        stage.output()
        #expect(Self.ask(stage, request, operation) == first)
        let again = stage.output().facts.filter { if case .lapsed = $0 { false } else { true } }
        #expect(again.allSatisfy { if case .released = $0 { true } else { false } }, "\(again)")
        return first
    }

    // MARK: The same answer

    private static func stage(_ limits: AnswerLimits) -> Stage {
        let stage = Stage()
        let (slots, catalogue) = (stage.slots, stage.catalogue)
        stage.shard = Shard(index: 0, slots: slots, catalogue: catalogue, answerLimits: limits, hashSeed: 1)
        return stage
    }

    @Test func `a key whose seats are forgotten hears that they are over, and holds nothing`() {
        let stage = Stage()
        let pass = stage.join(Self.user)
        let seats = [SeatID(1), SeatID(2)]
        guard case .reservations(let holds)? = Self.ask(stage, .reserve(pass, Stage.schedule, seats), Self.key(1))
        else {
            Issue.record("nothing was held")
            return
        }
        _ = Self.ask(stage, .release(pass, holds.map(\.id)), Self.key(2))
        for _ in 0..<RecordLimits().overPerUserMax { stage.ask(.release(pass, stage.reserve(pass, [3]).map(\.id))) }
        stage.output()
        #expect(Self.ask(stage, .reserve(pass, Stage.schedule, seats), Self.key(1)) == .refused(.holdExpired))
        #expect(Self.ask(stage, .release(pass, holds.map(\.id)), Self.key(2)) == .refused(.holdExpired))
        #expect(stage.output() == Stage.Output())
    }

    @Test func `a charge and a use with a key are done once, and answered the same`() {
        let stage = Stage()
        Self.askTwice(stage, .charge(Self.user, Won(500), .naverPay), Self.key(1))
        #expect(stage.balance(Self.user) == 500)
        Self.askTwice(stage, .use(Self.user, Won(200)), Self.key(2))
        #expect(stage.balance(Self.user) == 300)
        // The first answer, not the current balance.
        let first = Self.ask(stage, .charge(Self.user, Won(500), .naverPay), Self.key(1))
        guard case .points(let change) = first else {
            Issue.record("\(String(describing: first))")
            return
        }
        #expect(change.balance == Won(500))
        #expect(change.paymentType == .naverPay)
    }

    @Test func `a join with a key is answered the same also when its place is gone`() {
        let stage = Stage()
        let first = Self.ask(stage, .join(Stage.concert, Self.user), Self.key(1))
        let pass = stage.join(Self.user)
        stage.ask(.leave(pass))
        #expect(Self.ask(stage, .join(Stage.concert, Self.user), Self.key(1)) == first)
        #expect(stage.ask(.poll(pass)) == .refused(.tokenUnknown))
    }

    @Test func `leaving, reserving and giving back are answered the same`() {
        let stage = Stage()
        let pass = stage.join(Self.user)
        let seats = [SeatID(5), SeatID(3)]
        guard case .reservations(let holds) = Self.askTwice(stage, .reserve(pass, Stage.schedule, seats), Self.key(1))
        else {
            Issue.record("the seats are free")
            return
        }
        #expect(holds.map(\.seat) == seats)
        #expect(holds.allSatisfy { $0.status == .held })
        Self.askTwice(stage, .release(pass, holds.map(\.id)), Self.key(2))
        // They were held at the time of the request.
        #expect(Self.ask(stage, .reserve(pass, Stage.schedule, seats), Self.key(1)) == .reservations(holds))
        #expect(Self.askTwice(stage, .leave(pass), Self.key(3)) == .left)
    }

    @Test func `a refusal is kept for a key, and decided again for a gateway`() {
        for (operation, isKept) in [(Self.key(1), true), (Self.resend(1), false)] {
            let stage = Stage()
            let use = Request.use(Self.user, Won(10))
            #expect(Self.ask(stage, use, operation) == .refused(.insufficientPoints))
            stage.charge(Self.user, 100)
            let again = Self.ask(stage, use, operation)
            #expect((again == .refused(.insufficientPoints)) == isKept)
            #expect(stage.balance(Self.user) == (isKept ? 100 : 90))
        }
    }

    @Test func `a refusal that says to try again is not kept`() {
        let (concert, _, stranger) = Stage.apart()
        let pass = concert.join(stranger)
        let ids = concert.reserve(pass, [1, 2]).map(\.id)
        concert.ask(.pay(pass, ids))
        concert.output()
        #expect(Self.ask(concert, .pay(pass, [ids[0]]), Self.key(1)) == .refused(.paymentInProgress))
        #expect(concert.output().facts == [])
    }

    @Test func `a gateway's change is done once, and its join needs no number`() {
        let stage = Stage()
        let pass = stage.join(Self.user)
        stage.output()
        #expect(Self.ask(stage, .join(Stage.concert, Self.user), Self.resend(1)) != nil)
        #expect(stage.output().facts == [])
        #expect(Self.askTwice(stage, .leave(pass), Self.resend(2)) == .left)
        Self.askTwice(stage, .charge(Self.user, Won(5), .free), Self.resend(3))
        #expect(stage.balance(Self.user) == 5)
    }

    @Test func `a question has no number, whatever it comes with`() {
        let stage = Stage()
        #expect(Self.ask(stage, .balance(Self.user), Self.key(1)) != nil)
        #expect(Self.ask(stage, .charge(Self.user, Won(5), .free), Self.key(1)) != .refused(.keyReused))
    }

    // MARK: Another request

    @Test func `a key that comes with another request is refused, and changes nothing`() {
        let stage = Stage()
        let pass = stage.join(Self.user)
        Self.ask(stage, .charge(Self.user, Won(5), .free), Self.key(1))
        stage.output()
        let others: [Request] = [
            .charge(Self.user, Won(6), .free), .charge(Self.user, Won(5), .kakaoPay), .use(Self.user, Won(5)),
            .join(Stage.concert, Self.user), .leave(pass), .reserve(pass, Stage.schedule, [SeatID(1)]),
        ]
        for other in others { #expect(Self.ask(stage, other, Self.key(1)) == .refused(.keyReused), "\(other)") }
        #expect(stage.output().facts == [])
        #expect(stage.balance(Self.user) == 5)
    }

    @Test func `fingerprints tell requests apart, and never change`() {
        let pass = Pass(concert: ConcertID(1), user: UserID(2), place: Place(3), issuedAt: Stage.start)
        let requests: [Request] = [
            .join(ConcertID(1), UserID(2)), .join(ConcertID(2), UserID(1)), .leave(pass),
            .reserve(pass, ScheduleID(1), [SeatID(1), SeatID(2)]),
            .reserve(pass, ScheduleID(1), [SeatID(2), SeatID(1)]),
            .release(pass, [ReservationID(1)]), .pay(pass, [ReservationID(1)]), .pay(pass, [ReservationID(2)]),
            .charge(UserID(1), Won(2), .free), .charge(UserID(1), Won(2), .kakaoPay), .use(UserID(1), Won(2)),
        ]
        #expect(Set(requests.map(\.fingerprint)).count == requests.count)
        #expect(Request.join(ConcertID(1), UserID(2)).fingerprint == 0xe81e_3a75_6bc5_e527)
    }

    // MARK: Payments

    @Test func `a payment under way is waited for, and answered the same, by key`() {
        let (concert, user, stranger) = Stage.apart()
        user.charge(stranger, 1_000_000)
        let pass = concert.join(stranger)
        let pay = Request.pay(pass, concert.reserve(pass, [50]).map(\.id))
        #expect(concert.shard.decide(pay, from: concert.origin(1), as: Self.key(1), at: concert.now) == nil)
        #expect(concert.shard.decide(pay, from: concert.origin(2), as: Self.key(1), at: concert.now) == nil)
        let debit = concert.output().transfers[0]
        let reply = user.ask(debit.request)!
        concert.shard.completeTransfer(reply, for: debit.id, at: concert.now)
        let late = concert.output().late
        #expect(late.map(\.origin) == [concert.origin(1), concert.origin(2)])
        #expect(late[0].reply == late[1].reply)
        #expect(Receipt(late[0].reply) != nil)
        #expect(Self.ask(concert, pay, Self.key(1)) == late[0].reply)
    }

    @Test func `a cancellation is answered the same by its key, and so is the payment before it`() {
        let (concert, user, stranger) = Stage.apart()
        user.charge(stranger, 1_000_000)
        let pass = concert.join(stranger)
        let ids = concert.reserve(pass, [50]).map(\.id)
        let finish = {
            let transfer = concert.output().transfers[0]
            concert.shard.completeTransfer(user.ask(transfer.request)!, for: transfer.id, at: concert.now)
            return concert.output().late
        }
        #expect(Self.ask(concert, .pay(pass, ids), Self.key(1)) == nil)
        let paid = finish()
        let cancel = Request.cancel(Stage.concert, stranger, ids)
        #expect(Self.ask(concert, cancel, Self.key(2)) == nil)
        #expect(Self.ask(concert, cancel, Self.key(2)) == nil)
        let cancelled = finish()
        #expect(cancelled.count == 2 && cancelled[0].reply == cancelled[1].reply)
        #expect(Self.ask(concert, cancel, Self.key(2)) == cancelled[0].reply)
        #expect(Self.ask(concert, .pay(pass, ids), Self.key(1)) == paid[0].reply)
        #expect(Self.ask(concert, cancel, Self.key(1)) == .refused(.keyReused))
    }

    @Test func `a payment that was refused stays so by its key, and a new key tries again`() {
        let (concert, user, stranger) = Stage.apart()
        let pass = concert.join(stranger)
        let pay = Request.pay(pass, concert.reserve(pass, [50]).map(\.id))
        #expect(Self.ask(concert, pay, Self.key(1)) == nil)
        let first = concert.output()
        let debit = first.transfers[0]
        let reply = user.ask(debit.request)!
        // Also when it was refused in an earlier life without a waiting request.
        concert.restart(from: first.facts)
        concert.shard.completeTransfer(reply, for: debit.id, at: concert.now)
        #expect(Self.ask(concert, pay, Self.key(1)) == .refused(.insufficientPoints))
        #expect(Self.ask(concert, pay, Self.key(2)) == nil)
    }

    @Test func `while the journal can't write, what was answered is answered again, and nothing new is`() {
        let (concert, _, stranger) = Stage.apart()
        let pass = concert.join(stranger)
        let ids = concert.reserve(pass, [50]).map(\.id)
        let leave = Request.leave(concert.join(UserID(1_000)))
        #expect(Self.ask(concert, .pay(pass, ids), Self.key(1)) == nil)
        #expect(Self.ask(concert, leave, Self.resend(2)) == .left)
        #expect(concert.shard.read(leave, as: Self.resend(2)) == .left)
        #expect(concert.shard.read(.leave(pass), as: Self.resend(2)) == .refused(.keyReused))
        #expect(concert.shard.read(.leave(pass), as: Self.resend(3)) == .refused(.storageUnavailable))
        #expect(concert.shard.read(.pay(pass, ids), as: Self.key(1)) == Reply.unanswered)
        // An existing place can be read, but not kept for a key.
        guard case .joined(let joined) = concert.shard.read(.join(Stage.concert, stranger), as: Self.resend(4)) else {
            Issue.record("the stranger is in")
            return
        }
        #expect(joined.place == pass.place)
        #expect(concert.shard.read(.join(Stage.concert, stranger), as: Self.key(5)) == .refused(.storageUnavailable))
        #expect(concert.shard.read(.join(Stage.concert, UserID(1_001))) == .refused(.storageUnavailable))
    }

    // MARK: What is kept

    @Test func `answers survive a restart from facts and one from a snapshot`() throws {
        let stage = Stage()
        let first = Self.ask(stage, .charge(Self.user, Won(5), .free), Self.key(1))
        let own = Self.ask(stage, .use(Self.user, Won(2)), Self.resend(1))
        let facts = stage.output().facts
        let restoration = ShardRestoration { [slots = stage.slots, catalogue = stage.catalogue] in
            Shard(index: 0, slots: slots, catalogue: catalogue, hashSeed: 3)
        }
        var items: [SnapshotItem] = []
        stage.shard.forEachItem { items.append($0) }
        for item in items { try restoration.restore(item) }
        let restored = restoration.finish()
        stage.restart(from: facts)
        #expect(Self.ask(stage, .charge(Self.user, Won(5), .free), Self.key(1)) == first)
        #expect(Self.ask(stage, .use(Self.user, Won(2)), Self.resend(1)) == own)
        stage.shard = restored
        #expect(Self.ask(stage, .charge(Self.user, Won(5), .free), Self.key(1)) == first)
        #expect(Self.ask(stage, .use(Self.user, Won(2)), Self.resend(1)) == own)
        #expect(stage.balance(Self.user) == 3)
    }

    @Test func `a key is forgotten after a day`() {
        let stage = Stage()
        Self.ask(stage, .charge(Self.user, Won(1), .free), Self.key(1))
        stage.pass(.minutes(24 * 60))
        stage.now = Timestamp(nanoseconds: stage.now.nanoseconds - 1)
        Self.ask(stage, .charge(Self.user, Won(1), .free), Self.key(1))
        #expect(stage.balance(Self.user) == 1)
        stage.now = Timestamp(nanoseconds: stage.now.nanoseconds + 1)
        Self.ask(stage, .charge(Self.user, Won(1), .free), Self.key(1))
        #expect(stage.balance(Self.user) == 2)
        #expect(stage.shard.answerCensus.keys == 1)
        stage.output()
    }

    @Test func `what a gateway may send again is kept whatever a clock says, until enough others are there`() {
        var limits = AnswerLimits()
        limits.countMax = 32
        let stage = Self.stage(limits)
        let charge = Request.charge(Self.user, Won(1), .free)
        Self.ask(stage, charge, Self.resend(1))
        stage.pass(.minutes(48 * 60))
        Self.ask(stage, charge, Self.resend(1))
        #expect(stage.balance(Self.user) == 1)
        for number: UInt64 in 2...4 { Self.ask(stage, charge, Self.resend(number)) }
        #expect(stage.shard.answerCensus.resends == limits.resendCountMin + 1)
        Self.ask(stage, charge, Self.resend(1))
        #expect(stage.balance(Self.user) == 5)
    }

    @Test func `a key that was used again after a shorter lifetime counts as it was used last`() {
        let stage = Stage()
        for (at, balance) in [(Stage.start, 1), (Stage.start + .minutes(1), 2)] {
            let answer = StoredAnswer(
                operation: Self.key(1),
                fingerprint: 1,
                outcome: .points(balance: Won(Int64(balance))),
                at: at
            )
            stage.shard.apply(.answered(answer))
        }
        stage.shard.checkInvariants()
        #expect(stage.shard.answerCensus.keys == 1)
        #expect(stage.shard.answersGiven.answer(Self.key(1).id, at: Stage.start)?.at == Stage.start + .minutes(1))
    }

    @Test func `at the bound gateways' oldest answers go first, then new keys are refused, and none is forgotten`() {
        var limits = AnswerLimits()
        limits.countMax = 8
        let stage = Self.stage(limits)
        let charge = Request.charge(Self.user, Won(1), .free)
        for number: UInt64 in 1...8 { Self.ask(stage, charge, Self.resend(number)) }
        for number: UInt64 in 1...6 { #expect(Self.ask(stage, charge, Self.key(number))?.refusal == nil) }
        #expect(stage.balance(Self.user) == 14)
        #expect(Self.ask(stage, charge, Self.key(7)) == .refusedFor(.keysFull, seconds: 86_400))
        let census = stage.shard.answerCensus
        #expect([census.keys, census.resends, census.countMax] == [6, 2, 8])
        #expect(census.bytes > 8 * 88)
        // The gateway's newest two are kept, the third is not; every key is.
        for number: UInt64 in 7...8 { Self.ask(stage, charge, Self.resend(number)) }
        for number: UInt64 in 1...6 { Self.ask(stage, charge, Self.key(number)) }
        #expect(stage.balance(Self.user) == 14)
        Self.ask(stage, charge, Self.resend(6))
        #expect(stage.balance(Self.user) == 15)
        stage.output()
    }

    @Test func `one user's keys are bounded, and nobody else's are; replay and snapshot count the same`() {
        var limits = AnswerLimits()
        limits.keysPerUserMax = 3
        let stage = Self.stage(limits)
        func charge(_ user: UserID, _ number: UInt64) -> Reply? {
            let operation = Operation(OperationID(high: user.rawValue, low: number), .client)
            return Self.ask(stage, .charge(user, Won(1), .free), operation)
        }
        for number: UInt64 in 1...3 { #expect(charge(Self.user, number)?.refusal != .tooManyKeys) }
        #expect(charge(Self.user, 4) == .refusedFor(.tooManyKeys, seconds: 86_400))
        #expect(stage.balance(Self.user) == 3)
        #expect(charge(Self.user, 3)?.refusal != .tooManyKeys, "a key that is kept has its answer")
        #expect(Self.ask(stage, .charge(Self.user, Won(1), .free), Self.resend(1))?.refusal != .tooManyKeys)
        #expect(charge(UserID(2), 1)?.refusal != .tooManyKeys)

        let fresh = Self.stage(limits)
        let restoration = ShardRestoration {
            Shard(index: 0, slots: fresh.slots, catalogue: fresh.catalogue, answerLimits: limits, hashSeed: 2)
        }
        stage.shard.forEachItem { item in
            do { try restoration.restore(item) } catch { Issue.record("\(error)") }
        }
        stage.shard = restoration.finish()
        stage.shard.checkInvariants()
        #expect(charge(Self.user, 4) == .refusedFor(.tooManyKeys, seconds: 86_400))

        // Over, though no fact has said so: nothing happens on this shard but this user's requests.
        stage.pass(.minutes(24 * 60))
        #expect(charge(Self.user, 4)?.refusal != .tooManyKeys)
        #expect(stage.shard.answerCensus.keys == 1)
        stage.shard.checkInvariants()
        stage.output()
    }

    /// Each by another user, as anybody can name users without logins.
    private static func charge(_ stage: Stage, _ user: UInt64, from address: UInt64) -> Reply? {
        let operation = Operation(OperationID(high: user, low: 1), .client, from: AddressTag(address))
        return Self.ask(stage, .charge(UserID(user), Won(1), .free), operation)
    }

    @Test func `one address's keys are a sixteenth of what is free, however many users it names`() {
        var limits = AnswerLimits()
        limits.countMax = 400
        let stage = Self.stage(limits)
        // 300 are for keys: with 17 taken, 283 are free, of which a sixteenth is 17.
        for user: UInt64 in 1...17 { #expect(Self.charge(stage, user, from: 7)?.refusal == nil) }
        stage.pass(.minutes(60))
        #expect(Self.charge(stage, 18, from: 7) == .refusedFor(.tooManyKeysOfAddress, seconds: 23 * 3_600))
        #expect(Self.charge(stage, 17, from: 7)?.refusal == nil, "a key that is kept has its answer")
        #expect(Self.charge(stage, 17, from: 8)?.refusal == nil, "from wherever it comes")
        #expect(Self.charge(stage, 18, from: 8)?.refusal == nil)
        // From a trusted address, or where users log in.
        #expect(Self.charge(stage, 19, from: 0)?.refusal == nil)
        stage.shard.checkInvariants()

        let fresh = Self.stage(limits)
        let restoration = ShardRestoration {
            Shard(index: 0, slots: fresh.slots, catalogue: fresh.catalogue, answerLimits: limits, hashSeed: 2)
        }
        stage.shard.forEachItem { item in
            do { try restoration.restore(item) } catch { Issue.record("\(error)") }
        }
        let facts = stage.output().facts
        func check() {
            stage.shard.checkInvariants()
            #expect(Self.charge(stage, 20, from: 7)?.refusal == .tooManyKeysOfAddress)
            #expect(Self.charge(stage, 21, from: 9)?.refusal == nil)
            stage.output()
        }
        stage.shard = restoration.finish()
        check()
        stage.shard = Self.replayed(facts, limits)
        check()
        // The first of them has expired, though no fact has said so.
        stage.pass(.minutes(23 * 60))
        #expect(Self.charge(stage, 22, from: 7)?.refusal == nil)
        stage.shard.checkInvariants()
        stage.output()
    }

    private static func replayed(_ facts: [Fact], _ limits: AnswerLimits) -> Shard {
        let stage = Self.stage(limits)
        for fact in facts { stage.shard.apply(fact) }
        let (slots, catalogue) = (stage.slots, stage.catalogue)
        var shard = Shard(index: 0, slots: slots, catalogue: catalogue, answerLimits: limits, hashSeed: 3)
        swap(&shard, &stage.shard)
        return shard
    }

    @Test func `however many addresses there are, one more finds room`() {
        var limits = AnswerLimits()
        limits.countMax = 4_000
        let stage = Self.stage(limits)
        var user: UInt64 = 0
        for address: UInt64 in 1...100 {
            repeat { user += 1 } while Self.charge(stage, user, from: address)?.refusal == nil
            stage.output()
        }
        let keys = stage.shard.answerCensus.keys
        #expect((2_900..<3_000).contains(keys), "\(keys)")
        user += 1
        #expect(Self.charge(stage, user, from: 101)?.refusal == nil)
        // At the limit none is evicted, and all refusals say when the first key ends.
        for address: UInt64 in 102...3_000 where stage.shard.answerCensus.keys < 3_000 {
            user += 1
            #expect(Self.charge(stage, user, from: address)?.refusal == nil)
            stage.output()
        }
        stage.pass(.minutes(1))
        #expect(Self.charge(stage, user + 1, from: 3_001) == .refusedFor(.keysFull, seconds: 86_340))
        stage.shard.checkInvariants()
        stage.output()
    }

    @Test func `keys are nearly full at nine tenths`() {
        var limits = AnswerLimits()
        limits.countMax = 40
        let stage = Self.stage(limits)
        for number: UInt64 in 1...30 {
            #expect(stage.shard.answerCensus.isNearlyFull == (number > 27))
            Self.ask(stage, .charge(Self.user, Won(1), .free), Self.key(number))
        }
        #expect(Self.ask(stage, .charge(Self.user, Won(1), .free), Self.key(31))?.refusal == .keysFull)
        stage.output()
    }
}
