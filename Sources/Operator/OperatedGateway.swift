public import Configuration

/// The gateway whose process serves an operator's port: what the health checks tell of it.
public protocol OperatedGateway: AnyObject {
    /// Requests are taken: every shard can be reached and answers, or its requests are held for it still, and changes things.
    var isReady: Bool { get }
    /// The shards that can't be reached now.
    var shardsAway: [Int] { get }
    /// The shards that can be reached, and do not answer.
    var silentShards: [Int] { get }
    /// The wall clock can't be believed, here or by some shard: changes are refused.
    var isClockSuspended: Bool { get }
    /// What time it is, as far as that can be believed.
    var clock: MachineClock { get }
}
