public import Booking
public import Configuration
public import Journal
public import Logging
public import Reactor

/// A kind of journal, selected by `journal.kind`: how a shard's journal is opened, and what the other processes of a
/// cluster need to know of it. A further kind is a type beside these two, and a case in
/// `ServerConfiguration.journalStore`.
public protocol JournalStore {
    /// Whether a shard has its history again after a restart.
    var keepsHistory: Bool { get }
    /// Whether journals grow until a compaction shortens them.
    var needsCompaction: Bool { get }
    /// How long after a commit began the next may begin: only one that waits for a disk is worth sharing.
    var commitIntervalMin: Nanoseconds { get }

    /// Every shard of the cluster has begun its journal: from now on a shard without a journal has lost it.
    func markAllBegun() throws(JournalError)

    /// Opens a shard's journal; this process becomes its owner.
    func open(shard: Int, on loop: EventLoop, log: Logger) throws(StartError) -> OpenJournal
}

/// An opened journal and its companions.
public struct OpenJournal {
    let journal: any Journal
    /// Wakes the loop when the journal has results; closed together with the journal.
    var wakeup: Wakeup?
    /// The snapshot's file; nil for a journal that has none.
    var snapshotFile: String?
}

extension ServerConfiguration {
    /// The kind of journal that these settings choose. The settings table has checked `journal.kind`.
    public var journalStore: any JournalStore {
        switch self.journal.kind {
        case "sqlite": SQLiteStore(self)
        default: MemoryStore(state: self.stateDirectory)
        }
    }

    /// How long after a commit began the next may begin.
    public var commitIntervalMin: Nanoseconds { self.journalStore.commitIntervalMin }
}
