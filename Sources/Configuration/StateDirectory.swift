import Reactor

/// The folder of one cluster: its lock, its sockets, its keys, and what the supervisor writes for others to read.
///
///     usher.lock        held by the supervisor as long as it lives
///     config.json       the resolved settings, for the children and for commands on the journals
///     catalogue.running.json   the catalogue of the last start, see `CatalogueCopy`
///     cluster.json      process ids and ports, see `ClusterFile`
///     clock.json        the reference for the wall clock, see `ClockReference`
///     shard-3.sock      frames to a shard
///     gateway-0.sock    frames to a gateway: statistics
///     control.sock      requests to the supervisor: restart, reload, trust-clock
///     token.keys        the keys that sign tokens
///     operator.tokens   hashes of the operators' tokens
///
/// The path stays as given: children share the supervisor's working directory, and a relative path keeps socket names
/// short in a deep folder.
public struct StateDirectory: Equatable, Sendable {
    /// The longest path of a Unix socket: `sun_path` holds 108 bytes with the closing zero (unix(7)).
    public static let socketPathBytesMax = 107

    public let path: String

    public init(path: String) { self.path = path }

    private static let lockName = "usher.lock"
    public var lockFile: String { "\(self.path)/\(Self.lockName)" }
    private static let configurationName = "config.json"
    public var configurationFile: String { "\(self.path)/\(Self.configurationName)" }
    /// Not a name that somebody would give to a catalogue of their own.
    static let catalogueName = "catalogue.running.json"
    public var catalogueFile: String { "\(self.path)/\(Self.catalogueName)" }
    public var clusterFile: String { "\(self.path)/cluster.json" }
    var clockFile: String { "\(self.path)/clock.json" }
    public var keyFile: String { "\(self.path)/token.keys" }
    var operatorTokenFile: String { "\(self.path)/operator.tokens" }
    public func shardSocket(_ index: Int) -> String { "\(self.path)/shard-\(index).sock" }
    public func gatewaySocket(_ index: Int) -> String { "\(self.path)/gateway-\(index).sock" }

    public var controlSocket: String { "\(self.path)/control.sock" }

    /// Whether a cluster has written this settings file: it stands beside a lock.
    static func isConfiguration(_ path: String) -> Bool {
        let suffix = "/\(Self.configurationName)"
        return path.hasSuffix(suffix) && FileStatus("\(path.dropLast(suffix.count))/\(Self.lockName)") != nil
    }

    /// Nil unless the longest socket name of a cluster is longer than a socket's path may be.
    func socketPathMistake(_ cluster: ServerConfiguration.Cluster) -> ConfigurationMistake? {
        let longest = max(
            self.shardSocket(cluster.shards - 1).utf8.count,
            self.gatewaySocket(cluster.gateways - 1).utf8.count
        )
        guard longest > Self.socketPathBytesMax else { return nil }
        return ConfigurationMistake(
            place: "cluster.state",
            problem:
                "the path of a socket in it has \(longest) bytes, but the system takes at most \(Self.socketPathBytesMax)",
            remedy: "choose a folder with a shorter path, or start in its parent and name it relative to that"
        )
    }
}
