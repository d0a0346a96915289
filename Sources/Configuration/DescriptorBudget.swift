import Reactor

/// How a gateway divides its file descriptors. Each connection takes one, and a client that connects when none is left
/// is cut off without an answer: so a gateway serves fewer, and can tell the rest that they are too many.
///
///     allowed = own + operators' + those turned away, of both ports + clients'
public struct DescriptorBudget: Equatable {
    /// The limit (RLIMIT_NOFILE).
    public let allowed: Int

    /// For the loop, the logs, listeners and sockets, and files read now and then: 16 were seen.
    private static let own = 24
    /// For links to shards, and for collecting statistics from every process.
    private static let perProcess = 2
    /// Operators get at most the allowed number divided by this.
    private static let operatorsPart = 8
    private static let turnedAwayPart = 16
    /// The most connections turned away of one port, however high the limit.
    private static let turnedAwayEnough = 1_000

    /// This process's budget under its present limit.
    public static var ours: DescriptorBudget {
        DescriptorBudget(allowed: Int(clamping: (try? ResourceLimits.openFiles().soft) ?? .max))
    }

    /// The most connections of a port that may be open only to be told that they are too many.
    public var turnedAwayMax: Int { min(Self.turnedAwayEnough, self.allowed / Self.turnedAwayPart) }

    /// The number that is left for clients.
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

    /// The smallest limit at which nothing has to be lowered.
    public static func needed(by configuration: ServerConfiguration) -> Int {
        let processes = configuration.cluster.shards + configuration.cluster.gateways
        let fixed = Self.own + Self.perProcess * processes + configuration.operatorConnectionsMax
        let all = configuration.gateway.connectionsMax + fixed
        // Two sixteenths are for those turned away, until `turnedAwayEnough` bounds them.
        let few = all + (all + 6) / 7
        let enough = all + 2 * Self.turnedAwayEnough
        return max(configuration.operatorConnectionsMax * Self.operatorsPart, min(few, enough))
    }
}
