import Booking
import Wire

@testable import Node

/// A gateway of a cluster of two shards and a clock, for tests that tell a story: an event in, effects out.
final class GatewayTranscript {
    /// What the adapter would have to do, as values.
    enum Effect: Equatable {
        case sends(Request, to: Int, id: UInt64, withKey: Bool = false)
        case pings(Int, id: UInt64)
        /// Client 1 is connection 1.
        case answers(UInt64, Reply)
        case answersWith(UInt64, [UInt8])
        case ready(GatewayEffects.Readiness)
        case fellSilent(Int)
        case answersAgain(Int)
        case drained
    }

    static let start = Timestamp(seconds: 1_800_000_000)
    static let slots = SlotMap(shardCount: 2)
    static let concert = ConcertID(1)
    static let catalogue: Catalogue = {
        let schedules = (1...2).map { day in
            Schedule(id: ScheduleID(day), playsAt: GatewayTranscript.start + .days(Int64(day)), hall: .original)
        }
        let concert = Concert(
            id: GatewayTranscript.concert,
            title: "concert",
            opensAt: .distantPast,
            schedules: schedules,
            rules: ConcertRules()
        )
        do { return try Catalogue([concert]) } catch { preconditionFailure("\(error)") }
    }()
    /// The shard of the concert, and the other.
    static let home = GatewayTranscript.slots.shard(of: Slot(of: GatewayTranscript.concert))
    static let away = 1 - GatewayTranscript.home
    /// Users whose points are on the concert's shard, and on the other.
    static let neighbours = GatewayTranscript.users(of: GatewayTranscript.home)
    static let strangers = GatewayTranscript.users(of: GatewayTranscript.away)

    private static func users(of shard: Int) -> [UserID] {
        (1...100).map { UserID($0) }.filter { self.slots.shard(of: Slot(of: $0)) == shard }
    }

    var now = GatewayTranscript.start
    var node: GatewayNode
    private var effects = GatewayEffects(shardCount: 2)

    init(
        _ limits: Gateway.Limits = Gateway.Limits(),
        isSuccessor: Bool = false,
        chance: UInt64 = 7,
        linksUp: Bool = true
    ) {
        self.node = GatewayNode(
            index: 3,
            slots: Self.slots,
            catalogue: Self.catalogue,
            settings: GatewayNode.Settings(limits: limits, silenceMax: .seconds(3)),
            isSuccessor: isSuccessor,
            chance: chance,
            at: self.now,
            schedulesBody: { free, _ in CachedBody(free.map { UInt8($0) }) }
        )
        if linksUp { for shard in 0..<2 { _ = self.linkUp(shard) } }
    }

    // MARK: Events

    func wait(_ span: Nanoseconds) { self.now = self.now + span }

    func ask(_ request: Request, _ client: UInt64, key: ClientKey? = nil) -> GatewayNode.Verdict {
        let client = Gateway.Client(connection: client, sequence: 0)
        return self.node.forward(
            request,
            for: client,
            token: TokenText(),
            key: key,
            at: self.now,
            into: &self.effects
        )
    }

    func askSchedules(_ client: UInt64) -> GatewayNode.ScheduleVerdict {
        let client = Gateway.Client(connection: client, sequence: 0)
        return self.node.schedules(of: Self.concert, for: client, at: self.now, into: &self.effects)
    }

    func linkUp(_ shard: Int) -> [Effect] {
        self.node.linkIsUp(to: shard, into: &self.effects)
        return self.effectsAtTurnEnd()
    }

    func linkLost(_ shard: Int) -> [Effect] {
        self.node.linkIsLost(to: shard, at: self.now, into: &self.effects)
        return self.effectsAtTurnEnd()
    }

    func tick() -> [Effect] {
        self.node.tick(at: self.now, into: &self.effects)
        return self.effectsAtTurnEnd()
    }

    func drain() -> [Effect] {
        self.node.drain()
        return self.effectsAtTurnEnd()
    }

    func clientsLeave() -> [Effect] {
        self.node.clientsHaveLeft(into: &self.effects)
        return self.effectsAtTurnEnd()
    }

    func hear(_ reply: Reply, _ id: UInt64, from shard: Int) throws(WireError) -> [Effect] {
        var bytes = FrameBytes()
        try reply.encode(into: &bytes, slot: Slot(checking: 0)!, requestID: id)
        return try self.hear(bytes, from: shard)
    }

    func hear(_ control: Control, _ id: UInt64, from shard: Int) throws(WireError) -> [Effect] {
        var bytes = FrameBytes()
        try control.encode(into: &bytes, requestID: id)
        return try self.hear(bytes, from: shard)
    }

    func hear(_ bytes: borrowing FrameBytes, from shard: Int) throws(WireError) -> [Effect] {
        var decoder = FrameDecoder()
        try bytes.withUnsafeBytes { (bytes) throws(WireError) in
            try decoder.feed(bytes) { frame throws(WireError) in
                try self.node.receive(frame, from: shard, at: self.now, into: &self.effects)
            }
        }
        return self.effectsAtTurnEnd()
    }

    // MARK: What it says of itself

    var isReady: Bool { self.node.isReady(at: self.now) }
    var silentShards: [Int] { self.node.silentShards(at: self.now) }

    func sheds(_ priority: RequestPriority) -> Bool { self.node.sheds(priority, of: Self.concert) }

    // MARK: Effects

    /// Ends the turn, and empties every slot.
    func effectsAtTurnEnd() -> [Effect] {
        self.node.endTurn(startedAt: self.now, into: &self.effects)
        var all: [Effect] = []
        for shard in self.effects.outboxes.indices { all += self.frames(to: shard) }
        for completed in self.effects.completed {
            all.append(.answers(completed.client.connection, completed.reply))
        }
        for refreshed in self.effects.refreshed {
            for client in refreshed.clients {
                switch refreshed.outcome {
                case .body(let body): all.append(.answersWith(client.connection, body.bytes))
                case .refused(let reply): all.append(.answers(client.connection, reply))
                }
            }
        }
        if let ready = self.effects.ready { all.append(.ready(ready)) }
        all += self.effects.fellSilent.map { .fellSilent($0) } + self.effects.answerAgain.map { .answersAgain($0) }
        if self.effects.isDrained { all.append(.drained) }
        self.effects = GatewayEffects(shardCount: 2)
        self.node.gateway.checkInvariants()
        return all
    }

    private func frames(to shard: Int) -> [Effect] {
        var all: [Effect] = []
        var decoder = FrameDecoder()
        do throws(WireError) {
            try self.effects.outboxes[shard].frames.withUnsafeBytes { (bytes) throws(WireError) in
                try decoder.feed(bytes) { frame throws(WireError) in
                    let id = frame.header.requestID
                    guard case .request = frame.category else { return all.append(.pings(shard, id: id)) }
                    let isKeyed = try frame.operation(ofLife: 1)?.owner == .client
                    all.append(.sends(try Request(frame: frame), to: shard, id: id, withKey: isKeyed))
                }
            }
        } catch { preconditionFailure("\(error)") }
        return all
    }
}
