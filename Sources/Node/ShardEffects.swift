public import Booking
public import Wire

/// What a shard's process does next, said by `ShardNode`: one slot for each kind of act. The adapter obeys them in the order
/// in which they stand here, empties each before it acts on it, and makes a step for whatever comes of it.
///
/// One value serves a process for its whole life, so that its storage is allocated once.
public struct ShardEffects: ~Copyable {
    /// A batch of facts for the journal.
    public struct Append: Equatable, Sendable {
        /// The number of the batch's first fact; the shard's first fact ever is 1.
        public let firstSequence: UInt64
        /// At least 1.
        public let count: UInt32
        /// The shard's time, no earlier than that of any fact in it.
        public let time: Timestamp
        /// The facts, encoded one after the other.
        public let bytes: [UInt8]
    }

    /// A link to close, and the reason to give in a goodbye. The node has forgotten it.
    public struct Close: Equatable, Sendable {
        public let link: UInt32
        public let reason: String
    }

    /// A question for statistics, which the adapter answers.
    public struct StatsRequest: Equatable, Sendable {
        public let link: UInt32
        public let requestID: UInt64
    }

    /// Something stands in a slot.
    public var isPending = false

    // MARK: Worth a log line, or a count

    /// What the wall clock did.
    public var clockNote: ShardClock.Note?
    /// An operator's word was taken for the wall clock.
    public var clockWasTrusted = false
    /// The wall clock is not believed any more, or is believed again: see `ShardNode.clock`.
    public var clockTurned = false
    public var alerts: [Shard.Alert] = []
    /// Replies that did not fit a frame; they were refused instead.
    public var misfits: [WireError] = []
    /// The kinds of the requests that were refused.
    public var refusals: [Request.Kind] = []

    // MARK: Links

    /// Links with bytes to send: see `drainSends`.
    private var outboxes: [Outbox] = []
    /// The replies that waited for the last commit are among the bytes to send.
    public var committedLeft = false
    /// The replies that had gathered are among them.
    public var gatheredLeft = false
    public var closes: [Close] = []
    public var statsRequests: [StatsRequest] = []

    // MARK: The journal

    /// The journal refused a batch for now: call `ShardNode.rebuild`, then start a timer that repeats `renewalDue`.
    public var rebuild = false
    /// The journal can write again: stop that timer.
    public var journalRecovered = false
    /// Ask the journal whether it can write again.
    public var renew = false
    /// End a turn after this long at the latest.
    public var wakeAfter: Nanoseconds?
    public var append: Append?
    /// After `stop`: nothing waits for a commit any more. Once.
    public var hasEnded = false

    public init() {}

    /// Hands over each link with bytes to send and those bytes, then forgets them. `send` makes no step.
    public mutating func drainSends(_ send: (Outbox.Link, borrowing FrameBytes) -> Void) {
        for outbox in self.outboxes {
            send(outbox.link, outbox.outgoing)
            outbox.outgoing.removeAll()
        }
        self.outboxes.removeAll(keepingCapacity: true)
    }

    /// `outbox.outgoing` was empty, and is not any more.
    mutating func list(_ outbox: Outbox) {
        self.outboxes.append(outbox)
        self.isPending = true
    }
}

/// The bytes that wait for one link.
///
///     gathering ──end of turn──▶ committing ──durable──▶ outgoing ──▶ the adapter
///         └──────nothing to commit───────────────────────▶
public final class Outbox {
    public enum Link: Equatable, Sendable {
        /// A link that was accepted, by the adapter's number.
        case accepted(UInt32)
        /// The link that was dialled to another shard.
        case shard(Int)
    }

    public let link: Link
    /// Who dialled; nil for a link to another shard.
    let peer: Hello?
    /// Replies decided in this turn or while a commit is under way.
    var gathering = FrameBytes()
    /// Replies that leave with the commit under way.
    var committing = FrameBytes()
    /// Bytes that leave now.
    fileprivate(set) var outgoing = FrameBytes()

    init(_ link: Link, from peer: Hello? = nil) {
        self.link = link
        self.peer = peer
    }

    /// What gathered waits for the commit that starts now.
    func setAside() {
        if !self.gathering.isEmpty { swap(&self.gathering, &self.committing) }
    }

    /// What waited for the commit leaves.
    func sendCommitted(_ effects: inout ShardEffects) {
        guard !self.committing.isEmpty else { return }
        if self.outgoing.isEmpty { effects.list(self) }
        Self.move(&self.committing, &self.outgoing)
    }

    /// What gathered leaves at once.
    func sendGathered(_ effects: inout ShardEffects) {
        guard !self.gathering.isEmpty else { return }
        if self.outgoing.isEmpty { effects.list(self) }
        Self.move(&self.gathering, &self.outgoing)
    }

    /// Everyone who waits gets this answer instead.
    func answer(with reply: Reply, _ effects: inout ShardEffects) {
        let wasEmpty = self.outgoing.isEmpty
        do throws(WireError) {
            try reply.encode(inPlaceOf: self.committing, into: &self.outgoing)
            try reply.encode(inPlaceOf: self.gathering, into: &self.outgoing)
        } catch {
            preconditionFailure("a reply that was encoded can't be read: \(error)")
        }
        self.committing.removeAll()
        self.gathering.removeAll()
        if wasEmpty, !self.outgoing.isEmpty { effects.list(self) }
    }

    func send(_ request: Request, requestID: UInt64, _ effects: inout ShardEffects) {
        if self.outgoing.isEmpty { effects.list(self) }
        do {
            try request.encode(into: &self.outgoing, slot: request.slot, requestID: requestID)
        } catch {
            preconditionFailure("a question to a shard does not fit a frame: \(error)")
        }
    }

    private static func move(_ source: inout FrameBytes, _ target: inout FrameBytes) {
        guard !target.isEmpty else { return swap(&source, &target) }
        source.withUnsafeBytes { target.append($0) }
        source.removeAll()
    }
}
