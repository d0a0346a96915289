import Testing

@testable import Booking

@Suite struct GatewayKeysTests {
    private static let slots = SlotMap(shardCount: 2)
    private static let key = ClientKey(OperationID(high: 1, low: 2), from: AddressTag(3))
    private static let home = Self.slots.shard(of: Slot(of: Stage.concert))
    /// A user on the other shard than the concert, and one on the same.
    private static let stranger = (1...100).map { UserID($0) }.first {
        Self.slots.shard(of: Slot(of: $0)) != Self.home
    }!
    private static let neighbour = (1...100).map { UserID($0) }.first {
        Self.slots.shard(of: Slot(of: $0)) == Self.home
    }!

    private static func gateway() -> Gateway {
        var gateway = Gateway(slots: Self.slots, limits: Gateway.Limits())
        for shard in 0..<2 { _ = gateway.linkIsUp(to: shard) }
        return gateway
    }

    private static func join(_ gateway: inout Gateway, _ user: UserID, key: ClientKey? = Self.key)
        -> Gateway.Submission
    {
        let client = Gateway.Client(connection: 1, sequence: 0)
        let request = Request.join(Stage.concert, user)
        return gateway.route(request, for: client, token: TokenText(), key: key, at: Stage.start)
    }

    @Test func `a key is claimed at its user's shard before the concert's is asked`() {
        var gateway = Self.gateway()
        let request = Request.join(Stage.concert, Self.stranger)
        guard case .claim(let shard, let id, let claim) = Self.join(&gateway, Self.stranger) else {
            Issue.record("the user lives elsewhere")
            return
        }
        #expect(shard == 1 - Self.home)
        #expect(claim == .claim(Self.stranger, fingerprint: request.fingerprint))
        // A lost link resends the claim, not the join.
        gateway.linkIsLost(to: shard, at: Stage.start)
        #expect(gateway.linkIsUp(to: shard) == [Gateway.Sending(id: id, request: claim, key: Self.key)])
        guard case (let pending, let key, .send(let to, let again))? = gateway.completeClaim(id, from: shard) else {
            Issue.record("the concert's shard is up")
            return
        }
        #expect(pending.request == request && key == Self.key && to == Self.home)
        gateway.linkIsLost(to: to, at: Stage.start)
        #expect(gateway.linkIsUp(to: to) == [Gateway.Sending(id: again, request: request, key: Self.key)])
        #expect(gateway.complete(again, from: to)?.client?.connection == 1)
        #expect(gateway.inFlightCount == 0)
        gateway.checkInvariants()
    }

    @Test func `who lives with the concert, and who has no key, asks it at once`() {
        var gateway = Self.gateway()
        #expect(Self.join(&gateway, Self.neighbour) == .send(shard: Self.home, id: 0))
        #expect(Self.join(&gateway, Self.stranger, key: nil) == .send(shard: Self.home, id: 1))
    }

    @Test func `a claim that is refused, or answered too late, goes no further`() {
        var gateway = Self.gateway()
        guard case .claim(let shard, let id, _) = Self.join(&gateway, Self.stranger) else { return }
        #expect(gateway.complete(id, from: shard)?.request == .join(Stage.concert, Self.stranger))
        #expect(gateway.completeClaim(id, from: shard) == nil)
        guard case .claim(_, let late, _) = Self.join(&gateway, Self.stranger) else { return }
        #expect(gateway.timedOut(at: Stage.start + .seconds(5)).count == 1)
        #expect(gateway.completeClaim(late, from: shard) == nil)
        #expect(gateway.inFlightCount == 0)
        gateway.checkInvariants()
    }

    @Test func `what is claimed waits for the concert's shard, and its time is that of the request`() {
        var gateway = Self.gateway()
        guard case .claim(let shard, let id, _) = Self.join(&gateway, Self.stranger) else { return }
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        #expect(gateway.completeClaim(id, from: shard)?.2 == .held)
        #expect(gateway.timedOut(at: Stage.start + .seconds(5)).count == 1)
    }

    @Test func `a shard keeps a claim like an answer`() {
        let stage = Stage()
        func ask(_ request: Request, _ low: UInt64) -> Reply? {
            let key = Operation(OperationID(high: 0, low: low), .client)
            return stage.shard.decide(request, from: stage.origin(1), as: key, at: stage.now)
        }
        #expect(ask(.claim(UserID(1), fingerprint: 7), 1) == .claimed)
        #expect(ask(.claim(UserID(1), fingerprint: 7), 1) == .claimed)
        #expect(ask(.claim(UserID(1), fingerprint: 8), 1) == .refused(.keyReused))
        #expect(ask(.charge(UserID(1), Won(5), .free), 1) == .refused(.keyReused))
        #expect(ask(.charge(UserID(1), Won(5), .free), 2) != nil)
        #expect(ask(.claim(UserID(1), fingerprint: 7), 2) == .refused(.keyReused))
        #expect(stage.output().facts.count == 3)
    }
}
