import Testing

@testable import Booking

@Suite struct GatewayTests {
    private static let slots = SlotMap(shardCount: 2)
    private static let request = Request.balance(UserID(1))
    private static let home = Self.slots.shard(of: Self.request.slot)

    /// Two in flight per shard at most; both links up.
    private static func gateway() -> Gateway {
        var limits = Gateway.Limits()
        limits.inFlightPerShardMax = 2
        var gateway = Gateway(slots: Self.slots, limits: limits)
        _ = gateway.linkIsUp(to: 0)
        _ = gateway.linkIsUp(to: 1)
        return gateway
    }

    private static func client(_ connection: UInt64, _ sequence: UInt32 = 0) -> Gateway.Client {
        Gateway.Client(connection: connection, sequence: sequence)
    }

    /// Nil when it is refused.
    private static func send(_ gateway: inout Gateway, _ connection: UInt64, at now: Timestamp = Stage.start) -> UInt64?
    {
        let submission = gateway.route(Self.request, for: Self.client(connection), token: TokenText(), at: now)
        guard case .send(let shard, let id) = submission else { return nil }
        #expect(shard == Self.home)
        return id
    }

    @Test func `a request goes to the shard of its slot, and its answer back to its client`() {
        var gateway = Self.gateway()
        let id = Self.send(&gateway, 7)!
        #expect(gateway.inFlightCount(of: Self.home) == 1)
        #expect(gateway.inFlightCount == 1)
        let pending = gateway.complete(id, from: Self.home)
        #expect(pending?.client == Self.client(7))
        #expect(pending?.request == Self.request)
        #expect(gateway.complete(id, from: Self.home) == nil)
        #expect(gateway.inFlightCount == 0)
    }

    @Test func `an answer from another shard is nobody's`() {
        var gateway = Self.gateway()
        let id = Self.send(&gateway, 7)!
        #expect(gateway.complete(id, from: 1 - Self.home) == nil)
        #expect(gateway.complete(id, from: Self.home) != nil)
    }

    @Test func `beyond the limit of one shard requests are refused, and others' are not`() {
        var gateway = Self.gateway()
        let first = Self.send(&gateway, 1)!
        _ = Self.send(&gateway, 2)
        let third = gateway.route(Self.request, for: Self.client(3), token: TokenText(), at: Stage.start)
        #expect(third == .refused(.overloaded))
        let other = (1...100).map { Request.balance(UserID($0)) }.first { Self.slots.shard(of: $0.slot) != Self.home }!
        guard case .send = gateway.route(other, for: Self.client(3), token: TokenText(), at: Stage.start) else {
            Issue.record("the other shard has room")
            return
        }
        _ = gateway.complete(first, from: Self.home)
        #expect(Self.send(&gateway, 4) != nil)
        gateway.checkInvariants()
    }

    @Test func `a gateway is ready once every shard can be reached`() {
        var gateway = Gateway(slots: Self.slots, limits: Gateway.Limits())
        #expect(!gateway.isReady)
        _ = gateway.linkIsUp(to: Self.home)
        #expect(gateway.isUp(Self.home))
        #expect(!gateway.isReady)
        #expect(Self.send(&gateway, 1) != nil)
        _ = gateway.linkIsUp(to: 1 - Self.home)
        #expect(gateway.isReady)
    }

    @Test func `a request is given up exactly when its time is up`() {
        var gateway = Self.gateway()
        let first = Self.send(&gateway, 1)!
        _ = Self.send(&gateway, 2, at: Stage.start + .seconds(1))
        #expect(gateway.timedOut(at: Stage.start + .seconds(5) - 1).isEmpty)
        #expect(gateway.timedOut(at: Stage.start + .seconds(5)).map(\.client) == [Self.client(1)])
        #expect(gateway.timedOut(at: Stage.start + .seconds(5)).isEmpty)
        #expect(gateway.complete(first, from: Self.home) == nil)
        #expect(gateway.inFlightCount == 1)
    }

    // MARK: Schedules

    private static func refreshID(_ answer: Gateway.ScheduleAnswer) -> (shard: Int, id: UInt64)? {
        switch answer {
        case .waitRefresh(let shard, let id), .readyRefresh(_, let shard, let id): (shard, id)
        default: nil
        }
    }

    @Test func `one question fills the cache for all who wait, and for a second after`() {
        var gateway = Self.gateway()
        let asked = Self.refreshID(gateway.schedules(of: Stage.concert, for: Self.client(1), at: Stage.start))!
        #expect(gateway.schedules(of: Stage.concert, for: Self.client(2), at: Stage.start) == .wait)
        let pending = gateway.complete(asked.id, from: asked.shard)!
        #expect(pending.client == nil)
        #expect(gateway.completeRefresh(CachedBody([1, 2]), for: pending) == [Self.client(1), Self.client(2)])
        let ready = gateway.schedules(of: Stage.concert, for: Self.client(3), at: Stage.start + .milliseconds(499))
        #expect(ready == .ready(CachedBody([1, 2])))
        #expect(gateway.inFlightCount == 0)
    }

    @Test func `a refresh that fails refuses those who wait, and the next one asks again`() {
        var gateway = Self.gateway()
        _ = gateway.schedules(of: Stage.concert, for: Self.client(1), at: Stage.start)
        _ = gateway.schedules(of: Stage.concert, for: Self.client(2), at: Stage.start)
        let late = Stage.start + .seconds(5)
        #expect(gateway.timedOut(at: late).flatMap { gateway.failed($0) } == [Self.client(1), Self.client(2)])
        let answer = gateway.schedules(of: Stage.concert, for: Self.client(4), at: late)
        let again = Self.refreshID(answer)!
        let pending = gateway.complete(again.id, from: again.shard)!
        #expect(gateway.completeRefresh(CachedBody([3]), for: pending) == [Self.client(4)])
    }

    @Test func `a young answer goes on serving while its shard is away`() {
        var gateway = Self.gateway()
        let asked = Self.refreshID(gateway.schedules(of: Stage.concert, for: Self.client(1), at: Stage.start))!
        _ = gateway.completeRefresh(CachedBody([1]), for: gateway.complete(asked.id, from: asked.shard)!)
        gateway.linkIsLost(to: asked.shard, at: Stage.start)
        let later = Stage.start + .milliseconds(900)
        #expect(gateway.schedules(of: Stage.concert, for: Self.client(2), at: later) == .ready(CachedBody([1])))
        #expect(gateway.schedules(of: Stage.concert, for: Self.client(2), at: later) == .ready(CachedBody([1])))
        #expect(gateway.linkIsUp(to: asked.shard).map(\.request) == [.schedules(Stage.concert)])
    }

    @Test func `who waits for schedules is bounded as well`() {
        var gateway = Self.gateway()
        for connection: UInt64 in 1...2 {
            _ = gateway.schedules(of: Stage.concert, for: Self.client(connection), at: Stage.start)
        }
        let third = gateway.schedules(of: Stage.concert, for: Self.client(3), at: Stage.start)
        #expect(third == .refused(.overloaded))
    }

    @Test func `a failed request of a client is not the cache's`() {
        var gateway = Self.gateway()
        _ = Self.send(&gateway, 1)
        for pending in gateway.timedOut(at: Stage.start + .seconds(5)) { #expect(gateway.failed(pending).isEmpty) }
    }

    @Test func `a refresh that brings no schedules is refused as the shard refused it`() {
        #expect(Gateway.refusal(ofRefresh: .refused(.wrongShard)) == .refused(.wrongShard))
        #expect(Gateway.refusal(ofRefresh: .left) == Reply.unanswered)
    }
}
