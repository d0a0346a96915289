/// The rules of one line that an organiser may set. May change at any time: see `Line.rules`.
public struct LineRules: Equatable, Sendable {
    /// Admissions per second; at least 1.
    public let admissionsPerSecond: UInt32
    /// People inside at once, at most; 0 is no limit.
    public let maxActive: UInt32
    /// How long a waiting place lasts after its owner's last request.
    public let waitingLifetime: Nanoseconds
    /// How long an admitted person may stay, from admission; polling does not extend it. See `Line.linger`.
    public let admittedLifetime: Nanoseconds

    /// Traps on a rate of 0 and on lifetimes that are not positive: outside settings are checked before.
    public init(
        admissionsPerSecond: UInt32 = 50,
        maxActive: UInt32 = 0,
        waitingLifetime: Nanoseconds = .minutes(30),
        admittedLifetime: Nanoseconds = .minutes(5)
    ) {
        precondition(admissionsPerSecond >= 1, "an admission rate is at least 1 a second")
        precondition(waitingLifetime > .zero, "a waiting lifetime is above 0")
        precondition(admittedLifetime > .zero, "an admitted lifetime is above 0")
        self.admissionsPerSecond = admissionsPerSecond
        self.maxActive = maxActive
        self.waitingLifetime = waitingLifetime
        self.admittedLifetime = admittedLifetime
    }
}
