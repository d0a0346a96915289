public import Booking
public import Configuration
public import Journal
public import Logging
public import Reactor

/// A kind of journal, as `journal.kind` chooses it: how a shard's is opened, and what the other processes of a cluster have to
/// know of it. Another kind is another type beside these two, and a case in `ServerConfiguration.journalStore`.
public protocol JournalStore {
    /// Whether a shard that ends has its history when it starts again.
    var keepsHistory: Bool { get }
    /// Whether journals grow until a compaction makes them shorter.
    var needsCompaction: Bool { get }
    /// How long after a commit began the next may begin: only one that waits for a disk is worth sharing.
    var commitPace: Nanoseconds { get }

    /// Every shard of the cluster has begun its journal: from now on one without a journal has lost it.
    func markAllBegun() throws(JournalError)

    /// Opens the journal of a shard, whose owner this process is from now on.
    func open(shard: Int, on loop: EventLoop, log: Logger) throws(StartError) -> OpenJournal
}

/// A journal that was opened, and what belongs to it.
public struct OpenJournal {
    let journal: any Journal
    /// Wakes the loop when the journal has something to tell; closed by whoever closes the journal.
    var wakeup: Wakeup?
    /// The file of snapshots; nil for a journal that has none.
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
    public var commitPace: Nanoseconds { self.journalStore.commitPace }
}
