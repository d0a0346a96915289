import Booking

/// Decides when the processes of a cluster are started, restarted and stopped. Pure: time is any clock that never goes
/// back, and the shell carries out `Effects`.
///
///     starting shards ─all ready─▶ starting gateways ─all ready─▶ running ─stop─▶ stopping gateways ─none left─▶
///        │ a death, or too slow       │                                              │      stopping shards
///        └────────────────────────────┴──────────── failure ────────────────────────▶│         │
///                                                        a second stop, or too slow: kill ◀────┘
///                                                                                      └─none left─▶ over
///
/// A death during the start ends the start: a restart does not mend what fails the first time. A death while running is
/// followed by a restart: at once the first time, then after pauses that double. For a process that dies repeatedly but
/// serves in between, the pause stays so short that users hardly notice. `Supervision+Rolling.swift` describes how all
/// processes are replaced while they serve.
struct Supervision {
    enum Role: String, Sendable { case shard, gateway }

    struct Member: Hashable, Sendable, CustomStringConvertible {
        let role: Role
        let index: Int
        /// The program that the process runs: 0 is the supervisor's own, 1 that of the first rolling restart, and so
        /// on.
        var generation = 0
        var description: String { "\(self.role) \(self.index)" }
    }

    enum Signal: Equatable, Sendable {
        /// End with all others.
        case terminate
        /// End alone: another process serves instead.
        case retire
        case kill
    }

    struct Timing: Equatable, Sendable {
        /// The longest start of one process.
        var readyTimeout = Nanoseconds.seconds(30)
        /// The longest time for gateways, and then for shards, to finish requests in flight.
        var drainTimeout = Nanoseconds.seconds(10)
    }

    /// Events worth a line in the log, in the order in which they happened.
    enum Note: Equatable, Sendable {
        case ready(Member)
        /// `deaths` includes this one, and counts since the process was last healthy for `healthTime`.
        case died(Member, how: String, deaths: Int, restartsIn: Nanoseconds)
        case tooSlow(Member)
        /// Hung, and about to be killed.
        case hangs(Member)
        case stopping
        case killed(Member)
        /// The first is ready and serves instead of the second, which may have requests to finish.
        case tookOver(Member, from: Member)
        /// A rolling restart could not replace a shard, and rolls it back to its former program.
        case goesBack(Member, why: String)
    }

    /// The result of a rolling restart.
    enum RollingOutcome: Equatable, Sendable {
        case done
        /// Why it ended early, as a sentence. Processes already replaced are not rolled back.
        case failed(String)
    }

    enum Outcome: Equatable, Sendable {
        case stopped
        /// Why the start failed, as a sentence.
        case failed(String)
    }

    /// Tasks of the shell, in this order.
    struct Effects: Equatable, Sendable {
        var notes: [Note] = []
        var signals: [Signalled] = []
        var start: [Member] = []
        /// All processes are ready for the first time: print the addresses.
        var isUp = false
        /// A rolling restart is over.
        var rolling: RollingOutcome?
        /// No process is left: clean up and end.
        var outcome: Outcome?
        /// Call `tick` at this moment; nil when there is no deadline.
        var wakeAt: Timestamp?

        struct Signalled: Equatable, Sendable {
            let member: Member
            let signal: Signal
        }
    }

    /// The pause after the second death in a row; each further death doubles it.
    static let firstPause = Nanoseconds.milliseconds(100)
    static let longestPause = Nanoseconds.seconds(10)
    /// The longest pause of a process that was ready for `serviceTime`, since gateways hold users' requests meanwhile.
    static let longestServicePause = Nanoseconds.milliseconds(400)
    static let serviceTime = Nanoseconds.seconds(1)
    /// After being ready this long, a process's earlier deaths no longer count.
    static let healthTime = Nanoseconds.seconds(60)

    enum Phase {
        case startingShards, startingGateways, running, stoppingGateways, stoppingShards, killing, over
    }

    enum Condition: Equatable {
        /// Not running, with no start pending.
        case absent
        /// Restarts at that moment.
        case pausing(until: Timestamp)
        /// Started, not ready yet; killed at the deadline.
        case starting(deadline: Timestamp)
        case ready(since: Timestamp)
        /// Sent SIGKILL as too slow or hung; its end is awaited.
        case killed

        var isAlive: Bool {
            switch self {
            case .absent, .pausing: false
            case .starting, .ready, .killed: true
            }
        }
    }

    struct Process {
        let member: Member
        var condition = Condition.absent
        var deaths = 0
    }

    var timing: Timing
    private let shardCount: Int
    /// Shards by index, then gateways by index.
    var processes: [Process]
    /// A second process for a gateway in `processes`: its successor that is starting, or its predecessor that is
    /// draining.
    var overlapping: Process?
    /// The rolling restart under way.
    var rolling: Rolling?
    var newestGeneration = 0
    private(set) var phase = Phase.startingShards
    private var stopDeadline: Timestamp?
    private var failure: String?

    init(shards: Int, gateways: Int, timing: Timing) {
        precondition(shards > 0 && gateways > 0, "a cluster needs a shard and a gateway")
        self.timing = timing
        self.shardCount = shards
        self.processes = (0..<shards).map { Process(member: Member(role: .shard, index: $0)) }
        self.processes += (0..<gateways).map { Process(member: Member(role: .gateway, index: $0)) }
    }

    // MARK: Verbs

    /// Called first, and once.
    mutating func begin(at now: Timestamp) -> Effects {
        var effects = Effects()
        self.startAll(of: .shard, at: now, &effects)
        return self.finish(effects)
    }

    /// A process reports that it serves. Has no effect when repeated, or from a process that should be gone.
    mutating func ready(_ member: Member, at now: Timestamp) -> Effects {
        var effects = Effects()
        let position = self.position(of: member)
        if self.overlapping?.member == member { return self.successorIsReady(at: now) }
        guard self.processes[position].member == member, case .starting = self.processes[position].condition else {
            return self.finish(effects)
        }
        self.processes[position].condition = .ready(since: now)
        effects.notes.append(.ready(member))
        switch self.phase {
        case .startingShards where self.areReady(.shard):
            self.phase = .startingGateways
            self.startAll(of: .gateway, at: now, &effects)
        case .startingGateways where self.areReady(.gateway):
            self.phase = .running
            effects.isUp = true
        case .running: self.goOnRolling(at: now, &effects)
        case .startingShards, .startingGateways, .stoppingGateways, .stoppingShards, .killing, .over: break
        }
        return self.finish(effects)
    }

    /// A process ended, or could not be started at all. `how` completes "shard 3 ": `ended with status 1`.
    mutating func died(_ member: Member, how: String, at now: Timestamp) -> Effects {
        var effects = Effects()
        let position = self.position(of: member)
        if self.overlapping?.member == member { return self.overlappingDied(how: how, at: now) }
        guard self.processes[position].member == member else { return self.finish(effects) }
        let before = self.processes[position].condition
        self.processes[position].condition = .absent
        switch self.phase {
        case .startingShards, .startingGateways:
            self.fail("\(member) \(how) before the cluster was ready", at: now, &effects)
        case .running where self.isRolling(position):
            self.rolledDied(position, was: before, how: how, at: now, &effects)
        case .running: self.restart(position, was: before, how: how, at: now, &effects)
        case .stoppingGateways, .stoppingShards, .killing: self.goOnStopping(at: now, &effects)
        case .over: break
        }
        return self.finish(effects)
    }

    /// A process that was ready is hung: it is killed and restarted like one that died. During a stop, the stop's
    /// deadline applies instead.
    mutating func hangs(_ member: Member, at now: Timestamp) -> Effects {
        var effects = Effects()
        let position = self.position(of: member)
        guard case .running = self.phase, self.processes[position].member == member, !self.isStopping(position),
            case .ready(let since) = self.processes[position].condition
        else { return self.finish(effects) }
        if now - since >= Self.healthTime { self.processes[position].deaths = 0 }
        effects.notes.append(.hangs(member))
        effects.signals.append(.init(member: member, signal: .kill))
        self.processes[position].condition = .killed
        return self.finish(effects)
    }

    /// Stop requested. A second request kills the processes that are left.
    mutating func stop(at now: Timestamp) -> Effects {
        var effects = Effects()
        switch self.phase {
        case .startingShards, .startingGateways, .running:
            effects.notes.append(.stopping)
            self.beginStopping(at: now, &effects)
        case .stoppingGateways, .stoppingShards: self.killAll(&effects)
        case .killing, .over: break
        }
        return self.finish(effects)
    }

    /// Time has passed. Early or repeated calls do no harm.
    mutating func tick(at now: Timestamp) -> Effects {
        var effects = Effects()
        if let stopDeadline, stopDeadline <= now {
            switch self.phase {
            case .stoppingGateways:
                self.kill(.gateway, &effects)
                self.stopDeadline = nil
                self.beginStoppingShards(at: now, &effects)
            case .stoppingShards: self.killAll(&effects)
            case .startingShards, .startingGateways, .running, .killing, .over: break
            }
        }
        self.tickRolling(at: now, &effects)
        for position in self.processes.indices {
            switch self.processes[position].condition {
            case .pausing(let until) where until <= now: self.start(position, at: now, &effects)
            case .starting(let deadline) where deadline <= now: self.giveUp(position, at: now, &effects)
            case .absent, .pausing, .starting, .ready, .killed: break
            }
        }
        return self.finish(effects)
    }

    // MARK: Starting

    private mutating func startAll(of role: Role, at now: Timestamp, _ effects: inout Effects) {
        for position in self.positions(of: role) { self.start(position, at: now, &effects) }
    }

    mutating func start(_ position: Int, at now: Timestamp, _ effects: inout Effects) {
        self.processes[position].condition = .starting(deadline: now + self.timing.readyTimeout)
        effects.start.append(self.processes[position].member)
    }

    /// A process was not ready in time.
    private mutating func giveUp(_ position: Int, at now: Timestamp, _ effects: inout Effects) {
        let member = self.processes[position].member
        switch self.phase {
        case .startingShards, .startingGateways:
            let seconds = self.timing.readyTimeout.rawValue / 1_000_000_000
            self.fail("\(member) was not ready after \(seconds) s", at: now, &effects)
        case .running:
            effects.notes.append(.tooSlow(member))
            effects.signals.append(.init(member: member, signal: .kill))
            self.processes[position].condition = .killed
            self.noteTooSlow(position)
        case .stoppingGateways, .stoppingShards, .killing, .over: break  // the stop has a deadline of its own
        }
    }

    mutating func restart(
        _ position: Int,
        was before: Condition,
        how: String,
        at now: Timestamp,
        _ effects: inout Effects
    ) {
        var longest = Self.longestPause
        if case .ready(let since) = before {
            if now - since >= Self.healthTime { self.processes[position].deaths = 0 }
            if now - since >= Self.serviceTime { longest = Self.longestServicePause }
        }
        self.processes[position].deaths += 1
        let deaths = self.processes[position].deaths
        let pause = min(Self.pause(afterDeaths: deaths), longest)
        let member = self.processes[position].member
        effects.notes.append(.died(member, how: how, deaths: deaths, restartsIn: pause))
        if pause == .zero {
            self.start(position, at: now, &effects)
        } else {
            self.processes[position].condition = .pausing(until: now + pause)
        }
    }

    /// No pause after the first death, then 100 ms, 200 ms, ... 10 s.
    static func pause(afterDeaths deaths: Int) -> Nanoseconds {
        guard deaths > 1 else { return .zero }
        let doublings = min(deaths - 2, 20)
        return min(Nanoseconds(Self.firstPause.rawValue << doublings), Self.longestPause)
    }

    private mutating func fail(_ reason: String, at now: Timestamp, _ effects: inout Effects) {
        self.failure = reason
        self.beginStopping(at: now, &effects)
    }

    // MARK: Stopping

    private mutating func beginStopping(at now: Timestamp, _ effects: inout Effects) {
        self.endRolling(.failed("the cluster was stopped"), &effects)
        for position in self.processes.indices {
            if case .pausing = self.processes[position].condition { self.processes[position].condition = .absent }
        }
        self.phase = .stoppingGateways
        self.stopDeadline = now + self.timing.drainTimeout
        self.signal(.gateway, .terminate, &effects)
        self.goOnStopping(at: now, &effects)
    }

    private mutating func beginStoppingShards(at now: Timestamp, _ effects: inout Effects) {
        self.phase = .stoppingShards
        self.stopDeadline = now + self.timing.drainTimeout
        self.signal(.shard, .terminate, &effects)
        self.goOnStopping(at: now, &effects)
    }

    /// Goes to the next stage once the present one has no process left.
    mutating func goOnStopping(at now: Timestamp, _ effects: inout Effects) {
        switch self.phase {
        case .stoppingGateways where !self.isAlive(.gateway): self.beginStoppingShards(at: now, &effects)
        case .stoppingShards where !self.isAlive(.shard) && !self.isAlive(.gateway), .killing where !self.isAnyAlive:
            self.phase = .over
            self.stopDeadline = nil
            effects.outcome = self.failure.map { .failed($0) } ?? .stopped
        case .startingShards, .startingGateways, .running, .stoppingGateways, .stoppingShards, .killing, .over: break
        }
    }

    private mutating func killAll(_ effects: inout Effects) {
        self.phase = .killing
        self.stopDeadline = nil
        self.kill(.gateway, &effects)
        self.kill(.shard, &effects)
    }

    private mutating func kill(_ role: Role, _ effects: inout Effects) {
        for position in self.positions(of: role) { Self.kill(&self.processes[position], &effects) }
        if role == .gateway { self.killBeside(&effects) }
    }

    mutating func killBeside(_ effects: inout Effects) {
        guard self.overlapping != nil else { return }
        Self.kill(&self.overlapping!, &effects)
    }

    static func kill(_ process: inout Process, _ effects: inout Effects) {
        guard process.condition.isAlive, process.condition != .killed else { return }
        effects.notes.append(.killed(process.member))
        effects.signals.append(.init(member: process.member, signal: .kill))
        process.condition = .killed
    }

    private func signal(_ role: Role, _ signal: Signal, _ effects: inout Effects) {
        for position in self.positions(of: role) where self.processes[position].condition.isAlive {
            effects.signals.append(.init(member: self.processes[position].member, signal: signal))
        }
        if role == .gateway, let overlapping {
            effects.signals.append(.init(member: overlapping.member, signal: signal))
        }
    }

    // MARK: Helpers

    /// The members that serve or are to serve: shards by index, then gateways by index.
    var members: [Member] { self.processes.map(\.member) }

    func finish(_ effects: Effects) -> Effects {
        var effects = effects
        effects.wakeAt = [self.stopDeadline, self.rollingDeadline].compactMap(\.self).min()
        for process in self.processes {
            let due: Timestamp
            switch process.condition {
            case .pausing(let until): due = until
            // During a stop only the stop's deadline counts.
            case .starting(let deadline) where self.stopDeadline == nil && self.phase != .killing: due = deadline
            case .absent, .starting, .ready, .killed: continue
            }
            effects.wakeAt = min(effects.wakeAt ?? due, due)
        }
        return effects
    }

    func position(of member: Member) -> Int {
        let position = member.role == .shard ? member.index : self.shardCount + member.index
        precondition(self.processes.indices.contains(position), "\(member) is not of this cluster")
        return position
    }

    func positions(of role: Role) -> Range<Int> {
        role == .shard ? 0..<self.shardCount : self.shardCount..<self.processes.count
    }

    func areReady(_ role: Role) -> Bool {
        self.positions(of: role).allSatisfy {
            if case .ready = self.processes[$0].condition { true } else { false }
        }
    }

    private func isAlive(_ role: Role) -> Bool {
        if role == .gateway && self.overlapping != nil { return true }
        return self.positions(of: role).contains { self.processes[$0].condition.isAlive }
    }

    private var isAnyAlive: Bool { self.isAlive(.shard) || self.isAlive(.gateway) }
}
