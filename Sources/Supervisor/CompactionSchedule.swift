import Booking
import Links

/// Decides which shard's journal is compacted when. Pure: its time is any clock that never goes back.
///
///     resting ──long enough, or old enough──▶ compacting ──done──▶ resting
///                                                 └──failed──▶ resting, for a pause that doubles
///
/// One at a time: a compaction reads and writes as fast as the disk lets it, and takes a core.
struct CompactionSchedule {
    struct Rules: Equatable, Sendable {
        /// Bytes after a journal's newest snapshot that make a compaction due.
        var bytes: UInt64
        /// The age of a snapshot that makes a compaction due, if at least `step` was written since; nil disables it.
        var age: Nanoseconds?
    }

    private struct Journal {
        /// Bytes written since the snapshot that the shard found when it started, as the shard reports them.
        var written: UInt64 = 0
        /// The part of `written` that later compactions have covered.
        var covered: UInt64 = 0
        /// The value of `written` at the start of the compaction under way; nil when the shard has restarted since.
        var writtenAtStart: UInt64?
        /// The end of the last compaction; before the first, the start of the supervisor.
        var compactedAt: Timestamp
        var failures = 0
        var notBefore: Timestamp

        var uncovered: UInt64 { self.written - min(self.covered, self.written) }
    }

    /// The smallest growth that is worth a compaction, whatever its age.
    static let step = SupervisorChannel.journalStep
    /// The pause after the first failure in a row; each further one doubles it.
    static let firstPause = Nanoseconds.seconds(60)
    static let longestPause = Nanoseconds.seconds(3_600)

    /// May change at any time.
    var rules: Rules
    private var journals: [Journal]
    /// The shard whose journal is being compacted.
    private(set) var running: Int?

    init(shards: Int, rules: Rules, at now: Timestamp) {
        self.rules = rules
        self.journals = Array(repeating: Journal(compactedAt: now, notBefore: now), count: shards)
    }

    /// A shard starts or restarts: its reports count from the snapshot that it finds.
    mutating func started(_ shard: Int) {
        self.journals[shard].written = 0
        self.journals[shard].covered = 0
        self.journals[shard].writtenAtStart = nil
    }

    /// A shard has written this many bytes since the snapshot that it started with.
    mutating func wrote(_ bytes: UInt64, by shard: Int) { self.journals[shard].written = bytes }

    /// The shard whose journal is to be compacted now, the longest first; it becomes `running`. Nil when none is due.
    mutating func next(at now: Timestamp) -> Int? {
        guard self.running == nil else { return nil }
        let due = self.journals.indices.filter { self.isDue(self.journals[$0], at: now) }
        guard let shard = due.max(by: { self.journals[$0].uncovered < self.journals[$1].uncovered }) else { return nil }
        self.running = shard
        self.journals[shard].writtenAtStart = self.journals[shard].written
        return shard
    }

    private func isDue(_ journal: Journal, at now: Timestamp) -> Bool {
        guard now >= journal.notBefore else { return false }
        if journal.uncovered >= self.rules.bytes { return true }
        guard let age = self.rules.age, journal.uncovered >= Self.step else { return false }
        return journal.compactedAt + age <= now
    }

    /// The running compaction has ended. After a failure returns the pause before the next try.
    mutating func ended(_ isDone: Bool, at now: Timestamp) -> Nanoseconds? {
        guard let shard = self.running.take() else { preconditionFailure("no compaction is under way") }
        guard !isDone else {
            self.journals[shard].failures = 0
            self.journals[shard].compactedAt = now
            // A shard that restarted meanwhile may have found the old snapshot or the new one: nothing counts as
            // covered.
            if let covered = self.journals[shard].writtenAtStart { self.journals[shard].covered = covered }
            return nil
        }
        let doublings = min(self.journals[shard].failures, 20)
        self.journals[shard].failures += 1
        let pause = min(Nanoseconds(Self.firstPause.rawValue << doublings), Self.longestPause)
        self.journals[shard].notBefore = now + pause
        return pause
    }
}
