import Booking
public import Configuration
import Journal
import JournalHistory
import Links
import Reactor

/// `usher shard`: one shard of a cluster. Serves its Unix socket until it is asked to stop.
public enum ShardProcess {
    /// Runs until a stop is asked for. `isSupervised` says that a supervisor holds the other end of the control pipe;
    /// `reading` reads the settings again.
    /// Throws why it could not start; a supervisor has been told by then.
    public static func run(
        configuration: ServerConfiguration,
        index: Int,
        reading: @escaping () -> LoadedConfiguration?,
        isSupervised: Bool
    ) throws(StartError) {
        try ServerProcess.run("shard", index, configuration, reading: reading, isSupervised: isSupervised) {
            process throws(StartError) in
            let catalogue = try process.catalogue()
            let keeper = try JournalKeeper(
                index: index,
                configuration: configuration,
                loop: process.loop,
                log: process.log
            )
            let fresh = {
                Shard(
                    index: index,
                    slots: SlotMap(shardCount: configuration.cluster.shards),
                    catalogue: catalogue,
                    answerLimits: configuration.answerLimits,
                    hashSeed: UInt64.random(in: .min ... .max)
                )
            }
            let machine = try keeper.recover(fresh)
            let server: ShardServer
            do throws(UVError) {
                server = try ShardServer(
                    index: index,
                    configuration: configuration,
                    machine: machine,
                    journal: keeper.journal,
                    restore: { machine throws(JournalError) in try keeper.restore(&machine, fresh) },
                    loop: process.loop,
                    log: process.log
                )
            } catch {
                throw StartError(
                    "\(error)",
                    remedy: "look at the folder of cluster.state"
                )
            }
            server.snapshotFile = keeper.snapshotFile
            server.onGrowth = { process.wroteJournal(bytes: keeper.replayedBytes + $0) }
            server.onClock = { process.clock(isSuspended: $0) }
            process.onTrustClock = { server.trustClock() }
            server.onRebuild = { process.isBusy() }
            server.onFailure = { process.fail(JournalKeeper.startError($0)) }
            server.start()
            process.onStop = { _ in
                server.stop {
                    keeper.close()
                    process.finish()
                }
            }
            process.ready(SupervisorChannel.Ready())
            if server.isClockSuspended { process.clock(isSuspended: true) }
            process.wroteJournal(bytes: keeper.replayedBytes)
        }
    }
}
