import Booking
import FoundationEssentials
import Reactor
import Wire

/// `usher gateway`: one gateway of a cluster. Serves HTTP until it is asked to stop.
public enum GatewayProcess {
    /// Runs until a stop is asked for. `isSupervised` says that a supervisor holds the other end of the control pipe.
    /// Throws why it could not start; a supervisor has been told by then.
    public static func run(configuration: ServerConfiguration, index: Int, isSupervised: Bool) throws(StartError) {
        do throws(UVError) {
            try self.serve(configuration, index, isSupervised)
        } catch {
            throw StartError("gateway \(index) cannot start: \(error)", remedy: "see the state folder of cluster.state")
        }
    }

    private static func serve(_ configuration: ServerConfiguration, _ index: Int, _ isSupervised: Bool) throws(UVError)
    {
        ProcessName.set("usher/gateway\(index)")
        let started = Clock.monotonicNanoseconds()
        let loop = try EventLoop()
        var listener: UnixListener?
        var clients: TCPListener?
        var connections: [ObjectIdentifier: Connection] = [:]
        let lifeline = try Lifeline(on: loop, isSupervised: isSupervised) {
            listener?.close()
            clients?.close()
            for connection in connections.values { connection.closeAfterFlush() }
            loop.stop()
        }
        let map = SlotMap(shardCount: configuration.cluster.shards)
        let hello = Hello(
            role: .gateway,
            index: UInt16(index),
            shardCount: UInt16(map.shardCount),
            slotMapVersion: map.version
        )
        do throws(UVError) {
            listener = try UnixListener(on: loop, path: configuration.stateDirectory.gatewaySocket(index)) {
                connection in
                connections[ObjectIdentifier(connection)] = connection
                connection.onClose = { [unowned connection] in connections[ObjectIdentifier(connection)] = nil }
                _ = StatsResponder(connection, hello: hello) {
                    var stats = GatewayStats(gateway: index)
                    stats.port = configuration.gateway.port
                    stats.process = .now(startedNanoseconds: started)
                    return String(decoding: (try? JSONEncoder().encode(stats)) ?? Data(), as: UTF8.self)
                }
            }
            let address = SocketAddress(configuration.gateway.host, port: UInt16(configuration.gateway.port))
            guard let address else { preconditionFailure("gateway.host was checked") }
            clients = try TCPListener(on: loop, address: address, sharesPort: true)
        } catch {
            listener?.close()
            lifeline.failed("\(error)")
            lifeline.close()
            loop.close()
            throw error
        }
        lifeline.ready(Lifeline.Ready(port: clients.map { Int($0.port) }))
        loop.run()
        lifeline.close()
        for connection in connections.values { connection.close() }
        loop.close()
    }
}
