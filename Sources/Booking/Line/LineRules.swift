/// What an organiser may set about one line. May change at any time: see `Line.rules`.
public struct LineRules: Equatable, Sendable {
    /// How many people are let in a second; at least 1.
    public let admissionsPerSecond: UInt32
    /// How many may be inside at once; 0 is no limit.
    public let maxActive: UInt32
    /// How long a waiting person keeps their place after they were last seen.
    public let waitingLifetime: Nanoseconds
    /// How long an admitted person may stay, from their admission; polling does not make it longer. See `Line.linger`.
    public let admittedLifetime: Nanoseconds

    /// Traps on a rate of 0 and on lifetimes that are not positive: settings from outside are checked before.
    public init(
        admissionsPerSecond: UInt32 = 50,
        maxActive: UInt32 = 0,
        waitingLifetime: Nanoseconds = .minutes(30),
        admittedLifetime: Nanoseconds = .minutes(5)
    ) {
        precondition(admissionsPerSecond >= 1, "a line that admits nobody never ends")
        precondition(waitingLifetime > .zero, "a waiting lifetime is longer than nothing")
        precondition(admittedLifetime > .zero, "an admitted lifetime is longer than nothing")
        self.admissionsPerSecond = admissionsPerSecond
        self.maxActive = maxActive
        self.waitingLifetime = waitingLifetime
        self.admittedLifetime = admittedLifetime
    }
}
