import Booking
import Node

/// Gateways: how they are made, and what must be so of each.
extension World {
    /// Longer than any request takes while nothing goes wrong, payments over two shards and the asking again of debits
    /// included.
    private static let calmTime = Nanoseconds.milliseconds(1_500)

    /// Two hosts take turns as one gateway.
    func gatewayIndex(_ number: Int) -> Int { number % self.plan.gatewayCount }

    /// The other host of the same gateway.
    func twin(of host: GatewayHost) -> GatewayHost {
        self.gateways[(host.number + self.plan.gatewayCount) % self.gateways.count]
    }

    func gatewayNode(_ number: Int, isSuccessor: Bool = false) -> GatewayNode {
        GatewayNode(
            index: self.gatewayIndex(number),
            slots: self.slots,
            catalogue: SmallWorld.catalogue,
            settings: GatewayNode.Settings(limits: self.plan.limits, silenceMax: self.plan.silenceMax),
            isSuccessor: isSuccessor,
            chance: self.random.next(),
            at: self.now,
            schedulesBody: { free, _ in CachedBody(free.map { UInt8($0) }) }
        )
    }

    /// What a body from `gatewayNode` says.
    static func schedules(_ body: CachedBody) -> Reply { .schedules(body.bytes.map { UInt32($0) }) }

    static func reply(_ outcome: GatewayEffects.Refreshed.Outcome) -> Reply {
        switch outcome {
        case .body(let body): self.schedules(body)
        case .refused(let reply): reply
        }
    }

    // MARK: What must be so

    /// A gateway has given up what its clients waited for too long for, and owes none of them more.
    func checkOwed(by gateway: GatewayHost) {
        let owed = gateway.connections.filter { _, connection in
            connection.cameAt.map { self.now >= $0 + self.plan.limits.replyTimeout } ?? false
        }
        guard let attempt = owed.min(by: { $0.key < $1.key })?.value.attempt else { return }
        self.auditor.fail("\(gateway.process) owes fan \(attempt.fan) an answer to \(attempt.request)")
    }

    /// A gateway has drained, and ends.
    func drained(_ gateway: GatewayHost) {
        self.auditor.require(gateway.connections.isEmpty, "\(gateway.process) has drained, and owes answers")
        self.trace.add(.note(gateway.process, "has drained"), at: self.now)
        gateway.end()
        self.breakLinks(of: gateway.process)
    }

    /// A gateway is about to send again what it has in flight at a shard. A copy of its machine says what that is.
    func sendsAgain(_ gateway: Gateway, to shard: Int) {
        var copy = gateway
        for sending in copy.linkIsUp(to: shard) {
            self.auditor.sentAgain(sending)
            self.tally.sentAgain += 1
        }
    }

    /// A gateway has an answer for a fan.
    func completes(_ completed: GatewayEffects.Completed, _ attempt: Attempt?, by gateway: GatewayHost) {
        guard completed.reply == .unanswered else { return }
        let request = completed.pending.request
        self.auditor.require(
            !self.isCalm(since: completed.pending.sentAt, for: Self.calmTime),
            "\(request) was given up, and nothing went wrong"
        )
        guard let attempt, let since = self.reachedSince(by: attempt, gateway) else { return }
        self.auditor.require(
            self.now - max(since, completed.pending.sentAt) < Self.calmTime,
            "\(request) was given up, and its shard was there"
        )
    }

    /// Since when the shards that decide a request and keep its key have done their work, and could hear its gateway. Nil
    /// where more shards are asked.
    private func reachedSince(by attempt: Attempt, _ gateway: GatewayHost) -> Timestamp? {
        switch attempt.request {
        case .pay, .cancel: return nil
        default: break
        }
        var shards = [self.auditor.shard(of: attempt.request)]
        if attempt.key != nil { shards.append(self.slots.shard(of: Slot(of: self.fans[attempt.fan].user))) }
        return shards.map { max(self.shards[$0].unhinderedSince, gateway.connectedSince(to: $0)) }.max()
    }

    /// A gateway has noticed that a shard answers no pings.
    func fellSilent(_ shard: Int) {
        self.tally.silences += 1
        let calmTime = Nanoseconds(self.plan.silenceMax.rawValue + Self.calmTime.rawValue)
        self.auditor.require(
            !self.isCalm(since: .distantPast, for: calmTime),
            "shard \(shard) is said to be silent, and nothing went wrong"
        )
    }

    /// Nothing has gone wrong, or was set right, since `start`, and for long enough.
    private func isCalm(since start: Timestamp, for span: Nanoseconds) -> Bool {
        self.now - max(start, self.disturbedUntil) >= span && !self.auditor.hasLost
            && self.shards.allSatisfy {
                $0.isUp && !$0.isStopping && !$0.node.isReading && !$0.journal.disk.isFull && !$0.journal.disk.isClosed
                    && $0.clock.absurdity == .zero
            }
    }

    /// Something goes wrong, or is set right, from now on until then.
    func disturb(until time: Timestamp) { self.disturbedUntil = max(self.disturbedUntil, time) }
}
