public import Configuration

/// The gateway in the operator port's process, as the health checks see it.
public protocol OperatedGateway: AnyObject {
    /// The gateway accepts requests: every shard answers and accepts changes, or its requests are still held for it.
    var isReady: Bool { get }
    /// The shards that can't be reached now.
    var shardsAway: [Int] { get }
    /// The shards that are connected but do not answer.
    var silentShards: [Int] { get }
    /// The wall clock is not trusted, here or by some shard: changes are refused.
    var isClockSuspended: Bool { get }
    /// The time, as far as it can be trusted.
    var clock: MachineClock { get }
}
