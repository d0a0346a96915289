public import Booking
import Wire

/// When more is asked than can be done: how it is noticed, and what is shed.
extension GatewayNode {
    /// Whether a request of `worth` about the line of `concert` is to be refused before it is read any further.
    public mutating func sheds(_ priority: RequestPriority, of concert: ConcertID) -> Bool {
        self.gateway.isPressed && self.gateway.sheds(priority, of: concert)
    }

    /// What was out while settings change is forgotten: a ping that comes back with none out tells nothing.
    static func latencyProbes(_ limits: Gateway.Limits, _ shardCount: Int) -> [LatencyProbe] {
        Array(repeating: LatencyProbe(), count: limits.window.target > .zero ? shardCount : 0)
    }

    /// Requests are about to leave for a shard: a ping goes with them where the last one is back. Pings about liveness alone
    /// take none with them.
    mutating func probeLatency(of shard: Int, at turnStart: Timestamp, _ effects: inout GatewayEffects) {
        let inFlight = self.gateway.inFlightCount(of: shard)
        guard inFlight > 0 else { return }
        switch self.latencies[shard].step(at: turnStart, inFlight: inFlight) {
        case .none: break
        case .send: Self.ping(shard, LatencyProbe.pingID, &effects)
        case .stillOut(let delay): self.record(delay, isOver: false, of: shard, at: turnStart)
        }
    }

    /// A ping is back. Its time is from the start of the turn in which it left, so that the gateway's own turns count.
    mutating func recordLatency(of shard: Int, at now: Timestamp) {
        guard !self.latencies.isEmpty, let delay = self.latencies[shard].isBack(at: now) else { return }
        self.record(delay, isOver: true, of: shard, at: now)
    }

    private mutating func record(_ delay: Nanoseconds, isOver: Bool, of shard: Int, at now: Timestamp) {
        let then = self.latencies[shard].inFlight
        self.gateway.recordLatency(delay, isOver: isOver, inFlightThen: then, of: shard, at: now)
    }

    static func ping(_ shard: Int, _ id: UInt64, _ effects: inout GatewayEffects) {
        do { try Control.ping.encode(into: &effects.outboxes[shard].frames, requestID: id) } catch {
            preconditionFailure("a ping that does not fit: \(error)")
        }
    }
}
