/// Says when facts go to the journal and when replies may leave: a reply leaves only when everything that it could have
/// seen is durable. Pure: the shell keeps the bytes and talks to the journal.
///
///     turn: facts and replies gather ──end of turn──▶ commit ──durable──▶ replies leave
///                    ▲                                  │
///                    └── the next turns gather meanwhile ┘   then their batch goes next
///
/// Reads wait with the writes before them: a reply without facts of its own leaves with the batch under way, or at once
/// when none is. So one commit carries all that gathered during the one before (group commit), one is under way at a
/// time, and a fact is never visible outside before it is kept.
///
/// The shell keeps what leaves (replies, debits) in two heaps: what gathers, and what was set aside for the commit under
/// way. Every verb is O(1) and allocates nothing.
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

    /// What the shell does at the end of a turn.
    public enum Step: Equatable, Sendable {
        /// Nothing: what has gathered waits for the commit under way, or the journal has failed and nothing leaves.
        case wait
        /// What has gathered leaves now: it saw nothing that is not durable.
        case release
        /// Set aside what has gathered, and hand the journal this batch: all facts that have gathered.
        case commit(Batch)
    }

    private enum State: Equatable {
        case idle
        /// In by `endTurn`. Out by `committed` or `failed`.
        case committing(count: UInt32)
        /// For good: what the state says may never become durable, so nothing may be told about it.
        case failed
    }

    /// The number of the last fact that is durable; 0 before the first.
    public private(set) var durableSequence: UInt64
    /// Batches committed.
    public private(set) var batchCount: UInt64 = 0
    private var gathered: UInt32 = 0
    private var state = State.idle

    /// `durableSequence` is the journal's: the last fact of a replay.
    public init(durableSequence: UInt64) { self.durableSequence = durableSequence }

    /// Nothing waits for a commit.
    public var isIdle: Bool { self.state == .idle && self.gathered == 0 }

    public var hasFailed: Bool { self.state == .failed }

    /// The shard has recorded a fact.
    public mutating func gather() { self.gathered += 1 }

    /// The turn is over, or a commit is.
    public mutating func endTurn() -> Step {
        guard self.state == .idle else { return .wait }
        guard self.gathered > 0 else { return .release }
        let batch = Batch(firstSequence: self.durableSequence + 1, count: self.gathered)
        self.state = .committing(count: self.gathered)
        self.gathered = 0
        return .commit(batch)
    }

    /// The batch under way is durable. What was set aside for it leaves, then the turn ends anew: `endTurn`.
    public mutating func committed() {
        guard case .committing(let count) = self.state else { preconditionFailure("no batch is under way") }
        self.state = .idle
        self.durableSequence += UInt64(count)
        self.batchCount += 1
    }

    /// The journal could not keep the batch under way. Nobody knows what a restart will find of it.
    public mutating func failed() {
        guard case .committing = self.state else { preconditionFailure("no batch is under way") }
        self.state = .failed
    }
}
