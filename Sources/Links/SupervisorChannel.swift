import FoundationEssentials
import Glibc
public import Reactor

/// A shard's or gateway's channel to its supervisor, which also tells it to stop.
///
///     child ──"ready {...}"──▶ supervisor          over the control pipe, a line each
///     child ──"failed {...}"─▶ supervisor          before it exits, because it can't serve
///     shard ──"journal {...}"──▶ supervisor        its journal's length, now and then
///     child ◀──"retire"─────── supervisor          another process serves in its place: stop
///     child ◀──"stop"───────── supervisor          the whole cluster stops
///     child ◀──"reload"─────── supervisor          the settings have changed
///     shard ──"clock {...}"───▶ supervisor         it stopped trusting the wall clock, or trusts it again
///     child ◀──"trust-clock"── supervisor          an operator trusts the wall clock
///   gateway ◀──"clocks-suspended", "clocks-resumed"── supervisor       some shard does not trust it, or all do
///     child ◀──"ping"───────── supervisor          once a second: liveness probe
///     child ──"pong"─────────▶ supervisor          its loop turns
///     shard ──"busy"─────────▶ supervisor          its loop won't turn for a while; until the next pong
///     child ◀──── end ──────── supervisor is gone: stop, so that no process is left behind
///
/// SIGTERM and SIGINT stop this process alone; a second one hastens the stop. SIGHUP is `reload`. Without a supervisor
/// (under systemd, say) there is no pipe, and `ready` and `failed` do nothing.
public final class SupervisorChannel {
    /// Why a process stops.
    public enum Stop: Int, Comparable, Sendable {
        /// The others go on; its place stays empty until it has ended.
        case alone
        /// Its successor serves already.
        case replaced
        /// The whole cluster stops.
        case withAll

        public static func < (left: Stop, right: Stop) -> Bool { left.rawValue < right.rawValue }
    }

    /// A supervisor's messages to its children, a line each.
    public enum Order: String {
        case retire, stop, reload, ping
        case trustClock = "trust-clock"
        case clocksSuspended = "clocks-suspended"
        case clocksResumed = "clocks-resumed"
    }

    /// A child's report that it serves.
    public struct Ready: Codable, Equatable, Sendable {
        public var pid: Int32
        /// A gateway's port.
        public var port: Int?
        public var operatorPort: Int?
        /// Nil from a program without liveness probes.
        public var answersPings: Bool? = true

        public init(port: Int? = nil, operatorPort: Int? = nil) {
            self.pid = getpid()
            self.port = port
            self.operatorPort = operatorPort
        }
    }

    /// Why a child can't serve, or a compaction failed.
    public struct Failed: Codable, Equatable, Sendable { public var reason: String }

    /// The length of a shard's journal.
    public struct Journal: Codable, Equatable, Sendable {
        /// Bytes since the snapshot that the shard found when it started.
        public var bytes: UInt64
    }

    /// Shards report their journals in steps of this many bytes.
    public static let journalStep: UInt64 = 65_536

    /// Whether a shard trusts the wall clock.
    public struct ClockState: Codable, Equatable, Sendable { public var isSuspended: Bool }

    /// The result of a compaction.
    public struct Compacted: Codable, Equatable, Sendable { public var text: String }

    /// What a child tells its supervisor, a line each.
    public enum Message: Equatable {
        case ready(Ready)
        case failed(Failed)
        case journal(Journal)
        case compacted(Compacted)
        case clock(ClockState)
        case pong
        case busy

        /// As it goes over the pipe, with its end.
        public var line: String {
            switch self {
            case .ready(let ready): "ready \(Self.json(ready))\n"
            case .failed(let failed): "failed \(Self.json(failed))\n"
            case .journal(let journal): "journal \(Self.json(journal))\n"
            case .compacted(let compacted): "compacted \(Self.json(compacted))\n"
            case .clock(let clock): "clock \(Self.json(clock))\n"
            case .pong: "pong\n"
            case .busy: "busy\n"
            }
        }

        /// Nil for an unknown message: a child of another version may send more kinds.
        public init?(line: some StringProtocol) {
            let (word, rest) = (line.prefix { $0 != " " }, line.drop { $0 != " " })
            let data = Data(rest.utf8)
            switch word {
            case "ready": self.init(try? JSONDecoder().decode(Ready.self, from: data)) { .ready($0) }
            case "failed": self.init(try? JSONDecoder().decode(Failed.self, from: data)) { .failed($0) }
            case "journal": self.init(try? JSONDecoder().decode(Journal.self, from: data)) { .journal($0) }
            case "compacted": self.init(try? JSONDecoder().decode(Compacted.self, from: data)) { .compacted($0) }
            case "clock": self.init(try? JSONDecoder().decode(ClockState.self, from: data)) { .clock($0) }
            case "pong": self = .pong
            case "busy": self = .busy
            default: return nil
            }
        }

        private init?<Content>(_ content: Content?, _ make: (Content) -> Message) {
            guard let content else { return nil }
            self = make(content)
        }

        private static func json(_ content: some Encodable) -> String {
            do { return String(decoding: try JSONEncoder().encode(content), as: UTF8.self) } catch {
                preconditionFailure("a message is no JSON: \(error)")
            }
        }
    }

    private var onStop: ((Stop) -> Void)?
    /// The settings may have changed.
    public var onReload: (() -> Void)?
    /// An operator trusts the wall clock.
    public var onTrustClock: (() -> Void)?
    /// Some shard does not trust the wall clock, or all do again.
    public var onShardClocks: ((_ areSuspended: Bool) -> Void)?
    private var stopping: Stop?
    private var signalCount = 0
    private var orders = LineReader()
    private var pipe: Connection?
    private var signals: [SignalWatcher] = []
    /// Merges all reloads requested in one turn of the loop into one in the next.
    private let reloadTimer: LoopTimer

    /// `onStop` is called from the loop, and again for a reason that hastens the stop. Throws when the pipe is missing.
    public init(on loop: EventLoop, isSupervised: Bool, onStop: @escaping (Stop) -> Void) throws(UVError) {
        self.onStop = onStop
        self.reloadTimer = LoopTimer(on: loop)
        self.reloadTimer.onFire = { [unowned self] in self.onReload?() }
        for signal in [SIGTERM, SIGINT] {
            self.signals.append(
                try SignalWatcher(on: loop, signal) { [unowned self] in self.signalled() }
            )
        }
        self.signals.append(try SignalWatcher(on: loop, SIGHUP) { [unowned self] in self.reloadSoon() })
        Signals.release()
        guard isSupervised else { return }
        let pipe = try Connection(on: loop, descriptor: ChildProcess.controlDescriptor)
        pipe.onRead = { [unowned self] in self.orders.append($0) { self.receive($0) } }
        pipe.onEnd = { [unowned self] _ in self.stop(.withAll) }
        pipe.startReading()
        self.pipe = pipe
    }

    /// Reports that this process serves.
    public func ready(_ ready: Ready) { self.say(.ready(ready)) }

    /// Reports why this process can't serve; it exits afterwards.
    public func failed(_ reason: String) { self.say(.failed(Failed(reason: reason))) }

    /// Reports the length of this shard's journal.
    public func journal(bytes: UInt64) { self.say(.journal(Journal(bytes: bytes))) }

    /// Reports whether this shard has suspended changes because of the wall clock.
    public func clock(isSuspended: Bool) { self.say(.clock(ClockState(isSuspended: isSuspended))) }

    /// Announces that the loop will not turn for a while, without a fault.
    public func busy() { self.say(.busy) }

    /// Reports the result of a compaction.
    public func compacted(_ text: String) { self.say(.compacted(Compacted(text: text))) }

    /// Closes the pipe and the signal handlers, so that the loop can end.
    public func close() {
        self.onStop = nil
        self.onReload = nil
        self.onTrustClock = nil
        self.onShardClocks = nil
        self.pipe?.close()
        for signal in self.signals { signal.close() }
        self.reloadTimer.close()
        self.pipe = nil
        self.signals = []
    }

    private func reloadSoon() { self.reloadTimer.start(afterMilliseconds: 0) }

    private func say(_ message: Message) {
        self.pipe?.append(message.line)
        self.pipe?.flush()
    }

    /// A supervisor of another version may send more kinds of lines.
    private func receive(_ line: String) {
        switch Order(rawValue: line) {
        case .retire: self.stop(.replaced)
        case .stop: self.stop(.withAll)
        case .reload: self.reloadSoon()
        case .ping: self.say(.pong)
        case .trustClock: self.onTrustClock?()
        case .clocksSuspended: self.onShardClocks?(true)
        case .clocksResumed: self.onShardClocks?(false)
        case nil: break
        }
    }

    /// A supervisor sends a signal along with its order: that does not count as a second one.
    private func signalled() {
        self.signalCount += 1
        self.stop(self.signalCount > 1 ? .withAll : .alone)
    }

    private func stop(_ stop: Stop) {
        if let stopping, stopping >= stop { return }
        self.stopping = stop
        self.onStop?(stop)
    }
}
