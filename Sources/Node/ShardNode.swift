public import Booking
public import Wire

/// The order of events in one shard's process: what a turn gathers, when a batch is cut, what waits for it, what a lost link
/// means, what is sent again, what a full disk and an absurd clock stop. Pure: the adapter reads clocks, sockets and files,
/// tells the node, and obeys the effects.
///
///     beginTurn ──▶ receive, step ... ──▶ step(.turnEnded)        one turn of the process's loop
///                        │                       │
///                        ▼                       ▼
///                   Shard decides         facts ──append──▶ journal ──step(.journal(.durable))──▶ replies leave
///
/// The clocks are read once a turn, and everything in a turn has that time: a turn has room for a thousand frames of 0.4 µs,
/// of which reading two clocks each time would be a tenth.
///
/// The product (`Server.ShardServer`) and the simulator (`Simulation.ShardHost`) run this same node.
public struct ShardNode: ~Copyable {
    /// The clocks of a turn: the wall clock, and one that says how much has passed since the machine was started.
    public struct ClockReading: Equatable, Sendable {
        public let wall: Timestamp
        public let sinceBoot: Nanoseconds

        public init(wall: Timestamp, sinceBoot: Nanoseconds) {
            self.wall = wall
            self.sinceBoot = sinceBoot
        }
    }

    /// What can happen beside frames, which have verbs of their own.
    public enum Event: Sendable {
        /// Somebody who dialled has said hello, and was accepted. Links are numbered by the adapter, and no number comes twice.
        case linkUp(UInt32, from: Hello)
        case linkLost(UInt32)
        /// The link that was dialled to another shard is up, maybe again.
        case shardUp(Int)
        case shardLost(Int)
        /// The shard's clock tick.
        case tick
        /// The turn is over.
        case turnEnded
        case journal(JournalEvent)
        /// It is time to try whether the journal can write again.
        case renewalDue
        /// An operator says that the wall clock is right.
        case clockTrusted(ClockReading)
        /// No request comes any more: commit what there is, then end.
        case stop
    }

    /// What the journal says.
    public enum JournalEvent: Sendable {
        /// The batch under way is durable.
        case durable
        /// It could not be kept, for now.
        case refused
        /// The journal will never take another batch of this owner.
        case failed
        /// Asked with `renew`: the journal can write again.
        case renewed
        /// Asked with `renew`: it can't write yet.
        case notRenewed
    }

    /// The wall clock may be set so far without a line in the log: well above what keeping clocks in step moves them by, well
    /// below any lifetime. Places and holds lapse by it either way.
    public static let clockJumpMax = Nanoseconds.seconds(2)

    /// A link that was accepted. Links are found by their numbers, so that nothing else is touched meanwhile.
    private struct Accepted {
        let number: UInt32
        let outbox: Outbox
    }

    public private(set) var machine: Shard
    public private(set) var gate: CommitGate
    public private(set) var clock: ShardClock
    /// The time of the turn.
    public private(set) var now: Timestamp
    public private(set) var isInTurn = false

    /// As `clock` said last.
    private var wasClockSuspended: Bool
    /// Encoded, in order, since the last batch was cut.
    private var facts = FrameBytes(capacity: 64 * 1_024)
    /// Links that were accepted, in that order.
    private var accepted: [Accepted] = []
    /// Where in `accepted` the last frame's link stands: a read has many frames of one link.
    private var lastLink = 0
    /// Links to the other shards, for payments and cancellations.
    private var dialled: [Outbox?]
    private var gatheringTransfers: [TransferOrder] = []
    private var committingTransfers: [TransferOrder] = []
    /// The journal was asked whether it can write again, and has not answered.
    private var isRenewing = false
    private var isEnding = false
    private var hasEnded = false

    /// `machine` has taken in the journal's history up to `durableSequence`. `isSuspended` when the journal can't write yet.
    /// `expectedTime` is what time it should be, if anything tells (see `ShardClock`). `pace` is the least time from one commit
    /// to the next.
    public init(
        _ machine: consuming Shard,
        durableSequence: UInt64,
        isSuspended: Bool,
        pace: Nanoseconds,
        expectedTime: Timestamp?,
        at reading: ClockReading
    ) {
        self.clock = ShardClock(
            after: machine.lastFactAt,
            expected: expectedTime,
            wall: reading.wall,
            monotonic: reading.sinceBoot,
            jumpMax: Self.clockJumpMax
        )
        self.now = self.clock.time
        self.wasClockSuspended = self.clock.isSuspended
        self.gate = CommitGate(durableSequence: durableSequence, pace: pace, isSuspended: isSuspended)
        self.dialled = Array(repeating: nil, count: machine.slots.shardCount)
        self.machine = machine
        self.resume()
    }

    /// Requests are only read from the state, and nothing is decided: the journal can't write, or the clock can't be believed.
    public var isReading: Bool { self.gate.isSuspended || self.clock.isSuspended }

    // MARK: Turns

    /// Before the first event of a turn.
    public mutating func beginTurn(at reading: ClockReading, into effects: inout ShardEffects) {
        self.isInTurn = true
        let (time, note) = self.clock.read(wall: reading.wall, monotonic: reading.sinceBoot)
        if let note {
            effects.clockNote = note
            effects.isPending = true
        }
        self.follow(time, into: &effects)
    }

    private mutating func follow(_ time: Timestamp, into effects: inout ShardEffects) {
        self.now = time
        guard self.clock.isSuspended != self.wasClockSuspended else { return }
        self.wasClockSuspended.toggle()
        effects.clockTurned = true
        effects.isPending = true
        self.resume()
    }

    /// Time has passed in which nothing could be decided; unless that goes on, because of the journal or of the clock.
    private mutating func resume() {
        if !self.isReading { self.machine.resume(at: self.now) }
    }

    // MARK: Steps

    /// Takes in an event. `loopTime` is the reading of a clock that never goes back, for the pace of commits; its zero means
    /// nothing, and milliseconds are exact enough.
    public mutating func step(_ event: Event, at loopTime: Nanoseconds, into effects: inout ShardEffects) {
        switch event {
        case .linkUp(let link, let hello): self.linkIsUp(link, hello, into: &effects)
        case .linkLost(let link): self.accepted.removeAll { $0.number == link }
        case .shardUp(let shard):
            self.dialled[shard] = Outbox(.shard(shard))
            // What can't be written down is asked for again when it can.
            if !self.isReading { self.machine.linkIsUp(to: shard) }
        case .shardLost(let shard): self.dialled[shard] = nil
        case .tick: if !self.isReading { self.machine.tick(at: self.now) }
        case .turnEnded:
            self.endTurn(at: loopTime, into: &effects)
            self.isInTurn = false
        case .journal(let event): self.journalSays(event, at: loopTime, into: &effects)
        case .renewalDue:
            guard self.gate.isSuspended, !self.isRenewing, !self.isEnding else { return }
            self.isRenewing = true
            effects.renew = true
            effects.isPending = true
        case .clockTrusted(let reading):
            if self.clock.trust(wall: reading.wall, monotonic: reading.sinceBoot) {
                effects.clockWasTrusted = true
                effects.isPending = true
            }
            self.follow(self.clock.time, into: &effects)
        case .stop:
            self.isEnding = true
            self.endTurn(at: loopTime, into: &effects)
            self.tellEnd(into: &effects)
        }
    }

    /// Who dials again sends again what it had in flight. What of it has arrived over the link before and is not read yet must
    /// not come after that, so it is thrown away. Of a shard it may be what the copy that was put back knows nothing of.
    private mutating func linkIsUp(_ link: UInt32, _ hello: Hello, into effects: inout ShardEffects) {
        if hello.role == .gateway || hello.role == .shard {
            self.accepted.removeAll { old in
                guard let peer = old.outbox.peer, peer.role == hello.role else { return false }
                // Another life is another gateway: one that hands over to its successor and still has answers to hear. Shards
                // have none, and a journal has one owner.
                guard hello.role == .shard ? peer.index == hello.index : peer.life == hello.life else { return false }
                effects.closes.append(
                    ShardEffects.Close(link: old.number, reason: "this \(hello.role) has a newer link")
                )
                effects.isPending = true
                return true
            }
        }
        self.accepted.append(Accepted(number: link, outbox: Outbox(.accepted(link), from: hello)))
    }

    // MARK: Frames in

    /// A frame has come over a link that was accepted. What it throws closes that link.
    public mutating func receive(
        _ frame: Frame,
        from link: UInt32,
        into effects: inout ShardEffects
    ) throws(WireError) {
        guard let outbox = self.outbox(of: link), let peer = outbox.peer else { return }
        switch frame.category {
        case .request(let kind):
            let request = try Request(frame: frame)
            try Self.check(peer, mayAsk: kind)
            let id = frame.header.requestID
            let operation = try frame.operation(ofLife: peer.life)
            let reply: Reply?
            if self.isReading {
                reply = self.machine.read(
                    request,
                    as: operation,
                    refusing: self.gate.isSuspended ? .storageUnavailable : .clockSuspended
                )
            } else {
                let origin = Shard.Origin(link: link, request: id)
                reply = self.machine.decide(request, from: origin, as: operation, at: self.now)
            }
            if let reply { Self.gather(reply, to: kind, slot: frame.header.slot, id, for: outbox, into: &effects) }
        case .control(.stats):
            effects.statsRequests.append(
                ShardEffects.StatsRequest(link: link, requestID: frame.header.requestID)
            )
            effects.isPending = true
        case .reply, .control, .unknown:
            throw WireError("a shard takes requests and stats, no frame of kind \(frame.header.kind)")
        }
    }

    /// Who is at the other end decides what may be asked: payments between shards are no gateway's, and tools only look.
    private static func check(_ peer: Hello, mayAsk kind: Request.Kind) throws(WireError) {
        let isOfShards = kind == .debit || kind == .credit || kind == .transfersSeen
        switch peer.role {
        case .gateway where !isOfShards: return
        case .shard where isOfShards: return
        case .gateway, .shard, .supervisor, .tool: throw WireError("a \(peer.role) may not ask a shard to \(kind)")
        }
    }

    /// Another shard has answered over the link that was dialled to it. The frame's request id is the transfer's, or 0 of what
    /// it has seen.
    public mutating func receive(_ frame: Frame, fromShard shard: Int) throws(WireError) {
        guard case .reply = frame.category else { return }
        let reply = try Reply(frame: frame)
        // What can't be written down is asked for again when it can.
        guard !self.isReading else { return }
        if case .transfersSeen(let marks) = reply { return self.machine.hear(marks, from: shard, at: self.now) }
        self.machine.completeTransfer(reply, for: TransferID(frame.header.requestID), at: self.now)
    }

    private mutating func outbox(of link: UInt32) -> Outbox? {
        if self.lastLink < self.accepted.count, self.accepted[self.lastLink].number == link {
            return self.accepted[self.lastLink].outbox
        }
        for index in self.accepted.indices where self.accepted[index].number == link {
            self.lastLink = index
            return self.accepted[index].outbox
        }
        return nil
    }

    // MARK: Frames out

    private static func gather(
        _ reply: Reply,
        to kind: Request.Kind,
        slot: Slot,
        _ requestID: UInt64,
        for outbox: Outbox,
        into effects: inout ShardEffects
    ) {
        if reply.refusal != nil {
            effects.refusals.append(kind)
            effects.isPending = true
        }
        do throws(WireError) {
            try reply.encode(into: &outbox.gathering, slot: slot, requestID: requestID)
        } catch {
            // Longer than a frame: only a list without a bound could be, and those have one.
            effects.misfits.append(error)
            self.gather(.refused(.unavailable), to: kind, slot: slot, requestID, for: outbox, into: &effects)
        }
    }

    /// What the turn's requests and replies have left in the machine: once a turn, before its facts are committed.
    private mutating func drain(into effects: inout ShardEffects) {
        for fact in self.machine.facts {
            fact.encode(into: &self.facts)
            self.gate.gather()
        }
        self.gatheringTransfers += self.machine.transfersToSend
        for late in self.machine.lateReplies { self.gather(late, into: &effects) }
        self.machine.forgetOutput()
        for shard in self.machine.drainPeersToAsk() {
            self.dialled[shard]?.send(.transfersSeen(shard: UInt16(self.machine.index)), requestID: 0, &effects)
        }
        let alerts = self.machine.drainAlerts()
        guard !alerts.isEmpty else { return }
        effects.alerts += alerts
        effects.isPending = true
    }

    private mutating func gather(_ late: Shard.LateReply, into effects: inout ShardEffects) {
        guard let outbox = self.outbox(of: late.origin.link) else { return }
        // Nothing routes by the slot of a reply.
        Self.gather(
            late.reply,
            to: late.kind,
            slot: Slot(checking: 0)!,
            late.origin.request,
            for: outbox,
            into: &effects
        )
    }

    private mutating func setAside() {
        for link in self.accepted { link.outbox.setAside() }
        swap(&self.gatheringTransfers, &self.committingTransfers)
    }

    private mutating func sendCommitted(into effects: inout ShardEffects) {
        for link in self.accepted { link.outbox.sendCommitted(&effects) }
        for order in self.committingTransfers { self.send(order, into: &effects) }
        self.committingTransfers.removeAll(keepingCapacity: true)
        effects.committedLeft = true
        effects.isPending = true
    }

    private mutating func sendGathered(into effects: inout ShardEffects) {
        for link in self.accepted { link.outbox.sendGathered(&effects) }
        for order in self.gatheringTransfers { self.send(order, into: &effects) }
        self.gatheringTransfers.removeAll(keepingCapacity: true)
        effects.gatheredLeft = true
        effects.isPending = true
    }

    /// Without a link it is asked for again when that is up.
    private mutating func send(_ order: TransferOrder, into effects: inout ShardEffects) {
        let shard = self.machine.slots.shard(of: Slot(of: order.user))
        self.dialled[shard]?.send(.transfer(order), requestID: order.id.rawValue, &effects)
    }

    // MARK: The journal

    /// Commits what gathered, or lets it leave when it waits for nothing. Also in the middle of a turn, when a commit ends:
    /// replies of requests that were decided in it are here then, so their facts must be, or they would leave before these.
    private mutating func endTurn(at loopTime: Nanoseconds, into effects: inout ShardEffects) {
        self.drain(into: &effects)
        switch self.gate.endTurn(at: loopTime, isLast: self.isEnding) {
        case .wait: break
        case .pause(let span):
            effects.wakeAfter = span
            effects.isPending = true
        case .release: self.sendGathered(into: &effects)
        case .commit(let batch):
            self.setAside()
            effects.append = ShardEffects.Append(
                firstSequence: batch.firstSequence,
                count: batch.count,
                time: self.now,
                bytes: self.facts.array
            )
            effects.isPending = true
            self.facts.removeAll()
        }
    }

    private mutating func journalSays(
        _ event: JournalEvent,
        at loopTime: Nanoseconds,
        into effects: inout ShardEffects
    ) {
        switch event {
        case .durable:
            self.gate.committed()
            self.sendCommitted(into: &effects)
            self.endTurn(at: loopTime, into: &effects)
        case .refused: self.undo(into: &effects)
        case .failed:
            self.isRenewing = false
            self.gate.failed()
        case .renewed:
            self.isRenewing = false
            self.gate.mended()
            // With a clock that can't be believed, this comes when it can.
            self.resume()
            effects.journalRecovered = true
            effects.isPending = true
        case .notRenewed: self.isRenewing = false
        }
        self.tellEnd(into: &effects)
    }

    /// The journal refused the batch under way: everyone who waits is told that nobody knows what came of it. Transfers that wait
    /// are forgotten; those that are owed are asked for again later.
    private mutating func undo(into effects: inout ShardEffects) {
        // Answers of this turn that came late, to payments: who waits for one is told as well.
        self.drain(into: &effects)
        self.gate.refused()
        self.facts.removeAll()
        for late in self.machine.removeWaiters(telling: .unanswered) { self.gather(late, into: &effects) }
        for link in self.accepted { link.outbox.answer(with: .unanswered, &effects) }
        self.gatheringTransfers.removeAll()
        self.committingTransfers.removeAll()
        effects.rebuild = true
        effects.isPending = true
    }

    /// Obeys `ShardEffects.rebuild`: `restore` puts what the journal says in place of the machine, by the code of a restart, and
    /// gives the last fact. From then on requests are only read. When it throws, the journal has `failed`.
    public mutating func rebuild<Failure: Error>(
        into effects: inout ShardEffects,
        _ restore: (inout Shard) throws(Failure) -> UInt64
    ) throws(Failure) {
        let answers = self.machine.answersGiven
        let sequence = try restore(&self.machine)
        self.machine.markIndeterminate(answers)
        self.gate.rebuilt(upTo: sequence)
        self.tellEnd(into: &effects)
    }

    private mutating func tellEnd(into effects: inout ShardEffects) {
        guard self.isEnding, !self.hasEnded, !self.isRenewing, self.gate.isIdle || self.gate.hasFailed else { return }
        self.hasEnded = true
        effects.hasEnded = true
        effects.isPending = true
    }
}
