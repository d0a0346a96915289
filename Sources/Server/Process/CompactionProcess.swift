public import Configuration
import Glibc
import JournalHistory
import Links
import Reactor

/// `usher journal compact --supervised`: one compaction in a process that a supervisor has started, and that ends with it.
///
/// It runs at a lower priority (nice 10) and under the batch policy, so that shards and gateways go first when cores are
/// scarce, and are not interrupted when it wakes.
public enum CompactionProcess {
    private static let niceness: Int32 = 10

    /// Runs to its end; says over the control pipe what came of it. Gone at once when the supervisor is.
    public static func run(_ configuration: ServerConfiguration, shard: Int) throws(StartError) {
        ProcessName.set("usher/compact\(shard)")
        // Refused or not: a compaction at the usual priority is as right.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        Scheduling.useBatches()
        let loop: EventLoop
        let supervisorChannel: SupervisorChannel
        do throws(UVError) {
            loop = try EventLoop()
            // It may be cut off at any moment, and its work can't be called off.
            supervisorChannel = try SupervisorChannel(on: loop, isSupervised: true) { _ in _exit(1) }
        } catch {
            throw StartError("a compaction cannot start: \(error)", remedy: "only a supervisor starts one like this")
        }
        do throws(UVError) { try loop.startPool() } catch {
            let reason = "a compaction needs \(EventLoop.poolSize) threads, and the system refuses one (\(error))"
            let failure = StartError(reason, remedy: ThreadBudget.remedy)
            supervisorChannel.failed("\(failure)")
            throw failure
        }
        var failure: StartError?
        loop.offload {
            do throws(StartError) {
                return Result<String, StartError>.success(try JournalCommand.compact(configuration, shard: shard))
            } catch {
                return .failure(error)
            }
        } then: { result in
            switch result {
            case .success(let text): supervisorChannel.compacted(text)
            case .failure(let error):
                failure = error
                supervisorChannel.failed("\(error)")
            }
            supervisorChannel.close()
        }
        loop.run()
        loop.close()
        if let failure { throw failure }
    }
}
