import Booking
import Configuration
import Journal
import JournalSQLite
import Logging
import Reactor

/// Journals in SQLite: a file for each shard, in the state folder.
struct SQLiteStore: JournalStore {
    private let configuration: ServerConfiguration

    init(_ configuration: ServerConfiguration) { self.configuration = configuration }

    let keepsHistory = true
    let needsCompaction = true

    var commitIntervalMin: Nanoseconds {
        guard self.policy == .commit else { return .zero }
        return .milliseconds(Int64(self.configuration.journal.commitIntervalMinMilliseconds))
    }

    /// `journal.policy` as a journal's value. The settings table has checked it.
    private var policy: JournalPolicy {
        switch self.configuration.journal.policy {
        case "interval": .interval(milliseconds: JournalPolicy.intervalMilliseconds)
        case "none": .none
        default: .commit
        }
    }

    func markAllBegun() throws(JournalError) { try JournalFiles.markAllBegun(in: self.configuration.cluster.state) }

    func open(shard: Int, on loop: EventLoop, log: Logger) throws(StartError) -> OpenJournal {
        let slots = SlotMap(shardCount: self.configuration.cluster.shards)
        let origin = JournalOrigin(shard: shard, shardCount: slots.shardCount, slotMapVersion: slots.version)
        let files = JournalFiles(state: self.configuration.cluster.state, shard: shard)
        let policy = self.policy
        if let risk = policy.risk {
            log.warning("journal.policy can lose answered changes", metadata: ["risk": "\(risk)"])
        }
        let target = Target()
        let wakeup: Wakeup
        do throws(UVError) { wakeup = try Wakeup(on: loop) { target.journal?.drain() } } catch {
            throw StartError(
                "the journal cannot wake the loop: \(error)",
                remedy: "raise the limit of open files (ulimit -n)"
            )
        }
        do throws(JournalError) {
            let sender = wakeup.sender
            let journal = try SQLiteJournal(files, origin: origin, policy: policy) { sender.send() }
            target.journal = journal
            journal.onTrouble = { error in
                // A repeated error, as on a full disk, is logged once a minute.
                let now = Clock.monotonicNanoseconds()
                guard target.lastTrouble != error || now - target.lastToldAt >= 60_000_000_000 else { return }
                target.lastTrouble = error
                target.lastToldAt = now
                log.error("the journal has a problem, and retries", metadata: ["reason": "\(error)"])
            }
            if try journal.headIsMissing() {
                log.warning(
                    "a part of the journal is missing: the loss of its last facts would go unnoticed",
                    metadata: ["file": "\(files.head)"]
                )
            }
            return OpenJournal(journal: journal, wakeup: wakeup, snapshotFile: files.snapshot)
        } catch {
            wakeup.close()
            throw JournalKeeper.startError(error)
        }
    }

    /// Breaks a cycle: the wake-up needs the journal, which needs the wake-up's sender.
    private final class Target {
        weak var journal: SQLiteJournal?
        var lastTrouble: JournalError?
        var lastToldAt: UInt64 = 0
    }
}
