import Booking

/// Replaces every process by one of another program while all serve: gateways first, then shards, one at a time.
///
///     everybody ready? ──▶ a gateway: its successor starts beside it ──ready──▶ the old one drains ──ended──▶ the next
///            │   ▲                        └──died, or too slow──▶ failed: the old one serves on
///            │   └──────────────────────────────────────────────────────────┐
///            └───────▶ a shard: it finishes its commit and ends ──▶ its successor starts ──ready──▶ the next
///                                                                      └──died, or too slow──▶ the old program starts again
///                                                                                               ──▶ failed
///
/// A shard can't overlap with its successor, as a journal has one process: the shard is away for the time of a restart,
/// and gateways hold its requests. So gateways go first: they find a program that does not start at all, and no client
/// notices. Other processes that die meanwhile are restarted as always, with the program they had; the rolling restart
/// goes on once all are ready. Processes already replaced before a failure are not rolled back.
extension Supervision {
    struct Rolling {
        let generation: Int
        /// Positions still to be replaced, the next one last.
        var waiting: [Int]
        var step: Step
        /// Why the process that is starting has failed, when that is known before its death.
        var reason: String?

        enum Step {
            /// All processes have to be ready before the next one is taken away.
            case gathering(deadline: Timestamp)
            /// The successor of the gateway at this position starts, as `beside`.
            case starting(Int)
            /// The gateway in `beside` finishes its requests; nil once it was killed for taking too long.
            case draining(deadline: Timestamp?)
            /// The shard at this position finishes its commit; nil as above.
            case stopping(Int, deadline: Timestamp?)
            /// The successor at this position starts with the new program; its predecessor, of generation `before`, is
            /// gone.
            case following(Int, before: Int)
            /// The new program failed for this reason: the process at this position is rolled back to the former
            /// program.
            case returning(Int, reason: String)
        }
    }

    // MARK: Verbs

    /// Why a rolling restart can't begin now; nil when it can.
    var refusalOfRolling: String? {
        guard case .running = self.phase else { return "the cluster is starting or stopping" }
        return self.rolling == nil ? nil : "a rolling restart is under way"
    }

    /// Begins to replace all processes of these roles by the next generation. `refusalOfRolling` must be nil.
    mutating func roll(_ roles: Set<Role>, at now: Timestamp) -> Effects {
        precondition(self.refusalOfRolling == nil, "a rolling restart that was refused")
        var effects = Effects()
        self.newestGeneration += 1
        let order = [Role.gateway, .shard].filter(roles.contains).flatMap { self.positions(of: $0) }
        let deadline = now + self.timing.readyTimeout
        self.rolling = Rolling(
            generation: self.newestGeneration,
            waiting: order.reversed(),
            step: .gathering(deadline: deadline)
        )
        self.goOnRolling(at: now, &effects)
        return self.finish(effects)
    }

    /// Whether this member is starting beside its predecessor.
    func isSuccessor(_ member: Member) -> Bool { self.overlapping?.member == member }

    // MARK: Events

    /// A process in `processes` is ready: maybe the successor that the rolling restart waits for.
    mutating func goOnRolling(at now: Timestamp, _ effects: inout Effects) {
        guard let rolling = self.rolling else { return }
        switch rolling.step {
        case .gathering: self.beginNext(at: now, &effects)
        case .following(let position, let before):
            guard case .ready = self.processes[position].condition else { return }
            var former = self.processes[position].member
            former.generation = before
            effects.notes.append(.tookOver(self.processes[position].member, from: former))
            self.gather(at: now, &effects)
        case .returning(let position, let reason):
            guard case .ready = self.processes[position].condition else { return }
            self.endRolling(.failed(reason), &effects)
        case .starting, .draining, .stopping: break
        }
    }

    mutating func successorIsReady(at now: Timestamp) -> Effects {
        var effects = Effects()
        guard case .running = self.phase, case .starting(let position) = self.rolling?.step,
            var successor = self.overlapping, case .starting = successor.condition
        else { return self.finish(effects) }
        let former = self.processes[position]
        successor.condition = .ready(since: now)
        self.processes[position] = successor
        effects.notes.append(.ready(successor.member))
        effects.notes.append(.tookOver(successor.member, from: former.member))
        effects.signals.append(.init(member: former.member, signal: .retire))
        self.overlapping = former
        self.rolling!.step = .draining(deadline: now + self.timing.drainTimeout)
        return self.finish(effects)
    }

    /// The process in `beside` has ended: a failed successor, or a predecessor that is done.
    mutating func overlappingDied(how: String, at now: Timestamp) -> Effects {
        var effects = Effects()
        guard let member = self.overlapping?.member else { return self.finish(effects) }
        self.overlapping = nil
        switch (self.phase, self.rolling?.step) {
        case (.running, .starting): self.endRolling(.failed(self.why(member, how)), &effects)
        case (.running, .draining): self.gather(at: now, &effects)
        default: self.goOnStopping(at: now, &effects)
        }
        return self.finish(effects)
    }

    /// Whether the rolling restart handles the death of the process at this position.
    func isRolling(_ position: Int) -> Bool {
        switch self.rolling?.step {
        case .starting(position), .stopping(position, _), .following(position, _), .returning(position, _): true
        case .gathering, .starting, .draining, .stopping, .following, .returning, nil: false
        }
    }

    /// Whether the process at this position was told to end so that a successor can start.
    func isStopping(_ position: Int) -> Bool {
        if case .stopping(position, _) = self.rolling?.step { true } else { false }
    }

    mutating func rolledDied(
        _ position: Int,
        was before: Condition,
        how: String,
        at now: Timestamp,
        _ effects: inout Effects
    ) {
        guard let rolling = self.rolling else { return }
        let member = self.processes[position].member
        switch rolling.step {
        case .starting:
            // The gateway died while its successor was starting: the successor takes its place now.
            guard let successor = self.overlapping else { return }
            self.overlapping = nil
            self.processes[position] = successor
            self.rolling!.step = .following(position, before: member.generation)
            effects.notes.append(.died(member, how: how, deaths: 1, restartsIn: .zero))
        case .stopping:
            self.start(position, generation: rolling.generation, at: now, &effects)
            self.rolling!.step = .following(position, before: member.generation)
        case .following(_, let generation):
            let why = self.why(member, how)
            self.start(position, generation: generation, at: now, &effects)
            self.rolling!.step = .returning(position, reason: why)
            self.rolling!.reason = nil
            effects.notes.append(.goesBack(self.processes[position].member, why: why))
        case .returning(_, let reason):
            self.endRolling(.failed(reason), &effects)
            self.restart(position, was: before, how: how, at: now, &effects)
        case .gathering, .draining: break
        }
    }

    /// The process at this position was not ready in time and is being killed.
    mutating func noteTooSlow(_ position: Int) {
        guard self.isRolling(position) else { return }
        self.rolling!.reason = self.tooSlow(self.processes[position].member)
    }

    mutating func tickRolling(at now: Timestamp, _ effects: inout Effects) {
        guard case .running = self.phase, let rolling = self.rolling else { return }
        switch rolling.step {
        case .gathering(let deadline) where deadline <= now:
            let away = self.processes.filter { !Self.isReady($0) }.map { "\($0.member)" }
            self.endRolling(.failed("not ready: \(away.joined(separator: ", "))"), &effects)
        case .starting:
            guard let successor = self.overlapping, case .starting(let deadline) = successor.condition, deadline <= now
            else {
                return
            }
            self.rolling!.reason = self.tooSlow(successor.member)
            self.killBeside(&effects)
        case .draining(let deadline?) where deadline <= now:
            self.rolling!.step = .draining(deadline: nil)
            self.killBeside(&effects)
        case .stopping(let position, let deadline?) where deadline <= now:
            self.rolling!.step = .stopping(position, deadline: nil)
            Self.kill(&self.processes[position], &effects)
        case .gathering, .draining, .stopping, .following, .returning: break
        }
    }

    /// The next deadline of `tickRolling`.
    var rollingDeadline: Timestamp? {
        guard case .running = self.phase else { return nil }
        switch self.rolling?.step {
        case .gathering(let deadline): return deadline
        case .draining(let deadline), .stopping(_, let deadline): return deadline
        case .starting:
            guard case .starting(let deadline) = self.overlapping?.condition else { return nil }
            return deadline
        case .following, .returning, nil: return nil
        }
    }

    mutating func endRolling(_ outcome: RollingOutcome, _ effects: inout Effects) {
        guard self.rolling != nil else { return }
        self.rolling = nil
        effects.rolling = outcome
    }

    // MARK: Steps

    private mutating func gather(at now: Timestamp, _ effects: inout Effects) {
        self.rolling!.step = .gathering(deadline: now + self.timing.readyTimeout)
        self.beginNext(at: now, &effects)
    }

    private mutating func beginNext(at now: Timestamp, _ effects: inout Effects) {
        guard self.processes.allSatisfy(Self.isReady) else { return }
        guard let position = self.rolling!.waiting.popLast() else { return self.endRolling(.done, &effects) }
        let member = self.processes[position].member
        switch member.role {
        case .gateway:
            let successor = Member(role: .gateway, index: member.index, generation: self.rolling!.generation)
            self.overlapping = Process(
                member: successor,
                condition: .starting(deadline: now + self.timing.readyTimeout)
            )
            self.rolling!.step = .starting(position)
            effects.start.append(successor)
        case .shard:
            self.rolling!.step = .stopping(position, deadline: now + self.timing.drainTimeout)
            effects.signals.append(.init(member: member, signal: .retire))
        }
    }

    private mutating func start(_ position: Int, generation: Int, at now: Timestamp, _ effects: inout Effects) {
        let former = self.processes[position].member
        self.processes[position] = Process(
            member: Member(role: former.role, index: former.index, generation: generation)
        )
        self.start(position, at: now, &effects)
    }

    private func why(_ member: Member, _ how: String) -> String {
        self.rolling?.reason ?? "\(member) of the new program \(how)"
    }

    private func tooSlow(_ member: Member) -> String {
        "\(member) of the new program was not ready after \(self.timing.readyTimeout.rawValue / 1_000_000_000) s"
    }

    private static func isReady(_ process: Process) -> Bool {
        if case .ready = process.condition { true } else { false }
    }
}
