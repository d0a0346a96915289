import Booking
import Reactor

/// `usher gateway`: one gateway of a cluster. Serves HTTP until it is asked to stop.
public enum GatewayProcess {
    /// Runs until a stop is asked for. `isSupervised` says that a supervisor holds the other end of the control pipe.
    /// Throws why it could not start; a supervisor has been told by then.
    public static func run(configuration: ServerConfiguration, index: Int, isSupervised: Bool) throws(StartError) {
        try ServerProcess.run("gateway", index, configuration, isSupervised: isSupervised) {
            process throws(StartError) in
            let keys = try configuration.stateDirectory.loadOrCreateKeys(at: .now)
            let identity = try configuration.identityCheck(on: process.loop)
            let server = GatewayServer(
                index: index,
                configuration: configuration,
                catalogue: try process.catalogue(),
                tokens: keys,
                identity: identity,
                loop: process.loop,
                log: process.log
            )
            let operatorServer = OperatorServer(
                configuration,
                tokens: try configuration.operatorTokens(),
                of: server,
                loop: process.loop
            )
            let socket: StatsSocket
            do throws(UVError) {
                socket = try StatsSocket(
                    on: process.loop,
                    path: configuration.stateDirectory.gatewaySocket(index),
                    as: server.linkIdentity,
                    log: process.log
                ) { server.stats.json }
            } catch {
                throw StartError(
                    "\(error)",
                    remedy: "look at the folder of cluster.state"
                )
            }
            // Requests are taken once every shard can be reached, so that the first of them is not refused.
            server.onReady = {
                do throws(UVError) {
                    let port = try server.listen(
                        on: self.address(configuration.gateway.host, configuration.gateway.port)
                    )
                    let operatorPort = try operatorServer.listen(
                        on: self.address(configuration.operator.host, configuration.operator.port)
                    )
                    process.ready(Lifeline.Ready(port: port, operatorPort: operatorPort))
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
            process.onStop = {
                let end = {
                    server.close()
                    operatorServer.close()
                    socket.close()
                    keyWatcher.close()
                    operatorWatcher.close()
                    identityWatcher?.close()
                    process.finish()
                }
                server.drain(onDrained: end)
                // A little before the supervisor would end it by force, and call that trouble.
                process.after(milliseconds: max(0, configuration.cluster.drainTimeoutSeconds * 1_000 - 500), end)
            }
        }
    }

    private static func address(_ host: String, _ port: Int) -> SocketAddress {
        guard let address = SocketAddress(host, port: UInt16(port)) else { preconditionFailure("\(host) was checked") }
        return address
    }
}
