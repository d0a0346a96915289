import Booking

/// The ping that goes to a shard among its requests, to measure how long they wait for their turn: one at a time, and only
/// while there are requests, so that a quiet cluster sleeps.
struct LatencyProbe {
    /// The request id of these pings; those of `LivenessProbe` have 1.
    static let pingID: UInt64 = 0
    /// From the end of one to the next: often enough to follow a queue, and next to nothing beside what it measures.
    private static let pause = Nanoseconds.milliseconds(5)

    private var sentAt: Timestamp?
    /// How many requests were in flight then.
    private(set) var inFlight = 0
    private var overAt = Timestamp.distantPast

    enum Step: Equatable { case none, send, stillOut(Nanoseconds) }

    mutating func step(at now: Timestamp, inFlight: Int) -> Step {
        if let sentAt = self.sentAt { return .stillOut(now - sentAt) }
        guard now - self.overAt >= Self.pause else { return .none }
        self.sentAt = now
        self.inFlight = inFlight
        return .send
    }

    /// It is back: how long it was out. Nil for one that was never sent.
    mutating func isBack(at now: Timestamp) -> Nanoseconds? {
        guard let sentAt = self.sentAt.take() else { return nil }
        self.overAt = now
        return now - sentAt
    }
}
