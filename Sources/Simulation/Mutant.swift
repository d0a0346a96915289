/// Lies of the simulated disk: each must be found, or the simulator looks in the wrong place. No shipped code can be made to
/// tell them, as the disk itself is simulated; all other bugs are patches to shipped code, in `Tests/Mutants`.
public enum Mutant: String, CaseIterable, Sendable {
    /// A shard believes its disk, which lies: the newest batch is gone after a crash.
    case diskLies
    /// A restart takes what there is of a record that a crash cut short.
    case tornBatchTaken
    /// A restart skips a damaged record and goes on.
    case damageSkipped
    /// A restarted shard does not take in the newest batch.
    case lastBatchNotReplayed
}
