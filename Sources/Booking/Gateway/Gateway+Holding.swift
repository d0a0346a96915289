/// A shard's death is a pause: what was in flight there when the link was lost, and what is asked while it is away, is
/// held and leaves again, in order, when the link is up.
///
///     in flight ──link lost──▶ held ──link up──▶ in flight
///        new ──shard away──▶ held ──its time is up──▶ refused; beyond `heldPerShardMax` refused at once
///
/// Each keeps the id that it had, so the shard carries it out once, whatever the old link has done with it.
extension Gateway {
    /// A request to be sent, for the first time or again.
    public struct Sending: Equatable, Sendable {
        public let id: UInt64
        public let request: Request
        public let key: ClientKey?
    }

    /// The link to a shard is up. Gives what to send over it before anything else: everything in flight, in the order in
    /// which it came. O(n log n).
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
            // Of one moment: the gateway's own questions, then each connection's in their order.
            guard let first = left.client, let second = right.client else { return left.client == nil }
            return (first.connection, first.sequence) < (second.connection, second.sequence)
        }
        return held.map(\.sending)
    }

    /// The link to a shard is lost. Nobody knows whether what was in flight there was done: it is held.
    public mutating func linkIsLost(to shard: Int, at now: Timestamp) {
        self.links[shard].isUp = false
        self.links[shard].awaySince = now
        self.forgetPressure(of: shard)
    }

    /// No shard has been away for so long that what was asked of it is given up.
    public func isServing(at now: Timestamp) -> Bool {
        self.links.allSatisfy { $0.isUp || now < $0.awaySince + self.limits.replyTimeout }
    }
}
