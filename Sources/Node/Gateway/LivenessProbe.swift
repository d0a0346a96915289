import Booking

/// Whether a shard answers: a ping goes to it now and then, also while no client asks for anything. A shard that hangs keeps
/// its link, so nothing else tells.
struct LivenessProbe {
    /// The request id of these pings; those of `LatencyProbe` have 0.
    static let pingID: UInt64 = 1
    /// From an answer to the next ping.
    private static let pause = Nanoseconds.milliseconds(500)
    /// A gateway that looks later than this has not run itself, and can't say that the shard has not.
    private static let lookMax = Nanoseconds.seconds(1)

    private var askedAt: Timestamp?
    private var heardAt = Timestamp.distantPast
    private var lookedAt = Timestamp.distantPast

    /// Looks, some times a second: whether a ping is to be sent now.
    mutating func look(at now: Timestamp) -> Bool {
        let hasSlept = now - self.lookedAt > Self.lookMax
        self.lookedAt = now
        guard self.askedAt == nil else {
            if hasSlept { self.askedAt = now }
            return false
        }
        guard now - self.heardAt >= Self.pause else { return false }
        self.askedAt = now
        return true
    }

    /// The ping is back.
    mutating func heard(at now: Timestamp) {
        self.askedAt = nil
        self.heardAt = now
    }

    /// For how long the shard has owed an answer.
    func silence(at now: Timestamp) -> Nanoseconds { self.askedAt.map { now - $0 } ?? .zero }
}
