/// The folder of one cluster: its lock, sockets, keys, and the supervisor's files for other processes.
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
///     operator.tokens   hashes of the operators' tokens, unless operator.tokenFile names another file
///
/// The path stays as given: children share the supervisor's working directory, and a relative path keeps socket names
/// short in a deep folder.
public struct StateDirectory: Equatable, Sendable {
    /// The longest path of a Unix socket: `sun_path` holds 108 bytes with the closing zero (unix(7)).
    public static let socketPathBytesMax = 107

    public let path: String

    public init(path: String) { self.path = path }

    public var lockFile: String { "\(self.path)/usher.lock" }
    public var configurationFile: String { "\(self.path)/config.json" }
    /// A name that nobody would choose for a catalogue of their own.
    static let catalogueName = "catalogue.running.json"
    public var catalogueFile: String { "\(self.path)/\(Self.catalogueName)" }
    public var clusterFile: String { "\(self.path)/cluster.json" }
    var clockFile: String { "\(self.path)/clock.json" }
    public var keyFile: String { "\(self.path)/token.keys" }
    public func shardSocket(_ index: Int) -> String { "\(self.path)/shard-\(index).sock" }
    public func gatewaySocket(_ index: Int) -> String { "\(self.path)/gateway-\(index).sock" }

    public var controlSocket: String { "\(self.path)/control.sock" }

    /// Nil if the longest socket path of a cluster fits the system's limit.
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
