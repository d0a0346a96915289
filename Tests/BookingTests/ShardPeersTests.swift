import Testing

@testable import Booking

/// Shards whose journals were restored from older copies: no id is given twice, and no points move for another
/// transfer.
@Suite struct ShardPeersTests {
    /// A shard's marks of another's ids.
    private static func seen(_ stage: Stage, by shard: Int) -> [TransferMark] {
        guard case .transfersSeen(let marks) = stage.ask(.transfersSeen(shard: UInt16(shard))) else { return [] }
        return marks
    }

    /// A new shard that has applied `facts` and has heard no other shard.
    private static func restarted(_ stage: Stage, from facts: [Fact], asCopy: Bool = false) {
        stage.shard = Shard(index: stage.index, slots: stage.slots, catalogue: stage.catalogue, hashSeed: 3)
        for fact in facts { stage.shard.apply(fact) }
        if asCopy { stage.shard.declareCopy(chance: 0) }
        stage.shard.resume(at: stage.now)
    }

    private static func reservations(_ stage: Stage, of user: UserID) -> [Reservation] {
        guard case .reservations(let all) = stage.ask(.reservations(Stage.concert, user)) else { return [] }
        return all
    }

    private static func counter(_ id: some Identifier) -> UInt64 { SlotIDs.counter(of: id.rawValue) }

    @Test func `before the user's shard is heard, paying and cancelling wait, and are decided in order then`() {
        let (home, away, user) = Stage.apart()
        let pass = home.join(user)
        let holds = home.reserve(pass, [1, 2]).map(\.id)
        let facts = home.output().facts
        Self.restarted(home, from: facts)
        #expect(home.shard.drainPeersToAsk() == [away.index])
        #expect(home.ask(.pay(pass, [holds[0]])) == nil)
        #expect(home.ask(.cancel(Stage.concert, user, [holds[1]])) == nil)
        #expect(home.output() == Stage.Output())
        // All else goes on.
        #expect(home.ask(.poll(pass)) == .standing(.admitted))
        home.shard.hear(Self.seen(away, by: home.index), from: away.index, at: home.now)
        let output = home.output()
        #expect(output.transfers.count == 1)
        #expect(output.late.map(\.reply) == [.refused(.notPaid)])
        #expect(home.shard.drainAlerts() == [])
    }

    @Test func `those who wait for a shard to be heard are told that nobody knows when the journal can't write`() {
        let (home, _, user) = Stage.apart()
        let pass = home.join(user)
        let holds = home.reserve(pass, [1]).map(\.id)
        Self.restarted(home, from: home.output().facts)
        #expect(home.ask(.pay(pass, holds)) == nil)
        #expect(home.shard.removeWaiters(telling: Reply.unanswered).map(\.kind) == [.pay])
        #expect(home.shard.removeWaiters(telling: Reply.unanswered) == [])
    }

    @Test func `only so many wait for a shard to be heard`() {
        let (home, _, user) = Stage.apart()
        let pass = home.join(user)
        let holds = home.reserve(pass, [1]).map(\.id)
        Self.restarted(home, from: home.output().facts)
        for _ in 0..<Shard.deferredMax { #expect(home.ask(.pay(pass, holds)) == nil) }
        #expect(home.ask(.pay(pass, holds)) == .refused(.overloaded))
    }

    /// A concert's shard that was restored to before it sold a seat to a user of the other, and that other shard.
    private static func putBack() throws -> (home: Stage, away: Stage, user: UserID, old: TransferOrder) {
        let (home, away, user) = Stage.apart()
        away.charge(user, 200_000)
        let pass = home.join(user)
        let holds = home.reserve(pass, [1]).map(\.id)
        let copy = home.output().facts
        #expect(home.ask(.pay(pass, holds)) == nil)
        let old = home.output().transfers[0]
        #expect(away.ask(old.request) == .debited(Won(30_000)))
        Self.restarted(home, from: copy)
        return (home, away, user, old)
    }

    @Test func `a shard that is behind what another has seen goes on behind that, and says so`() throws {
        let (home, away, user, old) = try Self.putBack()
        home.shard.hear(Self.seen(away, by: home.index), from: away.index, at: home.now)
        guard case .isBehind(away.index, 1, _, let own, let seen)? = home.shard.drainAlerts().first else {
            Issue.record("nobody is told")
            return
        }
        #expect(own == Self.counter(old.id) - 1 && seen == Self.counter(old.id))
        let skip = home.output().facts
        #expect(skip.count == 1)
        let next = home.reserve(home.join(user), [2])[0]
        #expect(Self.counter(next.id) > Self.counter(old.id) + 1_000_000)
        // A replay of the fact gives the same.
        Self.restarted(home, from: home.output().facts)
        #expect(home.shard.counters.max()! >= Self.counter(next.id))
        // No second alert.
        home.shard.hear([], from: away.index, at: home.now)
        #expect(home.shard.drainAlerts() == [])
    }

    @Test func `a copy that has skipped ids by itself is told what it has lost all the same`() throws {
        let (home, away, _, old) = try Self.putBack()
        home.shard.declareCopy(chance: 0)
        home.shard.resume(at: home.now)
        home.output()
        home.shard.hear(Self.seen(away, by: home.index), from: away.index, at: home.now)
        #expect(home.output().facts == [])
        guard case .isBehind(away.index, 1, _, 1, let seen)? = home.shard.drainAlerts().first else {
            Issue.record("nobody is told")
            return
        }
        #expect(seen == Self.counter(old.id))
    }

    @Test func `what begins after a copy was put back is no loss when it is heard of again`() throws {
        let (home, away, user, _) = try Self.putBack()
        home.shard.declareCopy(chance: 0)
        home.shard.resume(at: home.now)
        home.shard.hear(Self.seen(away, by: home.index), from: away.index, at: home.now)
        #expect(home.shard.drainAlerts().count == 1)
        let pass = home.join(user)
        #expect(home.ask(.pay(pass, home.reserve(pass, [2]).map(\.id))) == nil)
        let debit = home.output().transfers[0]
        home.shard.completeTransfer(away.ask(debit.request)!, for: debit.id, at: home.now)
        home.output()
        home.shard.hear(Self.seen(away, by: home.index), from: away.index, at: home.now)
        #expect(home.shard.drainAlerts() == [])
    }

    @Test func `a copy skips as many ids as may have been given since`() {
        let stage = Stage()
        let pass = stage.join(UserID(1))
        let hold = stage.reserve(pass, [1])[0]
        let facts = stage.output().facts
        stage.pass(.days(1))
        Self.restarted(stage, from: facts, asCopy: true)
        #expect(stage.output().facts == [.idsSkipped(1 << 20 + 86_400 * 10_000, at: stage.now)])
        let next = stage.reserve(stage.join(UserID(1)), [2])[0]
        #expect(Self.counter(next.id) - Self.counter(hold.id) > 864_000_000)
    }

    @Test func `a copy that is put back twice at one time skips to other ids each time`() {
        let stage = Stage()
        stage.charge(UserID(1), 1)
        let facts = stage.output().facts
        var firsts: Set<UInt64> = []
        for chance: UInt64 in [7, 1 << 40 + 8] {
            Self.restarted(stage, from: facts)
            stage.shard.declareCopy(chance: chance)
            stage.shard.resume(at: stage.now)
            // Only the first time: it continues behind the skipped ids.
            stage.shard.resume(at: stage.now)
            #expect(stage.output().facts == [.idsSkipped(1 << 20 + chance % (1 << 26), at: stage.now)])
            firsts.insert(stage.shard.counters.max()!)
        }
        #expect(firsts.count == 2)
    }

    @Test func `however often ids are skipped, some are left`() {
        let stage = Stage()
        stage.charge(UserID(1), 1)
        for _ in 0..<150 {
            stage.pass(.days(365))
            stage.shard.declareCopy(chance: 0)
            stage.shard.resume(at: stage.now)
        }
        stage.output()
        #expect(stage.ask(.charge(UserID(1), Won(1), .free)) != nil)
        #expect(stage.shard.counters.max()! < SlotIDs.counterMax)
    }

    @Test func `an id that was given again gives nothing away: the payment is given up`() throws {
        let (home, away, _, old) = try Self.putBack()
        // The other shard was not asked what it has seen, or has lost it.
        home.shard.hear([], from: away.index, at: home.now)
        let poor = (1...100).map { UserID($0) }.last { away.slots.shard(of: Slot(of: $0)) == away.index }!
        let hold = Self.reservations(home, of: old.user)[0]
        let owner = home.join(old.user)
        home.output()
        #expect(home.ask(.pay(owner, [hold.id])) == nil)
        let again = home.output().transfers[0]
        #expect(again.id == old.id, "the story is about the same id")
        let other = TransferOrder(
            id: again.id,
            direction: .debit,
            concert: again.concert,
            user: poor,
            amount: again.amount,
            settled: again.settled
        )
        #expect(away.ask(other.request) == .refused(.transferConflict))
        #expect(away.balance(poor) == 0 && away.balance(old.user) == 30_000)
        home.shard.completeTransfer(.refused(.transferConflict), for: again.id, at: home.now)
        let output = home.output()
        #expect(output.late.map(\.reply) == [.refused(.transferConflict)])
        #expect(output.facts.first == .paymentRefused(Stage.concert, PaymentID(again.id.rawValue), at: home.now))
        #expect(home.status(of: 1) == .held)
        guard case .conflict(let transfer, away.index)? = home.shard.drainAlerts().first else {
            Issue.record("nobody is told")
            return
        }
        #expect(transfer.id == again.id)
        // The next attempt has an id that no other shard has seen.
        #expect(home.ask(.pay(owner, [hold.id])) == nil)
        let fresh = home.output().transfers[0]
        #expect(Self.counter(fresh.id) > Self.counter(old.id) + 1_000_000)
    }

    /// A seat sold over two shards, and a cancellation of it that has begun.
    private static func cancelling() throws -> (home: Stage, away: Stage, user: UserID, credit: TransferOrder) {
        let (home, away, user) = Stage.apart()
        away.charge(user, 200_000)
        let pass = home.join(user)
        let holds = home.reserve(pass, [1]).map(\.id)
        #expect(home.ask(.pay(pass, holds)) == nil)
        let debit = home.output().transfers[0]
        home.shard.completeTransfer(away.ask(debit.request)!, for: debit.id, at: home.now)
        home.output()
        #expect(home.ask(.cancel(Stage.concert, user, holds)) == nil)
        return (home, away, user, home.output().transfers[0])
    }

    @Test func `a cancellation whose id is another transfer's is given up, and can be tried again`() throws {
        let (home, away, user, credit) = try Self.cancelling()
        let ids = Self.reservations(home, of: user).map(\.id)
        home.shard.completeTransfer(.refused(.transferConflict), for: credit.id, at: home.now)
        let output = home.output()
        #expect(output.late.map(\.reply) == [.refused(.transferConflict)])
        #expect(output.facts.first == .cancelRefused(Stage.concert, CancellationID(credit.id.rawValue), at: home.now))
        #expect(home.status(of: 1) == .sold)
        #expect(home.shard.drainAlerts().count == 1)
        #expect(home.ask(.cancel(Stage.concert, user, ids)) == nil)
        let again = home.output().transfers[0]
        #expect(again.id != credit.id)
        home.shard.completeTransfer(away.ask(again.request)!, for: again.id, at: home.now)
        home.output()
        #expect(home.status(of: 1) == .available)
        #expect(away.balance(user) == 200_000)
    }

    @Test func `a cancellation that the user's shard keeps nothing of stays as it is, and is told once`() throws {
        let (home, away, _, credit) = try Self.cancelling()
        for _ in 0..<2 { home.shard.completeTransfer(.refused(.transferForgotten), for: credit.id, at: home.now) }
        #expect(home.output() == Stage.Output())
        #expect(home.status(of: 1) == .sold)
        guard case .creditForgotten(let transfer, by: away.index)? = home.shard.drainAlerts().first else {
            Issue.record("nobody is told")
            return
        }
        #expect(transfer.id == credit.id)
        #expect(home.shard.drainAlerts() == [])
    }

    @Test func `a user's shard that has forgotten what it answered is told of, with what it comes to`() throws {
        let (home, away, user, credit) = try Self.cancelling()
        home.shard.completeTransfer(away.ask(credit.request)!, for: credit.id, at: home.now)
        home.output()
        home.shard.hear(Self.seen(away, by: home.index), from: away.index, at: home.now)
        #expect(home.shard.drainAlerts() == [])
        // Restored to before any of it.
        home.shard.hear([], from: away.index, at: home.now)
        guard case .otherIsBehind(let lost)? = home.shard.drainAlerts().first else {
            Issue.record("nobody is told")
            return
        }
        #expect(lost.shard == away.index && lost.payments == 1 && lost.cancellations == 1)
        #expect(lost.debited == Won(170_000) && lost.credited == Won(170_000))
        #expect(home.slots.shard(of: Slot(of: user)) == away.index)
    }

    @Test func `points that come back to a user whose debit is lost count after a snapshot, too`() throws {
        let (_, away, user, credit) = try Self.cancelling()
        Self.restarted(away, from: [])
        #expect(away.ask(credit.request) == .credited(Won(170_000)))
        away.output()
        let restoration = ShardRestoration { [index = away.index, slots = away.slots, catalogue = away.catalogue] in
            Shard(index: index, slots: slots, catalogue: catalogue, hashSeed: 3)
        }
        var items: [SnapshotItem] = []
        away.shard.forEachItem { items.append($0) }
        for item in items { try restoration.restore(item) }
        let restored = restoration.finish()
        #expect(restored.points.credited == Won(170_000) && restored.points.debited == .zero)
        #expect(restored.points.balance(of: user).balance == Won(170_000))
    }

    @Test func `orders say what is settled by now, and of another shard nothing`() {
        let (home, away, user) = Stage.apart()
        let pass = home.join(user)
        let holds = home.reserve(pass, [1, 2, 3]).map(\.id)
        #expect(home.ask(.pay(pass, [holds[0]])) == nil)
        #expect(home.ask(.pay(pass, [holds[1]])) == nil)
        let open = home.output().transfers
        #expect(open.map(\.settled) == [Self.counter(open[0].id) - 1, Self.counter(open[0].id) - 1])
        home.shard.completeTransfer(away.ask(open[0].request)!, for: open[0].id, at: home.now)
        home.output()
        #expect(home.ask(.pay(pass, [holds[2]])) == nil)
        #expect(home.output().transfers.map(\.settled) == [Self.counter(open[1].id) - 1])
        home.shard.completeTransfer(away.ask(open[1].request)!, for: open[1].id, at: home.now)
        #expect(home.ask(.pay(pass, [holds[0]])) == nil)
        home.output()
    }

    @Test func `refused payments of one user leave nothing on either shard, apart or together`() {
        let (home, away, stranger) = Stage.apart()
        let neighbour = (1...100).map { UserID($0) }.first { home.slots.shard(of: Slot(of: $0)) == home.index }!
        for user in [stranger, neighbour] {
            let pass = home.join(user)
            let hold = home.reserve(pass, [user == stranger ? 1 : 2])[0]
            for _ in 0..<200 {
                if home.ask(.pay(pass, [hold.id])) == nil {
                    let debit = home.output().transfers[0]
                    home.shard.completeTransfer(away.ask(debit.request)!, for: debit.id, at: home.now)
                }
                home.output()
                away.output()
            }
        }
        #expect(home.shard.points.transfers.count <= 1)
        #expect(away.shard.points.transfers.count <= 1)
    }
}
