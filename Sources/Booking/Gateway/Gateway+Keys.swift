/// A key is one request's, wherever that is carried out: before a change at a concert's shard, the shard of its user is asked
/// to keep the key for it, unless that is the same shard.
///
///     change with a key ──claim──▶ the user's shard ──claimed──▶ the concert's shard ──▶ its answer
///                                        └──▶ the key is another request's
///
/// A claim is held and sent again as any other request, and its time counts as the change's.
extension Gateway {
    /// Where a request goes first.
    func firstShard(of request: Request, _ key: ClientKey?) -> Int {
        guard key != nil, let user = request.changer else { return self.slots.shard(of: request.slot) }
        return self.slots.shard(of: Slot(of: user))
    }

    /// What a shard is asked for the sake of a request: that itself, or the claim before it.
    func request(for shard: Int, of pending: Pending) -> Request {
        let request = pending.request
        guard self.slots.shard(of: request.slot) != shard, let user = request.changer else { return request }
        return .claim(user, fingerprint: request.fingerprint)
    }

    /// A key is claimed: the change can be sent. The request is given back where it is refused; nil for an answer that
    /// nobody waits for any more.
    public mutating func takeClaim(_ id: UInt64, from shard: Int) -> (Pending, ClientKey, Submission)? {
        guard let key = self.links[shard].keys[id], let pending = self.takeReply(id, from: shard) else { return nil }
        let home = self.slots.shard(of: pending.request.slot)
        return (pending, key, self.submit(pending, key, to: home))
    }
}
