import Booking
import Seeded

/// A rolling restart, in the order of `Server/Supervisor/Supervision+Rolling.swift`: gateways first, each with its successor
/// beside it, then shards, which are away for as long as a restart takes; one at a time, and only while all are ready.
extension World {
    struct Rolling {
        /// Whose turn is still to come, the next one last.
        var waiting: [Process]
        var step = Step.gathering

        enum Step {
            /// All have to be ready before one is taken away.
            case gathering
            /// This one gets ready beside the one that it takes over from.
            case starting(GatewayHost)
            /// This one answers what it still has.
            case draining(GatewayHost)
            /// This one starts again.
            case following(ShardHost)
        }
    }

    private static let lookGap = Nanoseconds.milliseconds(20)

    func beginRolling() {
        guard self.rolling == nil else { return }
        let gateways = (0..<self.plan.gatewayCount).map { Process.gateway($0) }
        let shards = self.shards.map(\.process)
        self.rolling = Rolling(waiting: self.random.once(in: 3) ? gateways : shards + gateways)
        self.add(.roll, after: .zero)
    }

    /// Looks whether the next step can be made.
    func roll() {
        guard let step = self.rolling?.step, !self.isHealing else { return self.rolling = nil }
        switch step {
        case .gathering: self.rollNext()
        case .starting(let successor):
            // It has failed: the one before it serves on.
            guard successor.isUp else { return self.rolling = nil }
            guard successor.isServing else { break }
            self.tally.handovers += 1
            let former = self.twin(of: successor)
            if former.isUp { former.drain() }
            self.rolling!.step = .draining(former)
        case .draining(let former): if !former.isUp { self.rolling!.step = .gathering }
        case .following(let shard): if shard.isUp { self.rolling!.step = .gathering }
        }
        if self.rolling != nil { self.add(.roll, after: Self.lookGap) }
    }

    private func rollNext() {
        let serving = self.gateways.filter(\.isServing)
        guard serving.count == self.plan.gatewayCount, self.shards.allSatisfy(\.isUp) else { return }
        switch self.rolling!.waiting.popLast() {
        case .gateway(let index):
            let successor = self.twin(of: serving.first { self.gatewayIndex($0.number) == index }!)
            guard !successor.isUp else { return self.rolling!.waiting.append(.gateway(index)) }
            successor.start(asSuccessor: true)
            self.trace.add(.note(successor.process, "starts as a successor"), at: self.now)
            self.rolling!.step = .starting(successor)
        case .shard(let index):
            self.crash(.shard(index), "is replaced")
            self.rolling!.step = .following(self.shards[index])
        case nil: self.rolling = nil
        }
    }
}
