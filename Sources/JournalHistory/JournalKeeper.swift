public import Booking
public import Configuration
public import Journal
public import Logging
public import Reactor
import Wire

/// A shard's journal over the life of its process: opened as configured, replayed, begun, closed. Also the one place of
/// its log lines.
public final class JournalKeeper {
    /// Opened; begun once its history was taken in.
    public let journal: any Journal
    private let log: Logger
    private var wakeup: Wakeup?
    /// Bytes of the replayed facts, without the snapshot. Known after the replay.
    public private(set) var replayedBytes: UInt64 = 0
    /// The snapshot's file; nil for a journal that has none.
    public let snapshotFile: String?

    /// Opens the journal of a shard.
    public init(index: Int, configuration: ServerConfiguration, loop: EventLoop, log: Logger) throws(StartError) {
        let opened = try configuration.journalStore.open(shard: index, on: loop, log: log)
        self.log = log
        self.journal = opened.journal
        self.wakeup = opened.wakeup
        self.snapshotFile = opened.snapshotFile
    }

    /// Replays the history and begins the journal: the shard's state is restored, but its time is not set yet.
    public func recover(_ fresh: @escaping () -> Shard) throws(StartError) -> Shard {
        let begun = Clock.monotonicNanoseconds()
        var machine = fresh()
        do throws(JournalError) {
            let report = try self.replay(into: &machine, fresh)
            self.replayedBytes = report.bytes
            try self.journal.begin()
            if report.sequence > 0 { self.tell(report, nanoseconds: Clock.monotonicNanoseconds() - begun) }
            if self.journal.isCopy { self.tellOfCopy(report) }
        } catch {
            self.wakeup?.close()
            throw Self.startError(error)
        }
        return machine
    }

    /// Replaces a machine by the journal's present state. Its time is that of the last fact.
    public func restore(_ machine: inout Shard, _ fresh: @escaping () -> Shard) throws(JournalError) -> Recovery.Report
    {
        // Dropped first: two large machines at once may not fit in memory.
        machine = fresh()
        return try self.replay(into: &machine, fresh)
    }

    /// `machine` has to be empty.
    private func replay(into machine: inout Shard, _ fresh: @escaping () -> Shard) throws(JournalError)
        -> Recovery.Report
    {
        let report = try Recovery.run(self.journal, into: &machine, fresh: fresh)
        if self.journal.isCopy { machine.declareCopy(chance: .random(in: .min ... .max)) }
        return report
    }

    /// No commit may be in flight. After a failure to close, the next start recovers as after a kill.
    public func close() {
        do throws(JournalError) { try self.journal.close() } catch {
            self.log.error("the journal cannot be closed", metadata: ["reason": "\(error)"])
        }
        self.wakeup?.close()
    }

    /// Why a shard can't go on, with the remedy.
    public static func startError(_ error: JournalError) -> StartError {
        StartError("\(error)", remedy: Self.remedy(for: error))
    }

    /// What an operator does about an error.
    public static func remedy(for error: JournalError) -> String {
        switch error {
        case .inUse: "stop that process, or choose another folder with --state"
        case .full: "make room on that disk"
        case .inputOutput, .failed: "look at that disk and its kernel messages (dmesg)"
        case .busy: "stop what reads or compacts the journal"
        case .damaged: "put the files back from a copy; nothing was changed"
        case .torn:
            "copy the files again, or use another copy: of each shard first the .sqlite file, then its -wal, then .snapshot, "
                + "then .archive and its -wal; usher journal verify --state COPY says whether a copy is whole"
        case .newer: "nothing was changed"
        case .missing(let shard, let state, _, _):
            "put it back from a copy; or, if it is lost for good, begin it anew without its places, seats and points: "
                + "usher journal begin --state \(state) --shard \(shard) --accept-loss"
        case .untrusted(_, _, let remedy): remedy
        case .noThread: ThreadBudget.remedy
        case .unusable, .foreign: "undo the change of settings or files; nothing was changed"
        case .outOfSequence, .notOwner: "find the other process that runs in that folder, and stop it"
        }
    }

    private func tellOfCopy(_ report: Recovery.Report) {
        self.log.warning(
            "this journal is a copy: later facts are missing, and new ids start above those of the original",
            metadata: ["ends_at_fact": "\(report.sequence)", "ends_at": "\(report.lastTime.words)"]
        )
    }

    private func tell(_ report: Recovery.Report, nanoseconds: UInt64) {
        self.log.info(
            "journal replayed",
            metadata: [
                "snapshot": "\(report.snapshotSequence)", "facts": "\(report.facts)", "batches": "\(report.batches)",
                "epoch": "\(self.journal.epoch)", "took_ms": "\(nanoseconds / 1_000_000)",
            ]
        )
    }
}
