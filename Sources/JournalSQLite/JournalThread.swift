import Journal

/// The two threads behind a journal's owner: one commits, the other copies the log back into the file.
///
///     loop ──submit──▶ writer ──outcome, wake──▶ loop ──takeOutcome──▶
///                        │ ▲
///        the log is long │ │ most of it is copied: the writer copies the rest between two commits
///                        ▼ │
///                     checkpointer
///
/// The checkpointer does the long part (reading the log, writing the file, syncing it) while commits go on. The log
/// begins anew only after a complete copy, which the checkpointer never reaches while commits go on; so the writer
/// copies the last part, a millisecond at most. Without that a log under steady load would grow forever.
final class JournalThread: Sendable {
    /// 16 MiB of log: a checkpoint a second at most on a fast disk, and a restart reads it in 10 ms.
    static let checkpointFrames = 4_096
    /// Frames that the writer copies itself, at most, before it asks the checkpointer again.
    static let finishFrames = 512

    /// A task for the writer.
    enum Task: Sendable {
        case batch(JournalBatch)
        /// A new epoch of the same owner.
        case renewal
    }

    /// The journal's end, and its owner's epoch.
    struct End: Sendable {
        let sequence: UInt64
        let epoch: UInt64
    }

    private struct State {
        var task: Task?
        var outcome: Result<End, JournalError>?
        var troubles: [JournalError] = []
        var isStopping = false
        /// The checkpointer's result: how far it has copied the log, or why it could not.
        var checkpoint: Result<CopiedLog, JournalError>?
    }

    private enum Event {
        case task(Task)
        case checkpoint(Result<CopiedLog, JournalError>)
        case stop
    }

    /// Frames of the log, and how many of them are copied back.
    private typealias CopiedLog = (frames: Int, copied: Int)

    private enum CheckpointRequest { case copy, stop }

    private let state = Monitor(State())
    private let requests = Monitor<CheckpointRequest?>(nil)
    private let threads = Monitor<[NativeThread]>([])
    private let wake: @Sendable () -> Void
    private let files: JournalFiles
    private let policy: JournalPolicy

    /// The threads own `writer` and `checkpointer` from now on. Throws when one of the threads can't be made. `wake` is
    /// called on a journal thread, after each outcome and each trouble.
    init(
        _ writer: sending JournalWriter,
        checkpointer: sending Database,
        _ files: JournalFiles,
        _ policy: JournalPolicy,
        wake: @escaping @Sendable () -> Void
    ) throws(JournalError) {
        self.files = files
        self.policy = policy
        self.wake = wake
        let boxes = (HandOver(writer), HandOver(checkpointer))
        // The checkpointer first: if the other thread can't be made, it can be stopped before it has touched a file.
        let copier = try NativeThread { [self] in self.copyBack(boxes.1.take()) }
        self.threads.change { $0 = [copier] }
        do throws(JournalError) {
            let committer = try NativeThread { [self] in self.write(boxes.0.take()) }
            self.threads.change { $0 = [committer, copier] }
        } catch {
            _ = self.stop()
            throw error
        }
    }

    // MARK: The loop's side

    /// Call only when nothing is under way.
    func submit(_ task: Task) {
        self.state.change { state in
            precondition(state.task == nil && state.outcome == nil, "a batch is under way already")
            state.task = task
        }
    }

    /// The journal's new end, or why the task failed; nil while it is under way. Never blocks.
    func takeOutcome() -> Result<End, JournalError>? { self.state.look { $0.outcome.take() } }

    /// Failures outside the batches.
    func takeTroubles() -> [JournalError] {
        self.state.look { state in
            defer { state.troubles = [] }
            return state.troubles
        }
    }

    /// Ends both threads, the writer after closing the file: blocks for as long as that takes. Returns the failures.
    func stop() -> [JournalError] {
        self.requests.change { $0 = .stop }
        self.state.change { $0.isStopping = true }
        for thread in self.threads.change({ threads in
            defer { threads = [] }
            return threads
        }) { thread.join() }
        return self.takeTroubles()
    }

    // MARK: The writer's thread

    private func write(_ writer: JournalWriter) {
        var failure: JournalError?
        var isCopying = false
        // Frames at which another copy is requested. At once while copies make progress, since each leaves less;
        // otherwise a reader, a full disk or a quiet time keeps the log as it is, maybe for hours, and only new frames
        // are a reason.
        var askAgainAt = 0
        var copiedBefore = 0
        var syncedAt = NativeThread.monotonicNanoseconds
        while true {
            switch self.nextEvent(writer.isUnsynced && failure == nil ? self.deadline(after: syncedAt) : nil) {
            case .task(let task):
                let result = failure.map { .failure($0) } ?? Self.carryOut(task, writer)
                if case .failure(let error) = result, !error.isPassing { failure = error }
                self.state.change { $0.outcome = result }
                self.wake()
            case .checkpoint(.success(let log)):
                isCopying = false
                let isLittleLeft = log.frames - log.copied <= Self.finishFrames
                if isLittleLeft { self.tell { () throws(JournalError) in try writer.finishCheckpoint() } }
                let goesOn = !isLittleLeft && log.copied != copiedBefore
                askAgainAt = goesOn ? 0 : writer.frameCount + Self.finishFrames
                copiedBefore = log.copied
            case .checkpoint(.failure(let error)):
                isCopying = false
                askAgainAt = writer.frameCount + Self.finishFrames
                self.tell(error)
            case .stop:
                // After a failure the files stay as they are: a checkpoint would only hide the damage.
                if failure == nil { self.tell { () throws(JournalError) in try writer.close() } }
                return
            case nil: break
            }
            if let trouble = writer.headTrouble.take() { self.tell(trouble) }
            if let deadline = self.deadline(after: syncedAt), deadline <= NativeThread.monotonicNanoseconds {
                do throws(JournalError) { try writer.sync() } catch  where failure == nil {
                    // Batches reported as kept may be lost: the next one reports it.
                    failure = error
                    self.tell(error)
                } catch {
                    // Reported before.
                }
                syncedAt = NativeThread.monotonicNanoseconds
            }
            let frames = writer.frameCount
            if frames < Self.checkpointFrames { askAgainAt = 0 }  // the log has begun anew
            if !isCopying, frames >= max(Self.checkpointFrames, askAgainAt) {
                isCopying = true
                self.requests.change { if $0 == nil { $0 = .copy } }
            }
        }
    }

    private static func carryOut(_ task: Task, _ writer: JournalWriter) -> Result<End, JournalError> {
        do throws(JournalError) {
            switch task {
            case .batch(let batch): try writer.append(batch)
            case .renewal: try writer.renew()
            }
            return .success(End(sequence: writer.end.sequence, epoch: writer.epoch))
        } catch {
            return .failure(error)
        }
    }

    /// A batch has priority: all replies wait for it. Nil at the deadline.
    private func nextEvent(_ deadline: UInt64?) -> Event? {
        self.state.wait(until: deadline) { state in
            if let task = state.task.take() { return .task(task) }
            if let checkpoint = state.checkpoint.take() { return .checkpoint(checkpoint) }
            return state.isStopping ? .stop : nil
        }
    }

    private func deadline(after moment: UInt64) -> UInt64? {
        guard case .interval(let milliseconds) = self.policy else { return nil }
        return moment + UInt64(milliseconds) * 1_000_000
    }

    private func tell(_ work: () throws(JournalError) -> Void) {
        do throws(JournalError) { try work() } catch { self.tell(error) }
    }

    private func tell(_ trouble: JournalError) {
        self.state.change { $0.troubles.append(trouble) }
        self.wake()
    }

    // MARK: The checkpointer's thread

    private func copyBack(_ database: Database) {
        while true {
            let request = self.requests.wait { request -> CheckpointRequest? in
                defer { if request == .copy { request = nil } }
                return request
            }
            guard request == .copy else { return }
            let result: Result<CopiedLog, JournalError>
            do throws(SQLiteFailure) { result = .success(try database.checkpoint()) } catch {
                result = .failure(self.files.error(error, at: 1))
            }
            self.state.change { $0.checkpoint = result }
        }
    }
}

/// Moves a non-`Sendable` value to the one thread that uses it from then on.
private final class HandOver<Value>: @unchecked Sendable {
    // Written before the thread starts, taken once by that thread.
    private var value: Value?
    init(_ value: sending Value) { self.value = value }
    func take() -> Value { self.value.take()! }
}
