public import Booking
public import Configuration
import Glibc
import Journal
import JournalHistory
import Links
import Logging
import Reactor

/// `usher cluster`: starts the shards and gateways of one state folder, keeps them running, and stops them in order.
/// Carries no traffic, and decides nothing: `Supervision` does.
///
/// **Happy path.** Folder, lock, ports, keys, `catalogue.running.json`, `config.json`; then `Supervision` decides until
/// it is over; then every file made is removed but the lock file, the keys, and those two files.
///
/// **When this process is killed,** each child sees the end of its control pipe and stops by itself. The next start
/// finds the folder unlocked, and waits for such children before it starts its own.
public final class Supervisor {
    /// The pause between checks for children left by a killed supervisor, milliseconds.
    private static let leftoverPause: UInt64 = 50
    typealias Member = Supervision.Member

    /// A child is gone once it has exited and its pipe is read to the end: its last line may arrive after its exit.
    struct Child {
        let process: ChildProcess
        let log: ChildLog
        /// Why it can't serve, if it reported that.
        var reason: String?
        var exit: ChildProcess.Exit?
        var hasPipeEnded = false
    }

    var configuration: ServerConfiguration
    /// The catalogue of all processes of this cluster, even if `catalogue.file` changes.
    var catalogue: Catalogue
    /// The earlier copy of the catalogue in the state folder, restored when this start fails: the journals have not
    /// changed.
    private var copyBefore: [UInt8]?
    /// The settings as read: port 0 is not replaced by a real port.
    var asked: ServerConfiguration
    let reading: () -> LoadedConfiguration?
    /// Started from a terminal: SIGHUP may then mean that the terminal was closed.
    private let hadTerminal = isatty(STDIN_FILENO) == 1
    let state: StateDirectory
    let startedNanoseconds = Clock.monotonicNanoseconds()
    let loop: EventLoop
    let log: Logger
    private let timer: LoopTimer
    let hangTimer: LoopTimer
    private let reloadTimer: LoopTimer
    var hangs = HangWatch()
    /// The wall clock as far as this process trusts it, and the shards that do not trust it.
    let clock: MachineClock
    var suspendedClocks: Set<Member> = []
    /// The askers that are answered once all shards trust it.
    var clockAskers: [ControlSocket.Asker] = []
    /// The content of `clock.json`; nil when it could not be written.
    var writtenClock: ClockReference?
    private var signals: [SignalWatcher] = []
    var machine: Supervision
    /// Nil for journals that can't be compacted.
    var compactor: Compactor?
    var children: [Member: Child] = [:]
    /// Of the gateways and of the operators.
    var ports: [PortReservation] = []
    let programs = Binaries()
    var control: ControlSocket?
    /// The asker of the rolling restart under way.
    var asker: ControlSocket.Asker?
    /// Whether the files in the folder are this cluster's to remove, and no longer an earlier cluster's.
    private var ownsTraces = false
    var isUp = false
    /// `cluster.json` is out of date, as it could not be written.
    var isClusterFileDue = false
    private var isStopRequested = false
    private var isReloadDue = false
    private var failure: StartError?

    /// Runs a cluster until it is stopped. `reading` reads the settings again from their sources. Throws why it could
    /// not start, after cleaning up.
    public static func run(
        _ configuration: ServerConfiguration,
        _ catalogue: Catalogue,
        reading: @escaping () -> LoadedConfiguration?
    ) throws(StartError) {
        try configuration.stateDirectory.prepare()
        try configuration.stateDirectory.lock()
        let loop: EventLoop
        let supervisor: Supervisor
        do throws(UVError) {
            loop = try EventLoop()
            supervisor = try Supervisor(configuration, catalogue, reading: reading, on: loop)
        } catch {
            throw StartError("cannot make an event loop: \(error)", remedy: "raise the limit of open files (ulimit -n)")
        }
        supervisor.awaitLeftovers(until: loop.now + UInt64(configuration.cluster.drainTimeoutSeconds + 5) * 1_000)
        loop.run()
        loop.close()
        if let failure = supervisor.failure { throw failure }
    }

    private init(
        _ configuration: ServerConfiguration,
        _ catalogue: Catalogue,
        reading: @escaping () -> LoadedConfiguration?,
        on loop: EventLoop
    ) throws(UVError) {
        self.configuration = configuration
        self.catalogue = catalogue
        self.asked = configuration
        self.reading = reading
        self.state = configuration.stateDirectory
        self.loop = loop
        self.log = Logs.logger("supervisor", configuration.log)
        self.clock = MachineClock(
            of: configuration.stateDirectory,
            tellingAs: .error,
            log: self.log
        )
        self.timer = LoopTimer(on: loop)
        self.hangTimer = LoopTimer(on: loop)
        self.reloadTimer = LoopTimer(on: loop)
        self.machine = Supervision(
            shards: configuration.cluster.shards,
            gateways: configuration.cluster.gateways,
            timing: Self.timing(configuration)
        )
        if configuration.journalStore.needsCompaction {
            self.compactor = Compactor(
                configuration,
                environment: Self.environment(),
                executable: { [unowned self] in self.programs.executable(of: self.machine.members[$0].generation) },
                on: loop,
                log: self.log
            )
        }
        for signal in [SIGTERM, SIGINT] {
            self.signals.append(try SignalWatcher(on: loop, signal) { [unowned self] in self.stopRequested() })
        }
        self.signals.append(
            try SignalWatcher(on: loop, SIGHUP) { [unowned self] in
                // Closing its terminal stops the cluster in order.
                if self.hadTerminal && isatty(STDIN_FILENO) == 0 {
                    self.stopRequested()
                } else {
                    self.reloadRequested()
                }
            }
        )
        Signals.release()
    }

    static func timing(_ configuration: ServerConfiguration) -> Supervision.Timing {
        var timing = Supervision.Timing()
        timing.readyTimeout = .seconds(Int64(configuration.cluster.readyTimeoutSeconds))
        timing.drainTimeout = .seconds(Int64(configuration.cluster.drainTimeoutSeconds))
        return timing
    }

    // MARK: Before the first child

    /// Waits for children of a killed supervisor: they hold sockets and the port until they have drained.
    private func awaitLeftovers(until deadline: UInt64) {
        self.findLeftover(among: self.state.sockets()) { [unowned self] leftover in
            guard !self.isStopRequested else { return self.end() }
            guard let leftover else { return self.begin(until: deadline) }
            guard self.loop.now < deadline else {
                self.failure = StartError(
                    "\(leftover) is still served by a process of an earlier cluster",
                    remedy: "end that process (fuser \(leftover) names it), or choose another folder with --state"
                )
                return self.end()
            }
            self.timer.start(afterMilliseconds: Self.leftoverPause) { [unowned self] in
                self.awaitLeftovers(until: deadline)
            }
        }
    }

    /// Passes `tell` the first of `paths` that a process serves, or nil; checks one after the other.
    private func findLeftover(among paths: [String], _ tell: @escaping (String?) -> Void) {
        guard let path = paths.first else { return tell(nil) }
        let rest = Array(paths.dropFirst())
        guard let probe = try? Connection(on: self.loop, toPath: path) else {
            return self.findLeftover(among: rest, tell)  // a path that is too long for a socket
        }
        probe.onConnect = { [unowned probe] in
            probe.close()
            tell(path)
        }
        probe.onEnd = { [unowned self] _ in self.findLeftover(among: rest, tell) }
        probe.startReading()
    }

    /// A port in use may be held by remains of an earlier cluster here, which have closed their sockets in the folder
    /// but not ended: if there are traces of one, the port is requested again.
    private func begin(until deadline: UInt64) {
        guard !self.isStopRequested else { return self.end() }
        do throws(PortReservation.Refusal) {
            try self.reservePorts()
        } catch {
            self.ports = []
            guard error.isInUse, self.state.hasTraces, self.loop.now < deadline else {
                self.ownsTraces = true
                self.failure = error.reason
                return self.end()
            }
            return self.timer.start(afterMilliseconds: Self.leftoverPause) { [unowned self] in
                self.begin(until: deadline)
            }
        }
        do throws(StartError) {
            try self.prepare()
        } catch {
            self.failure = error
            return self.end()
        }
        self.carryOut(self.machine.begin(at: self.now))
    }

    private func reservePorts() throws(PortReservation.Refusal) {
        let gateway = PortSetting(self.configuration.gateway.host, self.configuration.gateway.port, "gateway.port")
        let operators = PortSetting(self.configuration.operator.host, self.configuration.operator.port, "operator.port")
        for setting in [gateway, operators] {
            self.ports.append(
                try PortReservation(
                    host: setting.host,
                    port: setting.port,
                    setting: setting.name,
                    count: self.configuration.cluster.gateways
                )
            )
        }
        self.configuration.gateway.port = self.ports[0].port
        self.configuration.operator.port = self.ports[1].port
    }

    private func prepare() throws(StartError) {
        self.ownsTraces = true
        self.state.removeTraces()
        self.writeClock()
        _ = try self.state.loadOrCreateKeys(at: self.clock.now)
        _ = try self.configuration.operatorTokens()
        try self.configuration.checkIdentityKeys()
        try self.keepCatalogue()
        try self.writeSettings(self.configuration)
    }

    /// Writes the catalogue for all processes. While there are journals that may name them, it includes the last
    /// start's concerts that are over and no longer listed.
    private func keepCatalogue() throws(StartError) {
        let path = self.state.catalogueFile
        self.copyBefore = try? TextFile.read(path, bytesMax: CatalogueCopy.bytesMax)
        if FileStatus(path) != nil, WrittenJournals.exist(in: self.state) {
            do throws(ConfigurationMistakes) {
                let last = try CatalogueCopy.read(self.configuration)
                self.catalogue = self.catalogue.archiving(last, at: .now)
            } catch {
                throw StartError("\(error)", remedy: "usher cluster writes it anew")
            }
        }
        if !self.catalogue.archived.isEmpty {
            let ids = self.catalogue.archived.map { "\($0)" }.joined(separator: ", ")
            self.log.info(
                "past concerts kept, though no longer in the catalogue",
                metadata: ["concerts": "\(ids)"]
            )
        }
        do throws(FileError) {
            try TextFile.write(CatalogueCopy(self.catalogue).bytes, to: path)
        } catch {
            throw StartError("\(error)", remedy: "make room in the state folder, or choose another with --state")
        }
        self.configuration.catalogue.file = Self.absolute(path)
    }

    /// The children's settings.
    func writeSettings(_ configuration: ServerConfiguration) throws(StartError) {
        do throws(FileError) {
            try TextFile.write(configuration.fileContent(), to: self.state.configurationFile)
        } catch {
            throw StartError("\(error)", remedy: "make room in the state folder, or choose another with --state")
        }
    }

    /// Later readers of `config.json` may have another working directory.
    private static func absolute(_ path: String) -> String {
        guard !path.isEmpty, let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    private struct PortSetting {
        let host: String
        let port: Int
        let name: String
        init(_ host: String, _ port: Int, _ name: String) {
            self.host = host
            self.port = port
            self.name = name
        }
    }

    // MARK: Effects

    var now: Timestamp { Timestamp(nanoseconds: Int64(Clock.monotonicNanoseconds())) }

    func carryOut(_ effects: Supervision.Effects) {
        for note in effects.notes { self.tell(note) }
        for signalled in effects.signals { self.signal(signalled) }
        var unstarted: [(Member, String)] = []
        for member in effects.start {
            do throws(UVError) { try self.start(member) } catch {
                unstarted.append((member, "could not be started: \(ThreadBudget.words(error))"))
            }
        }
        if effects.isUp {
            self.isUp = true
            self.markJournals()
            self.compactor?.start()
            self.listenForQuestions()
            self.watchForHangs()
        }
        if self.isUp && !(effects.start.isEmpty && effects.notes.isEmpty) { self.writeClusterFile() }
        if effects.isUp {
            self.sayWhereToLook()
            ServiceManager.tell(.ready)
            if self.isReloadDue { self.reloadRequested() }
        }
        self.arm(effects.wakeAt)
        if let rolling = effects.rolling { self.rollingEnded(rolling) }
        if let outcome = effects.outcome {
            if case .failed(let reason) = outcome {
                self.failure = StartError(
                    "the cluster could not start: \(reason)",
                    remedy: "see the log above"
                )
            }
            return self.end()
        }
        for (member, how) in unstarted { self.carryOut(self.machine.died(member, how: how, at: self.now)) }
    }

    /// From now on a shard without a journal has lost it.
    private func markJournals() {
        do throws(JournalError) { try self.configuration.journalStore.markAllBegun() } catch {
            self.log.warning("the loss of a journal may go unnoticed", metadata: ["reason": "\(error)"])
        }
    }

    private func signal(_ signalled: Supervision.Effects.Signalled) {
        guard let process = self.children[signalled.member]?.process else { return }
        switch signalled.signal {
        case .terminate:
            self.tell(.stop, to: process)
            process.kill(SIGTERM)
        case .retire:
            self.tell(.retire, to: process)
            process.kill(SIGTERM)
        case .kill: process.kill(SIGKILL)
        }
    }

    func tell(_ order: SupervisorChannel.Order, to process: ChildProcess) {
        process.controlPipe?.append("\(order.rawValue)\n")
        process.controlPipe?.flush()
    }

    private func arm(_ moment: Timestamp?) {
        guard let moment else { return self.timer.stop() }
        // Rounded up: a tick that comes early would find nothing due.
        let wait = max(0, (moment - self.now).rawValue + 999_999) / 1_000_000
        self.loop.updateTime()
        self.timer.start(afterMilliseconds: UInt64(wait)) { [unowned self] in
            self.carryOut(self.machine.tick(at: self.now))
        }
    }

    /// SIGHUP. Signals during the start are handled once the cluster is up: the settings were read before that. All
    /// signals of one turn of the loop are handled at once, so that a flood of them does not keep this process from its
    /// children.
    private func reloadRequested() {
        self.isReloadDue = !self.isUp
        if self.isUp { self.reloadTimer.start(afterMilliseconds: 0) { [unowned self] in _ = self.reload() } }
    }

    private func stopRequested() {
        // Before the first child there is nothing to drain; the start's waits check this.
        self.isStopRequested = true
        guard self.ownsTraces else { return }
        self.compactor?.stop()
        self.carryOut(self.machine.stop(at: self.now))
    }

    // MARK: Children

    private func start(_ member: Member) throws(UVError) {
        var arguments = [
            member.role.rawValue, "--index", "\(member.index)", "--config", self.state.configurationFile,
            "--supervised",
        ]
        var descriptors: [Int32] = []
        if member.role == .gateway {
            descriptors = self.ports.map { $0.descriptors[member.index] }
            let first = ChildProcess.firstDescriptor
            arguments += ["--client-listener", "\(first)", "--operator-listener", "\(first + 1)"]
            if self.machine.isSuccessor(member) { arguments.append("--successor") }
        }
        let log = try ChildLog(on: self.loop)
        let child: ChildProcess
        do throws(UVError) {
            child = try ChildProcess(
                on: self.loop,
                executable: self.programs.executable(of: member.generation),
                arguments: arguments,
                environment: Self.environment(),
                output: .to(log.childEnd),
                hasControlPipe: true,
                descriptors: descriptors,
                hasOwnSession: true
            ) { [unowned self] exit in self.exited(member, exit) }
        } catch {
            log.finish()
            throw error
        }
        log.started()
        self.children[member] = Child(process: child, log: log)
        if member.role == .shard { self.compactor?.started(member.index) }
        var lines = LineReader()
        child.controlPipe?.onRead = { [unowned self] in lines.append($0) { self.heard(member, $0) } }
        child.controlPipe?.onEnd = { [unowned self, unowned child] _ in
            child.controlPipe?.close()
            self.children[member]?.hasPipeEnded = true
            self.buryIfGone(member)
        }
        child.controlPipe?.startReading()
    }

    private static func environment() -> [String] {
        var list: [String] = []
        var next = environ
        while let variable = next.pointee {
            list.append(String(cString: variable))
            next += 1
        }
        return ChildEnvironment.made(from: list)
    }

    private func heard(_ member: Member, _ line: String) {
        switch SupervisorChannel.Message(line: line) {
        case .ready(let ready):
            if ready.answersPings == true { self.hangs.answered(member) }
            self.tellClocks(to: member)
            self.carryOut(self.machine.ready(member, at: self.now))
        case .failed(let failed): self.children[member]?.reason = failed.reason
        case .journal(let journal) where member.role == .shard:
            self.compactor?.wrote(journal.bytes, by: member.index)
        case .clock(let clock) where member.role == .shard:
            self.clockTold(clock.isSuspended, by: member)
        case .pong: self.hangs.answered(member)
        case .busy: self.hangs.leaveAlone(member)
        case .journal, .compacted, .clock, nil: self.log.debug("line not understood", metadata: ["member": "\(member)"])
        }
    }

    private func exited(_ member: Member, _ exit: ChildProcess.Exit) {
        self.children[member]?.exit = exit
        self.buryIfGone(member)
    }

    private func buryIfGone(_ member: Member) {
        guard let child = self.children[member], child.hasPipeEnded, let exit = child.exit else { return }
        // The child's last lines come before the line about its end.
        child.log.finish()
        self.children[member] = nil
        self.hangs.leaveAlone(member)
        self.clockTold(false, by: member)
        var how: String
        switch exit {
        case .status(let status): how = "ended with status \(status)"
        case .signal(let signal): how = "ended by signal \(signal)"
        }
        if let reason = child.reason { how += " (\(reason))" }
        self.carryOut(self.machine.died(member, how: how, at: self.now))
    }

    // MARK: The end

    private func end() {
        if !self.isUp, let copyBefore { try? TextFile.write(copyBefore, to: self.state.catalogueFile) }
        if self.ownsTraces { self.state.removeTraces() }
        self.timer.close()
        self.hangTimer.close()
        self.reloadTimer.close()
        self.compactor?.stop()
        self.control?.close()
        for signal in self.signals { signal.close() }
        self.ports = []
        if self.failure == nil { self.log.info("stopped") }
    }
}
