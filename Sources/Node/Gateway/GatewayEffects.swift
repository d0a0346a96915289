public import Booking
public import Wire

/// What a gateway's process has to do after an event, in named slots: the adapter empties each, in the order in which they
/// stand here, and gives the same value to the next event, so that nothing is allocated for a request.
public struct GatewayEffects: ~Copyable {
    /// Frames for one shard's link.
    public final class Outbox {
        public var frames = FrameBytes()
    }

    /// A client's request is over: the shard has answered it, or did not in time.
    public struct Completed {
        public let pending: Gateway.Pending
        public let reply: Reply

        public var client: Gateway.Client {
            guard let client = self.pending.client else { preconditionFailure("a client's request has no client") }
            return client
        }
    }

    /// A question for the cache is over: all clients who waited for it get the same.
    public struct Refreshed {
        public enum Outcome: Equatable, Sendable {
            case body(CachedBody)
            case refused(Reply)
        }

        public let pending: Gateway.Pending
        public let clients: [Gateway.Client]
        public let outcome: Outcome
    }

    /// Which shards are there as a gateway begins to serve.
    public enum Readiness: Equatable, Sendable {
        case all
        /// These were waited for as long as requests would be held for them; the others must be served.
        case without([Int])
    }

    /// By shard, to be sent at the end of the turn. Empty while the shard's link is not up.
    public let outboxes: [Outbox]
    /// Clients' requests to be answered, in no particular order.
    public var completed: [Completed] = []
    public var refreshed: [Refreshed] = []
    /// The gateway may begin to take requests. Comes once.
    public var ready: Readiness?
    /// Shards whose links are up and that have stopped answering, and those that answer again.
    public var fellSilent: [Int] = []
    public var answerAgain: [Int] = []
    /// The gateway has given its last answer, and may end. Comes once after a drain began.
    public var isDrained = false

    public init(shardCount: Int) {
        self.outboxes = (0..<shardCount).map { _ in Outbox() }
    }
}
