/// A shard's death is a pause: requests that were in flight when the link was lost, and requests that arrive while the
/// shard is away, are held and sent in order when the link is up again.
///
///     in flight ──link lost──▶ held ──link up──▶ in flight
///        new ──shard away──▶ held ──time-out──▶ refused; beyond `heldPerShardMax` refused at once
///
/// Each request keeps its id, so the shard carries it out once, whatever it read from the old link.
extension Gateway {
    /// A request to be sent, for the first time or as a resend.
    public struct Sending: Equatable, Sendable {
        public let id: UInt64
        public let request: Request
        public let key: ClientKey?
    }

    /// The link to a shard is up. Returns the requests to send over it before anything else: everything in flight, in
    /// the order of arrival. O(n log n).
    public mutating func linkIsUp(to shard: Int) -> [Sending] {
        self.links[shard].isUp = true
        var held: [(sending: Sending, sentAt: Timestamp, client: Client?)] = []
        held.reserveCapacity(self.links[shard].inFlight.count)
        self.links[shard].inFlight.forEach { id, pending in
            let request = self.request(for: shard, of: pending)
            let sending = Sending(id: id, request: request, key: self.links[shard].keys[id])
            held.append((sending, pending.sentAt, pending.client))
        }
        held.sort { left, right in
            guard left.sentAt == right.sentAt else { return left.sentAt < right.sentAt }
            // Requests of the same moment: the gateway's own first, then each connection's in its order.
            guard let first = left.client, let second = right.client else { return left.client == nil }
            return (first.connection, first.sequence) < (second.connection, second.sequence)
        }
        return held.map(\.sending)
    }

    /// The link to a shard is lost. The outcome of its requests in flight is unknown: they are held.
    public mutating func linkIsLost(to shard: Int, at now: Timestamp) {
        self.links[shard].isUp = false
        self.links[shard].awaySince = now
        self.forgetPressure(of: shard)
    }

    /// Whether every shard is up, or away for less than the time after which its requests are given up.
    public func isServing(at now: Timestamp) -> Bool {
        self.links.allSatisfy { $0.isUp || now < $0.awaySince + self.limits.replyTimeout }
    }
}
