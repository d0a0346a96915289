import Reactor

/// What a gateway does with the file descriptors that it may have. Each connection takes one, and who comes when there is
/// none left is cut off without a word: so fewer are served, and the others told that they are too many.
///
///     allowed = own + operators' + those turned away, of both ports + clients'
public struct DescriptorBudget: Equatable {
    /// The limit (RLIMIT_NOFILE).
    public let allowed: Int

    /// For the loop, the logs, listeners and sockets, and files that are read now and then: 16 were seen.
    private static let own = 24
    /// For links to shards, and for asking every process for its statistics.
    private static let perProcess = 2
    /// No more than one part in so many is for operators.
    private static let operatorsPart = 8
    private static let turnedAwayPart = 16
    /// However many there are.
    private static let turnedAwayEnough = 1_000

    /// This process's, as its limit is now.
    public static var ours: DescriptorBudget {
        DescriptorBudget(allowed: Int(clamping: (try? ResourceLimits.openFiles().soft) ?? .max))
    }

    /// How many connections a port may still have open to tell them that they are too many.
    public var turnedAwayMax: Int { min(Self.turnedAwayEnough, self.allowed / Self.turnedAwayPart) }

    /// What stays for clients.
    func clientsMax(_ configuration: ServerConfiguration) -> Int {
        let own = Self.own + Self.perProcess * (configuration.cluster.shards + configuration.cluster.gateways)
        return max(1, self.allowed - own - self.operatorsMax(configuration) - 2 * self.turnedAwayMax)
    }

    func operatorsMax(_ configuration: ServerConfiguration) -> Int {
        min(configuration.operatorConnectionsMax, max(1, self.allowed / Self.operatorsPart))
    }

    /// Lowers the connections of both ports to what there is room for.
    public func fit(_ configuration: ServerConfiguration) -> ServerConfiguration {
        var fitting = configuration
        fitting.gateway.connectionsMax = min(configuration.gateway.connectionsMax, self.clientsMax(configuration))
        fitting.operatorConnectionsMax = self.operatorsMax(configuration)
        return fitting
    }

    /// The least limit with which nothing has to be lowered.
    public static func needed(by configuration: ServerConfiguration) -> Int {
        let processes = configuration.cluster.shards + configuration.cluster.gateways
        let fixed = Self.own + Self.perProcess * processes + configuration.operatorConnectionsMax
        let all = configuration.gateway.connectionsMax + fixed
        // Twice a sixteenth is for those turned away, while that is not enough of them.
        let few = all + (all + 6) / 7
        let enough = all + 2 * Self.turnedAwayEnough
        return max(configuration.operatorConnectionsMax * Self.operatorsPart, min(few, enough))
    }
}
