/// How fast a line lets people in: a token bucket, kept as the one moment at which the next admission falls due.
///
///     due ──────┬─────────┬─────────┬──▶ time       each admission moves `due` on by one interval;
///            interval  interval   now               `due` lags behind now by at most `slack`
///
/// The generic cell rate algorithm (ITU-T I.371, annex A), told from the due moment. Plain GCRA with a capacity of one
/// loses the lateness of the tick at each admission: at 10 a second and ticks of 20 ms, a tenth of the rate. Here
/// lateness up to `slack` is made up for later, and still no second has more than `perSecond` + `burst` admissions.
public struct AdmissionRate: Equatable, Sendable {
    /// The lateness of a tick that costs no admissions at rates below 10, and the unused time that other rates keep (a
    /// tenth of a second's admissions). Ticks come every 10 to 20 ms, so this covers five late ones.
    public static let burstTime = Nanoseconds.milliseconds(100)

    public let perSecond: UInt32
    /// Time between two admissions: a second divided by the rate, rounded up, so that the rate is never exceeded.
    /// Rounding costs less than 1 % of the rate up to 10,000,000 a second; above 1,000,000,000 it stays at 1 ns.
    public let interval: Nanoseconds
    /// Admissions in one instant after a quiet time: a tenth of the rate, at least 1.
    public let burst: Int
    /// How far `due` may lag behind now. Short of `burst` intervals, so that a quiet time never gives more than `burst`.
    public let slack: Nanoseconds
    /// When the next admission falls due: the whole state, which a snapshot keeps.
    public private(set) var due: Timestamp

    /// `perSecond` is at least 1.
    public init(perSecond: UInt32, due: Timestamp = .distantPast) {
        precondition(perSecond >= 1, "an admission rate is at least 1 a second")
        self.perSecond = perSecond
        self.interval = Nanoseconds((1_000_000_000 + Int64(perSecond) - 1) / Int64(perSecond))
        self.burst = max(1, Int(perSecond) / 10)
        let burstSpan = Nanoseconds(Int64(self.burst) * self.interval.rawValue - 1)
        self.slack = perSecond < 10 ? min(Self.burstTime, burstSpan) : burstSpan
        self.due = due
    }

    /// Whether an admission is possible at `now`. None is before `opensAt`, and the time before it counts for nothing.
    func isDue(at now: Timestamp, opensAt: Timestamp) -> Bool { self.due <= now && opensAt <= now }

    /// Applies an admission at `now`. Depends on the fact and the rate alone, so a replay ends where the original did.
    /// An admission that this rate would not have allowed (the rate was lowered since) delays the next one by one
    /// interval only.
    public mutating func applyAdmission(at now: Timestamp, opensAt: Timestamp) {
        self.due = min(self.firstDue(at: now, opensAt: opensAt), now) + self.interval
    }

    private func firstDue(at now: Timestamp, opensAt: Timestamp) -> Timestamp {
        max(self.due, opensAt, now - self.slack)
    }
}
