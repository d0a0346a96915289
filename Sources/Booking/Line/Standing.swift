/// A person's position in line: `order` 1 is next, and both numbers are 0 once admitted.
public struct Standing: Equatable, Sendable {
    /// The exact number of admissions still needed, up to and with this person's.
    public let order: UInt64
    /// The expected wait in whole seconds, rounded up: the time to the opening, then the later of `order` at the
    /// concert's rate and the time until enough places inside come free, as forecast (`RoomForecast`).
    public let seconds: UInt64

    public init(order: UInt64, seconds: UInt64) {
        self.order = order
        self.seconds = seconds
    }

    public static let admitted = Standing(order: 0, seconds: 0)
}
