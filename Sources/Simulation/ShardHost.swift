import Booking
import Node
import Seeded
import Wire

/// One shard process of the simulated cluster: what `Server.ShardServer` is to the real one, on simulated links, disk and
/// clocks. What happens in which order is decided by the same `Node.ShardNode`.
final class ShardHost {
    let index: Int
    private unowned let world: World
    /// Counts the starts.
    private(set) var life = 0
    private(set) var isUp = false
    /// It was asked to stop: it takes no links and reads no requests.
    private(set) var isStopping = false
    private(set) var node: ShardNode
    private var effects = ShardEffects()
    let journal: SimulatedJournal
    var clock = SimulatedClock()
    private var wasReading = true
    /// Since when nothing has kept it from deciding and from writing down what it decides; in the future while something does.
    var unhinderedSince: Timestamp { max(self.decidesSince, self.hinderedUntil) }
    private var decidesSince = Timestamp.distantFuture
    private var hinderedUntil = Timestamp.distantPast
    /// In the order in which they were accepted.
    private var accepted: [Link] = []
    /// Links to the other shards.
    private var dialled: [Link?]

    init(_ index: Int, in world: World) {
        self.index = index
        self.world = world
        self.journal = SimulatedJournal(of: index, in: world)
        self.dialled = Array(repeating: nil, count: world.slots.shardCount)
        self.node = ShardNode(
            self.journal.fresh(),
            durableSequence: 0,
            isSuspended: false,
            pace: world.plan.commitPace,
            expectedTime: nil,
            at: ShardNode.ClockReading(wall: SmallWorld.start, sinceBoot: .zero)
        )
    }

    var process: Process { .shard(self.index) }

    // MARK: Clocks

    private var sinceBoot: Nanoseconds { self.world.now - SmallWorld.start }
    private var reading: ShardNode.ClockReading { self.clock.reading(at: self.world.now) }

    /// The node has read its clocks.
    private func noteClock() {
        self.clock.note(self.node.now, isSuspended: self.node.clock.isSuspended, of: self.index, self.life, self.world)
        self.noteReading()
    }

    private func noteReading() {
        if self.node.isReading {
            self.decidesSince = .distantFuture
        } else if self.wasReading {
            self.decidesSince = self.world.now
            self.world.auditor.resumed(self.index, at: self.node.now)
        }
        self.wasReading = self.node.isReading
    }

    /// It is frozen, or its disk is slow.
    func hinder(until time: Timestamp) { self.hinderedUntil = max(self.hinderedUntil, time) }

    /// The wall clock is right again; or it is now, and was wrong before.
    func clockIsSane(isTrusted: Bool) {
        guard self.clock.becomesSane(isTrusted: isTrusted, of: self.index, self.world), self.isUp else { return }
        self.step(.clockTrusted(self.reading))
        self.noteClock()
    }

    // MARK: Life and death

    /// Starts from the disk; false when that must not be.
    func start() -> Bool {
        self.life += 1
        var machine = self.journal.fresh()
        guard let sequence = self.journal.load(into: &machine) else { return false }
        let isSuspended = !self.journal.begin()
        self.node = ShardNode(
            machine,
            durableSequence: sequence,
            isSuspended: isSuspended,
            pace: self.world.plan.commitPace,
            expectedTime: self.clock.expected(at: self.world.now),
            at: self.reading
        )
        self.wasReading = true
        self.noteClock()
        self.world.auditor.restarted(clockOf: self.index, at: self.node.now)
        self.isUp = true
        for shard in self.dialled.indices where shard != self.index {
            self.world.add(.dial(self.process, shard: shard, life: self.life), after: self.world.wireDelay())
        }
        self.world.add(.tick(self.process, life: self.life), after: self.world.plan.tick)
        self.world.add(.compact(shard: self.index, life: self.life), after: self.world.compactionGap())
        guard isSuspended else { return true }
        self.world.trace.add(.note(self.process, "starts on a full disk, and only reads"), at: self.world.now)
        self.world.tally.suspendedStarts += 1
        self.world.add(.tryDisk(shard: self.index, life: self.life), after: self.world.plan.diskPatience)
        return true
    }

    /// Everything but the disk is gone.
    func crash() {
        self.isUp = false
        self.isStopping = false
        self.decidesSince = .distantFuture
        self.life += 1
        self.journal.crash()
        self.accepted = []
        self.dialled = Array(repeating: nil, count: self.dialled.count)
    }

    /// What another process does.
    func compact() {
        guard self.journal.compact() else { return }
        self.world.add(.compact(shard: self.index, life: self.life), after: self.world.compactionGap())
    }

    // MARK: Events

    private func beginTurn() {
        guard !self.node.isInTurn else { return }
        self.world.add(.turnEnds(self.process, life: self.life), after: self.world.turnTime())
        self.readClocks()
    }

    private func readClocks() {
        self.node.beginTurn(at: self.reading, into: &self.effects)
        self.noteClock()
    }

    private func step(_ event: ShardNode.Event) {
        self.beginTurn()
        self.node.step(event, at: self.sinceBoot, into: &self.effects)
        self.obey()
        self.noteReading()
    }

    /// Also when the pause between two commits is over.
    func turnEnds() {
        if !self.node.isInTurn { self.readClocks() }
        self.step(.turnEnded)
    }

    func tick() {
        guard !self.isStopping else { return }
        self.step(.tick)
        self.world.add(.tick(self.process, life: self.life), after: self.world.plan.tick)
        guard !self.node.isReading else { return }
        let isChecked = self.world.auditor.ticked(
            self.index,
            time: self.node.now,
            at: self.world.now,
            unhinderedSince: self.unhinderedSince,
            commitTime: self.world.plan.commitTime
        )
        if isChecked { self.world.tally.duties += 1 }
    }

    func accept(_ link: Link) { self.accepted.append(link) }

    func helloCame(_ hello: Hello, over link: Link) { self.step(.linkUp(link.number, from: hello)) }

    func dialled(_ link: Link) {
        self.dialled[link.shard] = link
        self.world.sayHello(on: link, as: .shard, self.index)
    }

    func linkIsUp(_ link: Link) { self.step(.shardUp(link.shard)) }

    func linkEnded(_ link: Link, _ side: LinkSide) {
        guard side == .dialler else {
            self.accepted.removeAll { $0 === link }
            return self.step(.linkLost(link.number))
        }
        guard self.dialled[link.shard] === link else { return }
        self.dialled[link.shard] = nil
        if link.dialler.isUp { self.step(.shardLost(link.shard)) }
        self.world.add(.dial(self.process, shard: link.shard, life: self.life), after: .milliseconds(10))
    }

    func receive(_ frame: Frame, _ link: Link, _ side: LinkSide) throws(WireError) {
        self.beginTurn()
        if self.node.clock.isSuspended { self.world.auditor.clocks[self.index].suspendedAt = self.world.now }
        guard side == .acceptor else { return try self.node.receive(frame, fromShard: link.shard) }
        guard !self.isStopping else { return }
        if !self.node.isReading, case .request = frame.category {
            let request = try Request(frame: frame)
            self.world.trace.add(.decided(shard: self.index, request), at: self.world.now)
            self.world.auditor.arrived(request, at: self.node.now)
        }
        try self.node.receive(frame, from: link.number, into: &self.effects)
        self.obey()
    }

    /// False when the disk refuses for good: this shard stops, as nobody knows what its state is worth.
    func diskIsDone(isKept: Bool) -> Bool {
        let event = self.journal.finish(isKept: isKept)
        self.step(.journal(event))
        if event == .failed { self.decidesSince = .distantFuture }
        return event != .failed
    }

    /// Somebody asks it to stop.
    func stop() {
        guard self.isUp, !self.isStopping else { return }
        self.isStopping = true
        self.decidesSince = .distantFuture
        self.step(.stop)
    }

    /// Looks whether the disk takes batches again, and goes on looking until it does.
    func tryDisk() {
        guard self.node.gate.isSuspended else { return }
        self.step(.renewalDue)
        self.world.add(.tryDisk(shard: self.index, life: self.life), after: self.world.plan.diskPatience)
    }

    // MARK: Effects

    private func obey() {
        guard self.effects.isPending else { return }
        self.effects.isPending = false
        for alert in self.effects.alerts { self.world.auditor.alerted(alert, by: self.index) }
        self.effects.alerts.removeAll()
        self.world.auditor.require(self.effects.misfits.isEmpty, "a reply does not fit a frame")
        self.effects.refusals.removeAll(keepingCapacity: true)
        self.effects.drainSends { link, bytes in
            switch link {
            case .accepted(let number): self.send(bytes, over: self.accepted.first { $0.number == number }, .acceptor)
            case .shard(let shard): self.send(bytes, over: self.dialled[shard], .dialler)
            }
        }
        let closes = self.effects.closes
        self.effects.closes.removeAll()
        for close in closes { self.close(close.link) }
        if self.effects.rebuild { self.rebuild() }
        if self.effects.journalRecovered {
            self.effects.journalRecovered = false
            self.world.trace.add(.note(self.process, "can write again"), at: self.world.now)
        }
        if self.effects.renew {
            self.effects.renew = false
            self.journal.renew(life: self.life)
        }
        if let span = self.effects.wakeAfter.take() {
            self.world.add(.turnEnds(self.process, life: self.life), after: span)
        }
        if let append = self.effects.append.take() { self.journal.append(append, life: self.life) }
        if self.effects.hasEnded {
            self.effects.hasEnded = false
            self.world.auditor.require(!self.journal.isBusy, "shard \(self.index) ends while its disk is busy")
            self.world.add(.giveUp(shard: self.index, life: self.life), after: .zero)
        }
    }

    private func send(_ bytes: borrowing FrameBytes, over link: Link?, _ side: LinkSide) {
        guard let link else { return }
        bytes.withUnsafeBytes { link[side].outgoing.append($0) }
        self.world.flush(link, side)
    }

    private func close(_ number: UInt32) {
        for link in self.accepted where link.number == number { link.acceptor.isOpen = false }
        self.accepted.removeAll { $0.number == number }
    }

    private func rebuild() {
        self.effects.rebuild = false
        self.world.trace.add(.note(self.process, "can't write, and only reads"), at: self.world.now)
        self.world.tally.suspensions += 1
        do throws(SimulatedDisk.Damage) {
            try self.node.rebuild(into: &self.effects) { (machine) throws(SimulatedDisk.Damage) in
                guard let sequence = self.journal.load(into: &machine) else { throw SimulatedDisk.Damage(offset: 0) }
                return sequence
            }
        } catch {
            self.step(.journal(.failed))
            self.decidesSince = .distantFuture
            return self.world.add(.giveUp(shard: self.index, life: self.life), after: .zero)
        }
        self.world.add(.tryDisk(shard: self.index, life: self.life), after: self.world.plan.diskPatience)
    }

    // MARK: The end of a run

    var isIdle: Bool {
        self.isUp && !self.isStopping && !self.journal.isBusy && self.node.gate.isIdle && !self.node.isReading
            && self.node.machine.concertCensus.allSatisfy { $0.paymentsOpen + $0.cancellationsOpen == 0 }
    }

    /// Settles everything that is due by now, and makes it durable.
    func settle() {
        self.step(.tick)
        self.step(.stop)
        while self.journal.isBusy { _ = self.diskIsDone(isKept: true) }
    }
}
