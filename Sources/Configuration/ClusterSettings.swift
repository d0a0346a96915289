extension ServerConfiguration {
    /// How many processes there are, where they meet, and how long they are waited for.
    public struct Cluster: Equatable, Sendable {
        public var shards = 4
        public var gateways = 1
        public var state = ".usher"
        public var readyTimeoutSeconds = 30
        public var drainTimeoutSeconds = 10
        public var hangTimeoutSeconds = 15
    }
}

extension Settings {
    static let cluster: [Setting] = [
        whole(
            "cluster.shards",
            \.cluster.shards,
            1...256,
            .essential,
            "Shard processes, which share the concerts and users. Journals are bound to this number: size for your largest "
                + "machine."
        ),
        whole(
            "cluster.gateways",
            \.cluster.gateways,
            1...64,
            .essential,
            "Gateway processes, which share the client port. One per core is enough."
        ),
        text(
            "cluster.state",
            \.cluster.state,
            .folder,
            .essential,
            "Folder of sockets, keys and journals. Created with mode 0700; one cluster at a time uses it."
        ),
        whole(
            "cluster.readyTimeoutSeconds",
            \.cluster.readyTimeoutSeconds,
            1...3_600,
            unit: "seconds",
            .internals,
            live: true,
            "A start fails when not all processes are ready within this time."
        ),
        whole(
            "cluster.drainTimeoutSeconds",
            \.cluster.drainTimeoutSeconds,
            0...3_600,
            unit: "seconds",
            .optional,
            live: true,
            "A stop waits this long for requests in flight, then kills the processes."
        ),
        whole(
            "cluster.hangTimeoutSeconds",
            \.cluster.hangTimeoutSeconds,
            0...3_600,
            unit: "seconds",
            .internals,
            live: true,
            "A process that served and has not answered the supervisor for this long is killed and restarted; 0 disables it."
        ),
    ]
}
