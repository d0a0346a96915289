import Booking
import FoundationEssentials
import Reactor
import Wire

/// `usher shard`: one shard of a cluster. Serves its Unix socket until it is asked to stop.
public enum ShardProcess {
    /// Runs until a stop is asked for. `isSupervised` says that a supervisor holds the other end of the control pipe.
    /// Throws why it could not start; a supervisor has been told by then.
    public static func run(configuration: ServerConfiguration, index: Int, isSupervised: Bool) throws(StartError) {
        do throws(UVError) {
            try self.serve(configuration, index, isSupervised)
        } catch {
            throw StartError("shard \(index) cannot start: \(error)", remedy: "see the state folder of cluster.state")
        }
    }

    private static func serve(_ configuration: ServerConfiguration, _ index: Int, _ isSupervised: Bool) throws(UVError)
    {
        ProcessName.set("usher/shard\(index)")
        let started = Clock.monotonicNanoseconds()
        let loop = try EventLoop()
        var listener: UnixListener?
        var connections: [ObjectIdentifier: Connection] = [:]
        let lifeline = try Lifeline(on: loop, isSupervised: isSupervised) {
            listener?.close()
            for connection in connections.values { connection.closeAfterFlush() }
            loop.stop()
        }
        let map = SlotMap(shardCount: configuration.cluster.shards)
        let hello = Hello(
            role: .shard,
            index: UInt16(index),
            shardCount: UInt16(map.shardCount),
            slotMapVersion: map.version
        )
        do throws(UVError) {
            listener = try UnixListener(on: loop, path: configuration.stateDirectory.shardSocket(index)) { connection in
                connections[ObjectIdentifier(connection)] = connection
                connection.onClose = { [unowned connection] in connections[ObjectIdentifier(connection)] = nil }
                _ = StatsResponder(connection, hello: hello) {
                    let slots = map.slots(of: index)
                    var stats = ShardStats(
                        shard: index,
                        slots: .init(first: slots.lowerBound, last: slots.upperBound - 1)
                    )
                    stats.process = .now(startedNanoseconds: started)
                    return String(decoding: (try? JSONEncoder().encode(stats)) ?? Data(), as: UTF8.self)
                }
            }
        } catch {
            lifeline.failed("\(error)")
            lifeline.close()
            loop.close()
            throw error
        }
        lifeline.ready(Lifeline.Ready())
        loop.run()
        lifeline.close()
        for connection in connections.values { connection.close() }
        loop.close()
    }
}
