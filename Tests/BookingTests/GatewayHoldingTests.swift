import Testing

@testable import Booking

@Suite struct GatewayHoldingTests {
    private static let slots = SlotMap(shardCount: 2)
    private static let user = UserID(1)
    private static let home = Self.slots.shard(of: Slot(of: Self.user))
    private static let key = ClientKey(OperationID(high: 1, low: 2), from: AddressTag(3))

    private static func gateway(_ change: (inout Gateway.Limits) -> Void = { _ in }) -> Gateway {
        var limits = Gateway.Limits()
        change(&limits)
        var gateway = Gateway(slots: Self.slots, limits: limits)
        for shard in 0..<2 { _ = gateway.linkIsUp(to: shard) }
        return gateway
    }

    /// Uses of different amounts, to tell them apart.
    @discardableResult
    private static func route(
        _ gateway: inout Gateway,
        _ amount: Int64,
        connection: UInt64 = 1,
        sequence: UInt32 = 0,
        key: ClientKey? = nil,
        at now: Timestamp = Stage.start
    ) -> Gateway.Submission {
        let client = Gateway.Client(connection: connection, sequence: sequence)
        return gateway.route(.use(Self.user, Won(amount)), for: client, token: TokenText(), key: key, at: now)
    }

    private static func amounts(_ sendings: [Gateway.Sending]) -> [Int64] {
        sendings.map { sending in
            guard case .use(_, let amount) = sending.request else { return -1 }
            return amount.rawValue
        }
    }

    @Test func `what was in flight when a link was lost leaves again, as it was, when it is up`() {
        var gateway = Self.gateway()
        guard case .send(_, let plain) = Self.route(&gateway, 1),
            case .send(_, let keyed) = Self.route(&gateway, 2, sequence: 1, key: Self.key)
        else {
            Issue.record("both are sent")
            return
        }
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        #expect(gateway.inFlightCount(of: Self.home) == 2)
        #expect(
            gateway.linkIsUp(to: Self.home) == [
                Gateway.Sending(id: plain, request: .use(Self.user, Won(1)), key: nil),
                Gateway.Sending(id: keyed, request: .use(Self.user, Won(2)), key: Self.key),
            ]
        )
        #expect(gateway.complete(keyed, from: Self.home)?.client?.sequence == 1)
        // The second time, the new request in the same row has no key.
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        Self.route(&gateway, 3)
        #expect(gateway.linkIsUp(to: Self.home).allSatisfy { $0.key == nil })
        gateway.checkInvariants()
    }

    @Test func `what comes while a shard is away is held, and leaves in order after what was in flight`() {
        var gateway = Self.gateway()
        var ids: [UInt64] = []
        for amount: Int64 in 1...4 {
            guard case .send(_, let id) = Self.route(&gateway, amount, sequence: UInt32(amount)) else { continue }
            ids.append(id)
        }
        // Rows are reused in another order than they were freed in.
        for id in [ids[0], ids[2]] { _ = gateway.complete(id, from: Self.home) }
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        for amount: Int64 in 5...8 {
            #expect(Self.route(&gateway, amount, sequence: UInt32(amount)) == .held)
        }
        #expect(Self.route(&gateway, 9, connection: 0, at: Stage.start + .milliseconds(1)) == .held)
        #expect(Self.amounts(gateway.linkIsUp(to: Self.home)) == [2, 4, 5, 6, 7, 8, 9])
        #expect(Self.amounts(gateway.linkIsUp(to: 1 - Self.home)) == [])
    }

    @Test func `beyond its bound nothing more is held, and other shards do not notice`() {
        var gateway = Self.gateway { $0.heldPerShardMax = 2 }
        Self.route(&gateway, 1)
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        #expect(Self.route(&gateway, 2) == .held)
        #expect(Self.route(&gateway, 3) == .refused(.overloaded))
        let other = (1...100).map { UserID($0) }.first { Self.slots.shard(of: Slot(of: $0)) != Self.home }!
        let client = Gateway.Client(connection: 9, sequence: 0)
        guard case .send = gateway.route(.balance(other), for: client, token: TokenText(), at: Stage.start) else {
            Issue.record("the other shard is up")
            return
        }
        #expect(Self.amounts(gateway.linkIsUp(to: Self.home)) == [1, 2])
    }

    @Test func `what is held is given up at its deadline, counted from when it came`() {
        var gateway = Self.gateway()
        Self.route(&gateway, 1, key: Self.key)
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        Self.route(&gateway, 2, connection: 2, at: Stage.start + .seconds(4))
        #expect(gateway.timedOut(at: Stage.start + .seconds(5)).map(\.client?.connection) == [1])
        gateway.checkInvariants()
        #expect(Self.amounts(gateway.linkIsUp(to: Self.home)) == [2])
    }

    @Test func `a gateway serves while it holds, and not once it has given up`() {
        var gateway = Self.gateway()
        gateway.linkIsLost(to: Self.home, at: Stage.start)
        #expect(!gateway.isReady)
        #expect(gateway.isServing(at: Stage.start + .milliseconds(4_999)))
        #expect(!gateway.isServing(at: Stage.start + .seconds(5)))
        _ = gateway.linkIsUp(to: Self.home)
        #expect(gateway.isServing(at: Stage.start + .seconds(5)))
        #expect(!Gateway(slots: Self.slots, limits: Gateway.Limits()).isServing(at: Stage.start))
    }

    @Test func `a question for the cache is held like any other, and all who came for it wait`() {
        var gateway = Self.gateway()
        let shard = Self.slots.shard(of: Slot(of: Stage.concert))
        gateway.linkIsLost(to: shard, at: Stage.start)
        for connection: UInt64 in 1...2 {
            let client = Gateway.Client(connection: connection, sequence: 0)
            #expect(gateway.schedules(of: Stage.concert, for: client, at: Stage.start) == .wait)
        }
        let sendings = gateway.linkIsUp(to: shard)
        #expect(sendings.map(\.request) == [.schedules(Stage.concert)])
        let pending = gateway.complete(sendings[0].id, from: shard)!
        #expect(gateway.completeRefresh(CachedBody([1]), for: pending).map(\.connection) == [1, 2])
    }
}
