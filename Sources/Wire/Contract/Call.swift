public import Booking

/// What a request of the contract asks for, read and checked as far as a gateway can.
public enum Call: Sendable {
    /// The shard of its concert or user answers.
    case ask(Request)
    /// The gateway's cache answers.
    case schedules(ConcertID)
    /// The catalogue answers.
    case concerts
    /// The contract itself, as it was written out at the start.
    case document
    /// Which methods a path has: the answer to OPTIONS.
    case options(allow: StaticString)
}

/// A call, the token that came with it, which some answers repeat, and the operation that its key stands for.
public struct RoutedCall: Sendable {
    public let call: Call
    public let token: TokenText
    public internal(set) var key: OperationID?
    /// Its answer is as long as a hall or a list.
    public internal(set) var isLarge = false

    init(_ call: Call, token: TokenText = TokenText()) {
        self.call = call
        self.token = token
    }
}
