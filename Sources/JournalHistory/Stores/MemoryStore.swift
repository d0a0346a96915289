import Booking
import Configuration
import Journal
import Logging
import Reactor

/// Journals in memory: a shard that ends loses everything.
struct MemoryStore: JournalStore {
    let state: StateDirectory

    let keepsHistory = false
    let needsCompaction = false
    let commitIntervalMin = Nanoseconds.zero

    func markAllBegun() {}

    /// Refuses a folder that has journals: the cluster would start empty beside them.
    func open(shard: Int, on loop: EventLoop, log: Logger) throws(StartError) -> OpenJournal {
        guard !WrittenJournals.exist(in: self.state) else {
            throw StartError(
                "journal.kind is memory, but there are journals in \(self.state.path)/journal, which would not be looked at",
                remedy: "start with journal.kind=sqlite, or choose another folder with --state"
            )
        }
        return OpenJournal(journal: MemoryJournal(keepsBatches: false))
    }
}
