import Booking
import Configuration
import Journal
import JournalHistory
import Links
import Logging
import Node
import Reactor
import Statistics
import Wire

/// The process of one shard: sockets, timers, the journal, clocks and statistics around `Node.ShardNode`, which decides what
/// happens in which order. It decides nothing itself.
///
///     link, timer, journal ──event──▶ ShardNode ──effects──▶ `obey`: links, timers, journal, log
final class ShardServer {
    /// How often a shard admits people and lets what is over lapse: nobody notices so little, and a tick costs some 10 µs.
    private static let tickMilliseconds: UInt64 = 10

    private let loop: EventLoop
    private let log: Logger
    private let startedAt = Clock.monotonicNanoseconds()
    private let identity: FrameLink.Identity
    private let readings = ClockReadings()
    private var node: ShardNode
    private var effects = ShardEffects()
    private let journal: any Journal
    /// Puts what the journal says in place of the machine.
    private let restore: (inout Shard) throws(JournalError) -> Recovery.Report
    /// Why the journal refused the last batch that it refused.
    private var refusal: JournalError?
    private var listener: UnixListener?
    private let ticker: LoopTimer
    /// Waking the loop is all that it does: the turn that ends with it commits.
    private let pacer: LoopTimer
    private let trouble: StorageTrouble
    /// Links that were accepted.
    private var links: [UInt32: FrameLink] = [:]
    private var nextLink: UInt32 = 1
    /// Links to the other shards, for payments and cancellations; none to itself.
    private var connectors: [ShardConnector?] = []
    private var meter = ShardMeter()
    private var commits = CommitMeter()
    /// The journal refused a batch for good, so this shard can't go on. Called once.
    var onFailure: (JournalError) -> Void = { _ in }
    /// The state is about to be built anew, and the loop does not turn meanwhile.
    var onRebuild: () -> Void = {}
    /// The wall clock can't be believed any more, or again.
    var onClock: (_ isSuspended: Bool) -> Void = { _ in }
    /// The journal has grown by so many bytes since the start.
    var onGrowth: (UInt64) -> Void = { _ in }
    private var onEnd: () -> Void = {}
    private var toldBytes: UInt64 = 0
    private var isNearKeyBound = false
    /// Where snapshots appear, for statistics.
    var snapshotFile: String?

    /// `machine` has taken in the journal's history, and `journal` begins where that ends. `restore` puts that history in
    /// place of a machine.
    init(
        index: Int,
        configuration: ServerConfiguration,
        machine: consuming Shard,
        journal: any Journal,
        restore: @escaping (inout Shard) throws(JournalError) -> Recovery.Report,
        loop: EventLoop,
        log: Logger
    ) throws(UVError) {
        let slots = machine.slots
        self.loop = loop
        self.log = log
        self.identity = FrameLink.Identity(
            hello: Hello(
                role: .shard,
                index: UInt16(index),
                shardCount: UInt16(slots.shardCount),
                slotMapVersion: slots.version,
                catalogue: machine.catalogue.digest
            )
        )
        let directory = configuration.stateDirectory
        let (lastFactAt, expected) = (machine.lastFactAt, directory.expectedTime())
        let reading = self.readings.reading
        self.journal = journal
        self.node = ShardNode(
            machine,
            durableSequence: journal.nextSequence - 1,
            isSuspended: journal.trouble != nil,
            pace: configuration.commitIntervalMin,
            expectedTime: expected,
            at: reading
        )
        self.restore = restore
        self.ticker = LoopTimer(on: loop)
        self.pacer = LoopTimer(on: loop)
        self.trouble = StorageTrouble(on: loop, log: log)
        log.tell(startOf: self.node.clock, after: lastFactAt, expected: expected, wall: reading.wall)
        self.listener = try UnixListener(on: loop, path: directory.shardSocket(index)) { [unowned self] connection in
            self.accept(connection)
        }
        self.listener?.onAcceptError = { log.warning("connection refused", metadata: ["reason": "\($0)"]) }
        self.connectors = (0..<slots.shardCount).map { shard in
            guard shard != index else { return nil }
            let connector = ShardConnector(
                toShard: shard,
                at: directory.shardSocket(shard),
                on: loop,
                as: self.identity,
                log: log
            )
            connector.onUp = { [unowned self] in self.step(.shardUp(shard)) }
            connector.onDown = { [unowned self] in self.step(.shardLost(shard)) }
            connector.onFrame = { [unowned self] frame throws(WireError) in
                self.beginTurn()
                try self.node.receive(frame, fromShard: shard)
            }
            return connector
        }
    }

    func start() {
        for connector in self.connectors { connector?.start() }
        self.loop.onTurnEnd = { [unowned self] in self.step(.turnEnded) }
        self.ticker.start(afterMilliseconds: Self.tickMilliseconds, everyMilliseconds: Self.tickMilliseconds) {
            [unowned self] in
            self.step(.tick)
            guard !self.node.isReading else { return }
            self.tellGrowth()
            self.tellKeys()
        }
        // The journal could not even say that it has a new owner: what it holds is served, and the rest waits.
        if let trouble = self.journal.trouble { self.troubleBegan(trouble) }
    }

    /// The wall clock can't be believed.
    var isClockSuspended: Bool { self.node.clock.isSuspended }

    /// An operator says that the wall clock is right.
    func trustClock() { self.step(.clockTrusted(self.readings.reading)) }

    /// Takes no new links and reads no more requests; once nothing waits for a commit, closes the links and calls `whenDone`.
    /// Gateways may go on: what is unread, or not answered yet, they send again to the next one of this shard.
    func stop(whenDone: @escaping () -> Void) {
        guard let listener = self.listener else { return }
        self.listener = nil
        listener.close()
        self.ticker.close()
        self.pacer.close()
        // Else, under load, something would always wait for the next commit.
        for link in self.links.values { link.stopReading() }
        self.onEnd = whenDone
        self.step(.stop)
    }

    private func end() {
        self.trouble.close()
        for connector in self.connectors { connector?.close() }
        for link in self.links.values { link.close(FrameLink.farewell) }
        self.loop.onTurnEnd = nil
        self.onEnd()
    }

    // MARK: Events

    private func beginTurn() {
        guard !self.node.isInTurn else { return }
        self.node.beginTurn(at: self.readings.reading, into: &self.effects)
    }

    private func step(_ event: ShardNode.Event) {
        self.beginTurn()
        self.node.step(event, at: .milliseconds(Int64(self.loop.now)), into: &self.effects)
        self.obey()
    }

    private func accept(_ connection: Connection) {
        let number = self.nextLink
        self.nextLink &+= 1
        let link = FrameLink(number: number, connection, as: self.identity, isDialler: false)
        self.links[number] = link
        link.onUp = { [unowned self, unowned link] in
            self.step(.linkUp(number, from: link.peer!))
            let pid = link.peerProcess.map { "\($0.processID)" } ?? "?"
            self.log.debug(
                "link accepted",
                metadata: ["role": "\(link.peer!.role)", "index": "\(link.peer!.index)", "pid": "\(pid)"]
            )
        }
        link.onFrame = { [unowned self] frame throws(WireError) in try self.receive(frame, from: number) }
        link.onEnd = { [unowned self] reason in
            self.log.debug("link ended", metadata: ["link": "\(number)", "reason": "\(reason)"])
            self.links[number] = nil
            self.step(.linkLost(number))
        }
    }

    private func receive(_ frame: Frame, from link: UInt32) throws(WireError) {
        self.beginTurn()
        try self.node.receive(frame, from: link, into: &self.effects)
        if let kind = Request.Kind(rawValue: frame.header.kind) { self.meter.began(kind) }
        if self.effects.isPending { self.obey() }
    }

    // MARK: Effects

    /// In their order. What comes of one may make a step of its own, so each slot is emptied first.
    private func obey() {
        guard self.effects.isPending else { return }
        self.effects.isPending = false
        self.tell()
        self.effects.drainSends { link, bytes in
            switch link {
            case .accepted(let number): self.links[number]?.send(bytes)
            case .shard(let shard): self.connectors[shard]?.link?.send(bytes)
            }
        }
        self.measure()
        if !self.effects.closes.isEmpty { self.closeLinks() }
        if !self.effects.statsRequests.isEmpty { self.sendStats() }
        if self.effects.rebuild { self.rebuild() }
        if self.effects.journalRecovered {
            self.effects.journalRecovered = false
            self.trouble.ended()
        }
        if self.effects.renew { self.renew() }
        if let span = self.effects.wakeAfter.take(), !self.pacer.isActive {
            self.pacer.start(afterMilliseconds: UInt64((span.rawValue + 999_999) / 1_000_000))
        }
        if let append = self.effects.append.take() { self.append(append) }
        if self.effects.hasEnded {
            self.effects.hasEnded = false
            self.end()
        }
    }

    /// What the log says of it, and the owner hears.
    private func tell() {
        if let note = self.effects.clockNote.take() {
            self.log.tell(note, wall: self.readings.wall(), time: self.node.now)
        }
        if self.effects.clockWasTrusted {
            self.effects.clockWasTrusted = false
            self.log.tellClockWasTrusted(time: self.node.now)
        }
        if self.effects.clockTurned {
            self.effects.clockTurned = false
            self.onClock(self.node.clock.isSuspended)
        }
        for alert in self.effects.alerts { self.log.tell(alert) }
        self.effects.alerts.removeAll()
        for misfit in self.effects.misfits {
            self.log.error("a reply does not fit a frame", metadata: ["reason": "\(misfit)"])
        }
        self.effects.misfits.removeAll()
    }

    private func measure() {
        while let kind = self.effects.refusals.popLast() { self.meter.refused(kind) }
        if self.effects.committedLeft {
            self.effects.committedLeft = false
            self.meter.sent()
        }
        if self.effects.gatheredLeft {
            self.effects.gatheredLeft = false
            self.meter.setAside()
            self.meter.sent()
        }
    }

    private func closeLinks() {
        let closes = self.effects.closes
        self.effects.closes.removeAll()
        for close in closes { self.links[close.link]?.close(close.reason) }
    }

    private func sendStats() {
        let requests = self.effects.statsRequests
        self.effects.statsRequests.removeAll()
        let text = self.statsText()
        for request in requests { self.links[request.link]?.send(.statsAnswer(text), requestID: request.requestID) }
    }

    private func append(_ append: ShardEffects.Append) {
        self.meter.setAside()
        self.commits.began()
        self.journal.append(
            JournalBatch(
                firstSequence: append.firstSequence,
                count: append.count,
                time: append.time,
                bytes: append.bytes
            )
        ) { result in
            switch result {
            case .success:
                self.commits.ended(bytes: append.bytes.count, facts: append.count)
                self.step(.journal(.durable))
            case .failure(let error) where error.isPassing:
                self.refusal = error
                self.step(.journal(.refused))
            case .failure(let error): self.fail(error)
            }
        }
    }

    /// By the code of a restart: 0.3 s with a million people waiting.
    private func rebuild() {
        self.effects.rebuild = false
        // All that was begun is answered by now, in two batches.
        for _ in 0..<2 {
            self.meter.setAside()
            self.meter.sent()
        }
        self.onRebuild()
        do throws(JournalError) {
            try self.node.rebuild(into: &self.effects) { (machine) throws(JournalError) in
                try self.restore(&machine).sequence
            }
            if let refusal = self.refusal { self.troubleBegan(refusal) }
        } catch { self.fail(error) }
    }

    private func renew() {
        self.effects.renew = false
        self.journal.renew { result in
            switch result {
            case .success: self.step(.journal(.renewed))
            case .failure(let error) where error.isPassing:
                self.trouble.goesOn(error)
                self.step(.journal(.notRenewed))
            case .failure(let error): self.fail(error)
            }
        }
    }

    // MARK: Trouble and statistics

    private func troubleBegan(_ error: JournalError) {
        self.trouble.began(error, at: self.node.now, sequence: self.node.gate.durableSequence) { [unowned self] in
            self.step(.renewalDue)
        }
    }

    private func fail(_ error: JournalError) {
        self.log.critical("the journal is of no use any more: this shard stops", metadata: ["reason": "\(error)"])
        self.onFailure(error)
        self.step(.journal(.failed))
    }

    /// Tells the owner how much was written since the start, in steps that matter to a compaction.
    private func tellGrowth() {
        guard self.commits.writtenBytes >= self.toldBytes + SupervisorChannel.journalStep else { return }
        self.toldBytes = self.commits.writtenBytes
        self.onGrowth(self.toldBytes)
    }

    /// Once when the keys come near their bound, and again only after they have gone down to three quarters of it.
    private func tellKeys() {
        let census = self.node.machine.answerCensus
        guard self.isNearKeyBound != census.isNearlyFull else { return }
        guard census.isNearlyFull else {
            if census.keys < census.keyCountMax / 4 * 3 { self.isNearKeyBound = false }
            return
        }
        self.isNearKeyBound = true
        self.log.warning(
            "idempotency keys are nearly as many as may be: from then on new ones are refused",
            metadata: ["keys": "\(census.keys)", "max": "\(census.keyCountMax)", "limit": "shard.keptAnswersMax"]
        )
    }

    private func statsText() -> String {
        let index = self.node.machine.index
        let slots = self.node.machine.slots.slots(of: index)
        var stats = ShardStats(shard: index, slots: .init(first: slots.lowerBound, last: slots.upperBound - 1))
        stats.time = self.node.now.seconds
        stats.process = .now(startedNanoseconds: self.startedAt)
        stats.fill(self.node.machine, self.meter)
        stats.journal.fill(self.node.gate, self.commits, self.trouble)
        stats.journal.kind = self.journal.kind
        stats.clockSuspendedSince = self.node.clock.suspendedSince?.seconds
        if self.isClockSuspended {
            stats.clockAheadSeconds = (self.readings.wall() - self.node.clock.time).rawValue / 1_000_000_000
        }
        if let snapshotFile { stats.journal.fill(snapshot: snapshotFile) }
        return stats.json
    }
}

extension ClockReadings {
    fileprivate var reading: ShardNode.ClockReading {
        ShardNode.ClockReading(wall: self.wall(), sinceBoot: self.sinceBoot())
    }
}
