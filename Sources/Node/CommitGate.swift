public import Booking

/// Says when facts go to the journal and when replies may leave: a reply leaves only when everything that it could have
/// seen is durable. Pure: `ShardNode` keeps the bytes.
///
///     turn: facts and replies gather ──end of turn──▶ commit ──durable──▶ replies leave
///                    ▲                                  │
///                    └── the next turns gather meanwhile ┘   then their batch goes next
///
///     a batch is refused for now: it and all later facts are undone ──rebuilt──▶ suspended ──mended──▶ as before
///
/// Reads wait with the writes before them: a reply without facts of its own leaves with the batch under way, or at once
/// when there is none. So one commit carries everything that gathered during the one before (group commit), one is
/// under way at a time, and a fact is never visible outside before it is durable.
///
/// **Pace.** A commit costs about the same for one fact as for a hundred. So a commit starts no sooner than `pace`
/// after the one before, and requests meanwhile share it; after a rest it starts at once. Measured with 64 connections:
/// see docs/benchmarks.md, `make bench-variants`.
///
/// The node keeps what leaves (replies, debits) in two heaps: what gathers, and what was set aside for the commit under
/// way. Every verb is O(1) and allocates nothing.
///
/// **A full disk.** The state has taken in facts that the journal refused, so for a moment it says what is not so. The
/// node answers everyone who waits that nobody knows what came of it, builds the state anew from the journal, and goes
/// on `suspended`: it reads from that state, which is durable, and decides nothing, not even by its clock. Now and then
/// it tries the journal, and says `mended` when that can write.
public struct CommitGate: Equatable, Sendable {
    /// The facts of one group commit.
    public struct Batch: Equatable, Sendable {
        /// The number of the batch's first fact; the shard's first fact ever is 1.
        public let firstSequence: UInt64
        /// At least 1.
        public let count: UInt32

        public init(firstSequence: UInt64, count: UInt32) {
            self.firstSequence = firstSequence
            self.count = count
        }
    }

    /// What the node does at the end of a turn.
    public enum Step: Equatable, Sendable {
        /// Nothing: a commit is under way, for which the gathered wait, or the journal has failed and nothing leaves.
        case wait
        /// Nothing yet: the last commit started a moment ago. Call `endTurn` again after this long at the latest.
        case pause(Nanoseconds)
        /// The gathered replies leave now: they depend only on durable facts.
        case release
        /// Set aside the gathered replies, and hand the journal this batch: all gathered facts.
        case commit(Batch)
    }

    private enum State: Equatable {
        case idle
        /// Entered by `endTurn`. Left by `committed`, `refused` or `failed`.
        case committing(count: UInt32)
        /// The state holds facts that will never be durable. Entered by `refused`. Left by `rebuilt` or `failed`.
        case undoing
        /// The state is the durable one, and nothing is decided. Entered by `rebuilt`, or from the start. Left by
        /// `mended` or `failed`.
        case suspended
        /// For good: the state may never become durable, so no reply may leave.
        case failed
    }

    /// The number of the last durable fact; 0 before the first.
    public private(set) var durableSequence: UInt64
    /// Batches committed.
    public private(set) var batchCount: UInt64 = 0
    private let pace: Nanoseconds
    private var gathered: UInt32 = 0
    private var state = State.idle
    /// The earliest start of the next commit.
    private var nextCommitAt = Nanoseconds(.min)

    /// `durableSequence` is the journal's: the last fact of a replay. `pace` is the minimum time from the start of one
    /// commit to the next. `isSuspended` for a journal that can't write yet.
    public init(durableSequence: UInt64, pace: Nanoseconds = .zero, isSuspended: Bool = false) {
        self.durableSequence = durableSequence
        self.pace = pace
        if isSuspended { self.state = .suspended }
    }

    /// Nothing waits for a commit.
    public var isIdle: Bool { (self.state == .idle || self.state == .suspended) && self.gathered == 0 }

    /// The journal can't write for now: requests only read the state, and its time stands still.
    public var isSuspended: Bool { self.state == .suspended }

    public var hasFailed: Bool { self.state == .failed }

    /// The shard has recorded a fact.
    public mutating func gather() {
        precondition(self.state != .suspended, "a fact is recorded while the journal can't write")
        self.gathered += 1
    }

    /// The end of a turn or of a commit. `now` is the reading of a monotonic clock with any zero. The last commit of
    /// all does not wait for its pace.
    public mutating func endTurn(at now: Nanoseconds, isLast: Bool = false) -> Step {
        guard self.state == .idle || self.state == .suspended else { return .wait }
        guard self.gathered > 0 else { return .release }
        guard isLast || now >= self.nextCommitAt else {
            return .pause(Nanoseconds(self.nextCommitAt.rawValue - now.rawValue))
        }
        self.nextCommitAt = Nanoseconds(now.rawValue + self.pace.rawValue)
        let batch = Batch(firstSequence: self.durableSequence + 1, count: self.gathered)
        self.state = .committing(count: self.gathered)
        self.gathered = 0
        return .commit(batch)
    }

    /// The batch under way is durable. What was set aside for it leaves, then `endTurn` is called again.
    public mutating func committed() {
        guard case .committing(let count) = self.state else { preconditionFailure("no batch is under way") }
        self.state = .idle
        self.durableSequence += UInt64(count)
        self.batchCount += 1
    }

    /// The journal could not keep the batch under way, for now. Its facts and those that have gathered since are undone: the
    /// node drops them, answers all who wait with `Reply.unanswered`, and builds the state anew from the journal: `rebuilt`.
    public mutating func refused() {
        guard case .committing = self.state else { preconditionFailure("no batch is under way") }
        self.state = .undoing
        self.gathered = 0
    }

    /// The state is the journal's again, up to this fact. The journal may have kept the batch after all.
    public mutating func rebuilt(upTo sequence: UInt64) {
        precondition(self.state == .undoing, "the state is rebuilt only after a refusal")
        precondition(sequence >= self.durableSequence, "the journal has lost facts that were durable")
        self.durableSequence = sequence
        self.state = .suspended
    }

    /// The journal can write again.
    public mutating func mended() {
        precondition(self.state == .suspended, "the gate is not suspended")
        self.state = .idle
    }

    /// The journal will never take another batch of this owner. Whether a restart finds the batch under way is unknown.
    public mutating func failed() {
        switch self.state {
        case .committing, .undoing, .suspended: self.state = .failed
        case .idle, .failed: preconditionFailure("no batch is under way")
        }
    }
}
