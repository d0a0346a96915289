public import Booking
public import Configuration
import JournalSQLite

/// The journals in a state folder, whichever kind the settings select now.
public enum WrittenJournals {
    /// Whether any shard has one.
    public static func exist(in state: StateDirectory) -> Bool { !JournalFiles.shards(in: state.path).isEmpty }

    /// The last fact's time of each journal that can be read.
    public static func lastTimes(in state: StateDirectory) -> [Timestamp] {
        JournalFiles.shards(in: state.path).compactMap { shard in
            try? SQLiteArchive(JournalFiles(state: state.path, shard: shard)).lastTime()
        }
    }
}
