/// Overload: requests of the lowest priority are refused at once, by a window for each shard.
extension Gateway {
    /// Records the delay of a ping to a shard, complete or so far, and the requests in flight when the ping left.
    public mutating func recordLatency(
        _ delay: Nanoseconds,
        isOver: Bool,
        inFlightThen: Int,
        of shard: Int,
        at now: Timestamp
    ) {
        let inFlight = self.links[shard].inFlight.count
        self.links[shard].window.recordLatency(
            delay,
            isOver: isOver,
            inFlightThen: inFlightThen,
            inFlight: inFlight,
            at: now
        )
        self.notePressure()
    }

    /// Whether a request of `worth` may go to a shard now.
    public mutating func admits(_ priority: RequestPriority, to shard: Int) -> Bool {
        self.links[shard].window.admits(priority, inFlight: self.links[shard].inFlight.count)
    }

    /// Whether a request of `worth` about the line of `concert` is shed.
    public mutating func sheds(_ priority: RequestPriority, of concert: ConcertID) -> Bool {
        !self.admits(priority, to: self.slots.shard(of: Slot(of: concert)))
    }

    /// The shards whose window is closed.
    public var pressedShards: Int { self.links.reduce(0) { $0 + ($1.window.isClosed ? 1 : 0) } }

    mutating func forgetPressure(of shard: Int) {
        self.links[shard].window.reset()
        self.notePressure()
    }

    mutating func notePressure() {
        self.isPressed = self.links.contains { $0.window.isClosed }
    }
}
