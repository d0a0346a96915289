import Booking
public import Configuration
import JournalHistory
import Statistics
import Wire

/// `usher keys`: what people are shown of the signing keys. Never a secret.
public enum KeysCommand {
    public static func list(_ configuration: ServerConfiguration) throws(StartError) -> String {
        try configuration.stateDirectory.loadKeys().keys.map { Self.line($0, configuration.zone) }
            .joined(separator: "\n")
    }

    public static func add(_ configuration: ServerConfiguration) throws(StartError) -> String {
        let state = configuration.stateDirectory
        // Under an absurd clock the key would become active years from now and sign nothing until then.
        let now = try state.saneTime()
        return "added " + Self.line(try state.addKey(at: Self.latestTime(of: state, now)), configuration.zone)
    }

    /// The latest time at which any shard may have given a place. After the wall clock was set back, that is ahead of
    /// it: a key active from the wall clock's time would claim places that another key has signed.
    static func latestTime(of state: StateDirectory, _ wall: Timestamp) -> Timestamp {
        // Facts are durable before their replies leave.
        let written = WrittenJournals.lastTimes(in: state)
        // Reported seconds are rounded down.
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
