/// Binds an idempotency key to one request on all shards: before a change at a concert's shard, the shard of the user
/// is asked to claim the key for this request, unless both are the same shard.
///
///     change with a key ──claim──▶ the user's shard ──claimed──▶ the concert's shard ──▶ its answer
///                                        └──▶ the key is another request's
///
/// A claim is held and resent like any other request, and its time counts towards the change's time-out.
extension Gateway {
    /// The shard to which a request goes first.
    func firstShard(of request: Request, _ key: ClientKey?) -> Int {
        guard key != nil, let user = request.mutatingUser else { return self.slots.shard(of: request.slot) }
        return self.slots.shard(of: Slot(of: user))
    }

    /// The request to send to `shard` for `pending`: the request itself, or the claim before it.
    func request(for shard: Int, of pending: Pending) -> Request {
        let request = pending.request
        guard self.slots.shard(of: request.slot) != shard, let user = request.mutatingUser else { return request }
        return .claim(user, fingerprint: request.fingerprint)
    }

    /// A key is claimed: submits the change. Returns its request and key too, for a refusal; nil for a reply to a
    /// request that is not in flight any more.
    public mutating func completeClaim(_ id: UInt64, from shard: Int) -> (Pending, ClientKey, Submission)? {
        guard let key = self.links[shard].keys[id], let pending = self.complete(id, from: shard) else { return nil }
        let home = self.slots.shard(of: pending.request.slot)
        return (pending, key, self.route(pending, key, to: home))
    }
}
