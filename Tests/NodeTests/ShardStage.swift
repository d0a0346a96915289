import Booking
import Node
import Wire

/// A shard's node with hands of its own to turn: events in, and what it says to do, in its order, as a transcript.
final class ShardStage {
    /// What the node said to do, with frames as what they say.
    enum Effect: Equatable {
        case reply(UInt64, Reply, over: UInt32)
        case ask(shard: Int, Request)
        case close(UInt32, String)
        case stats(UInt32, UInt64)
        case append(first: UInt64, count: UInt32)
        case rebuild
        case renew
        case recovered
        case wake(Nanoseconds)
        case clock(isSuspended: Bool)
        case trusted
        case note(ShardClock.Note)
        case ended
    }

    static let start = Timestamp(seconds: 1_800_000_000)
    static let concert = ConcertID(1)
    static let schedule = ScheduleID(11)
    static let gateway: UInt32 = 1

    let slots: SlotMap
    private(set) var node: ShardNode
    private var effects = ShardEffects()
    /// The wall clock is ahead by this.
    var ahead = Nanoseconds.zero
    /// What has passed since the start.
    private(set) var passed = Nanoseconds.zero
    /// The facts of every batch that was handed over.
    private(set) var batches: [ShardEffects.Append] = []

    init(
        _ index: Int = 0,
        of shardCount: Int = 1,
        isSuspended: Bool = false,
        pace: Nanoseconds = .zero,
        expectedTime: Timestamp? = nil,
        ahead: Nanoseconds = .zero
    ) {
        self.slots = SlotMap(shardCount: shardCount)
        self.ahead = ahead
        self.node = ShardNode(
            Self.fresh(index, self.slots),
            durableSequence: 0,
            isSuspended: isSuspended,
            pace: pace,
            expectedTime: expectedTime,
            at: ShardNode.ClockReading(wall: Self.start + ahead, sinceBoot: .zero)
        )
    }

    static func fresh(_ index: Int, _ slots: SlotMap) -> Shard {
        Shard(index: index, slots: slots, catalogue: Self.catalogue, hashSeed: 1)
    }

    private static let catalogue: Catalogue = {
        let schedule = Schedule(id: ShardStage.schedule, playsAt: ShardStage.start + .days(100), hall: .original)
        do {
            return try Catalogue([
                Concert(
                    id: ShardStage.concert,
                    title: "concert",
                    opensAt: ShardStage.start,
                    schedules: [schedule],
                    rules: ConcertRules()
                )
            ])
        } catch { preconditionFailure("\(error)") }
    }()

    // MARK: Events

    private var reading: ShardNode.ClockReading {
        ShardNode.ClockReading(wall: Self.start + self.passed + self.ahead, sinceBoot: self.passed)
    }

    func pass(_ span: Nanoseconds) { self.passed = Nanoseconds(self.passed.rawValue + span.rawValue) }

    private func beginTurn() {
        if !self.node.isInTurn { self.node.beginTurn(at: self.reading, into: &self.effects) }
    }

    @discardableResult
    func step(_ event: ShardNode.Event) -> [Effect] {
        self.beginTurn()
        self.node.step(event, at: self.passed, into: &self.effects)
        return self.transcript()
    }

    @discardableResult
    func journal(_ event: ShardNode.JournalEvent) -> [Effect] { self.step(.journal(event)) }

    @discardableResult
    func endTurn() -> [Effect] { self.step(.turnEnded) }

    func trustClock() -> [Effect] { self.step(.clockTrusted(self.reading)) }

    @discardableResult
    func dial(
        _ link: UInt32 = ShardStage.gateway,
        as role: Hello.Role = .gateway,
        index: UInt16 = 0,
        life: UInt64 = 0
    ) -> [Effect] {
        let count = UInt16(self.slots.shardCount)
        let hello = Hello(role: role, index: index, shardCount: count, slotMapVersion: self.slots.version, life: life)
        return self.step(.linkUp(link, from: hello))
    }

    @discardableResult
    func ask(_ id: UInt64, _ request: Request, over link: UInt32 = ShardStage.gateway) throws(WireError) -> [Effect] {
        var bytes = FrameBytes()
        try request.encode(into: &bytes, slot: request.slot, requestID: id)
        try self.receive(bytes, over: link)
        return self.transcript()
    }

    func ask(_ id: UInt64, _ control: Control, over link: UInt32) throws(WireError) -> [Effect] {
        var bytes = FrameBytes()
        try control.encode(into: &bytes, requestID: id)
        try self.receive(bytes, over: link)
        return self.transcript()
    }

    private func receive(_ bytes: borrowing FrameBytes, over link: UInt32) throws(WireError) {
        self.beginTurn()
        var decoder = FrameDecoder()
        try bytes.withUnsafeBytes { (bytes) throws(WireError) in
            try decoder.feed(bytes) { frame throws(WireError) in
                try self.node.receive(frame, from: link, into: &self.effects)
            }
        }
    }

    /// Another shard answers.
    func hear(_ id: UInt64, _ reply: Reply, fromShard shard: Int) throws(WireError) {
        self.beginTurn()
        var bytes = FrameBytes()
        try reply.encode(into: &bytes, slot: Slot(checking: 0)!, requestID: id)
        var decoder = FrameDecoder()
        try bytes.withUnsafeBytes { (bytes) throws(WireError) in
            try decoder.feed(bytes) { frame throws(WireError) in try self.node.receive(frame, fromShard: shard) }
        }
    }

    /// What the journal holds is `facts`.
    func rebuild(_ facts: [Fact] = []) -> [Effect] {
        self.node.rebuild(into: &self.effects) { machine in
            machine = Self.fresh(machine.index, self.slots)
            for fact in facts { machine.apply(fact) }
            return UInt64(facts.count)
        }
        return self.transcript()
    }

    var gate: CommitGate { self.node.gate }
    var isReading: Bool { self.node.isReading }

    /// The facts of the newest batch.
    var newestFacts: [Fact] {
        guard let batch = self.batches.last else { return [] }
        var facts: [Fact] = []
        batch.bytes.withUnsafeBytes { bytes in
            do throws(WireError) { try Fact.forEach(in: bytes, count: Int(batch.count)) { facts.append($0) } } catch {
                preconditionFailure("\(error)")
            }
        }
        return facts
    }

    // MARK: Effects

    private func transcript() -> [Effect] {
        var transcript: [Effect] = []
        if let note = self.effects.clockNote.take() { transcript.append(.note(note)) }
        if self.effects.clockWasTrusted { transcript.append(.trusted) }
        if self.effects.clockTurned { transcript.append(.clock(isSuspended: self.node.clock.isSuspended)) }
        self.effects.drainSends { link, bytes in transcript += Self.words(of: bytes, to: link) }
        transcript += self.effects.closes.map { .close($0.link, $0.reason) }
        transcript += self.effects.statsRequests.map { .stats($0.link, $0.requestID) }
        if self.effects.rebuild { transcript.append(.rebuild) }
        if self.effects.journalRecovered { transcript.append(.recovered) }
        if self.effects.renew { transcript.append(.renew) }
        if let span = self.effects.wakeAfter { transcript.append(.wake(span)) }
        if let append = self.effects.append {
            self.batches.append(append)
            transcript.append(.append(first: append.firstSequence, count: append.count))
        }
        if self.effects.hasEnded { transcript.append(.ended) }
        precondition(transcript.isEmpty || self.effects.isPending, "an adapter would not look at \(transcript)")
        self.effects = ShardEffects()
        return transcript
    }

    private static func words(of bytes: borrowing FrameBytes, to link: Outbox.Link) -> [Effect] {
        var effects: [Effect] = []
        var decoder = FrameDecoder()
        do throws(WireError) {
            try bytes.withUnsafeBytes { (bytes) throws(WireError) in
                try decoder.feed(bytes) { frame throws(WireError) in
                    switch link {
                    case .accepted(let number):
                        effects.append(.reply(frame.header.requestID, try Reply(frame: frame), over: number))
                    case .shard(let shard): effects.append(.ask(shard: shard, try Request(frame: frame)))
                    }
                }
            }
        } catch { preconditionFailure("\(error)") }
        return effects
    }
}
