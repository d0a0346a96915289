import Booking
import Wire

/// One gateway process of the simulated cluster: what `Server.GatewayServer` is to the real one, without HTTP. The
/// machine inside, `Booking.Gateway`, and the frames are the real ones.
final class GatewayHost {
    let index: Int
    private unowned let world: World
    private var mutant: Mutant? { self.world.mutant }

    /// Counts the starts.
    private(set) var life = 0
    private(set) var isUp = false
    private(set) var machine: Gateway
    private var links: [Link?]
    /// Milliseconds until the next try to reach each shard.
    private var pauses: [Int64]
    /// By the number of their connection.
    private var attempts: [UInt64: Attempt] = [:]
    private var connectionCount: UInt64 = 0
    private var turnIsOpen = false
    /// See `Mutant.schedulesKeptForEver`.
    private var kept: [ConcertID: CachedBody] = [:]

    private static let tick = Nanoseconds.milliseconds(100)
    private static let pauseMax: Int64 = 50

    init(_ index: Int, in world: World) {
        self.index = index
        self.world = world
        self.machine = Gateway(slots: world.slots, limits: world.plan.limits)
        self.links = Array(repeating: nil, count: world.slots.shardCount)
        self.pauses = Array(repeating: 10, count: world.slots.shardCount)
    }

    var process: Process { .gateway(self.index) }

    // MARK: Life and death

    func start() {
        self.life += 1
        self.isUp = true
        self.machine = Gateway(slots: self.world.slots, limits: self.world.plan.limits)
        for shard in self.links.indices {
            self.pauses[shard] = 10
            self.world.add(.dial(self.process, shard: shard, life: self.life), after: self.world.wireDelay())
        }
        self.world.add(.tick(self.process, life: self.life), after: Self.tick)
    }

    func crash() {
        self.isUp = false
        self.life += 1
        self.links = Array(repeating: nil, count: self.links.count)
        for connection in self.attempts.keys.sorted() {
            self.world.add(.answer(self.attempts[connection]!, nil), after: self.world.wireDelay())
        }
        self.attempts = [:]
        self.kept = [:]
        self.turnIsOpen = false
    }

    // MARK: Links

    /// A shard could not be reached.
    func tryAgain(_ shard: Int) {
        let pause = Nanoseconds.milliseconds(self.pauses[shard])
        self.pauses[shard] = min(self.pauses[shard] * 2, Self.pauseMax)
        self.world.add(.dial(self.process, shard: shard, life: self.life), after: pause)
    }

    func dialled(_ link: Link) {
        self.links[link.shard] = link
        self.world.sayHello(on: link, as: .gateway, self.index)
    }

    func linkIsUp(_ link: Link) {
        self.pauses[link.shard] = 10
        for sending in self.machine.linkIsUp(to: link.shard) {
            self.world.sendsAgain(sending)
            if self.mutant == .sentAgainAsNew, let pending = self.machine.takeReply(sending.id, from: link.shard) {
                self.submit(pending.request, for: pending.client, sending.key)
            } else {
                self.send(sending.request, to: link.shard, sending.id, sending.key)
            }
        }
    }

    func linkEnded(_ link: Link) {
        guard self.links[link.shard] === link else { return }
        self.links[link.shard] = nil
        if link.dialler.isUp { self.machine.linkIsLost(to: link.shard, at: self.world.now) }
        self.tryAgain(link.shard)
    }

    // MARK: Requests

    func take(_ attempt: Attempt) {
        self.connectionCount += 1
        self.attempts[self.connectionCount] = attempt
        let client = Gateway.Client(connection: self.connectionCount, sequence: 0)
        guard case .schedules(let concert) = attempt.request else {
            let key = attempt.key.map { ClientKey($0, from: attempt.address) }
            return self.submit(attempt.request, for: client, key)
        }
        if self.mutant == .schedulesKeptForEver, let body = self.kept[concert] { return self.answer(body, client) }
        switch self.machine.schedules(of: concert, for: client, at: self.world.now) {
        case .ready(let body): self.answer(body, client)
        case .readyRefresh(let body, let shard, let id):
            self.send(attempt.request, to: shard, id)
            self.answer(body, client)
        case .waitRefresh(let shard, let id): self.send(attempt.request, to: shard, id)
        case .wait: break
        case .refused(let refusal): self.answer(.refused(refusal), client)
        }
    }

    private func submit(_ request: Request, for client: Gateway.Client?, _ key: ClientKey?) {
        switch self.machine.submit(request, for: client, token: TokenText(), key: key, at: self.world.now) {
        case .send(let shard, let id): self.send(request, to: shard, id, key)
        case .claim(let shard, let id, let claim): self.send(claim, to: shard, id, key)
        case .held: break
        // Never here: no delays are measured.
        case .shed: if let client { self.answer(.refused(.overloaded), client) }
        case .refused(let refusal): if let client { self.answer(.refused(refusal), client) }
        }
    }

    private func send(_ request: Request, to shard: Int, _ id: UInt64, _ key: ClientKey? = nil) {
        guard let link = self.links[shard] else { return }
        do {
            try request.encode(into: &link.dialler.outgoing, slot: request.slot, requestID: id, key: key)
        } catch { preconditionFailure("a request does not fit a frame: \(error)") }
        guard !self.turnIsOpen else { return }
        self.turnIsOpen = true
        self.world.add(.turnEnds(self.process, life: self.life), after: self.world.turnTime())
    }

    func turnEnds() {
        self.turnIsOpen = false
        for link in self.links { if let link { self.world.flush(link, .dialler) } }
    }

    // MARK: Replies

    func take(_ frame: Frame, _ link: Link) throws(WireError) {
        guard case .reply = frame.sort else { throw WireError("a shard sends replies") }
        let reply = try Reply(frame: frame)
        if case .claimed = reply { return self.takeClaim(frame.header.requestID, from: link.shard) }
        // A reply without a request came after its request's time was up.
        guard let pending = self.machine.takeReply(frame.header.requestID, from: link.shard) else { return }
        self.finish(pending, with: reply)
    }

    private func takeClaim(_ id: UInt64, from shard: Int) {
        guard let (pending, key, submission) = self.machine.takeClaim(id, from: shard) else { return }
        switch submission {
        case .send(let shard, let id): self.send(pending.request, to: shard, id, key)
        case .claim, .held, .shed: break
        case .refused(let refusal): self.finish(pending, with: .refused(refusal))
        }
    }

    func tick() {
        for pending in self.machine.timedOut(at: self.world.now) { self.finish(pending, with: Reply.unanswered) }
        self.world.add(.tick(self.process, life: self.life), after: Self.tick)
    }

    private func finish(_ pending: Gateway.Pending, with reply: Reply) {
        if let client = pending.client { return self.answer(reply, client) }
        guard case .schedules(let free) = reply else {
            let refusal = Gateway.refusal(ofRefresh: reply)
            for client in self.machine.failed(pending) { self.answer(refusal, client) }
            return
        }
        let body = CachedBody(free.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8 & 0xFF)] })
        if case .schedules(let concert) = pending.request { self.kept[concert] = body }
        for client in self.machine.takeSchedules(body, for: pending) { self.answer(body, client) }
    }

    private func answer(_ body: CachedBody, _ client: Gateway.Client) {
        let free = stride(from: 0, to: body.bytes.count, by: 2).map { index in
            UInt32(body.bytes[index]) | UInt32(body.bytes[index + 1]) << 8
        }
        self.answer(.schedules(free), client)
    }

    private func answer(_ reply: Reply, _ client: Gateway.Client) {
        guard let attempt = self.attempts.removeValue(forKey: client.connection) else {
            preconditionFailure("gateway \(self.index) answers connection \(client.connection) twice")
        }
        self.world.add(.answer(attempt, reply), after: self.world.wireDelay())
    }
}
