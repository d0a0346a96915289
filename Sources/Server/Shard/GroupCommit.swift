import Booking
import Journal
import Reactor
import Wire

/// The shell of `Booking.CommitGate`: keeps the bytes of the facts that gather, and hands them to the journal when the
/// gate says so. Decides nothing itself.
final class GroupCommit {
    private let journal: any Journal
    private var gate: CommitGate
    private var facts = FrameBytes(capacity: 64 * 1_024)
    private var lastTurnAt = Timestamp.distantPast
    private var onIdle: (() -> Void)?
    /// Nothing comes after what gathers now.
    private var isEnding = false

    /// The loop's clock: milliseconds of it are exact enough for a pace.
    private let clock: () -> Nanoseconds
    /// Sees to it that a turn ends in this while, and so `endTurn` is called.
    private let wakeAfter: (Nanoseconds) -> Void
    /// What was decided since the last look gathers here: see `gather`.
    private let takeOutput: () -> Void
    /// Replies of the turns since the last batch was handed over; the owner moves them aside and sends them.
    private let setAside: () -> Void
    private let sendSetAside: () -> Void
    private let undo: (JournalError) throws(JournalError) -> UInt64
    private let onFailure: (JournalError) -> Void

    /// Bytes of facts committed.
    private(set) var writtenBytes: UInt64 = 0
    /// How long batches took, from the hand-over to the journal's word.
    private(set) var latency = LatencyMeter()
    /// How many facts the batches held.
    private(set) var sizes = Meter(most: 1 << 32)
    private var handedOverAt: UInt64 = 0
    private var isTrying = false

    /// `takeOutput` gathers the facts of everything whose replies are there already; `setAside` moves the replies gathered so
    /// far to where they wait for the commit; `sendSetAside` sends those. `undo` is called when the journal can't write for
    /// now: it answers all who wait, builds the state anew from the journal, and gives the last fact of it; what it throws
    /// is final.
    init(
        _ journal: any Journal,
        pace: Nanoseconds = .zero,
        clock: @escaping () -> Nanoseconds = { .zero },
        wakeAfter: @escaping (Nanoseconds) -> Void = { _ in },
        takeOutput: @escaping () -> Void,
        setAside: @escaping () -> Void,
        sendSetAside: @escaping () -> Void,
        undo: @escaping (JournalError) throws(JournalError) -> UInt64,
        onFailure: @escaping (JournalError) -> Void
    ) {
        self.journal = journal
        self.gate = CommitGate(
            durableSequence: journal.nextSequence - 1,
            pace: pace,
            isSuspended: journal.trouble != nil
        )
        self.clock = clock
        self.wakeAfter = wakeAfter
        self.takeOutput = takeOutput
        self.setAside = setAside
        self.sendSetAside = sendSetAside
        self.undo = undo
        self.onFailure = onFailure
    }

    /// The number of the last durable fact; 0 before the first.
    var durableSequence: UInt64 { self.gate.durableSequence }
    /// Batches committed.
    var batchCount: UInt64 { self.gate.batchCount }
    var journalKind: String { self.journal.kind }
    /// Nothing waits for a commit.
    var isIdle: Bool { self.gate.isIdle }
    /// The journal can't write for now: nothing may be decided.
    var isSuspended: Bool { self.gate.isSuspended }

    func gather(_ fact: Fact) {
        fact.encode(into: &self.facts)
        self.gate.gather()
    }

    /// The turn is over: commits what gathered, or lets replies go that wait for nothing.
    func endTurn(at now: Timestamp) {
        self.lastTurnAt = max(self.lastTurnAt, now)
        self.endTurn()
    }

    /// Also in the middle of a turn, when a commit ends: replies of requests that were decided in it are here then, so their
    /// facts must be, or they would leave before these.
    private func endTurn() {
        self.takeOutput()
        switch self.gate.endTurn(at: self.clock(), isLast: self.isEnding) {
        case .wait: break
        case .pause(let span): self.wakeAfter(span)
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
        self.handedOverAt = Clock.monotonicNanoseconds()
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
                self.writtenBytes += UInt64(bytes.count)
                self.latency.record(nanoseconds: Clock.monotonicNanoseconds() - self.handedOverAt)
                self.sizes.record(UInt64(batch.count))
                self.gate.committed()
                self.sendSetAside()
                self.endTurn()
            case .failure(let error) where error.isPassing: self.suspend(error)
            case .failure(let error): self.fail(error)
            }
            self.tellIfIdle()
        }
    }

    private func suspend(_ error: JournalError) {
        // Answers of this turn that came late, to payments: who waits for one is told as well.
        self.takeOutput()
        self.gate.refused()
        self.facts.removeAll()
        do throws(JournalError) { self.gate.rebuilt(upTo: try self.undo(error)) } catch { self.fail(error) }
    }

    private func fail(_ error: JournalError) {
        self.gate.failed()
        self.onFailure(error)
    }

    /// Asks the journal whether it can write again; `whenDone` is told nil once it can, or why it can't. What is final goes to
    /// `onFailure` instead.
    func tryAgain(whenDone: @escaping (JournalError?) -> Void) {
        guard !self.isTrying else { return }
        self.isTrying = true
        self.journal.renew { result in
            self.isTrying = false
            switch result {
            case .success:
                self.gate.mended()
                whenDone(nil)
            case .failure(let error) where error.isPassing: whenDone(error)
            case .failure(let error): self.fail(error)
            }
        }
    }

    /// Commits what gathered; `whenIdle` is called once nothing waits for a commit any more, maybe before this returns.
    func finish(at now: Timestamp, whenIdle: @escaping () -> Void) {
        self.onIdle = whenIdle
        self.isEnding = true
        self.endTurn(at: now)
        self.tellIfIdle()
    }

    private func tellIfIdle() {
        guard self.gate.isIdle || self.gate.hasFailed else { return }
        self.onIdle.take()?()
    }
}
