import Booking
public import Configuration
import JournalHistory
import Statistics
import Wire

/// `usher keys`: what people are told of the keys that sign tokens. Never a secret.
public enum KeysCommand {
    public static func list(_ configuration: ServerConfiguration) throws(StartError) -> String {
        try configuration.stateDirectory.loadKeys().keys.map { Self.line($0, configuration.zone) }
            .joined(separator: "\n")
    }

    public static func add(_ configuration: ServerConfiguration) throws(StartError) -> String {
        let state = configuration.stateDirectory
        // A key that becomes active years from now would sign nothing until then.
        let now = try state.saneTime()
        return "added " + Self.line(try state.addKey(at: Self.latestTime(of: state, now)), configuration.zone)
    }

    /// The latest time that any shard may have given a place at. After the wall clock was set back that is ahead of it, and a
    /// key that counted from the wall clock would be the key of places which another has signed.
    static func latestTime(of state: StateDirectory, _ wall: Timestamp) -> Timestamp {
        // Places are written down before they are told.
        let written = WrittenJournals.lastTimes(in: state)
        // Their seconds are rounded down.
        let told = ((try? StatsCommand.stats(state))?.shards ?? []).compactMap(\.time).map {
            Timestamp(seconds: $0) + .seconds(1)
        }
        return (written + told).reduce(wall, max)
    }

    public static func remove(_ id: UInt8, _ configuration: ServerConfiguration) throws(StartError) -> String {
        try configuration.stateDirectory.removeKey(id)
        return "removed key \(id)"
    }

    private static func line(_ key: TokenKey, _ zone: Zone) -> String {
        "key \(key.id)  signs places given from \(zone.time(at: key.activeFrom.seconds)) (\(zone.name)) on"
    }
}
