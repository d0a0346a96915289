import Booking
import Seeded
import Wire

/// One shard process of the simulated cluster: what `Server.ShardServer` is to the real one, on simulated links, disk
/// and time. The machines inside, `Booking.Shard` and `Booking.CommitGate`, and the frames are the real ones.
final class ShardHost {
    let index: Int
    private unowned let world: World
    private var mutant: Mutant? { self.world.mutant }

    /// Counts the starts.
    private(set) var life = 0
    private(set) var isUp = false
    var disk = SimulatedDisk()
    /// How far this process's clock is ahead of the world's.
    var skew = Nanoseconds.zero
    /// How far its wall clock is ahead on top of that, absurdly.
    var absurdity = Nanoseconds.zero
    private var shardClock: ShardClock
    /// What the supervisor's file says: how far time was ahead of the clock since the boot; nil before the first start.
    private var offset: Nanoseconds?
    private var wasSuspended = false
    private var checked: (life: Int, at: Timestamp, time: Timestamp)?
    var machine: Shard
    private var gate: CommitGate
    private var facts = FrameBytes()
    /// In the order in which they were accepted.
    private var accepted: [Link] = []
    /// Links to the other shards, for payments and cancellations.
    private var dialled: [Link?]
    private var gatheringTransfers: [TransferOrder] = []
    private var committingTransfers: [TransferOrder] = []
    /// A copy of the disk, and how many facts are on it.
    private var copy: (disk: SimulatedDisk, facts: Int)?
    private var turnIsOpen = false
    /// The batch under way.
    private var batch: (count: Int, facts: [UInt8])?
    /// The last one that a full disk refused, until it takes another.
    private var refusedBatch: (count: Int, facts: [UInt8])?

    init(_ index: Int, in world: World) {
        self.index = index
        self.world = world
        self.machine = Self.fresh(index, world)
        self.gate = CommitGate(durableSequence: 0, pace: world.plan.commitPace)
        self.shardClock = Self.clock(after: .distantPast, SmallWorld.start)
        self.dialled = Array(repeating: nil, count: world.slots.shardCount)
    }

    private static func fresh(_ index: Int, _ world: World) -> Shard {
        Shard(
            index: index,
            slots: world.slots,
            catalogue: SmallWorld.catalogue,
            answerLimits: world.plan.answerLimits,
            recordLimits: world.plan.recordLimits,
            transfersKeptMax: world.plan.transfersKeptMax,
            hashSeed: world.hashSeed
        )
    }

    private static func clock(
        after last: Timestamp,
        expected: Timestamp? = nil,
        _ now: Timestamp,
        skew: Nanoseconds = .zero
    ) -> ShardClock {
        ShardClock(
            after: last,
            expected: expected,
            wall: now + skew,
            monotonic: now - SmallWorld.start,
            jumpMax: .seconds(2)
        )
    }

    var process: Process { .shard(self.index) }
    /// This process's time, from its wall clock and one that only says how much has passed.
    private var clock: Timestamp {
        let time = self.shardClock.read(wall: self.wall, monotonic: self.sinceStart).time
        self.noteClock(time)
        return time
    }

    private var wall: Timestamp { self.world.now + self.skew + self.absurdity }
    private var sinceStart: Nanoseconds { self.world.now - SmallWorld.start }

    private func noteClock(_ time: Timestamp) {
        let auditor = self.world.auditor
        // After a jump that was to be trusted, another is less absurd, and followed.
        let latest = auditor.clocks[self.index].latest
        let isAbsurd = latest != .distantPast && self.wall - latest >= ShardClock.absurdJump
        let ahead = isAbsurd ? self.skew : self.wall - self.world.now
        auditor.clocks[self.index].aheadMax = max(auditor.clocks[self.index].aheadMax, ahead)
        auditor.clocks[self.index].latest = max(latest, time)
        self.offset = time - Timestamp(nanoseconds: self.sinceStart.rawValue)
        if self.shardClock.isSuspended { auditor.clocks[self.index].suspendedAt = self.world.now }
        guard self.shardClock.isSuspended != self.wasSuspended else { return }
        self.wasSuspended.toggle()
        if self.wasSuspended {
            self.world.tally.clockSuspensions += 1
            return auditor.began(suspensionOf: self.index, at: time)
        }
        auditor.ended(suspensionOf: self.index, at: time)
        // With a disk that is full, this comes when it is not.
        if self.isUp, !self.isReading { self.machine.resume(at: time) }
    }

    /// The wall clock is right again; or it is now, and was wrong before.
    func clockIsSane(isTrusted: Bool) {
        guard self.absurdity != .zero else { return }
        let wall = self.wall
        if isTrusted { self.skew = Nanoseconds(self.skew.rawValue + self.absurdity.rawValue) }
        self.absurdity = .zero
        guard isTrusted else { return }
        let auditor = self.world.auditor
        auditor.clocks[self.index].aheadMax = max(auditor.clocks[self.index].aheadMax, self.skew)
        // What the supervisor's file says; then what its word does.
        self.offset = wall - Timestamp(nanoseconds: self.sinceStart.rawValue)
        guard self.isUp, self.shardClock.trust(wall: wall, monotonic: self.sinceStart) else { return }
        self.noteClock(self.shardClock.time)
    }

    /// Time goes on, at nine tenths of its pace at least, and never back.
    private func checkClock() {
        let before = self.checked
        let time = self.clock
        self.checked = (self.life, self.world.now, time)
        guard let before, before.life == self.life else { return }
        let passed = (self.world.now - before.at).rawValue
        self.world.auditor.require(
            (time - before.time).rawValue >= passed - passed / 10 - 1_000,
            "shard \(self.index)'s time went on from \(before.time) to \(time) while \(passed) ns passed"
        )
    }

    // MARK: Life and death

    /// Starts from the disk; false when that must not be.
    func start() -> Bool {
        self.life += 1
        guard let sequence = self.load(&self.disk, into: &self.machine) else { return false }
        self.disk.isClosed = false
        let isBlind = self.mutant == .absurdClockBelievedAtStart
        let expected = self.offset.map { Timestamp(nanoseconds: self.sinceStart.rawValue) + $0 }
        self.shardClock = Self.clock(
            after: self.machine.lastFactAt,
            expected: isBlind ? nil : expected,
            self.world.now,
            skew: Nanoseconds(self.skew.rawValue + self.absurdity.rawValue)
        )
        let time = self.clock
        self.world.auditor.restarted(clockOf: self.index, at: time)
        if !self.shardClock.isSuspended { self.machine.resume(at: time) }
        self.gate = CommitGate(durableSequence: sequence, pace: self.world.plan.commitPace)
        self.isUp = true
        for shard in self.dialled.indices where shard != self.index {
            self.world.add(.dial(self.process, shard: shard, life: self.life), after: self.world.wireDelay())
        }
        self.world.add(.tick(self.process, life: self.life), after: self.world.plan.tick)
        self.world.add(.compact(shard: self.index, life: self.life), after: self.world.compactionGap())
        return true
    }

    /// Puts in place of `shard` what a disk says, and gives the last fact; nil for a damaged disk.
    private func load(_ disk: inout SimulatedDisk, into shard: inout Shard) -> UInt64? {
        var batches: [(count: Int, facts: ArraySlice<UInt8>)] = []
        let takesTorn = self.mutant == .tornBatchTaken
        let damage = disk.replay(takesTorn: takesTorn, skipsDamage: self.mutant == .damageSkipped) {
            batches.append(($0, $1))
        }
        guard damage == nil else { return nil }
        if self.mutant == .lastBatchNotReplayed { _ = batches.popLast() }
        shard = self.restored(disk.snapshot)
        var sequence = disk.snapshot?.sequence ?? 0
        for batch in batches {
            do throws(WireError) {
                try Self.forEachFact(of: batch.facts, count: batch.count) { fact in
                    shard.take(fact)
                    sequence += 1
                }
            } catch {
                guard takesTorn else { preconditionFailure("a batch that was kept can't be read: \(error)") }
            }
        }
        if disk.isCopy { shard.declareCopy(chance: self.world.random.next()) }
        return sequence
    }

    private func restored(_ snapshot: SimulatedDisk.Snapshot?) -> Shard {
        let index = self.index
        let world = self.world
        guard let snapshot else { return Self.fresh(index, world) }
        let restoration = ShardRestoration { Self.fresh(index, world) }
        let failure = snapshot.bytes.withUnsafeBytes { bytes -> String? in
            do throws(WireError) {
                try SnapshotBytes.forEachItem(in: bytes) { item throws(WireError) in
                    if self.isLeftOut(item) { return }
                    do throws(Misfit) { try restoration.take(item) } catch { throw WireError(error.reason) }
                }
            } catch { return error.reason }
            return nil
        }
        if let failure { preconditionFailure("a snapshot that was kept can't be read: \(failure)") }
        return restoration.finish()
    }

    private func isLeftOut(_ item: SnapshotItem) -> Bool {
        switch (self.mutant, item) {
        case (.debitsLeftOutOfSnapshot, .transfer(_, let entry)): entry.direction == .debit
        case (.creditsLeftOutOfSnapshot, .transfer(_, let entry)): entry.direction == .credit
        case (.cancellationsLeftOutOfSnapshot, .cancellation), (.answersLeftOutOfSnapshot, .answer): true
        default: false
        }
    }

    /// What another process does: restores what is durable, writes a snapshot of that, and drops the records before it.
    func compact() {
        var copy = self.disk
        var shard = Self.fresh(self.index, self.world)
        guard let sequence = self.load(&copy, into: &shard) else { return }
        var bytes = FrameBytes()
        SnapshotBytes.encode(shard, into: &bytes)
        self.disk.compact(bytes.array, sequence: sequence)
        self.world.trace.mix(bytes.array)
        self.world.add(.compact(shard: self.index, life: self.life), after: self.world.compactionGap())
    }

    /// The state as a snapshot says it.
    var snapshot: [UInt8] {
        var bytes = FrameBytes()
        SnapshotBytes.encode(self.machine, into: &bytes)
        return bytes.array
    }

    static func forEachFact(of bytes: ArraySlice<UInt8>, count: Int, _ body: (Fact) -> Void) throws(WireError) {
        // `withUnsafeBytes` rethrows untyped, so the error is handed out by hand.
        let failure = bytes.withUnsafeBytes { bytes -> WireError? in
            do throws(WireError) { try Fact.forEach(in: bytes, count: count) { body($0) } } catch { return error }
            return nil
        }
        if let failure { throw failure }
    }

    /// Everything but the disk is gone.
    func crash() {
        self.isUp = false
        self.life += 1
        if self.mutant == .diskLies {
            self.disk.loseLast()
        } else if self.disk.crash(&self.world.random) == .whole, let batch = self.batch ?? self.refusedBatch {
            self.world.becameDurable(batch.facts, count: batch.count, of: self.index)
        }
        self.batch = nil
        self.refusedBatch = nil
        self.facts.removeAll()
        self.accepted = []
        self.dialled = Array(repeating: nil, count: self.dialled.count)
        self.gatheringTransfers = []
        self.committingTransfers = []
        self.turnIsOpen = false
    }

    // MARK: Copies

    /// Somebody copies the disk. What is being written is not on the copy.
    func copyDisk() {
        guard !self.disk.isDamaged else { return }
        self.copy = (self.disk.copied, self.world.auditor.journals[self.index].count)
    }

    /// Somebody puts the copy in place of the disk of a shard that is not up. `isNoticed` is false when its files took the
    /// places of the old ones, so that only the other shards can know. False when there is no copy.
    func putCopyBack(isNoticed: Bool) -> Bool {
        guard let copy = self.copy else { return false }
        self.disk = copy.disk
        self.disk.isCopy = isNoticed
        self.world.auditor.lost(of: self.index, after: copy.facts, isNoticed: isNoticed)
        return true
    }

    // MARK: Links

    func accept(_ link: Link) { self.accepted.append(link) }

    /// Who has dialled again sends again what it had in flight: what is left on its link before is thrown away.
    func helloCame(over link: Link) {
        for old in self.accepted where old !== link && old.dialler.process == link.dialler.process {
            old.acceptor.isOpen = false
        }
        self.accepted.removeAll { !$0.acceptor.isOpen }
    }

    func dialled(_ link: Link) {
        self.dialled[link.shard] = link
        self.world.sayHello(on: link, as: .shard, self.index)
    }

    func linkEnded(_ link: Link, _ side: LinkSide) {
        guard side == .dialler else { return self.accepted.removeAll { $0 === link } }
        guard self.dialled[link.shard] === link else { return }
        self.dialled[link.shard] = nil
        if self.mutant == .lostDebitIsRefused, !self.isReading {
            for order in self.world.auditor.openPayments(on: self.index)
            where self.world.slots.shard(of: Slot(of: order.user)) == link.shard {
                self.machine.takeTransferReply(.refused(.insufficientPoints), for: TransferID(order.id), at: self.clock)
            }
            self.takeOutput()
        }
        self.world.add(.dial(self.process, shard: link.shard, life: self.life), after: .milliseconds(10))
    }

    func linkIsUp(_ link: Link) {
        guard !self.isReading else { return }
        self.machine.linkIsUp(to: link.shard)
        self.takeOutput()
    }

    // MARK: Frames in

    func take(_ frame: Frame, _ link: Link, _ side: LinkSide) throws(WireError) {
        switch frame.sort {
        case .request where side == .acceptor:
            let request = try Request(frame: frame)
            let operation = try frame.operation(ofLife: link.acceptor.peerLife)
            // Read first: it may end that nothing is decided, or begin it.
            _ = self.clock
            guard !self.isReading else {
                self.encode(
                    self.machine.read(
                        request,
                        as: operation,
                        refusing: self.gate.isSuspended ? .storageUnavailable : .clockSuspended
                    ),
                    frame.header.slot,
                    frame.header.requestID,
                    into: &link.acceptor.gathering
                )
                return self.turnBegins()
            }
            self.decide(request, operation, frame.header.requestID, slot: frame.header.slot, link)
        case .reply where side == .dialler:
            let reply = try Reply(frame: frame)
            let time = self.clock
            guard !self.isReading else { return }
            if case .transfersSeen(let marks) = reply {
                self.machine.hear(marks, from: link.shard, at: time)
            } else {
                self.machine.takeTransferReply(reply, for: TransferID(frame.header.requestID), at: time)
            }
            self.takeOutput()
        default: throw WireError("a shard takes requests, and replies to its transfers")
        }
    }

    private func decide(_ request: Request, _ operation: Operation?, _ id: UInt64, slot: Slot, _ link: Link) {
        self.world.trace.add(.decided(shard: self.index, request), at: self.world.now)
        var asked = request
        if self.mutant == .debitTwice, case .transfer(let order) = request, order.direction == .debit,
            self.world.auditor.isDebited(PaymentID(order.id.rawValue))
        {
            asked = .use(order.user, order.amount)
        }
        if self.mutant == .creditTwice, case .transfer(let order) = request, order.direction == .credit,
            self.world.auditor.isCredited(CancellationID(order.id.rawValue))
        {
            asked = .charge(order.user, order.amount, .free)
        }
        let origin = Shard.Origin(link: link.number, request: id)
        guard var reply = self.machine.decide(asked, from: origin, as: operation, at: self.clock) else {
            return self.takeOutput()
        }
        if self.mutant == .doneButRefused, case .points = reply, self.world.random.once(in: 10) {
            reply = .refused(.insufficientPoints)
        }
        let changedNothing = self.machine.facts.isEmpty
        self.takeOutput()
        if self.mutant == .readBeforeCommit, changedNothing {
            self.encode(reply, slot, id, into: &link.acceptor.outgoing)
            return self.world.flush(link, .acceptor)
        }
        self.encode(reply, slot, id, into: &link.acceptor.gathering)
    }

    // MARK: Frames out

    func tick() {
        self.checkClock()
        let time = self.clock
        if !self.isReading {
            self.machine.tick(at: time)
            self.takeOutput()
        }
        self.world.add(.tick(self.process, life: self.life), after: self.world.plan.tick)
    }

    private func takeOutput() {
        var asked = 0
        self.machine.takeOutput(
            facts: {
                // See `Mutant.decidesWithoutRoom`: what is decided then is acknowledged, and never written.
                guard !self.gate.isSuspended else { return }
                $0.encode(into: &self.facts)
                self.gate.gather()
            },
            transfers: { transfer in
                if self.mutant == .transferNotAskedAgain, self.world.wasAsked(transfer.id) { return }
                asked += 1
                self.gatheringTransfers.append(transfer)
            },
            lateReplies: { late in
                guard let link = self.accepted.first(where: { $0.number == late.origin.link }) else {
                    return
                }
                self.encode(late.reply, Slot(checking: 0)!, late.origin.request, into: &link.acceptor.gathering)
            }
        )
        if asked > 0, self.mutant == .debitBeforeCommit {
            for transfer in self.gatheringTransfers { self.send(transfer) }
            self.gatheringTransfers = []
        }
        for shard in self.machine.takePeersToAsk() {
            self.send(.transfersSeen(shard: UInt16(self.index)), to: shard, requestID: 0)
        }
        for alert in self.machine.takeAlerts() { self.world.auditor.alerted(alert, by: self.index) }
        self.turnBegins()
    }

    private func turnBegins() {
        guard !self.turnIsOpen else { return }
        self.turnIsOpen = true
        self.world.add(.turnEnds(self.process, life: self.life), after: self.world.turnTime())
    }

    private func encode(_ reply: Reply, _ slot: Slot, _ id: UInt64, into bytes: inout FrameBytes) {
        do {
            try reply.encode(into: &bytes, slot: slot, requestID: id)
        } catch { preconditionFailure("a reply does not fit a frame: \(error)") }
    }

    func turnEnds() {
        self.turnIsOpen = false
        self.endTurn()
    }

    private func endTurn(isLast: Bool = false) {
        switch self.gate.endTurn(at: self.world.now - SmallWorld.start, isLast: isLast) {
        case .wait: if self.mutant == .replyBeforeCommit { self.leave() }
        case .pause(let span):
            // The end of a turn that is open asks again by itself.
            guard !self.turnIsOpen else { return }
            self.turnIsOpen = true
            self.world.add(.turnEnds(self.process, life: self.life), after: span)
        case .release: self.leave()
        case .commit(let batch):
            self.setAside()
            self.commit(batch)
            if self.mutant == .replyBeforeCommit { self.sendSetAside() }
        }
    }

    private func leave() {
        self.setAside()
        self.sendSetAside()
    }

    private func setAside() {
        for link in self.accepted where !link.acceptor.gathering.isEmpty {
            swap(&link.acceptor.gathering, &link.acceptor.committing)
        }
        swap(&self.gatheringTransfers, &self.committingTransfers)
    }

    private func sendSetAside() {
        for link in self.accepted where !link.acceptor.committing.isEmpty {
            link.acceptor.committing.withUnsafeBytes { link.acceptor.outgoing.append($0) }
            link.acceptor.committing.removeAll()
            self.world.flush(link, .acceptor)
        }
        let transfers = self.committingTransfers
        self.committingTransfers.removeAll(keepingCapacity: true)
        for transfer in transfers { self.send(transfer) }
    }

    private func send(_ transfer: TransferOrder) {
        if self.mutant == .seatsFreedBeforeCredit, transfer.direction == .credit {
            let balance = self.world.auditor.balance(of: transfer.user) + transfer.amount
            self.machine.takeTransferReply(.credited(balance), for: transfer.id, at: self.clock)
            self.takeOutput()
        }
        let shard = self.world.slots.shard(of: Slot(of: transfer.user))
        self.send(.transfer(transfer), to: shard, requestID: transfer.id.rawValue)
    }

    private func send(_ request: Request, to shard: Int, requestID: UInt64) {
        // Without a link it is asked for again when that is up.
        guard let link = self.dialled[shard], link.dialler.isUp, link.dialler.isOpen else { return }
        do {
            try request.encode(into: &link.dialler.outgoing, slot: request.slot, requestID: requestID)
        } catch { preconditionFailure("a question to a shard does not fit a frame: \(error)") }
        self.world.flush(link, .dialler)
    }

    // MARK: The journal

    private func commit(_ batch: CommitGate.Batch) {
        var bytes = self.facts.array
        self.facts.removeAll()
        var count = Int(batch.count)
        if self.mutant == .factNotWritten, count > 1 {
            count -= 1
            bytes = Self.withoutLast(bytes, count: count)
        }
        self.disk.begin(CommitGate.Batch(firstSequence: batch.firstSequence, count: UInt32(count)), bytes)
        self.batch = (count, bytes)
        self.world.add(
            .diskIsDone(shard: self.index, life: self.life, isKept: !self.disk.isFull && !self.disk.isClosed),
            after: self.world.diskDelay(of: self.index)
        )
    }

    private static func withoutLast(_ bytes: [UInt8], count: Int) -> [UInt8] {
        var kept = FrameBytes()
        var seen = 0
        try? Self.forEachFact(of: bytes[...], count: count + 1) { fact in
            if seen < count { fact.encode(into: &kept) }
            seen += 1
        }
        return kept.array
    }

    /// False when the batch was refused for good: this shard stops, as nobody knows what its state is worth.
    func diskIsDone(isKept: Bool) -> Bool {
        guard let batch = self.batch.take() else { preconditionFailure("no batch is under way") }
        guard isKept else {
            self.disk.refuse(&self.world.random)
            self.refusedBatch = batch
            if self.disk.isClosed {
                self.gate.failed()
                return false
            }
            self.suspend()
            return true
        }
        self.disk.sync()
        self.world.becameDurable(batch.facts, count: batch.count, of: self.index)
        self.gate.committed()
        self.sendSetAside()
        self.endTurn()
        return true
    }

    // MARK: A full disk

    /// What `Server.ShardServer` does when its journal can't write for now.
    private func suspend() {
        self.world.trace.add(.note(self.process, "can't write, and only reads"), at: self.world.now)
        self.world.tally.suspensions += 1
        self.gate.refused()
        self.facts.removeAll()
        if self.mutant == .refusedBatchIsAnswered { self.leave() }
        self.answerAllWhoWait(with: Reply.unanswered)
        self.gatheringTransfers = []
        self.committingTransfers = []
        if self.mutant == .refusedBatchStaysInState {
            self.machine.takeOutput(facts: { _ in }, transfers: { _ in }, lateReplies: { _ in })
            self.gate.rebuilt(upTo: self.gate.durableSequence)
        } else {
            let answers = self.machine.answersGiven
            guard let sequence = self.load(&self.disk, into: &self.machine) else {
                self.gate.failed()
                return self.world.add(.giveUp(shard: self.index, life: self.life), after: .zero)
            }
            self.machine.doubt(answers)
            self.gate.rebuilt(upTo: sequence)
        }
        self.world.add(.tryDisk(shard: self.index, life: self.life), after: self.world.plan.diskPatience)
    }

    private func answerAllWhoWait(with reply: Reply) {
        for late in self.machine.takeWaiters(telling: reply) {
            guard let link = self.accepted.first(where: { $0.number == late.origin.link }) else { continue }
            self.encode(late.reply, Slot(checking: 0)!, late.origin.request, into: &link.acceptor.gathering)
        }
        for link in self.accepted {
            do throws(WireError) {
                try reply.encode(inPlaceOf: link.acceptor.committing, into: &link.acceptor.outgoing)
                try reply.encode(inPlaceOf: link.acceptor.gathering, into: &link.acceptor.outgoing)
            } catch { preconditionFailure("a reply that was encoded can't be read: \(error)") }
            link.acceptor.committing.removeAll()
            link.acceptor.gathering.removeAll()
            self.world.flush(link, .acceptor)
        }
    }

    /// Requests are read from the state, and nothing is decided.
    private var isReading: Bool {
        self.gate.isSuspended && self.mutant != .decidesWithoutRoom
            || self.shardClock.isSuspended && self.mutant != .decidesBySuspendedClock
    }

    /// Looks whether the disk takes batches again.
    func tryDisk() {
        guard self.gate.isSuspended else { return }
        guard !self.disk.isFull else {
            return self.world.add(.tryDisk(shard: self.index, life: self.life), after: self.world.plan.diskPatience)
        }
        self.world.trace.add(.note(self.process, "can write again"), at: self.world.now)
        self.disk.writeOver()
        self.refusedBatch = nil
        self.gate.mended()
        let time = self.clock
        self.machine.resume(at: time)
    }

    // MARK: The end of a run

    var isIdle: Bool {
        self.isUp && self.batch == nil && self.gate.isIdle && !self.gate.isSuspended && !self.shardClock.isSuspended
            && self.openCount == 0
    }

    /// Payments and cancellations.
    private var openCount: Int {
        self.machine.concertCensus.reduce(0) { $0 + $1.paymentsOpen + $1.cancellationsOpen }
    }

    /// Settles everything that is due by now, and makes it durable.
    func settle() {
        let time = self.clock
        self.machine.tick(at: time)
        self.takeOutput()
        self.endTurn(isLast: true)
        while self.batch != nil {
            _ = self.diskIsDone(isKept: true)
            self.endTurn(isLast: true)
        }
    }

    /// A question at the very end of a run: nothing that it might change is kept.
    func ask(_ request: Request) -> Reply {
        let origin = Shard.Origin(link: 0, request: 0)
        guard let reply = self.machine.decide(request, from: origin, at: .distantPast) else {
            preconditionFailure("only payments are answered late")
        }
        return reply
    }
}
