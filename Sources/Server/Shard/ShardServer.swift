import Booking
import Configuration
import Journal
import JournalHistory
import Links
import Logging
import Reactor
import Statistics
import Wire

/// The shell of one shard: frames in, `Booking.Shard` decides, facts to the journal, frames out.
///
/// All frames of one read are decided in order; at the end of the loop's turn their facts go to the journal as one
/// batch, and their replies leave when it is durable. It decides nothing itself.
final class ShardServer {
    /// A link, and the frames for it that wait for a commit.
    final class Peer {
        let link: FrameLink
        /// Decided in this turn or while a commit is under way.
        var gathering = FrameBytes()
        /// Leaves with the commit under way.
        var committing = FrameBytes()
        init(_ link: FrameLink) { self.link = link }
    }

    /// How often a shard admits people and lets what is over lapse: nobody notices so little, and a tick costs some 10 µs.
    private static let tickMilliseconds: UInt64 = 10

    private let index: Int
    private let loop: EventLoop
    private let log: Logger
    private let startedAt = Clock.monotonicNanoseconds()
    private let identity: FrameLink.Identity
    var machine: Shard
    private(set) var commit: GroupCommit!
    let trouble: StorageTrouble
    /// Puts what the journal says in place of the machine.
    private let restore: (inout Shard) throws(JournalError) -> Recovery.Report
    private var listener: UnixListener?
    private let ticker: LoopTimer
    private let pacer: LoopTimer
    private let time: ShardTime
    /// Read by the first who asks in a turn of the loop.
    private var turnTime: Timestamp?
    /// What others were told of the clock.
    private var isClockSuspended: Bool
    private(set) var peers: [UInt32: Peer] = [:]
    private var nextLink: UInt32 = 1
    /// Links to the other shards, for payments and cancellations; none to itself.
    private var diallers: [Dialler?] = []
    /// Transfers that wait for a commit, then leave.
    var gatheringTransfers: [TransferOrder] = []
    var committingTransfers: [TransferOrder] = []
    var meter = ShardMeter()
    /// The journal refused a batch for good, so this shard can't go on. Called once.
    var onFailure: (JournalError) -> Void = { _ in }
    /// The state is about to be built anew, and the loop does not turn meanwhile.
    var onRebuild: () -> Void = {}
    /// The wall clock can't be believed any more, or again.
    var onClock: (_ isSuspended: Bool) -> Void = { _ in }
    /// The journal has grown by so many bytes since the start.
    var onGrowth: (UInt64) -> Void = { _ in }
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
        time: ShardTime,
        restore: @escaping (inout Shard) throws(JournalError) -> Recovery.Report,
        loop: EventLoop,
        log: Logger
    ) throws(UVError) {
        let slots = machine.slots
        self.index = index
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
        self.machine = machine
        self.restore = restore
        self.time = time
        self.isClockSuspended = time.isSuspended
        self.ticker = LoopTimer(on: loop)
        // Waking the loop is all that it does: the turn that ends with it commits.
        let pacer = LoopTimer(on: loop)
        self.pacer = pacer
        self.trouble = StorageTrouble(on: loop, log: log)
        self.commit = GroupCommit(
            journal,
            pace: configuration.commitIntervalMin,
            clock: { .milliseconds(Int64(loop.now)) },
            wakeAfter: { [pacer] span in
                guard !pacer.isActive else { return }
                pacer.start(afterMilliseconds: UInt64((span.rawValue + 999_999) / 1_000_000))
            },
            takeOutput: { [unowned self] in self.takeOutput() },
            setAside: { [unowned self] in self.setAside() },
            sendSetAside: { [unowned self] in self.sendSetAside() },
            undo: { [unowned self] error throws(JournalError) in try self.undo(error) },
            onFailure: { [unowned self] error in self.journalFailed(error) }
        )
        let directory = configuration.stateDirectory
        self.listener = try UnixListener(on: loop, path: directory.shardSocket(index)) { [unowned self] connection in
            self.accept(connection)
        }
        self.listener?.onAcceptError = { log.warning("connection refused", metadata: ["reason": "\($0)"]) }
        self.diallers = (0..<slots.shardCount).map { shard in
            guard shard != index else { return nil }
            let dialler = Dialler(
                toShard: shard,
                at: directory.shardSocket(shard),
                on: loop,
                as: self.identity,
                log: log
            )
            dialler.onUp = { [unowned self] in
                guard !self.isReading else { return }
                self.machine.linkIsUp(to: shard)
            }
            dialler.onFrame = { [unowned self] frame throws(WireError) in try self.takeReply(frame, from: shard) }
            return dialler
        }
    }

    func start() {
        for dialler in self.diallers { dialler?.start() }
        self.loop.onTurnEnd = { [unowned self] in
            self.commit.endTurn(at: self.now)
            self.turnTime = nil
        }
        self.ticker.start(afterMilliseconds: Self.tickMilliseconds, everyMilliseconds: Self.tickMilliseconds) {
            [unowned self] in
            // Reading the clock may also end that nothing is decided.
            let now = self.now
            guard !self.isReading else { return }
            self.machine.tick(at: now)
            self.tellGrowth()
            self.tellKeys()
        }
    }

    /// Tells the owner how much was written since the start, in steps that matter to a compaction.
    private func tellGrowth() {
        guard self.commit.writtenBytes >= self.toldBytes + Lifeline.journalStep else { return }
        self.toldBytes = self.commit.writtenBytes
        self.onGrowth(self.toldBytes)
    }

    /// Once when the keys come near their bound, and again only after they have gone down to three quarters of it.
    private func tellKeys() {
        let census = self.machine.answerCensus
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

    /// The same for a whole turn: one has room for a thousand frames of 0.4 µs, of which reading two clocks each time would be
    /// a tenth.
    var now: Timestamp {
        if let time = self.turnTime { return time }
        let time = self.time.now
        self.turnTime = time
        if self.time.isSuspended != self.isClockSuspended { self.clockTurned(at: time) }
        return time
    }

    /// Requests are only read from the state, and nothing is decided: the journal can't write, or the clock can't be believed.
    private var isReading: Bool { self.commit.isSuspended || self.time.isSuspended }

    private func clockTurned(at time: Timestamp) {
        self.isClockSuspended = self.time.isSuspended
        // With a journal that can't write, this comes when it can.
        if !self.isReading { self.machine.resume(at: time) }
        self.onClock(self.isClockSuspended)
    }

    /// An operator says that the wall clock is right.
    func trustClock() {
        self.time.trust()
        self.turnTime = nil
        _ = self.now
    }

    func rebuild() throws(JournalError) -> Recovery.Report {
        self.onRebuild()
        return try self.restore(&self.machine)
    }

    /// Takes no new links and reads no more requests; once nothing waits for a commit, closes the links and calls `whenDone`.
    /// Gateways may go on: what is unread, or not answered yet, they send again to the next one of this shard.
    func stop(whenDone: @escaping () -> Void) {
        guard let listener = self.listener else { return }
        self.listener = nil
        listener.close()
        self.ticker.close()
        self.pacer.close()
        // Else, under load, something would always wait for the next commit.
        for peer in self.peers.values { peer.link.stopReading() }
        self.commit.finish(at: self.now) { [unowned self] in
            self.trouble.close()
            for dialler in self.diallers { dialler?.close() }
            for peer in self.peers.values { peer.link.close(FrameLink.farewell) }
            self.loop.onTurnEnd = nil
            whenDone()
        }
    }

    // MARK: Frames in

    private func accept(_ connection: Connection) {
        let number = self.nextLink
        self.nextLink &+= 1
        let link = FrameLink(number: number, connection, as: self.identity, isDialler: false)
        self.peers[number] = Peer(link)
        link.onUp = { [unowned self, unowned link] in
            self.closeLinks(before: link)
            let pid = link.peerProcess.map { "\($0.processID)" } ?? "?"
            self.log.debug(
                "link accepted",
                metadata: ["role": "\(link.peer!.role)", "index": "\(link.peer!.index)", "pid": "\(pid)"]
            )
        }
        link.onFrame = { [unowned self] frame throws(WireError) in try self.take(frame, from: number) }
        link.onEnd = { [unowned self] reason in
            self.log.debug("link ended", metadata: ["link": "\(number)", "reason": "\(reason)"])
            self.peers[number] = nil
        }
    }

    /// Who dials again sends again what it had in flight. What of it has arrived over the link before and is not read yet must
    /// not come after that, so it is thrown away. Of a shard it may be what the copy that was put back knows nothing of.
    private func closeLinks(before link: FrameLink) {
        guard let dialler = link.peer, dialler.role == .gateway || dialler.role == .shard else { return }
        for peer in self.peers.values where peer.link !== link {
            guard let other = peer.link.peer, other.role == dialler.role else { continue }
            // Another life is another gateway: one that hands over to its successor and still has answers to hear. Shards
            // have none, and a journal has one owner.
            guard dialler.role == .shard ? other.index == dialler.index : other.life == dialler.life else { continue }
            peer.link.close("this \(dialler.role) has a newer link")
        }
    }

    private func take(_ frame: Frame, from link: UInt32) throws(WireError) {
        guard let peer = self.peers[link] else { return }
        switch frame.sort {
        case .request:
            let request = try Request(frame: frame)
            try Self.check(peer.link.peer, mayAsk: request.kind)
            let id = frame.header.requestID
            self.meter.began(request.kind)
            let operation = try frame.operation(ofLife: peer.link.peer?.life ?? 0)
            let origin = Shard.Origin(link: link, request: id)
            let now = self.now
            let reply: Reply? =
                if self.commit.isSuspended {
                    self.machine.read(request, as: operation)
                } else if self.time.isSuspended {
                    self.machine.read(request, as: operation, refusing: .clockSuspended)
                } else {
                    self.machine.decide(request, from: origin, as: operation, at: now)
                }
            if let reply { self.gather(reply, to: request.kind, slot: frame.header.slot, id, for: peer) }
        case .control(.stats):
            peer.link.send(.statsAnswer(self.statsText()), requestID: frame.header.requestID)
        case .reply, .control, .unknown:
            throw WireError("a shard takes requests and stats, no frame of kind \(frame.header.kind)")
        }
    }

    /// Who is at the other end decides what may be asked: payments between shards are no gateway's, and tools only look.
    private static func check(_ peer: Hello?, mayAsk kind: Request.Kind) throws(WireError) {
        let isOfShards = kind == .debit || kind == .credit || kind == .transfersSeen
        switch peer?.role {
        case .gateway where !isOfShards: return
        case .shard where isOfShards: return
        case .gateway, .shard, .supervisor, .tool, nil:
            throw WireError("a \(peer.map { "\($0.role)" } ?? "stranger") may not ask a shard to \(kind)")
        }
    }

    /// Another shard has answered. The frame's request id is the transfer's, or 0 of what it has seen.
    private func takeReply(_ frame: Frame, from shard: Int) throws(WireError) {
        guard case .reply = frame.sort else { return }
        let reply = try Reply(frame: frame)
        // What can't be written down is asked for again when it can.
        let now = self.now
        guard !self.isReading else { return }
        if case .transfersSeen(let marks) = reply { return self.machine.hear(marks, from: shard, at: now) }
        self.machine.takeTransferReply(reply, for: TransferID(frame.header.requestID), at: now)
    }

    // MARK: Frames out

    /// What the turn's requests and replies have left in the machine: once a turn, before its facts are committed.
    private func takeOutput() {
        self.machine.takeOutput(
            facts: { self.commit.gather($0) },
            transfers: { self.gatheringTransfers.append($0) },
            lateReplies: { late in
                guard let peer = self.peers[late.origin.link] else { return }
                // Nothing routes by the slot of a reply.
                self.gather(late.reply, to: late.kind, slot: Slot(checking: 0)!, late.origin.request, for: peer)
            }
        )
        for shard in self.machine.takePeersToAsk() {
            self.send(.transfersSeen(shard: UInt16(self.index)), to: shard, requestID: 0)
        }
        for alert in self.machine.takeAlerts() { self.log.tell(alert) }
    }

    func gather(_ reply: Reply, to kind: Request.Kind, slot: Slot, _ requestID: UInt64, for peer: Peer) {
        if reply.refusal != nil { self.meter.refused(kind) }
        do {
            try reply.encode(into: &peer.gathering, slot: slot, requestID: requestID)
        } catch {
            // Longer than a frame: only a list without a bound could be, and those have one.
            self.log.error("a reply does not fit a frame", metadata: ["reason": "\(error)"])
            self.gather(.refused(.unavailable), to: kind, slot: slot, requestID, for: peer)
        }
    }

    private func setAside() {
        for peer in self.peers.values where !peer.gathering.isEmpty { swap(&peer.gathering, &peer.committing) }
        swap(&self.gatheringTransfers, &self.committingTransfers)
        self.meter.setAside()
    }

    private func sendSetAside() {
        for peer in self.peers.values where !peer.committing.isEmpty {
            peer.link.send(peer.committing)
            peer.committing.removeAll()
        }
        for order in self.committingTransfers {
            self.send(
                .transfer(order),
                to: self.machine.slots.shard(of: Slot(of: order.user)),
                requestID: order.id.rawValue
            )
        }
        self.committingTransfers.removeAll(keepingCapacity: true)
        self.meter.sent()
    }

    private func send(_ request: Request, to shard: Int, requestID: UInt64) {
        // Without a link it is asked for again when that is up.
        guard let link = self.diallers[shard]?.link, link.isUp else { return }
        do {
            try request.encode(into: &link.outgoing, slot: request.slot, requestID: requestID)
        } catch {
            preconditionFailure("a question to a shard does not fit a frame: \(error)")
        }
        link.flush()
    }

    // MARK: Trouble and statistics

    private func journalFailed(_ error: JournalError) {
        self.log.critical("the journal is of no use any more: this shard stops", metadata: ["reason": "\(error)"])
        self.onFailure(error)
    }

    private func statsText() -> String {
        let slots = self.machine.slots.slots(of: self.index)
        var stats = ShardStats(shard: self.index, slots: .init(first: slots.lowerBound, last: slots.upperBound - 1))
        stats.time = self.now.seconds
        stats.process = .now(startedNanoseconds: self.startedAt)
        stats.fill(self.machine, self.meter, self.commit, self.trouble)
        stats.clockSuspendedSince = self.time.suspension?.since.seconds
        stats.clockAheadSeconds = self.time.suspension.map { $0.ahead.rawValue / 1_000_000_000 }
        if let snapshotFile { stats.journal.fill(snapshot: snapshotFile) }
        return stats.json
    }
}
