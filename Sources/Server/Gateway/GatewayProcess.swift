import Booking
public import Configuration
import Edge
import Links
import Logging
import Operator
import Reactor
import Statistics

/// `usher gateway`: one gateway of a cluster. Serves HTTP until it is asked to stop.
public enum GatewayProcess {
    /// How a supervisor starts a gateway.
    public struct Post: Sendable {
        /// Sockets that are bound, and stay the supervisor's: for clients, and for operators.
        public var listeners: (clients: Int32, operators: Int32)?
        /// Another process serves as this gateway until this one is ready, and then hands over.
        public var isSuccessor = false

        public init(listeners: (clients: Int32, operators: Int32)? = nil, isSuccessor: Bool = false) {
            self.listeners = listeners
            self.isSuccessor = isSuccessor
        }
    }

    /// Before the supervisor would end it by force, and call that trouble: connections that still rest are ended, and after
    /// another while whatever is left.
    private static let closingMilliseconds = 1_500
    private static let endMilliseconds = 500

    /// Runs until a stop is asked for. `isSupervised` says that a supervisor holds the other end of the control pipe;
    /// `reading` reads the settings again.
    /// Throws why it could not start; a supervisor has been told by then.
    public static func run(
        configuration: ServerConfiguration,
        index: Int,
        reading: @escaping () -> LoadedConfiguration?,
        isSupervised: Bool,
        post: Post = Post()
    ) throws(StartError) {
        try ServerProcess.run("gateway", index, configuration, reading: reading, isSupervised: isSupervised) {
            process throws(StartError) in
            // Fitted to the descriptors that there are.
            let configuration = process.configuration
            let clock = MachineClock(
                of: configuration.stateDirectory,
                tellingAs: .warning,
                log: process.log
            )
            let keys = try configuration.stateDirectory.loadOrCreateKeys(at: clock.now)
            let identity = try configuration.identityCheck(on: process.loop, log: process.log)
            let server = GatewayServer(
                index: index,
                configuration: configuration,
                catalogue: try process.catalogue(),
                tokens: keys,
                identity: identity,
                isSuccessor: post.isSuccessor,
                clock: clock,
                loop: process.loop,
                log: process.log
            )
            let operatorServer = OperatorServer(
                configuration,
                tokens: try configuration.operatorTokens(),
                of: server,
                loop: process.loop
            )
            let socket = StatsSocket(
                on: process.loop,
                path: configuration.stateDirectory.gatewaySocket(index),
                as: server.linkIdentity,
                log: process.log
            ) { server.stats.json }
            // A predecessor has it until it hands over.
            if !post.isSuccessor {
                do throws(UVError) { try socket.listen() } catch {
                    throw StartError("\(error)", remedy: "look at the folder of cluster.state")
                }
            }
            server.onRefused = {
                guard post.isSuccessor else { return }
                process.fail(StartError($0, remedy: "stop the cluster and start it with the new program"))
            }
            // Requests are taken once every shard can be reached, so that the first of them is not refused.
            server.onReady = {
                do throws(UVError) {
                    let ready = try self.listen(server, operatorServer, configuration, post)
                    if post.isSuccessor { socket.listenWhenFree() }
                    process.ready(ready)
                } catch {
                    process.fail(
                        StartError("\(error)", remedy: "free the port, or set another")
                    )
                }
            }
            server.start()
            let keyWatcher = FileWatcher(
                configuration.stateDirectory.keyFile,
                of: "token keys",
                on: process.loop,
                log: process.log,
                load: configuration.stateDirectory.loadKeys,
                onChange: { server.use($0) }
            )
            let operatorWatcher = FileWatcher(
                configuration.operatorTokenFile.path,
                of: "operators' tokens",
                on: process.loop,
                log: process.log,
                load: configuration.operatorTokenFile.load,
                onChange: { operatorServer.use($0) }
            )
            let identityWatcher = identity.map { identity in
                FileWatcher(
                    configuration.identity.keyFile,
                    of: "keys of logins",
                    on: process.loop,
                    log: process.log,
                    load: { () throws(StartError) in try IdentityKeys.load(configuration.identity.keyFile) },
                    onChange: { identity.use($0) }
                )
            }
            let end = {
                if server.connectionCount > 0 {
                    process.log.info("connections closed unfinished", metadata: ["count": "\(server.connectionCount)"])
                }
                server.close()
                operatorServer.close()
                socket.close()
                keyWatcher.close()
                operatorWatcher.close()
                identityWatcher?.close()
                process.finish()
            }
            process.onTrustClock = { clock.trust() }
            process.onShardClocks = { server.areShardClocksSuspended = $0 }
            process.onReload = {
                server.use(process.configuration)
                operatorServer.use(process.configuration)
            }
            process.onStop = { stop in
                let milliseconds = process.configuration.cluster.drainTimeoutSeconds * 1_000
                let close = {
                    let rest = min(milliseconds, Self.closingMilliseconds) - Self.endMilliseconds
                    process.after(milliseconds: max(0, rest), end)
                    server.drain(.closing, onDrained: end)
                }
                switch stop {
                case .alone, .replaced:
                    // The supervisor's sockets stay among those that connections go to, though nobody else takes them.
                    let takesMore = stop == .alone && post.listeners != nil
                    if !takesMore {
                        operatorServer.handOver()
                        socket.close()
                    }
                    process.after(milliseconds: max(0, milliseconds - Self.closingMilliseconds), close)
                    server.drain(takesMore ? .takingMore : .handingOver) { operatorServer.drain(onDrained: end) }
                case .withAll:
                    // Nobody takes over: the time is for what is under way.
                    process.after(milliseconds: max(0, milliseconds - Self.endMilliseconds), end)
                    server.drain(.closing, onDrained: end)
                }
            }
        }
    }

    private static func listen(
        _ server: GatewayServer,
        _ operatorServer: OperatorServer,
        _ configuration: ServerConfiguration,
        _ post: Post
    ) throws(UVError) -> SupervisorChannel.Ready {
        if let (clients, operators) = post.listeners {
            return SupervisorChannel.Ready(
                port: try server.listen(on: clients),
                operatorPort: try operatorServer.listen(on: operators)
            )
        }
        return SupervisorChannel.Ready(
            port: try server.listen(on: self.address(configuration.gateway.host, configuration.gateway.port)),
            operatorPort: try operatorServer.listen(
                on: self.address(configuration.operator.host, configuration.operator.port)
            )
        )
    }

    private static func address(_ host: String, _ port: Int) -> SocketAddress {
        guard let address = SocketAddress(host, port: UInt16(port)) else { preconditionFailure("\(host) was checked") }
        return address
    }
}
