import Booking
import Journal
import Wire

/// Lets a reply leave only when everything that it could have seen is durable.
///
///     turn: requests decided ──▶ facts and replies gather ──end of turn──▶ committing ──durable──▶ replies leave
///                                       ▲                                      │
///                                       └── the next turns gather meanwhile ───┘  then their batch goes next
///
/// Reads wait with the writes before them: a reply without facts of its own leaves with the batch under way, or at once
/// when none is. So one commit carries all that gathered during the one before (group commit), and a fact is never
/// visible outside before it is kept.
final class GroupCommit {
    private let journal: any Journal
    private var facts = FrameBytes(capacity: 64 * 1_024)
    private var factCount: UInt32 = 0
    private var isCommitting = false
    /// The journal refused a batch: nothing is committed and no reply leaves any more.
    private var hasFailed = false
    private var lastTurnAt = Timestamp.distantPast
    private var onIdle: (() -> Void)?

    /// Replies of the turns since the last batch was handed over; the owner moves them aside and sends them.
    private let setAside: () -> Void
    private let sendSetAside: () -> Void
    private let onFailure: (JournalError) -> Void

    /// Batches committed.
    private(set) var batchCount: UInt64 = 0

    /// `setAside` moves the replies gathered so far to where they wait for the commit; `sendSetAside` sends those.
    init(
        _ journal: any Journal,
        setAside: @escaping () -> Void,
        sendSetAside: @escaping () -> Void,
        onFailure: @escaping (JournalError) -> Void
    ) {
        self.journal = journal
        self.setAside = setAside
        self.sendSetAside = sendSetAside
        self.onFailure = onFailure
    }

    /// The number of the last durable fact; 0 before the first.
    var durableSequence: UInt64 { self.journal.nextSequence - 1 }
    var journalKind: String { self.journal.kind }
    /// Nothing waits for a commit.
    var isIdle: Bool { !self.isCommitting && self.factCount == 0 }

    func gather(_ fact: Fact) {
        fact.encode(into: &self.facts)
        self.factCount += 1
    }

    /// The turn is over: commits what gathered, or lets replies go that wait for nothing.
    func endTurn(at now: Timestamp) {
        self.lastTurnAt = max(self.lastTurnAt, now)
        guard !self.isCommitting, !self.hasFailed else { return }
        self.setAside()
        guard self.factCount > 0 else { return self.sendSetAside() }
        let batch = JournalBatch(
            firstSequence: self.journal.nextSequence,
            count: self.factCount,
            time: self.lastTurnAt,
            bytes: self.facts.array
        )
        self.facts.removeAll()
        self.factCount = 0
        self.isCommitting = true
        self.journal.append(batch) { result in
            self.isCommitting = false
            switch result {
            case .success:
                self.batchCount += 1
                self.sendSetAside()
                self.endTurn(at: self.lastTurnAt)
            case .failure(let error):
                self.hasFailed = true
                self.onFailure(error)
            }
            self.tellIfIdle()
        }
    }

    /// Commits what gathered; `whenIdle` is called once nothing waits for a commit any more, maybe before this returns.
    func finish(at now: Timestamp, whenIdle: @escaping () -> Void) {
        self.onIdle = whenIdle
        self.endTurn(at: now)
        self.tellIfIdle()
    }

    private func tellIfIdle() {
        guard self.isIdle || self.hasFailed else { return }
        self.onIdle.take()?()
    }
}
