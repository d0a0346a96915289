import Booking
import Wire

/// A whole cluster in one process and one thread: gateways, shards with their disks, links between them, and fans, all
/// moved on by one agenda of events and one source of random numbers. The same seed gives the same run.
final class World {
    let plan: Plan
    let slots: SlotMap
    let hashSeed: UInt64
    let mutant: Mutant?
    let trace: Trace
    let auditor: Auditor
    var random: SeededRandom
    /// Which costly checks are made; apart, so that checking more changes nothing in the run.
    private var checkRandom: SeededRandom
    private(set) var now = SmallWorld.start
    private var agenda = Agenda()

    private(set) var shards: [ShardHost] = []
    private(set) var gateways: [GatewayHost] = []
    private(set) var fans: [Fan] = []
    private(set) var links: [Link] = []
    private var linkCount: UInt32 = 0
    /// Until when a shard can't be reached from a process.
    private var blocked: [(from: Process, to: Int, until: Timestamp)] = []
    private var slowUntil: [Timestamp]
    private var asked: Set<PaymentID> = []
    var isHealing = false
    private(set) var tally = Report.Tally()

    init(seed: UInt64, mutant: Mutant?, trace: Trace) {
        self.random = SeededRandom(seed: seed)
        self.checkRandom = SeededRandom(seed: ~seed)
        self.hashSeed = self.random.next()
        self.plan = Plan(&self.random)
        self.slots = SlotMap(shardCount: self.plan.shardCount)
        self.mutant = mutant
        self.trace = trace
        self.auditor = Auditor(self.slots)
        self.slowUntil = Array(repeating: .distantPast, count: self.plan.shardCount)
        trace.begin(seed)
        self.shards = (0..<self.plan.shardCount).map { ShardHost($0, in: self) }
        self.gateways = (0..<self.plan.gatewayCount).map { GatewayHost($0, in: self) }
        self.fans = (1...self.plan.fanCount).map { Fan(UserID(UInt64($0))) }
        for shard in self.shards {
            shard.skew = .milliseconds(Int64(self.random.within(-50...50)))
            self.start(.shard(shard.index))
        }
        for gateway in self.gateways { self.start(.gateway(gateway.index)) }
        for fan in self.fans.indices { self.add(.fanActs(fan), after: self.pause()) }
        if self.plan.weights.contains(where: { $0 > 0 }) { self.add(.fault, after: self.troubleGap()) }
    }

    // MARK: Time

    func add(_ event: Event, after span: Nanoseconds) { self.agenda.add(event, at: self.now + span) }

    func wireDelay() -> Nanoseconds { self.microseconds(self.plan.wireDelay) }
    /// From the first bytes that a process reads to the end of its turn.
    func turnTime() -> Nanoseconds { self.microseconds(5...100) }

    func diskDelay(of shard: Int) -> Nanoseconds {
        let delay = self.microseconds(self.plan.diskDelay)
        return self.now < self.slowUntil[shard] ? Nanoseconds(delay.rawValue * 20) : delay
    }

    private func microseconds(_ range: ClosedRange<Int>) -> Nanoseconds {
        Nanoseconds(Int64(self.random.within(range)) * 1_000)
    }

    private func pause() -> Nanoseconds { .milliseconds(Int64(self.random.within(self.plan.pause))) }
    private func troubleGap() -> Nanoseconds { .milliseconds(Int64(self.random.within(self.plan.troubleGap))) }

    // MARK: Steps

    /// Carries out the next event, and checks what it touched.
    func step() {
        guard let (at, event) = self.agenda.next() else { preconditionFailure("nothing ever happens again") }
        self.now = at
        self.trace.step += 1
        self.trace.mix(UInt64(bitPattern: at.nanoseconds))
        switch event {
        case .arrive(let link, let side): self.arrive(link, side)
        case .linkEnds(let link, let side): self.end(link, side)
        case .dial(let process, let shard, let life): self.dial(process, shard, life)
        case .turnEnds(.shard(let shard), let life):
            guard self.shards[shard].life == life else { return }
            self.shards[shard].turnEnds()
            self.check(shard)
        case .turnEnds(.gateway(let gateway), let life):
            guard self.gateways[gateway].life == life else { return }
            self.gateways[gateway].turnEnds()
        case .tick(.shard(let shard), let life):
            guard self.shards[shard].life == life else { return }
            self.shards[shard].tick()
            self.check(shard)
        case .tick(.gateway(let gateway), let life):
            guard self.gateways[gateway].life == life else { return }
            self.gateways[gateway].tick()
            if self.checkRandom.once(in: self.plan.checkGap) { self.gateways[gateway].machine.checkInvariants() }
        case .diskIsDone(let shard, let life, let isKept):
            guard self.shards[shard].life == life else { return }
            if !self.shards[shard].diskIsDone(isKept: isKept) { self.crash(.shard(shard), "stops: its disk is full") }
        case .start(let process): self.start(process)
        case .diskHasRoom(let shard): self.shards[shard].disk.isFull = false
        case .request(let attempt): self.request(attempt)
        case .answer(let attempt, let reply): self.answer(attempt, reply)
        case .fanActs(let fan): self.fanActs(fan)
        case .fanLosesPatience(let attempt):
            guard self.fans[attempt.fan].open === attempt else { return }
            self.endsUnanswered(attempt)
        case .fault: self.fault()
        }
    }

    private func check(_ shard: Int) {
        guard self.checkRandom.once(in: self.plan.checkGap) else { return }
        self.shards[shard].machine.checkInvariants(linesToo: self.checkRandom.once(in: 16))
    }

    // MARK: Processes

    private func start(_ process: Process) {
        switch process {
        case .gateway(let index):
            guard !self.gateways[index].isUp else { return }
            self.gateways[index].start()
        case .shard(let index):
            let host = self.shards[index]
            guard !host.isUp else { return }
            guard host.start() else {
                self.trace.add(.note(process, "refuses to start: its disk is damaged"), at: self.now)
                self.tally.refusedStarts += 1
                // The operator puts a copy back.
                host.disk.repair()
                return self.add(.start(process), after: .milliseconds(300))
            }
        }
        self.trace.add(.note(process, "starts"), at: self.now)
    }

    func crash(_ process: Process, _ why: StaticString) {
        switch process {
        case .gateway(let index):
            guard self.gateways[index].isUp else { return }
            self.gateways[index].crash()
        case .shard(let index):
            guard self.shards[index].isUp else { return }
            self.shards[index].crash()
        }
        self.trace.add(.note(process, why), at: self.now)
        self.tally.crashes += 1
        for link in self.links {
            for side in [LinkSide.dialler, .acceptor] where link[side].process == process && link[side].isOpen {
                link[side].isOpen = false
                let last = link.cut(side.other, &self.random)
                self.agenda.add(.linkEnds(link, side.other), at: max(last, self.now + self.wireDelay()))
            }
        }
        self.links.removeAll { !$0.dialler.isOpen && !$0.acceptor.isOpen }
        let pause = self.isHealing ? 10 : self.random.within(20...1_500)
        self.add(.start(process), after: .milliseconds(Int64(pause)))
    }

    func becameDurable(_ facts: [UInt8], count: Int, of shard: Int) {
        do throws(WireError) {
            try ShardHost.forEachFact(of: facts[...], count: count) { fact in
                self.trace.add(.durable(shard: shard, fact), at: self.now)
                self.auditor.take(fact, of: shard)
            }
        } catch { preconditionFailure("a batch can't be read: \(error)") }
        self.auditor.mark(shard, at: self.now)
        self.trace.mix(facts)
        self.tally.facts += count
    }

    /// Whether a debit was asked for before; see `Mutant.debitNotAskedAgain`.
    func wasAsked(_ payment: PaymentID) -> Bool { !self.asked.insert(payment).inserted }

    // MARK: Links

    private func dial(_ process: Process, _ shard: Int, _ life: Int) {
        guard self.life(of: process) == life else { return }
        let isBlocked = self.blocked.contains { $0.from == process && $0.to == shard && self.now < $0.until }
        guard self.shards[shard].isUp, !isBlocked else {
            switch process {
            case .gateway(let index): self.gateways[index].tryAgain(shard)
            case .shard: self.add(.dial(process, shard: shard, life: life), after: .milliseconds(50))
            }
            return
        }
        self.linkCount += 1
        let link = Link(self.linkCount, from: process, life: life, to: shard, life: self.shards[shard].life)
        self.links.append(link)
        self.shards[shard].accept(link)
        switch process {
        case .gateway(let index): self.gateways[index].dialled(link)
        case .shard(let index): self.shards[index].dialled(link)
        }
    }

    private func life(of process: Process) -> Int {
        switch process {
        case .gateway(let index): self.gateways[index].life
        case .shard(let index): self.shards[index].life
        }
    }

    func sayHello(on link: Link, as role: Hello.Role, _ index: Int) {
        self.say(.hello(self.hello(role, index)), on: link, .dialler)
    }

    private func hello(_ role: Hello.Role, _ index: Int) -> Hello {
        Hello(
            role: role,
            index: UInt16(index),
            shardCount: UInt16(self.slots.shardCount),
            slotMapVersion: self.slots.version
        )
    }

    private func say(_ control: Control, on link: Link, _ side: LinkSide) {
        do {
            try control.encode(into: &link[side].outgoing, requestID: 0)
        } catch { preconditionFailure("a hello does not fit a frame: \(error)") }
        self.flush(link, side)
    }

    /// What one side has to say goes on its way.
    func flush(_ link: Link, _ side: LinkSide) {
        guard !link[side].outgoing.isEmpty else { return }
        let bytes = link[side].outgoing.array
        link[side].outgoing.removeAll()
        guard let at = link.send(bytes, to: side.other, arrivingAt: self.now + self.wireDelay()) else { return }
        self.agenda.add(.arrive(link, side.other), at: at)
    }

    private func arrive(_ link: Link, _ side: LinkSide) {
        let end = link[side]
        guard end.isOpen, var bytes = end.takeArrival() else { return }
        if bytes.count > 1, self.random.once(in: 4) {
            let count = self.random.within(1...bytes.count - 1)
            end.giveBack(Array(bytes[count...]))
            bytes.removeLast(bytes.count - count)
            self.add(.arrive(link, side), after: self.turnTime())
        }
        self.trace.mix(bytes)
        let failure = bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) {
                try end.decoder.feed(bytes) { frame throws(WireError) in try self.take(frame, link, side) }
            } catch { return error }
            return nil
        }
        if let failure { self.auditor.fail("\(end.process) can't read what came over a link: \(failure)") }
    }

    private func take(_ frame: Frame, _ link: Link, _ side: LinkSide) throws(WireError) {
        if case .control = frame.sort { return try self.take(try Control(frame: frame), link, side) }
        switch link[side].process {
        case .gateway(let index): try self.gateways[index].take(frame, link)
        case .shard(let index): try self.shards[index].take(frame, link, side)
        }
    }

    private func take(_ control: Control, _ link: Link, _ side: LinkSide) throws(WireError) {
        switch (control, side) {
        case (.hello(let hello), .acceptor):
            guard hello.shardCount == self.slots.shardCount else { throw WireError("a hello of another cluster") }
            link.acceptor.isUp = true
            self.say(.helloAccepted(self.hello(.shard, link.shard)), on: link, .acceptor)
        case (.helloAccepted, .dialler):
            link.dialler.isUp = true
            switch link.dialler.process {
            case .gateway(let index): self.gateways[index].linkIsUp(link)
            case .shard(let index): self.shards[index].linkIsUp(link)
            }
        default: throw WireError("\(control) where it does not belong")
        }
    }

    private func end(_ link: Link, _ side: LinkSide) {
        guard link[side].isOpen else { return }
        link[side].isOpen = false
        self.links.removeAll { !$0.dialler.isOpen && !$0.acceptor.isOpen }
        switch link[side].process {
        case .gateway(let index): self.gateways[index].linkEnded(link)
        case .shard(let index): self.shards[index].linkEnded(link, side)
        }
    }

    func cut(_ link: Link) {
        self.trace.add(.note(link.dialler.process, "loses a link"), at: self.now)
        self.tally.cuts += 1
        for side in [LinkSide.dialler, .acceptor] {
            let last = link.cut(side, &self.random)
            let delay = self.random.once(in: 4) ? self.microseconds(0...1_500_000) : self.wireDelay()
            self.agenda.add(.linkEnds(link, side), at: max(last, self.now + delay))
        }
    }

    func block(from process: Process, to shard: Int, for span: Nanoseconds) {
        self.blocked.removeAll { $0.until <= self.now }
        self.blocked.append((process, shard, self.now + span))
    }

    func slowDown(_ shard: Int, for span: Nanoseconds) { self.slowUntil[shard] = self.now + span }

    // MARK: Fans

    private func fanActs(_ fan: Int) {
        guard self.fans[fan].open == nil, !self.isHealing else { return }
        let up = self.gateways.filter(\.isUp)
        guard !up.isEmpty else { return self.add(.fanActs(fan), after: .milliseconds(50)) }
        let gateway = self.random.pick(up)
        let (request, isForged) = self.fans[fan].nextRequest(&self.random)
        let shard = self.auditor.shard(of: request)
        var durable = self.auditor.journals[shard].count
        if case .schedules = request {
            // A gateway may know what was so a moment ago.
            durable = self.auditor.durableCount(of: shard, at: self.now - self.plan.limits.scheduleLifetime)
        }
        let attempt = Attempt(
            fan: fan,
            gateway: gateway.index,
            gatewayLife: gateway.life,
            request: request,
            isForged: isForged,
            sentAt: self.now,
            durableAtStart: durable
        )
        self.fans[fan].open = attempt
        self.trace.add(.asked(fan, request), at: self.now)
        self.auditor.asked(attempt)
        self.add(.request(attempt), after: self.wireDelay())
        self.add(.fanLosesPatience(attempt), after: .milliseconds(Int64(self.random.within(500...8_000))))
    }

    private func request(_ attempt: Attempt) {
        let gateway = self.gateways[attempt.gateway]
        guard gateway.isUp, gateway.life == attempt.gatewayLife else {
            return self.add(.answer(attempt, nil), after: self.wireDelay())
        }
        gateway.take(attempt)
    }

    private func answer(_ attempt: Attempt, _ reply: Reply?) {
        guard self.fans[attempt.fan].open === attempt else { return }
        guard let reply else { return self.endsUnanswered(attempt) }
        self.trace.add(.answered(attempt.fan, attempt.request, reply), at: self.now)
        self.fans[attempt.fan].open = nil
        self.auditor.hears(reply, to: attempt)
        self.tally.answers += 1
        if attempt.outcome == .acknowledged { self.tally.acknowledged += 1 }
        let wait = self.fans[attempt.fan].hears(reply, to: attempt, &self.random)
        self.add(.fanActs(attempt.fan), after: wait.map { .milliseconds(Int64($0)) } ?? self.pause())
    }

    private func endsUnanswered(_ attempt: Attempt) {
        self.trace.add(.unanswered(attempt.fan, attempt.request), at: self.now)
        self.fans[attempt.fan].open = nil
        self.auditor.ended(attempt, .unknown)
        self.tally.unanswered += 1
        _ = self.fans[attempt.fan].hears(nil, to: attempt, &self.random)
        self.add(.fanActs(attempt.fan), after: self.pause())
    }

    // MARK: The end

    private var isSettled: Bool {
        self.shards.allSatisfy(\.isIdle) && self.fans.allSatisfy { $0.open == nil }
    }

    /// Every trouble ends; runs on until nothing is under way, then checks the books, and once more after a restart of
    /// every shard from its disk.
    func heal(stepsMax: Int) {
        self.isHealing = true
        self.blocked = []
        for shard in self.shards {
            shard.disk.isFull = false
            shard.disk.repair()
        }
        var steps = 0
        while !self.isSettled {
            self.step()
            steps += 1
            if self.auditor.violation != nil { return }
            guard steps < stepsMax else { return self.auditor.fail("\(steps) steps after all troubles, work is open") }
        }
        for shard in self.shards { shard.settle() }
        let users = self.fans.map(\.user)
        self.auditor.checkBooks(self.shards, users)
        for shard in self.shards {
            shard.machine.checkInvariants()
            shard.crash()
            guard shard.start() else { return self.auditor.fail("shard \(shard.index) can't start from its disk") }
        }
        self.auditor.checkBooks(self.shards, users)
        for shard in self.shards { shard.machine.checkInvariants() }
    }

    /// The next trouble.
    private func fault() {
        guard !self.isHealing else { return }
        self.carryOut(Plan.Trouble.allCases[self.random.weighted(self.plan.weights)])
        self.add(.fault, after: self.troubleGap())
    }
}
