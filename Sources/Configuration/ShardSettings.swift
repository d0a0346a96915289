extension ServerConfiguration {
    /// What a shard keeps beside its concerts and users.
    public struct Shard: Equatable, Sendable {
        public var keptAnswersMax = 1_000_000
    }
}

/// Nothing of a shard is live: its limits are in what it keeps, and in its snapshots.
extension Settings {
    static let shard: [Setting] = [
        whole(
            "shard.keptAnswersMax",
            \.shard.keptAnswersMax,
            100...100_000_000,
            unit: "answers",
            .internals,
            "Answers that a shard keeps for requests that are sent again, 150 to 300 bytes each. When those to "
                + "Idempotency-Keys fill three quarters, new keys are answered 503."
        )
    ]
}
