public import Booking
import Wire

/// Links that come and go, time, and the way from a start to an end.
extension GatewayNode {
    /// The link to a shard is up, hellos included: everything that waits for the shard is sent, before anything else.
    public mutating func linkIsUp(to shard: Int, into effects: inout GatewayEffects) {
        for sending in self.gateway.linkIsUp(to: shard) {
            Self.send(sending.request, to: shard, sending.id, sending.key, &effects)
        }
        if self.gateway.isReady { self.serve(.all, &effects) }
    }

    /// A link that was up is lost. What was in flight over it is held, as what was done of it can't be known.
    public mutating func linkIsLost(to shard: Int, at now: Timestamp, into effects: inout GatewayEffects) {
        effects.outboxes[shard].frames.removeAll()
        if !self.latencies.isEmpty { self.latencies[shard] = LatencyProbe() }
        self.liveness[shard] = LivenessProbe()
        self.gateway.linkIsLost(to: shard, at: now)
    }

    /// Each `tickInterval`: gives up what has waited for too long, and looks whether shards answer.
    public mutating func tick(at now: Timestamp, into effects: inout GatewayEffects) {
        for pending in self.gateway.timedOut(at: now) { self.complete(pending, with: .unanswered, &effects) }
        if case .starting(let since) = self.phase, let patience = self.patience, now - since >= patience {
            self.serve(.without(self.shardsAway), &effects)
        }
        for shard in self.liveness.indices where self.gateway.isUp(shard) && self.liveness[shard].look(at: now) {
            Self.ping(shard, LivenessProbe.pingID, &effects)
        }
        self.tellSilent(at: now, &effects)
    }

    /// The turn that began at `turnStart` is over, and what is in the outboxes leaves: with a ping, where one is due.
    public mutating func endTurn(startedAt turnStart: Timestamp, into effects: inout GatewayEffects) {
        guard !self.latencies.isEmpty else { return }
        for shard in effects.outboxes.indices where !effects.outboxes[shard].frames.isEmpty {
            self.probeLatency(of: shard, at: turnStart, &effects)
        }
    }

    // MARK: From a start to an end

    private mutating func serve(_ readiness: GatewayEffects.Readiness, _ effects: inout GatewayEffects) {
        guard case .starting = self.phase else { return }
        self.phase = .serving
        effects.ready = readiness
    }

    /// Another gateway takes over, or none does: this one ends once its clients have their answers.
    public mutating func drain() { self.phase = .draining }

    /// No client is connected any more: none is owed an answer, and none can ask.
    public mutating func clientsHaveLeft(into effects: inout GatewayEffects) {
        guard self.phase == .draining else { return }
        self.phase = .drained
        effects.isDrained = true
    }

    /// Requests are taken: every shard can be reached and answers, or requests are held for it still.
    public func isReady(at now: Timestamp) -> Bool {
        self.phase != .draining && self.phase != .drained && self.gateway.isServing(at: now)
            && self.silentShards(at: now).isEmpty
    }

    /// The shards that can't be reached now.
    public var shardsAway: [Int] { self.liveness.indices.filter { !self.gateway.isUp($0) } }

    // MARK: Hung shards

    /// The shards that can be reached, and have answered no ping for `Settings.silenceMax`.
    public func silentShards(at now: Timestamp) -> [Int] {
        self.liveness.indices.filter {
            self.gateway.isUp($0) && self.liveness[$0].silence(at: now) >= self.silenceMax
        }
    }

    private mutating func tellSilent(at now: Timestamp, _ effects: inout GatewayEffects) {
        let silent = self.silentShards(at: now)
        guard silent != self.toldSilent else { return }
        effects.fellSilent += silent.filter { !self.toldSilent.contains($0) }
        effects.answerAgain += self.toldSilent.filter { !silent.contains($0) && self.gateway.isUp($0) }
        self.toldSilent = silent
    }
}
