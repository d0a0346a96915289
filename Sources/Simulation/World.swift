import Booking
import Node
import Seeded
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
    var agenda = Agenda()

    private(set) var shards: [ShardHost] = []
    private(set) var gateways: [GatewayHost] = []
    var fans: [Fan] = []
    var links: [Link] = []
    var linkCount: UInt32 = 0
    /// Until when a shard can't be reached from a process.
    private var blocked: [(from: Process, to: Int, until: Timestamp)] = []
    private var slowUntil: [Timestamp]
    /// Processes that do nothing until then, as after SIGSTOP.
    private var frozen: [(Process, until: Timestamp)] = []
    /// Until when each shard has more to do than it can, how long it takes for what arrives in one piece, and until when it
    /// is busy with that.
    private var burdens: [(until: Timestamp, reading: Nanoseconds, busyUntil: Timestamp)]
    var rolling: Rolling?
    /// Something went wrong, or was set right, until then.
    var disturbedUntil = SmallWorld.start
    var isHealing = false
    var tally = Report.Tally()

    init(seed: UInt64, mutant: Mutant?, trace: Trace) {
        self.random = SeededRandom(seed: seed)
        self.checkRandom = SeededRandom(seed: ~seed)
        self.hashSeed = self.random.next()
        self.plan = Plan(&self.random)
        self.slots = SlotMap(shardCount: self.plan.shardCount)
        self.mutant = mutant
        self.trace = trace
        self.auditor = Auditor(self.slots)
        self.auditor.answerLimits = self.plan.answerLimits
        self.auditor.recordLimits = self.plan.recordLimits
        // A shard that only reads says at once that nobody knows.
        if self.plan.weights[Plan.Trouble.diskFull.rawValue] == 0,
            self.plan.weights[Plan.Trouble.clockAbsurd.rawValue] == 0
        {
            self.auditor.replyTimeout = self.plan.limits.replyTimeout
        }
        self.slowUntil = Array(repeating: .distantPast, count: self.plan.shardCount)
        self.burdens = Array(repeating: (.distantPast, .zero, .distantPast), count: self.plan.shardCount)
        trace.begin(seed)
        self.shards = (0..<self.plan.shardCount).map { ShardHost($0, in: self) }
        self.gateways = (0..<2 * self.plan.gatewayCount).map { GatewayHost($0, in: self) }
        let userCount = self.plan.userCount
        self.fans = (0..<self.plan.fanCount).map { index in
            Fan(UserID(UInt64(index % userCount) + 1), window: index / userCount)
        }
        for shard in self.shards {
            shard.clock.skew = .milliseconds(Int64(self.random.within(-50...50)))
            self.start(.shard(shard.index))
        }
        for gateway in self.gateways.prefix(self.plan.gatewayCount) { self.start(gateway.process) }
        for fan in self.fans.indices { self.add(.fanActs(fan), after: self.pause()) }
        if self.plan.weights.contains(where: { $0 > 0 }) { self.add(.fault, after: self.troubleGap()) }
    }

    /// How many times as long a slow disk takes.
    private static let slowness: Int64 = 20

    // MARK: Time

    func add(_ event: Event, after span: Nanoseconds) { self.agenda.add(event, at: self.now + span) }

    func wireDelay() -> Nanoseconds { self.microseconds(self.plan.wireDelay) }
    /// From the first bytes that a process reads to the end of its turn.
    func turnTime() -> Nanoseconds { self.microseconds(5...100) }

    func compactionGap() -> Nanoseconds { .milliseconds(Int64(self.random.within(self.plan.compactionGap))) }

    func diskDelay(of shard: Int) -> Nanoseconds {
        let delay = self.microseconds(self.plan.diskDelay)
        return self.now < self.slowUntil[shard] ? Nanoseconds(delay.rawValue * Self.slowness) : delay
    }

    func microseconds(_ range: ClosedRange<Int>) -> Nanoseconds {
        Nanoseconds(Int64(self.random.within(range)) * 1_000)
    }

    func pause() -> Nanoseconds { .milliseconds(Int64(self.random.within(self.plan.pause))) }
    private func troubleGap() -> Nanoseconds { .milliseconds(Int64(self.random.within(self.plan.troubleGap))) }

    // MARK: Steps

    /// Carries out the next event, and checks what it touched.
    func step() {
        guard let (at, event) = self.agenda.next() else { preconditionFailure("nothing ever happens again") }
        self.now = at
        self.trace.step += 1
        self.trace.mix(UInt64(bitPattern: at.nanoseconds))
        if !self.frozen.isEmpty, let process = event.process,
            let until = self.frozen.first(where: { $0.0 == process })?.until,
            at < until
        {
            return self.agenda.add(event, at: until)
        }
        if case .arrive(let link, let side) = event, case .shard(let shard) = link[side].process,
            let then = self.turnIsAway(of: shard)
        {
            return self.agenda.add(event, at: then)
        }
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
            self.checkOwed(by: self.gateways[gateway])
            if self.checkRandom.once(in: self.plan.checkGap) { self.gateways[gateway].node.gateway.checkInvariants() }
        case .diskIsDone(let shard, let life, let isKept):
            guard self.shards[shard].life == life else { return }
            if !self.shards[shard].diskIsDone(isKept: isKept) {
                // Meanwhile requests come in, and nothing may be told about what they did.
                self.add(.giveUp(shard: shard, life: life), after: self.microseconds(0...50_000))
            }
        case .giveUp(let shard, let life):
            guard self.shards[shard].life == life else { return }
            let hasStopped = self.shards[shard].isStopping
            self.crash(.shard(shard), hasStopped ? "has stopped" : "stops: its journal refuses it")
        case .tryDisk(let shard, let life):
            guard self.shards[shard].life == life else { return }
            self.shards[shard].tryDisk()
        case .start(let process): self.start(process)
        case .clockIsSane(let shard, let isTrusted):
            self.disturb(until: self.now)
            self.shards[shard].clockIsSane(isTrusted: isTrusted)
            let note: StaticString = isTrusted ? "is told to trust its clock" : "has a sane time again"
            self.trace.add(.note(.shard(shard), note), at: self.now)
        case .diskHasRoom(let shard):
            self.disturb(until: self.now + self.plan.diskPatience)
            self.shards[shard].journal.disk.isFull = false
        case .copyDisk(let shard): self.shards[shard].journal.copyDisk()
        case .compact(let shard, let life):
            guard self.shards[shard].life == life else { return }
            self.shards[shard].compact()
            self.tally.compactions += 1
        case .request(let attempt): self.request(attempt)
        case .answer(let attempt, let reply): self.answer(attempt, reply)
        case .fanActs(let fan): self.fanActs(fan)
        case .fanLosesPatience(let attempt):
            guard self.fans[attempt.fan].open === attempt else { return }
            self.endsUnanswered(attempt)
        case .fault: self.fault()
        case .roll: self.roll()
        }
    }

    private func check(_ shard: Int) {
        guard self.checkRandom.once(in: self.plan.checkGap) else { return }
        self.shards[shard].node.machine.checkInvariants(linesToo: self.checkRandom.once(in: 16))
    }

    // MARK: Processes

    private func start(_ process: Process) {
        self.disturb(until: self.now)
        switch process {
        case .gateway(let number):
            let gateway = self.gateways[number]
            let twin = self.twin(of: gateway)
            // There may be a successor in its place.
            guard !gateway.isUp, !twin.isUp || twin.isDraining else { return }
            gateway.start()
        case .shard(let index):
            let host = self.shards[index]
            guard !host.isUp else { return }
            guard host.start() else {
                self.trace.add(.note(process, "refuses to start: its disk is damaged"), at: self.now)
                self.tally.refusedStarts += 1
                // The operator puts a copy back.
                host.journal.disk.repair()
                return self.add(.start(process), after: .milliseconds(300))
            }
        }
        self.trace.add(.note(process, "starts"), at: self.now)
    }

    func crash(_ process: Process, _ why: StaticString) {
        switch process {
        case .gateway(let index):
            guard self.gateways[index].isUp else { return }
            self.gateways[index].end()
        case .shard(let index):
            guard self.shards[index].isUp else { return }
            self.shards[index].crash()
        }
        self.disturb(until: self.now)
        self.trace.add(.note(process, why), at: self.now)
        self.tally.crashes += 1
        self.breakLinks(of: process)
        let pause = self.isHealing ? 10 : self.random.within(self.plan.restartPause)
        self.add(.start(process), after: .milliseconds(Int64(pause)))
    }

    func breakLinks(of process: Process) {
        for link in self.links {
            for side in [LinkSide.dialler, .acceptor] where link[side].process == process && link[side].isOpen {
                link[side].isOpen = false
                let last = link.cut(side.other, &self.random)
                self.agenda.add(.linkEnds(link, side.other), at: max(last, self.now + self.wireDelay()))
            }
        }
        self.links.removeAll { !$0.dialler.isOpen && !$0.acceptor.isOpen }
    }

    func becameDurable(_ facts: [UInt8], count: Int, of shard: Int) {
        do throws(WireError) {
            try SimulatedDisk.forEachFact(of: facts[...], count: count) { fact in
                self.trace.add(.durable(shard: shard, fact), at: self.now)
                self.auditor.apply(fact, of: shard)
                self.auditor.checkTime(of: fact, on: shard, at: self.now)
                self.tally.count(fact)
            }
        } catch { preconditionFailure("a batch can't be read: \(error)") }
        self.auditor.mark(shard, at: self.now)
        self.trace.mix(facts)
    }

    // MARK: Troubles that last

    func isBlocked(from process: Process, to shard: Int) -> Bool {
        self.blocked.contains { $0.from == process && $0.to == shard && self.now < $0.until }
    }

    func block(from process: Process, to shard: Int, for span: Nanoseconds) {
        self.disturb(until: self.now + span)
        self.blocked.removeAll { $0.until <= self.now }
        self.blocked.append((process, shard, self.now + span))
    }

    func freeze(_ process: Process, for span: Nanoseconds) {
        self.disturb(until: self.now + span)
        self.frozen.removeAll { $0.0 == process || $0.until <= self.now }
        self.frozen.append((process, self.now + span))
        switch process {
        case .shard(let index): self.shards[index].hinder(until: self.now + span)
        case .gateway(let number): self.gateways[number].hinder(until: self.now + span)
        }
    }

    func slowDown(_ shard: Int, for span: Nanoseconds) {
        // A commit that begins at its very end is slow, too.
        let slowest = Nanoseconds(Int64(self.plan.diskDelay.upperBound) * 1_000 * Self.slowness)
        self.disturb(until: self.now + span + slowest)
        self.slowUntil[shard] = self.now + span
        self.shards[shard].hinder(until: self.now + span + slowest)
    }

    /// Whatever arrives at a shard takes it so long.
    func burden(_ shard: Int, for span: Nanoseconds, reading: Nanoseconds) {
        self.disturb(until: self.now + span)
        self.burdens[shard] = (self.now + span, reading, self.now)
        self.shards[shard].hinder(until: self.now + span)
    }

    /// When a shard that is slow has time for what arrives now; nil when it has.
    private func turnIsAway(of shard: Int) -> Timestamp? {
        let burden = self.burdens[shard]
        guard self.now < burden.until else { return nil }
        guard self.now >= burden.busyUntil else { return burden.busyUntil }
        self.burdens[shard].busyUntil = self.now + burden.reading
        return nil
    }

    // MARK: The end

    private var isSettled: Bool {
        self.shards.allSatisfy(\.isIdle) && self.fans.allSatisfy { $0.open == nil }
    }

    /// Every trouble ends; runs on until nothing is under way, then checks the books, and once more after a restart of
    /// every shard from its disk.
    func heal(stepsMax: Int) {
        self.isHealing = true
        // What a process could not do while it was frozen, it does only when that would have ended.
        self.disturb(until: self.now)
        self.burdens = Array(repeating: (.distantPast, .zero, .distantPast), count: self.shards.count)
        self.blocked = []
        self.frozen = []
        for shard in self.shards {
            shard.clockIsSane(isTrusted: false)
            shard.journal.disk.isFull = false
            shard.journal.disk.isClosed = false
            shard.journal.disk.repair()
        }
        var steps = 0
        while !self.isSettled {
            self.step()
            steps += 1
            if self.auditor.violation != nil { return }
            guard steps < stepsMax else { return self.auditor.fail("\(steps) steps after all troubles, work is open") }
        }
        for shard in self.shards { shard.settle() }
        let users = self.fans.prefix(self.plan.userCount).map(\.user)
        self.checkBooks(users)
        for shard in self.shards {
            shard.node.machine.checkInvariants()
            let before = shard.node.machine.snapshotBytes
            shard.crash()
            guard shard.start() else { return self.auditor.fail("shard \(shard.index) can't start from its disk") }
            let after = shard.node.machine.snapshotBytes
            self.auditor.require(
                after == before,
                "shard \(shard.index) is another after a restart: \(Self.difference(before, after))"
            )
        }
        self.checkBooks(users)
        for shard in self.shards { shard.node.machine.checkInvariants() }
    }

    private func checkBooks(_ users: [UserID]) {
        guard self.auditor.hasLost else { return self.auditor.checkBooks(self.shards, users) }
        self.auditor.checkRemains(self.shards, users)
    }

    /// The next trouble.
    private func fault() {
        guard !self.isHealing else { return }
        self.carryOut(Plan.Trouble.allCases[self.random.weighted(self.plan.weights)])
        self.add(.fault, after: self.troubleGap())
    }

    /// The first items that two snapshots have not both.
    private static func difference(_ before: [UInt8], _ after: [UInt8]) -> String {
        let lists = [before, after].map { snapshot in
            var items: [String] = []
            snapshot.withUnsafeBytes { try? SnapshotBytes.forEachItem(in: $0) { items.append("\($0)") } }
            return items
        }
        let sets = lists.map { Set($0) }
        let gone = lists[0].first { !sets[1].contains($0) } ?? "nothing"
        let new = lists[1].first { !sets[0].contains($0) } ?? "nothing"
        return "it had \(gone), and has \(new)"
    }
}
