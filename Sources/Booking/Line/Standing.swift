/// How far someone has come: `order` 1 is next, and both are 0 once admitted.
public struct Standing: Equatable, Sendable {
    /// The exact number of people still to be let in, up to and with this one.
    public let order: UInt64
    /// The time left, in whole seconds, rounded up: to the opening, and then the later of `order` at the concert's rate and the
    /// time until enough places inside come free, as far as that can be told (`RoomForecast`).
    public let seconds: UInt64

    public init(order: UInt64, seconds: UInt64) {
        self.order = order
        self.seconds = seconds
    }

    public static let admitted = Standing(order: 0, seconds: 0)
}
