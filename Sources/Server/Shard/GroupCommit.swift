import Booking
import Journal
import Wire

/// The shell of `Booking.CommitGate`: keeps the bytes of the facts that gather, and hands them to the journal when the
/// gate says so. Decides nothing itself.
final class GroupCommit {
    private let journal: any Journal
    private var gate: CommitGate
    private var facts = FrameBytes(capacity: 64 * 1_024)
    private var lastTurnAt = Timestamp.distantPast
    private var onIdle: (() -> Void)?

    /// Replies of the turns since the last batch was handed over; the owner moves them aside and sends them.
    private let setAside: () -> Void
    private let sendSetAside: () -> Void
    private let onFailure: (JournalError) -> Void

    /// `setAside` moves the replies gathered so far to where they wait for the commit; `sendSetAside` sends those.
    init(
        _ journal: any Journal,
        setAside: @escaping () -> Void,
        sendSetAside: @escaping () -> Void,
        onFailure: @escaping (JournalError) -> Void
    ) {
        self.journal = journal
        self.gate = CommitGate(durableSequence: journal.nextSequence - 1)
        self.setAside = setAside
        self.sendSetAside = sendSetAside
        self.onFailure = onFailure
    }

    /// The number of the last durable fact; 0 before the first.
    var durableSequence: UInt64 { self.gate.durableSequence }
    /// Batches committed.
    var batchCount: UInt64 { self.gate.batchCount }
    var journalKind: String { self.journal.kind }
    /// Nothing waits for a commit.
    var isIdle: Bool { self.gate.isIdle }

    func gather(_ fact: Fact) {
        fact.encode(into: &self.facts)
        self.gate.gather()
    }

    /// The turn is over: commits what gathered, or lets replies go that wait for nothing.
    func endTurn(at now: Timestamp) {
        self.lastTurnAt = max(self.lastTurnAt, now)
        self.endTurn()
    }

    private func endTurn() {
        switch self.gate.endTurn() {
        case .wait: break
        case .release:
            self.setAside()
            self.sendSetAside()
        case .commit(let batch):
            self.setAside()
            self.append(batch)
        }
    }

    private func append(_ batch: CommitGate.Batch) {
        let bytes = self.facts.array
        self.facts.removeAll()
        self.journal.append(
            JournalBatch(
                firstSequence: batch.firstSequence,
                count: batch.count,
                time: self.lastTurnAt,
                bytes: bytes
            )
        ) { result in
            switch result {
            case .success:
                self.gate.committed()
                self.sendSetAside()
                self.endTurn()
            case .failure(let error):
                self.gate.failed()
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
        guard self.gate.isIdle || self.gate.hasFailed else { return }
        self.onIdle.take()?()
    }
}
