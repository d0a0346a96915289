import Booking
import Configuration
import Glibc
import Links
import Logging
import Reactor

/// Compacts journals of a running cluster as `CompactionSchedule` decides: one at a time, each in its own process.
///
/// **Happy path.** The schedule is checked every second; `usher journal compact --supervised` runs for the shard that
/// is due; its last line is the result. **When it fails,** the log gives the reason and the command to run by hand, and
/// the compaction is retried after a pause. **When the cluster stops,** it is killed: like a crash, that is safe at any
/// moment. **When this process is killed,** the compaction sees the end of its control pipe and ends.
final class Compactor {
    private static let lookMilliseconds: UInt64 = 1_000
    /// A journal of 64 KiB or more is compacted this long after its newest snapshot, however short it is: so that copies of a
    /// quiet cluster are small, and an archive is never much behind.
    private static let ageMax = Nanoseconds.seconds(3_600)
    private let loop: EventLoop
    private let log: Logger
    private let state: StateDirectory
    private let environment: [String]
    /// The program that compacts a shard's journal: the one that the shard runs, which knows the facts that it writes.
    private let executable: (Int) -> String
    private let timer: LoopTimer
    private var schedule: CompactionSchedule
    private var child: ChildProcess?
    private var isStopped = false

    init(
        _ configuration: ServerConfiguration,
        environment: [String],
        executable: @escaping (Int) -> String,
        on loop: EventLoop,
        log: Logger
    ) {
        self.loop = loop
        self.log = log
        self.state = configuration.stateDirectory
        self.environment = environment
        self.executable = executable
        self.timer = LoopTimer(on: loop)
        self.schedule = CompactionSchedule(
            shards: configuration.cluster.shards,
            rules: Self.rules(configuration),
            at: Self.now
        )
    }

    /// Applies the live settings.
    func use(_ configuration: ServerConfiguration) { self.schedule.rules = Self.rules(configuration) }

    private static func rules(_ configuration: ServerConfiguration) -> CompactionSchedule.Rules {
        CompactionSchedule.Rules(bytes: UInt64(configuration.journal.compactBytes), age: Self.ageMax)
    }

    private static var now: Timestamp { Timestamp(nanoseconds: Int64(Clock.monotonicNanoseconds())) }

    func start() {
        self.timer.start(afterMilliseconds: Self.lookMilliseconds, everyMilliseconds: Self.lookMilliseconds) {
            [unowned self] in self.look()
        }
    }

    /// The cluster is stopping, or could not start.
    func stop() {
        guard !self.isStopped else { return }
        self.isStopped = true
        self.timer.close()
        self.child?.kill(SIGKILL)
    }

    func started(_ shard: Int) { self.schedule.started(shard) }
    func wrote(_ bytes: UInt64, by shard: Int) { self.schedule.wrote(bytes, by: shard) }

    private func look() {
        guard let shard = self.schedule.next(at: Self.now) else { return }
        do throws(UVError) { try self.compact(shard) } catch {
            self.ended(shard, took: 0, .failure("could not be started: \(ThreadBudget.words(error))"))
        }
    }

    private enum Outcome { case done(String), failure(String) }

    /// The child is gone once it has exited and its pipe is read to the end: its last line may arrive after its exit.
    private func compact(_ shard: Int) throws(UVError) {
        let begun = Clock.monotonicNanoseconds()
        var lines = LineReader()
        var said: SupervisorChannel.Message?
        var exit: ChildProcess.Exit?
        var hasPipeEnded = false
        let log = try ChildLog(on: self.loop)
        func endIfGone() {
            guard let exit, hasPipeEnded else { return }
            self.child = nil
            log.finish()
            let took = (Clock.monotonicNanoseconds() - begun) / 1_000_000
            switch said {
            case .compacted(let report): self.ended(shard, took: took, .done(report.text))
            case .failed(let failed): self.ended(shard, took: took, .failure(failed.reason))
            case .ready, .journal, .clock, .pong, .busy, nil:
                self.ended(shard, took: took, .failure("ended without a result: \(exit)"))
            }
        }
        let child: ChildProcess
        do throws(UVError) {
            child = try ChildProcess(
                on: self.loop,
                executable: self.executable(shard),
                arguments: [
                    "journal", "compact", "--shard", "\(shard)", "--config", self.state.configurationFile,
                    "--supervised",
                ],
                environment: self.environment,
                output: .to(log.childEnd),
                hasControlPipe: true,
                hasOwnSession: true
            ) { how in
                exit = how
                endIfGone()
            }
        } catch {
            log.finish()
            throw error
        }
        log.started()
        self.child = child
        child.controlPipe?.onRead = { bytes in
            lines.append(bytes) { said = SupervisorChannel.Message(line: $0) ?? said }
        }
        child.controlPipe?.onEnd = { [unowned child] _ in
            child.controlPipe?.close()
            hasPipeEnded = true
            endIfGone()
        }
        child.controlPipe?.startReading()
    }

    private func ended(_ shard: Int, took milliseconds: UInt64, _ outcome: Outcome) {
        // Killed by the stop: nothing to report.
        guard !self.isStopped else { return }
        switch outcome {
        case .done(let text):
            _ = self.schedule.ended(true, at: Self.now)
            self.log.info(
                "journal compacted",
                metadata: ["shard": "\(shard)", "took_ms": "\(milliseconds)", "result": "\(text)"]
            )
        case .failure(let reason):
            let pause = self.schedule.ended(false, at: Self.now) ?? .zero
            self.log.error(
                "compaction failed; the journal grows, and the cluster serves on",
                metadata: [
                    "shard": "\(shard)", "reason": "\(reason)", "next_try_s": "\(pause.rawValue / 1_000_000_000)",
                    "command": "usher journal compact --config \(self.state.configurationFile) --shard \(shard)",
                ]
            )
        }
    }
}
