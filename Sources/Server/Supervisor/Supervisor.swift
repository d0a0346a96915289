import Booking
import Glibc
import Journal
import Logging
import Reactor

/// `usher cluster`: starts the shards and gateways of one state folder, keeps them running, and stops them in order.
/// Carries no traffic, and decides nothing: `Supervision` does.
///
/// **Happy path.** Folder, lock, ports, keys, `config.json`; then what `Supervision` says, until it is over; then
/// everything that was made is removed but the lock file, the keys and
/// `config.json`.
///
/// **When this process is killed,** each child sees the end of its control pipe and stops by itself. The next start
/// finds the folder unlocked, and waits for such children before it starts its own.
public final class Supervisor {
    /// How often to look whether children of a killed supervisor are gone, milliseconds.
    private static let leftoverPause: UInt64 = 50
    /// A line of a child that is longer is cut off: none is.
    private static let lineBytesMax = 4_096

    private typealias Member = Supervision.Member

    /// A child is gone when it has ended and its pipe is read to the end: what it said last may come after its exit.
    private struct Child {
        let process: ChildProcess
        /// Why it can't serve, if it said so.
        var reason: String?
        var exit: ChildProcess.Exit?
        var hasPipeEnded = false
    }

    private var configuration: ServerConfiguration
    private let state: StateDirectory
    private let loop: EventLoop
    private let log: Logger
    private let timer: LoopTimer
    private var signals: [SignalWatcher] = []
    private var machine: Supervision
    /// Nil for journals that can't be compacted.
    private var compactor: Compactor?
    private var children: [Member: Child] = [:]
    private var ports: [PortReservation] = []
    /// Whether what lies in the folder is ours to remove, and no longer an earlier cluster's.
    private var ownsTraces = false
    private var isUp = false
    private var isStopRequested = false
    private var failure: StartError?

    /// Runs a cluster until it is stopped. Throws why it could not start; by then nothing of it is left.
    public static func run(_ configuration: ServerConfiguration) throws(StartError) {
        try configuration.stateDirectory.prepare()
        try configuration.stateDirectory.lock()
        let loop: EventLoop
        let supervisor: Supervisor
        do throws(UVError) {
            loop = try EventLoop()
            supervisor = try Supervisor(configuration, on: loop)
        } catch {
            throw StartError("cannot make an event loop: \(error)", remedy: "raise the limit of open files (ulimit -n)")
        }
        supervisor.awaitLeftovers(until: loop.now + UInt64(configuration.cluster.drainTimeoutSeconds + 5) * 1_000)
        loop.run()
        loop.close()
        if let failure = supervisor.failure { throw failure }
    }

    private init(_ configuration: ServerConfiguration, on loop: EventLoop) throws(UVError) {
        var timing = Supervision.Timing()
        timing.readyTimeout = .seconds(Int64(configuration.cluster.readyTimeoutSeconds))
        timing.drainTimeout = .seconds(Int64(configuration.cluster.drainTimeoutSeconds))
        self.configuration = configuration
        self.state = configuration.stateDirectory
        self.loop = loop
        self.log = Logs.logger("supervisor", configuration.log)
        self.timer = LoopTimer(on: loop)
        self.machine = Supervision(
            shards: configuration.cluster.shards,
            gateways: configuration.cluster.gateways,
            timing: timing
        )
        if configuration.journal.kind == "sqlite" {
            self.compactor = Compactor(configuration, environment: Self.environment(), on: loop, log: self.log)
        }
        // SIGHUP is the terminal that closes: its cluster goes with it, in order.
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            self.signals.append(try SignalWatcher(on: loop, signal) { [unowned self] in self.stopRequested() })
        }
    }

    // MARK: Before the first child

    /// Waits for children of a supervisor that was killed: they hold sockets and the port until they have drained.
    private func awaitLeftovers(until deadline: UInt64) {
        self.findLeftover(among: self.state.sockets()) { [unowned self] leftover in
            guard !self.isStopRequested else { return self.end() }
            guard let leftover else { return self.begin() }
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

    /// Tells the first of `paths` that somebody serves, or nil; one after the other.
    private func findLeftover(among paths: [String], _ tell: @escaping (String?) -> Void) {
        guard let path = paths.first else { return tell(nil) }
        let rest = Array(paths.dropFirst())
        guard let probe = try? Connection(on: self.loop, toPath: path) else {
            return self.findLeftover(among: rest, tell)  // a path that is too long to be served
        }
        probe.onConnect = { [unowned probe] in
            probe.close()
            tell(path)
        }
        probe.onEnd = { [unowned self] _ in self.findLeftover(among: rest, tell) }
        probe.startReading()
    }

    private func begin() {
        do throws(StartError) {
            try self.prepare()
        } catch {
            self.failure = error
            return self.end()
        }
        self.carryOut(self.machine.begin(at: self.now))
    }

    private func prepare() throws(StartError) {
        self.ownsTraces = true
        self.state.removeTraces()
        let gateway = PortSetting(self.configuration.gateway.host, self.configuration.gateway.port, "gateway.port")
        let operators = PortSetting(self.configuration.operator.host, self.configuration.operator.port, "operator.port")
        for setting in [gateway, operators] {
            self.ports.append(try PortReservation(host: setting.host, port: setting.port, setting: setting.name))
        }
        self.configuration.gateway.port = self.ports[0].port
        self.configuration.operator.port = self.ports[1].port
        _ = try self.state.loadOrCreateKeys(at: .now)
        _ = try self.configuration.operatorTokens()
        if self.configuration.identity.mode == "jwt" { _ = try IdentityKeys.load(self.configuration.identity.keyFile) }
        self.configuration.catalogue.file = Self.absolute(self.configuration.catalogue.file)
        do throws(FileError) {
            try TextFile.write(self.configuration.fileContent(), to: self.state.configurationFile)
        } catch {
            throw StartError("\(error)", remedy: "make room in the state folder, or choose another with --state")
        }
    }

    /// Whoever reads `config.json` later may stand in another folder.
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

    // MARK: What the machine says

    private var now: Timestamp { Timestamp(nanoseconds: Int64(Clock.monotonicNanoseconds())) }

    private func carryOut(_ effects: Supervision.Effects) {
        for note in effects.notes { self.tell(note) }
        for signalled in effects.signals {
            self.children[signalled.member]?.process.kill(signalled.signal == .kill ? SIGKILL : SIGTERM)
        }
        var unstarted: [(Member, String)] = []
        for member in effects.start {
            do throws(UVError) { try self.start(member) } catch {
                unstarted.append((member, "could not be started: \(error)"))
            }
        }
        if effects.isUp {
            self.isUp = true
            self.markJournals()
            self.compactor?.start()
        }
        let changesFile =
            effects.isUp || !effects.start.isEmpty
            || effects.notes.contains { if case .died = $0 { true } else { false } }
        if self.isUp && changesFile { self.writeClusterFile() }
        if effects.isUp {
            self.sayWhereToLook()
            ServiceManager.tell(.ready)
        }
        self.arm(effects.wakeAt)
        if let outcome = effects.outcome {
            if case .failed(let reason) = outcome {
                self.failure = StartError(
                    "the cluster could not start: \(reason)",
                    remedy: "the log above may tell more"
                )
            }
            return self.end()
        }
        for (member, how) in unstarted { self.carryOut(self.machine.died(member, how: how, at: self.now)) }
    }

    /// From now on a shard without a journal has lost one.
    private func markJournals() {
        guard self.configuration.journal.kind == "sqlite" else { return }
        do throws(JournalError) { try JournalFiles.markAllBegun(in: self.state.path) } catch {
            self.log.warning("a journal that gets lost may not be noticed", metadata: ["reason": "\(error)"])
        }
    }

    private func arm(_ moment: Timestamp?) {
        guard let moment else { return self.timer.stop() }
        // Rounded up: a tick that comes early would find nothing to do.
        let wait = max(0, (moment - self.now).rawValue + 999_999) / 1_000_000
        self.loop.updateTime()
        self.timer.start(afterMilliseconds: UInt64(wait)) { [unowned self] in
            self.carryOut(self.machine.tick(at: self.now))
        }
    }

    private func tell(_ note: Supervision.Note) {
        switch note {
        case .ready(let member): self.log.debug("process ready", metadata: ["member": "\(member)"])
        case .died(let member, let how, let deaths, let pause):
            self.log.warning(
                "process died",
                metadata: [
                    "member": "\(member)", "how": "\(how)", "deaths": "\(deaths)",
                    "restarts_in_ms": "\(pause.rawValue / 1_000_000)",
                ]
            )
        case .tooSlow(let member):
            self.log.error("process not ready in time, killed", metadata: ["member": "\(member)"])
        case .stopping:
            self.log.info("stopping")
            ServiceManager.tell(.stopping)
        case .killed(let member):
            self.log.warning("process killed, it did not stop in time", metadata: ["member": "\(member)"])
        }
    }

    private func stopRequested() {
        // Before the first child there is nothing to drain: whoever waits looks at this.
        self.isStopRequested = true
        guard self.ownsTraces else { return }
        self.compactor?.stop()
        self.carryOut(self.machine.stop(at: self.now))
    }

    // MARK: Children

    private func start(_ member: Member) throws(UVError) {
        let child = try ChildProcess(
            on: self.loop,
            executable: "/proc/self/exe",
            arguments: [
                member.role.rawValue, "--index", "\(member.index)", "--config", self.state.configurationFile,
                "--supervised",
            ],
            environment: Self.environment(),
            hasControlPipe: true,
            hasOwnSession: true
        ) { [unowned self] exit in self.exited(member, exit) }
        self.children[member] = Child(process: child)
        if member.role == .shard { self.compactor?.started(member.index) }
        var line: [UInt8] = []
        child.controlPipe?.onRead = { [unowned self] bytes in
            for byte in bytes {
                if byte == 0x0A {
                    self.heard(member, String(decoding: line, as: UTF8.self))
                    line = []
                } else if line.count < Self.lineBytesMax {
                    line.append(byte)
                }
            }
        }
        child.controlPipe?.onEnd = { [unowned self, unowned child] _ in
            child.controlPipe?.close()
            self.children[member]?.hasPipeEnded = true
            self.buryIfGone(member)
        }
        child.controlPipe?.startReading()
    }

    /// Ours without the settings: `config.json` has them all, and a variable would win over it a second time.
    private static func environment() -> [String] {
        var list: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if !text.hasPrefix("USHER_") { list.append(text) }
            next += 1
        }
        return list
    }

    private func heard(_ member: Member, _ line: String) {
        switch Lifeline.Message(line: line) {
        case .ready: self.carryOut(self.machine.ready(member, at: self.now))
        case .failed(let failed): self.children[member]?.reason = failed.reason
        case .journal(let journal) where member.role == .shard:
            self.compactor?.wrote(journal.bytes, by: member.index)
        case .journal, .compacted, nil: self.log.debug("line not understood", metadata: ["member": "\(member)"])
        }
    }

    private func exited(_ member: Member, _ exit: ChildProcess.Exit) {
        self.children[member]?.exit = exit
        self.buryIfGone(member)
    }

    private func buryIfGone(_ member: Member) {
        guard let child = self.children[member], child.hasPipeEnded, let exit = child.exit else { return }
        self.children[member] = nil
        var how: String
        switch exit {
        case .status(let status): how = "ended with status \(status)"
        case .signal(let signal): how = "ended by signal \(signal)"
        }
        if let reason = child.reason { how += " (\(reason))" }
        self.carryOut(self.machine.died(member, how: how, at: self.now))
    }

    // MARK: What others see

    private func writeClusterFile() {
        let cluster = self.configuration.cluster
        let file = ClusterFile(
            supervisor: getpid(),
            shards: (0..<cluster.shards).map { self.children[Member(role: .shard, index: $0)]?.process.processID ?? 0 },
            gateways: (0..<cluster.gateways).map {
                self.children[Member(role: .gateway, index: $0)]?.process.processID ?? 0
            },
            host: self.configuration.gateway.host,
            port: self.configuration.gateway.port,
            operatorHost: self.configuration.operator.host,
            operatorPort: self.configuration.operator.port
        )
        do throws(FileError) { try file.write(to: self.state) } catch {
            self.log.error("cluster file not written", metadata: ["reason": "\(error)"])
        }
    }

    private func sayWhereToLook() {
        let (cluster, gateway, operators) = (
            self.configuration.cluster, self.configuration.gateway, self.configuration.operator
        )
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let text = """
            Usher is up: \(count(cluster.shards, "shard")), \(count(cluster.gateways, "gateway")).
              clients    http://\(Self.reachable(gateway.host, gateway.port))
              operator   http://\(Self.reachable(operators.host, operators.port))/stats
              state      \(self.state.path)
              look       usher stats --state \(self.state.path)
              stop       Ctrl-C, or kill \(getpid())

            """
        let bytes = Array(text.utf8)
        write(STDOUT_FILENO, bytes, bytes.count)
    }

    /// An address that can be typed into a browser on this machine.
    private static func reachable(_ host: String, _ port: Int) -> String {
        switch host {
        case "0.0.0.0", "::": "localhost:\(port)"
        default: SocketAddress(host, port: UInt16(port))?.description ?? "\(host):\(port)"
        }
    }

    // MARK: The end

    private func end() {
        if self.ownsTraces { self.state.removeTraces() }
        self.timer.close()
        self.compactor?.stop()
        for signal in self.signals { signal.close() }
        self.ports = []
        if self.failure == nil { self.log.info("stopped") }
    }
}
