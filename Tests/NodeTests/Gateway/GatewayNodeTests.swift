import Testing
import Wire

@testable import Booking
@testable import Node

@Suite struct GatewayNodeTests {
    private typealias Stage = GatewayTranscript

    /// Of one user of the concert's shard.
    private static func balance(_ number: Int) -> Request { .balance(Stage.neighbours[number]) }

    private static let told = Reply.balance(Balance(balance: Won(5), updatedAt: nil))

    // MARK: A request and its reply

    @Test func `a request leaves at the end of its turn, and its reply goes to its client`() throws {
        let stage = Stage()
        #expect(stage.ask(Self.balance(0), 1) == .underWay)
        #expect(stage.ask(Self.balance(1), 2) == .underWay)
        #expect(
            stage.effectsAtTurnEnd() == [
                .sends(Self.balance(0), to: Stage.home, id: 0), .sends(Self.balance(1), to: Stage.home, id: 1),
            ]
        )
        #expect(try stage.hear(Self.told, 1, from: Stage.home) == [.answers(2, Self.told)])
        #expect(try stage.hear(Self.told, 0, from: Stage.home) == [.answers(1, Self.told)])
        #expect(stage.node.gateway.inFlightCount == 0)
    }

    @Test func `a reply that no request waits for is counted, and nothing more`() throws {
        let stage = Stage()
        _ = stage.ask(Self.balance(0), 1)
        _ = stage.effectsAtTurnEnd()
        #expect(try stage.hear(Self.told, 0, from: Stage.away) == [])
        #expect(try stage.hear(Self.told, 1, from: Stage.home) == [])
        #expect(stage.node.strayReplies == 2)
        // What answers another question, or tells of other seats than the catalogue has, is no answer.
        #expect(try stage.hear(.left, 0, from: Stage.home) == [.answers(1, .unanswered)])
        _ = stage.ask(.seats(Stage.concert, ScheduleID(1)), 2)
        guard case .sends(_, _, let id, _) = stage.effectsAtTurnEnd()[0] else { return }
        #expect(try stage.hear(.seats([.available]), id, from: Stage.home) == [.answers(2, .unanswered)])
        #expect(stage.node.strayReplies == 4)
    }

    @Test func `what a shard does not know is not answered, and what no shard sends ends its link`() throws {
        let stage = Stage()
        _ = stage.ask(Self.balance(0), 1)
        _ = stage.effectsAtTurnEnd()
        #expect(try stage.hear(.unknownKind(1), 0, from: Stage.home) == [.answers(1, .unanswered)])
        #expect(throws: WireError.self) { try stage.hear(.stats, 0, from: Stage.home) }
        var bytes = FrameBytes()
        try Self.balance(0).encode(into: &bytes, slot: Self.balance(0).slot, requestID: 0)
        do throws(WireError) {
            _ = try stage.hear(bytes, from: Stage.home)
            Issue.record("a shard asked a gateway")
        } catch {}
    }

    @Test func `a key is claimed at its user's shard, and the change leaves when it is`() throws {
        let stage = Stage()
        let key = ClientKey(OperationID(high: 1, low: 2), from: nil)
        let join = Request.join(Stage.concert, Stage.strangers[0])
        let claim = Request.claim(Stage.strangers[0], fingerprint: join.fingerprint)
        #expect(stage.ask(join, 1, key: key) == .underWay)
        #expect(stage.effectsAtTurnEnd() == [.sends(claim, to: Stage.away, id: 0, withKey: true)])
        #expect(
            try stage.hear(.claimed, 0, from: Stage.away) == [.sends(join, to: Stage.home, id: 0, withKey: true)]
        )
        // Nobody waits for a claim that comes again.
        #expect(try stage.hear(.claimed, 0, from: Stage.away) == [])
        #expect(stage.node.strayReplies == 1)
        #expect(try stage.hear(.refused(.keyReused), 0, from: Stage.home) == [.answers(1, .refused(.keyReused))])
    }

    @Test func `beyond the limit a request is refused, and not sent`() {
        var limits = Gateway.Limits()
        limits.inFlightPerShardMax = 1
        let stage = Stage(limits)
        #expect(stage.ask(Self.balance(0), 1) == .underWay)
        #expect(stage.ask(Self.balance(1), 2) == .refused(.overloaded))
        #expect(stage.effectsAtTurnEnd() == [.sends(Self.balance(0), to: Stage.home, id: 0)])
    }

    // MARK: Schedules

    @Test func `all who wait for one refresh get its body, and later ones the cache's`() throws {
        let stage = Stage()
        #expect(stage.askSchedules(1) == .waits(isRefresh: true))
        #expect(stage.askSchedules(2) == .waits(isRefresh: false))
        #expect(stage.effectsAtTurnEnd() == [.sends(.schedules(Stage.concert), to: Stage.home, id: 0)])
        #expect(
            try stage.hear(.schedules([50, 49]), 0, from: Stage.home) == [
                .answersWith(1, [50, 49]), .answersWith(2, [50, 49]),
            ]
        )
        #expect(stage.askSchedules(3) == .ready(CachedBody([50, 49]), isRefresh: false))
        stage.wait(.milliseconds(600))
        #expect(stage.askSchedules(4) == .ready(CachedBody([50, 49]), isRefresh: true))
        #expect(stage.effectsAtTurnEnd() == [.sends(.schedules(Stage.concert), to: Stage.home, id: 1 << 32)])
    }

    @Test func `a refresh that fails is told to all who waited`() throws {
        let stage = Stage()
        _ = stage.askSchedules(1)
        _ = stage.askSchedules(2)
        _ = stage.effectsAtTurnEnd()
        // A list of another length than the catalogue's is none.
        #expect(
            try stage.hear(.schedules([50]), 0, from: Stage.home) == [
                .answers(1, .unanswered), .answers(2, .unanswered),
            ]
        )
    }

    // MARK: Links

    @Test func `what a lost link leaves open is sent again in its order, with its ids and keys`() throws {
        let stage = Stage()
        let key = ClientKey(OperationID(high: 1, low: 2), from: nil)
        let charge = Request.charge(Stage.neighbours[0], Won(5), .free)
        _ = stage.ask(Self.balance(0), 1)
        stage.wait(.milliseconds(1))
        _ = stage.ask(charge, 2, key: key)
        stage.wait(.milliseconds(1))
        _ = stage.effectsAtTurnEnd()
        _ = stage.ask(Self.balance(2), 3)
        // The last one had not left yet.
        #expect(stage.linkLost(Stage.home) == [])
        stage.wait(.milliseconds(1))
        #expect(stage.ask(Self.balance(3), 4) == .underWay)
        #expect(stage.effectsAtTurnEnd() == [])
        let all: [Stage.Effect] = [
            .sends(Self.balance(0), to: Stage.home, id: 0), .sends(charge, to: Stage.home, id: 1, withKey: true),
            .sends(Self.balance(2), to: Stage.home, id: 2), .sends(Self.balance(3), to: Stage.home, id: 3),
        ]
        #expect(stage.linkUp(Stage.home) == all)
        #expect(try stage.hear(Self.told, 3, from: Stage.home) == [.answers(4, Self.told)])
        #expect(stage.linkLost(Stage.home) == [])
        #expect(stage.linkUp(Stage.home) == Array(all[..<3]))
    }

    @Test func `what is not answered in time is given up, sent or held`() {
        let stage = Stage()
        _ = stage.ask(Self.balance(0), 1)
        _ = stage.effectsAtTurnEnd()
        stage.wait(.milliseconds(1))
        _ = stage.linkLost(Stage.home)
        _ = stage.ask(Self.balance(1), 2)
        stage.wait(.milliseconds(4_999))
        #expect(stage.tick().filter { if case .answers = $0 { true } else { false } } == [.answers(1, .unanswered)])
        stage.wait(.milliseconds(1))
        #expect(stage.tick() == [.answers(2, .unanswered)])
        #expect(stage.linkUp(Stage.home) == [])
    }

    // MARK: From a start to an end

    @Test func `a gateway is ready once all shards can be reached, and says so once`() {
        let stage = Stage(linksUp: false)
        #expect(!stage.isReady)
        #expect(stage.linkUp(0) == [])
        #expect(stage.linkUp(1) == [.ready(.all)])
        #expect(stage.isReady)
        _ = stage.linkLost(1)
        #expect(stage.linkUp(1) == [])
    }

    @Test func `a gateway waits for a shard that is away as long as requests are held, a successor for ever`() {
        for isSuccessor in [false, true] {
            let stage = Stage(isSuccessor: isSuccessor, linksUp: false)
            _ = stage.linkUp(0)
            stage.wait(.milliseconds(4_999))
            #expect(!stage.tick().contains(.ready(.without([1]))))
            stage.wait(.milliseconds(1))
            #expect(stage.tick().contains(.ready(.without([1]))) == !isSuccessor)
            stage.wait(.seconds(100))
            #expect(!stage.tick().contains(.ready(.without([1]))))
            #expect(stage.linkUp(1) == (isSuccessor ? [.ready(.all)] : []))
        }
    }

    @Test func `a gateway that drains answers what it has and what still comes, until its clients have left`()
        throws
    {
        let stage = Stage()
        #expect(stage.clientsLeave() == [])
        _ = stage.ask(Self.balance(0), 1)
        _ = stage.effectsAtTurnEnd()
        #expect(stage.drain() == [])
        #expect(!stage.isReady)
        #expect(try stage.hear(Self.told, 0, from: Stage.home) == [.answers(1, Self.told)])
        #expect(stage.ask(Self.balance(1), 2) == .underWay)
        #expect(stage.effectsAtTurnEnd() == [.sends(Self.balance(1), to: Stage.home, id: 1 << 32)])
        #expect(try stage.hear(Self.told, 1 << 32, from: Stage.home) == [.answers(2, Self.told)])
        #expect(stage.clientsLeave() == [.drained])
        #expect(stage.clientsLeave() == [])
        // A stricter drain after it ends as well.
        #expect(stage.drain() == [])
        #expect(stage.clientsLeave() == [.drained])
    }

    @Test func `each life is another's, and never nobody's`() {
        let hello = Stage(chance: 7).node.hello
        #expect(hello.role == .gateway && hello.index == 3 && hello.shardCount == 2 && hello.life == 7)
        #expect(hello.catalogue == Stage.catalogue.digest)
        #expect(Stage(isSuccessor: true, chance: 8).node.hello.life == 8)
        #expect(Stage(chance: 0).node.hello.life != 0)
    }

    // MARK: Hung shards

    @Test func `a shard whose link is up and that answers no ping is told as silent, until it answers`() throws {
        let stage = Stage()
        #expect(stage.tick() == [.pings(0, id: 1), .pings(1, id: 1)])
        #expect(try stage.hear(.pong, 1, from: 0) == [])
        var told: [Stage.Effect] = []
        for _ in 0..<30 {
            stage.wait(.milliseconds(100))
            told += stage.tick()
            _ = try stage.hear(.pong, 1, from: 0)
        }
        #expect(told.filter { $0 != .pings(0, id: 1) } == [.fellSilent(1)])
        #expect(stage.silentShards == [1] && !stage.isReady)
        _ = try stage.hear(.pong, 1, from: 1)
        #expect(stage.isReady)
        #expect(stage.tick() == [.answersAgain(1)])
    }

    @Test func `a silent shard whose link is lost is away, and does not answer again`() {
        let stage = Stage()
        for _ in 0...30 {
            _ = stage.tick()
            stage.wait(.milliseconds(100))
        }
        #expect(stage.silentShards == [0, 1])
        #expect(stage.linkLost(0) == [])
        #expect(stage.tick() == [])
        #expect(stage.silentShards == [1])
        #expect(stage.node.shardsAway == [0])
    }

    // MARK: More than can be done

    private static let pressed: Gateway.Limits = {
        var limits = Gateway.Limits()
        limits.window.target = .milliseconds(10)
        limits.window.patience = .zero
        limits.window.countMin = 1
        limits.window.askingRoomPercent = 100
        return limits
    }()

    @Test func `a ping goes with requests, every 5 ms, and none without`() throws {
        let stage = Stage(Self.pressed)
        _ = stage.ask(Self.balance(0), 1)
        let first: [Stage.Effect] = [.sends(Self.balance(0), to: Stage.home, id: 0), .pings(Stage.home, id: 0)]
        #expect(stage.effectsAtTurnEnd() == first)
        stage.wait(.milliseconds(1))
        #expect(try stage.hear(.pong, 0, from: Stage.home) == [])
        #expect(try stage.hear(Self.told, 0, from: Stage.home) == [.answers(1, Self.told)])
        _ = stage.ask(Self.balance(1), 2)
        #expect(stage.effectsAtTurnEnd() == [.sends(Self.balance(1), to: Stage.home, id: 1 << 32)])
        _ = try stage.hear(Self.told, 1 << 32, from: Stage.home)
        stage.wait(.milliseconds(5))
        #expect(stage.effectsAtTurnEnd() == [])
        // The ping that asks whether a shard lives at all takes none with it.
        #expect(stage.tick() == [.pings(0, id: 1), .pings(1, id: 1)])
        _ = stage.ask(Self.balance(2), 3)
        #expect(stage.effectsAtTurnEnd().last == .pings(Stage.home, id: 0))
    }

    @Test func `with too much under way a join is shed before a question, and nothing of it is sent`() throws {
        let stage = Stage(Self.pressed)
        let join = Request.join(Stage.concert, Stage.neighbours[0])
        for client: UInt64 in 1...2 { _ = stage.ask(Self.balance(0), client) }
        _ = stage.effectsAtTurnEnd()
        // The ping is out for too long: one request is what the target allows.
        stage.wait(.milliseconds(20))
        _ = stage.ask(Self.balance(0), 3)
        #expect(stage.effectsAtTurnEnd().count == 1)
        #expect(stage.node.gateway.pressedShards == 1)
        #expect(stage.ask(join, 4) == .shed(.joining))
        #expect(stage.sheds(.joining))
        #expect(stage.effectsAtTurnEnd() == [])
        #expect(stage.node.gateway.inFlightCount == 3)
        _ = try stage.hear(Self.told, 0, from: Stage.home)
        _ = try stage.hear(Self.told, 1, from: Stage.home)
        #expect(stage.ask(join, 4) == .shed(.joining))
        #expect(stage.ask(Self.balance(0), 5) == .underWay)
        // A lost link is known for nothing.
        _ = stage.linkLost(Stage.home)
        #expect(stage.ask(join, 6) == .underWay)
    }

    @Test func `other settings count at once, and a ping that was out before them tells nothing`() throws {
        let stage = Stage(Self.pressed)
        _ = stage.ask(Self.balance(0), 1)
        _ = stage.effectsAtTurnEnd()
        stage.node.use(GatewayNode.Settings(limits: Gateway.Limits(), silenceMax: .seconds(1)))
        stage.wait(.seconds(1))
        #expect(try stage.hear(.pong, 0, from: Stage.home) == [])
        #expect(stage.node.gateway.pressedShards == 0)
        _ = stage.ask(Self.balance(0), 2)
        #expect(stage.effectsAtTurnEnd().count == 1)
    }
}
