extension ServerConfiguration {
    /// The port for clients: HTTP, who a client is, how much one may ask, and what is shed.
    public struct Gateway: Equatable, Sendable {
        /// All interfaces: a waiting room serves the world. The operator's port does not.
        public var host = "0.0.0.0"
        public var port = 8_080
        /// Below the 20,000 open files that many systems allow a process, with room for its own.
        public var connectionsMax = 16_000
        public var bodyBytesMax = 65_536
        public var requestTimeoutSeconds = 10
        public var idleTimeoutSeconds = 75
        /// A hall of 100,000 seats is 9 MB, which a phone at 0.25 Mbit/s has in this time.
        public var answerTimeoutSeconds = 300
        /// A thousand phones that read slowly, with 256 KiB of answers each.
        public var unsentBytesMax = 256 << 20
        public var requestsPerConnectionMax = 100_000
        public var inFlightPerShardMax = 20_000
        public var replyTimeoutMilliseconds = 5_000
        public var silentShardSeconds = 3
        /// A line of a million then polls 56,000 times a second, about a third of what a core carries.
        public var frontPollsPerSecond = 10_000

        public var clientAddress = "peer"
        public var trustedAddresses = "127.0.0.0/8, ::1"
        public var corsOrigins = ""
        /// Thousands of phones share one address of their carrier: a limit for machines, not for crowds.
        public var connectionsPerAddressMax = 1_000
        public var requestsPerAddressPerSecond = 500
        public var requestsPerAddressBurst = 2_000
        /// A page asks a few times a second while its user does something.
        public var requestsPerUserPerSecond = 20
        public var requestsPerUserBurst = 100

        public var overloadDelayMilliseconds = 20
        /// What one core does in some 20 ms; a crowd of 4,000 that asks all at once is let through.
        public var overloadInFlightMin = 24_000
        public var overloadReadHeadroomPercent = 50
    }
}

extension Settings {
    static let gateway: [Setting] = [
        text(
            "gateway.host",
            \.gateway.host,
            .address,
            .essential,
            "Address of the client port; 0.0.0.0 is every interface."
        ),
        whole("gateway.port", \.gateway.port, 0...65_535, .essential, "Port for clients; 0 takes any free port."),
        whole(
            "gateway.connectionsMax",
            \.gateway.connectionsMax,
            1...1_000_000,
            unit: "connections",
            .optional,
            live: true,
            "Client connections per gateway process; further ones are answered 503 and closed."
        ),
        whole(
            "gateway.bodyBytesMax",
            \.gateway.bodyBytesMax,
            1_024...16_777_216,
            unit: "bytes",
            .internals,
            live: true,  // of connections that come from then on
            "Length of a request's body; longer ones are answered 413."
        ),
        whole(
            "gateway.requestTimeoutSeconds",
            \.gateway.requestTimeoutSeconds,
            1...3_600,
            unit: "seconds",
            .internals,
            live: true,
            "Time in which a request's head must arrive, and then its body; slower ones are answered 408."
        ),
        whole(
            "gateway.idleTimeoutSeconds",
            \.gateway.idleTimeoutSeconds,
            1...86_400,
            unit: "seconds",
            .optional,
            live: true,
            "Idle connections are closed after this time; a proxy in front should close them earlier."
        ),
        whole(
            "gateway.answerTimeoutSeconds",
            \.gateway.answerTimeoutSeconds,
            1...86_400,
            unit: "seconds",
            .internals,
            live: true,
            "Time in which a client must read a whole answer; its connection is closed then, or when it reads nothing for a "
                + "tenth of this time (at least 2 seconds)."
        ),
        whole(
            "gateway.unsentBytesMax",
            \.gateway.unsentBytesMax,
            4_194_304...1_099_511_627_776,
            unit: "bytes",
            .internals,
            live: true,
            "Memory of a gateway process for answers that clients have not read: beyond it, large answers (halls, lists, the "
                + "catalogue) are refused with 503 and the slowest readers are cut off. A quarter of it, on top, is for "
                + "unfinished requests: beyond it, the largest are answered 503 and closed. Allow 16 KiB per connection."
        ),
        whole(
            "gateway.requestsPerConnectionMax",
            \.gateway.requestsPerConnectionMax,
            1...1_000_000_000,
            unit: "requests",
            .internals,
            live: true,
            "Requests per connection; the last answer says `Connection: close`."
        ),
        // Shards rely on the next two: they say how much may be sent again, and how long answers to it are kept.
        whole(
            "gateway.inFlightPerShardMax",
            \.gateway.inFlightPerShardMax,
            1...1_000_000,
            unit: "requests",
            .internals,
            "Requests that one gateway may have in flight at one shard; further ones are answered 503 at once. While a shard "
                + "is away, half as many are held for it."
        ),
        whole(
            "gateway.replyTimeoutMilliseconds",
            \.gateway.replyTimeoutMilliseconds,
            10...600_000,
            unit: "milliseconds",
            .optional,
            "Time that a gateway waits for a shard's reply, a restart of the shard included, before it answers 503."
        ),
        whole(
            "gateway.silentShardSeconds",
            \.gateway.silentShardSeconds,
            1...3_600,
            unit: "seconds",
            .internals,
            live: true,
            "`/readyz` fails when a shard has not answered pings for this long."
        ),
        whole(
            "gateway.frontPollsPerSecond",
            \.gateway.frontPollsPerSecond,
            1...1_000_000,
            unit: "polls",
            .optional,
            "Polls per second from the front of a line; clients n times further back poll every n seconds."
        ),
    ]

    /// Who a client is, and how much one may ask. Limits count in each gateway process by itself.
    static let clients: [Setting] = [
        text(
            "gateway.clientAddress",
            \.gateway.clientAddress,
            .oneOf(ClientAddressSource.allCases.map(\.rawValue)),
            .essential,
            "Source of a client's address: the connection (peer), or, on connections from trusted addresses, the PROXY header "
                + "that each must begin with (proxy), `Forwarded`, or `X-Forwarded-For`. Only the chosen source is read."
        ),
        text(
            "gateway.trustedAddresses",
            \.gateway.trustedAddresses,
            .networks,
            .essential,
            live: true,
            "Proxies whose word about a client's address is believed; limits by address and by user do not apply to them."
        ),
        text(
            "gateway.corsOrigins",
            \.gateway.corsOrigins,
            .origins,
            .optional,
            live: true,
            "Origins whose web pages may call the gateways from a browser (CORS); the gateways' own origin needs no entry."
        ),
        whole(
            "gateway.connectionsPerAddressMax",
            \.gateway.connectionsPerAddressMax,
            0...1_000_000,
            unit: "connections",
            .optional,
            live: true,  // of connections that come from then on
            "Connections of one client address per gateway process; further ones are answered 429 and closed; 0 disables it. "
                + "Behind a proxy it works with gateway.clientAddress proxy only: with the headers, connections are the "
                + "proxy's, which must set this limit itself."
        ),
        // With another rate, everybody starts with all requests.
        whole(
            "gateway.requestsPerAddressPerSecond",
            \.gateway.requestsPerAddressPerSecond,
            0...1_000_000,
            unit: "requests",
            .optional,
            live: true,
            "Requests per second of one client address per gateway process; further ones are answered 429; 0 disables it."
        ),
        whole(
            "gateway.requestsPerAddressBurst",
            \.gateway.requestsPerAddressBurst,
            1...1_000_000,
            unit: "requests",
            .optional,
            live: true,
            "Requests that a client address may send at once after a quiet time."
        ),
        whole(
            "gateway.requestsPerUserPerSecond",
            \.gateway.requestsPerUserPerSecond,
            0...1_000_000,
            unit: "requests",
            .optional,
            live: true,
            "Requests per second of one user per gateway process; further ones are answered 429; 0 disables it."
        ),
        whole(
            "gateway.requestsPerUserBurst",
            \.gateway.requestsPerUserBurst,
            1...1_000_000,
            unit: "requests",
            .optional,
            live: true,
            "Requests that a user may send at once after a quiet time."
        ),
    ]

    static let overload: [Setting] = [
        whole(
            "gateway.overloadDelayMilliseconds",
            \.gateway.overloadDelayMilliseconds,
            0...60_000,
            unit: "milliseconds",
            .internals,
            live: true,
            "A shard is overloaded when requests wait this long for it, for 100 milliseconds on end; then joins are answered "
                + "503 first, polls and other reads next, bookings last. Disk latency does not count as overload. 0 disables it."
        ),
        whole(
            "gateway.overloadInFlightMin",
            \.gateway.overloadInFlightMin,
            1...1_000_000,
            unit: "requests",
            .internals,
            live: true,
            "Requests that one gateway may always have in flight at all shards together, however long they wait."
        ),
        whole(
            "gateway.overloadReadHeadroomPercent",
            \.gateway.overloadReadHeadroomPercent,
            0...1_000,
            unit: "percent",
            .internals,
            live: true,
            "Reads are shed at this much more in flight at an overloaded shard than joins are, bookings at twice as much more."
        ),
    ]
}
