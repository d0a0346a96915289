import Booking
import Node
import Wire

/// One gateway process of the simulated cluster: links, a clock and an agenda around `Node.GatewayNode`, as
/// `Server.GatewayServer` is sockets and timers around it. Two hosts take turns as one gateway, so that a successor can start
/// beside it.
final class GatewayHost {
    /// Among all hosts.
    let number: Int
    private unowned let world: World
    /// Counts the starts and the ends.
    private(set) var life = 0
    private(set) var isUp = false
    /// Fans may connect.
    private(set) var isServing = false
    private(set) var isDraining = false
    private(set) var node: GatewayNode
    private var effects: GatewayEffects
    private var links: [Link?]
    /// By shard.
    private var upSince: [Timestamp]
    private var hinderedUntil = Timestamp.distantPast
    private var pauses: [RedialPause]
    /// By number: what each has asked, and when that came; nil while it is on its way.
    private(set) var connections: [UInt64: (attempt: Attempt, cameAt: Timestamp?)] = [:]
    private var connectionCount: UInt64 = 0
    /// When the turn began that is open.
    private var turnStart: Timestamp?

    init(_ number: Int, in world: World) {
        self.number = number
        self.world = world
        self.node = world.gatewayNode(number)
        self.effects = GatewayEffects(shardCount: world.slots.shardCount)
        self.links = Array(repeating: nil, count: world.slots.shardCount)
        self.upSince = Array(repeating: .distantFuture, count: world.slots.shardCount)
        self.pauses = []
    }

    var process: Process { .gateway(self.number) }

    // MARK: Life and death

    func start(asSuccessor isSuccessor: Bool = false) {
        self.life += 1
        self.isUp = true
        self.node = self.world.gatewayNode(self.number, isSuccessor: isSuccessor)
        self.effects = GatewayEffects(shardCount: self.links.count)
        self.pauses = Array(repeating: RedialPause(), count: self.links.count)
        for shard in self.links.indices {
            self.world.add(.dial(self.process, shard: shard, life: self.life), after: self.world.wireDelay())
        }
        self.world.add(.tick(self.process, life: self.life), after: GatewayNode.tickInterval)
    }

    /// The process is gone, and so are its connections.
    func end() {
        self.life += 1
        (self.isUp, self.isServing, self.isDraining, self.turnStart) = (false, false, false, nil)
        self.links = Array(repeating: nil, count: self.links.count)
        for (_, connection) in self.connections.sorted(by: { $0.key < $1.key }) {
            self.world.add(.answer(connection.attempt, nil), after: self.world.wireDelay())
        }
        self.connections = [:]
    }

    func drain() {
        (self.isServing, self.isDraining) = (false, true)
        self.node.drain()
        self.carryOut()
    }

    /// It is frozen.
    func hinder(until time: Timestamp) { self.hinderedUntil = max(self.hinderedUntil, time) }

    // MARK: Links and time

    /// Since when nothing has kept it and a shard from hearing each other; in the future while something does.
    func connectedSince(to shard: Int) -> Timestamp {
        guard let link = self.links[shard], link.dialler.isUp, link.isWhole else { return .distantFuture }
        return max(self.upSince[shard], self.hinderedUntil)
    }

    /// A shard could not be reached, or not any more.
    func tryAgain(_ shard: Int) {
        self.world.add(.dial(self.process, shard: shard, life: self.life), after: self.pauses[shard].next())
    }

    func dialled(_ link: Link) {
        self.links[link.shard] = link
        self.world.say(.hello(self.node.hello), on: link, .dialler)
    }

    func linkIsUp(_ link: Link) {
        self.pauses[link.shard] = RedialPause()
        self.upSince[link.shard] = self.world.now
        self.world.sendsAgain(self.node.gateway, to: link.shard)
        self.node.linkIsUp(to: link.shard, into: &self.effects)
        self.carryOut()
    }

    func linkEnded(_ link: Link) {
        guard self.links[link.shard] === link else { return }
        self.links[link.shard] = nil
        if link.dialler.isUp { self.node.linkIsLost(to: link.shard, at: self.world.now, into: &self.effects) }
        self.tryAgain(link.shard)
    }

    func receive(_ frame: Frame, _ link: Link) throws(WireError) {
        try self.node.receive(frame, from: link.shard, at: self.world.now, into: &self.effects)
        self.carryOut()
    }

    func tick() {
        self.world.add(.tick(self.process, life: self.life), after: GatewayNode.tickInterval)
        self.node.tick(at: self.world.now, into: &self.effects)
        self.carryOut()
    }

    func turnEnds() {
        guard let turnStart = self.turnStart.take() else { return }
        self.node.endTurn(startedAt: turnStart, into: &self.effects)
        for (shard, outbox) in self.effects.outboxes.enumerated() where !outbox.frames.isEmpty {
            guard let link = self.links[shard] else { preconditionFailure("frames for shard \(shard), which is away") }
            outbox.frames.withUnsafeBytes { link.dialler.outgoing.append($0) }
            outbox.frames.removeAll()
            self.world.flush(link, .dialler)
        }
    }

    // MARK: Fans

    /// A fan connects, and its request is on its way.
    func connect(_ attempt: Attempt) {
        self.connectionCount += 1
        attempt.connection = self.connectionCount
        self.connections[attempt.connection] = (attempt, nil)
    }

    /// The request is there.
    func receive(_ attempt: Attempt) {
        let now = self.world.now
        let client = Gateway.Client(connection: attempt.connection, sequence: 0)
        self.connections[attempt.connection]!.cameAt = now
        if let concert = attempt.concertAtAGlance, self.node.sheds(attempt.request.priority, of: concert) {
            self.shed(client)
        } else if case .schedules(let concert) = attempt.request {
            switch self.node.schedules(of: concert, for: client, at: now, into: &self.effects) {
            case .ready(let body, _): self.answer(World.schedules(body), client)
            case .waits: break
            case .refused(let refusal): self.answer(.refused(refusal), client)
            }
        } else {
            let (request, key) = (attempt.request, attempt.key.map { ClientKey($0, from: attempt.address) })
            switch self.node.forward(request, for: client, token: TokenText(), key: key, at: now, into: &self.effects) {
            case .underWay: break
            case .shed: self.shed(client)
            case .refused(let refusal): self.answer(.refused(refusal), client)
            }
        }
        self.carryOut()
    }

    private func shed(_ client: Gateway.Client) {
        self.world.tally.shed += 1
        self.answer(.refused(.overloaded), client)
    }

    private func answer(_ reply: Reply, _ client: Gateway.Client) {
        guard let (attempt, _) = self.connections.removeValue(forKey: client.connection) else {
            preconditionFailure("\(self.process) answers connection \(client.connection) twice")
        }
        self.world.add(.answer(attempt, reply), after: self.world.wireDelay())
    }

    // MARK: What the node says

    private func carryOut() {
        while let completed = self.effects.completed.popLast() {
            self.world.completes(completed, self.connections[completed.client.connection]?.attempt, by: self)
            self.answer(completed.reply, completed.client)
        }
        while let refreshed = self.effects.refreshed.popLast() {
            for client in refreshed.clients { self.answer(World.reply(refreshed.outcome), client) }
        }
        if self.effects.ready.take() != nil { self.isServing = true }
        while let shard = self.effects.fellSilent.popLast() { self.world.fellSilent(shard) }
        self.effects.answerAgain.removeAll()
        if self.turnStart == nil, self.effects.outboxes.contains(where: { !$0.frames.isEmpty }) {
            self.turnStart = self.world.now
            self.world.add(.turnEnds(self.process, life: self.life), after: self.world.turnTime())
        }
        if self.connections.isEmpty { self.node.clientsHaveLeft(into: &self.effects) }
        if self.effects.isDrained { self.world.drained(self) }
    }
}
