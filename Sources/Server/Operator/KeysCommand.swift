import Booking
import Wire

/// `usher keys`: what people are told of the keys that sign tokens. Never a secret.
public enum KeysCommand {
    public static func list(_ configuration: ServerConfiguration) throws(StartError) -> String {
        try configuration.stateDirectory.loadKeys().keys.map { Self.line($0, configuration.zone) }
            .joined(separator: "\n")
    }

    public static func add(_ configuration: ServerConfiguration) throws(StartError) -> String {
        "added " + Self.line(try configuration.stateDirectory.addKey(at: .now), configuration.zone)
    }

    public static func remove(_ id: UInt8, _ configuration: ServerConfiguration) throws(StartError) -> String {
        try configuration.stateDirectory.removeKey(id)
        return "removed key \(id)"
    }

    private static func line(_ key: TokenKey, _ zone: Zone) -> String {
        "key \(key.id)  signs places given from \(zone.time(at: key.activeFrom.seconds)) (\(zone.name)) on"
    }
}
