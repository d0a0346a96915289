import Booking
import Configuration
import Glibc
import Links
import Logging
import Reactor
import StandardStreams

/// What a shard's and a gateway's process have in common: a loop, a log, the tie to the supervisor, and an end.
///
///     starting ──ready──▶ serving ──SIGTERM, or the supervisor is gone──▶ stopping (`onStop`) ──finish──▶ gone
///         └──fail──▶ gone, and why is said on the control pipe and thrown
final class ServerProcess {
    let loop: EventLoop
    let log: Logger
    private let name: String
    /// Its live settings change when they are read again. A gateway's `connectionsMax` is what its descriptors allow.
    private(set) var configuration: ServerConfiguration
    /// The same as it was read.
    private var asked: ServerConfiguration
    private let reading: () -> LoadedConfiguration?
    private let isSupervised: Bool
    private var supervisorChannel: SupervisorChannel!
    private var timer: LoopTimer?
    private var failure: StartError?
    private var isFinished = false

    /// A stop is asked for: finish what is under way, then call `finish()`. May come again, with a reason that hastens it.
    var onStop: (SupervisorChannel.Stop) -> Void = { _ in }

    /// Live settings have changed: `configuration` has them.
    var onReload: () -> Void = {}

    /// An operator says that the wall clock is right.
    var onTrustClock: () -> Void = {}

    /// The supervisor says whether some shard does not believe the wall clock.
    var onShardClocks: (_ areSuspended: Bool) -> Void = { _ in }

    private init(
        _ role: String,
        _ index: Int,
        _ configuration: ServerConfiguration,
        reading: @escaping () -> LoadedConfiguration?,
        isSupervised: Bool
    ) throws(UVError) {
        self.name = "\(role) \(index)"
        self.configuration = configuration
        self.asked = configuration
        self.reading = reading
        self.isSupervised = isSupervised
        self.log = Logs.logger(self.name, configuration.log)
        self.loop = try EventLoop()
        self.supervisorChannel = try SupervisorChannel(on: self.loop, isSupervised: isSupervised) { [unowned self] in
            self.log.info("stopping", metadata: ["reason": "\($0)"])
            self.onStop($0)
        }
        self.supervisorChannel.onReload = { [unowned self] in self.reload() }
        self.supervisorChannel.onTrustClock = { [unowned self] in self.onTrustClock() }
        self.supervisorChannel.onShardClocks = { [unowned self] in self.onShardClocks($0) }
    }

    /// Takes over what is live of the settings as they are now. Settings with a mistake change nothing.
    private func reload() {
        guard let loaded = self.reading() else { return }
        guard loaded.mistakes.isEmpty else {
            let reason = loaded.mistakes.map { "\($0)" }.joined(separator: "; ")
            return self.log.error("settings not taken over, the old ones go on", metadata: ["reason": "\(reason)"])
        }
        let reloaded = Reloaded(running: self.asked, read: loaded.configuration)
        self.asked = reloaded.configuration
        self.fitDescriptors()
        Logs.use(self.configuration.log)
        self.onReload()
        // Of a whole cluster the supervisor tells it once.
        self.log.log(
            level: self.isSupervised ? .debug : .info,
            "settings reloaded",
            metadata: reloaded.words.mapValues { .string($0) }
        )
    }

    /// Runs a process until it is stopped. `start` makes its server; what it throws ends the process. `reading` reads the
    /// settings again, from where they came from.
    static func run(
        _ role: String,
        _ index: Int,
        _ configuration: ServerConfiguration,
        reading: @escaping () -> LoadedConfiguration?,
        isSupervised: Bool,
        start: (ServerProcess) throws(StartError) -> Void
    ) throws(StartError) {
        ProcessName.set("usher/\(role)\(index)")
        let process: ServerProcess
        do throws(UVError) {
            try ResourceLimits.raiseOpenFiles()
            process = try ServerProcess(role, index, configuration, reading: reading, isSupervised: isSupervised)
        } catch {
            throw StartError(
                "\(role) \(index) cannot start: \(error)",
                remedy: "raise the limit of open files (ulimit -n)"
            )
        }
        process.fitDescriptors()
        Scheduling.useBatches(log: process.log)
        do throws(StartError) {
            try configuration.stateDirectory.prepare()
            try process.startThreads()
            try start(process)
            process.loop.run()
        } catch {
            process.fail(error)
        }
        process.onStop = { _ in }
        process.onReload = {}
        process.onTrustClock = {}
        process.onShardClocks = { _ in }
        if let failure = process.failure { throw failure }
        process.timer?.close()
        process.loop.close()
    }

    /// What blocks is done by threads of the pool: reading keys, the access log, checking logins.
    private func startThreads() throws(StartError) {
        do throws(UVError) { try self.loop.startPool() } catch {
            throw StartError(
                "\(self.name) needs \(EventLoop.poolSize) threads beside its own, and the system refuses one (\(error))",
                remedy: ThreadBudget.remedy
            )
        }
    }

    /// A gateway needs a descriptor for each connection that it may have, and some for itself.
    private func fitDescriptors() {
        guard self.name.hasPrefix("gateway") else { return self.configuration = self.asked }
        let budget = DescriptorBudget.ours
        self.configuration = budget.fit(self.asked)
        guard self.configuration.gateway.connectionsMax < self.asked.gateway.connectionsMax else { return }
        self.log.warning(
            "fewer connections served than gateway.connectionsMax: raise the limit of open files (ulimit -n, LimitNOFILE)",
            metadata: [
                "connections_max": "\(self.asked.gateway.connectionsMax)",
                "served": "\(self.configuration.gateway.connectionsMax)",
                "open_files": "\(budget.allowed)",
                "open_files_needed": "\(DescriptorBudget.needed(by: self.asked))",
            ]
        )
    }

    func catalogue() throws(StartError) -> Catalogue {
        do throws(ConfigurationMistakes) { return try CatalogueFile.load(self.configuration) } catch {
            throw StartError("\(self.name) cannot start: \(error)", remedy: "usher config check tells more")
        }
    }

    func ready(_ ready: SupervisorChannel.Ready) {
        self.log.info("ready", metadata: ready.port.map { ["port": "\($0)"] } ?? [:])
        self.supervisorChannel.ready(ready)
    }

    /// Tells the supervisor how long this shard's journal is, in bytes since the snapshot that it started with.
    func wroteJournal(bytes: UInt64) { self.supervisorChannel.journal(bytes: bytes) }

    /// Tells the supervisor whether this process does not believe the wall clock.
    func clock(isSuspended: Bool) { self.supervisorChannel.clock(isSuspended: isSuspended) }

    /// Tells the supervisor that the loop will not turn for a while.
    func isBusy() { self.supervisorChannel.busy() }

    /// Says why this process can't serve, and ends it.
    func fail(_ error: StartError) {
        self.failure = error
        self.supervisorChannel.failed("\(error)")
        self.loop.stop()
    }

    /// How long a process that has finished waits for peers to take what was sent to them last. One that is frozen never
    /// does, and the journal is closed by now.
    private static let farewellMilliseconds: UInt64 = 2_000

    /// Everything of this process's own is closed: the loop ends with what is left.
    func finish() {
        guard !self.isFinished else { return }
        self.isFinished = true
        self.supervisorChannel.close()
        self.timer?.close()
        let bound = LoopTimer(on: self.loop)
        bound.keepsLoopAlive = false
        self.timer = bound
        bound.start(afterMilliseconds: Self.farewellMilliseconds) { [log] in
            log.warning("stopped without waiting for a peer that reads nothing")
            StandardError.flush()
            _exit(0)
        }
    }

    /// Calls `body` after a while, unless the process has finished by then. A later call replaces an earlier one.
    func after(milliseconds: Int, _ body: @escaping () -> Void) {
        guard !self.isFinished else { return }
        let timer = self.timer ?? LoopTimer(on: self.loop)
        self.timer = timer
        timer.start(afterMilliseconds: UInt64(milliseconds)) { [unowned self] in
            guard !self.isFinished else { return }
            body()
        }
    }
}
