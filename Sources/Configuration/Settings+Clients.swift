/// Settings about who a client is, and how much one client may ask. Limits count in each gateway process by itself.
extension Settings {
    static let clients = [
        whole(
            "gateway.answerTimeoutSeconds",
            1...86_400,
            \.gateway.answerTimeoutSeconds,
            unit: "seconds",
            "How long it may take until a client has read all of an answer, before its connection is closed."
        ),
        whole(
            "gateway.unsentBytesMax",
            1_048_576...1_099_511_627_776,
            \.gateway.unsentBytesMax,
            unit: "bytes",
            "How much memory a gateway process spends on answers that clients have not taken; beyond it, large answers (halls, "
                + "lists, the catalogue) are refused with 503, and those who have not read for longest are cut off."
        ),
        whole(
            "gateway.unfinishedBytesMax",
            1_048_576...1_099_511_627_776,
            \.gateway.unfinishedBytesMax,
            unit: "bytes",
            "How much memory a gateway process spends on requests that have not arrived whole; beyond it, those that hold most are "
                + "answered 503 and closed. Give it 4 KiB for each of gateway.connectionsMax."
        ),
        whole(
            "gateway.requestsPerConnectionMax",
            1...1_000_000_000,
            \.gateway.requestsPerConnectionMax,
            unit: "requests",
            "How many requests a connection may bring; the last answer says Connection: close."
        ),
        text(
            "gateway.clientAddress",
            .oneOf(ClientAddressSource.allCases.map(\.rawValue)),
            \.gateway.clientAddress,
            "Where a client's address comes from: the connection, or for connections from trusted addresses the PROXY header "
                + "that each must begin with, Forwarded, or X-Forwarded-For; the other two are ignored."
        ),
        text(
            "gateway.trustedAddresses",
            .networks,
            \.gateway.trustedAddresses,
            "The proxies whose word about a client's address is taken; limits by address and by user leave them alone."
        ),
        text(
            "gateway.corsOrigins",
            .origins,
            \.gateway.corsOrigins,
            "The origins whose web pages may call the gateways from a browser (CORS); pages of the gateways' own origin need no "
                + "entry."
        ),
        whole(
            "gateway.ipv6PrefixBits",
            16...128,
            \.gateway.ipv6PrefixBits,
            unit: "bits",
            "How much of an IPv6 address tells clients apart; one client often has all addresses behind the first 64."
        ),
        whole(
            "gateway.connectionsPerAddressMax",
            0...1_000_000,
            \.gateway.connectionsPerAddressMax,
            unit: "connections",
            "How many connections one client's address may have at a gateway process; more are answered 429 and closed; 0 "
                + "sets no bound. Behind a proxy it counts only with gateway.clientAddress proxy: with the headers, connections "
                + "are the proxy's, which then has to set such a limit itself."
        ),
        whole(
            "gateway.requestsPerAddressPerSecond",
            0...1_000_000,
            \.gateway.requestsPerAddressPerSecond,
            unit: "requests",
            "How many requests a second a gateway process takes from one client's address; more are answered 429; 0 sets no "
                + "bound."
        ),
        whole(
            "gateway.requestsPerAddressBurst",
            1...1_000_000,
            \.gateway.requestsPerAddressBurst,
            unit: "requests",
            "How many of them may come at once after a quiet time."
        ),
        whole(
            "gateway.answerBytesPerRequest",
            1_024...1_073_741_824,
            \.gateway.answerBytesPerRequest,
            unit: "bytes",
            "An answer counts as one request more of its client's address for each so many bytes: the map of a large hall is "
                + "hundreds."
        ),
        whole(
            "gateway.requestsPerUserPerSecond",
            0...1_000_000,
            \.gateway.requestsPerUserPerSecond,
            unit: "requests",
            "How many requests a second a gateway process takes of one user; more are answered 429; 0 sets no bound."
        ),
        whole(
            "gateway.requestsPerUserBurst",
            1...1_000_000,
            \.gateway.requestsPerUserBurst,
            unit: "requests",
            "How many of them may come at once after a quiet time."
        ),
        whole(
            "gateway.rateBucketsMax",
            1_024...16_777_216,
            \.gateway.rateBucketsMax,
            unit: "clients",
            "How many addresses, and users, are counted at once, 16 bytes each; beyond it those who ask least start anew."
        ),
        whole(
            "gateway.overloadDelayMilliseconds",
            0...60_000,
            \.gateway.overloadDelayMilliseconds,
            unit: "milliseconds",
            "How long requests may wait for their turn at a shard and back, before what is worth least is answered 503 at once: "
                + "joins, then questions, then bookings; 0 sheds nothing."
        ),
        whole(
            "gateway.overloadPatienceMilliseconds",
            0...60_000,
            \.gateway.overloadPatienceMilliseconds,
            unit: "milliseconds",
            "How long that must have gone on: a pause is no overload."
        ),
        whole(
            "gateway.overloadInFlightMin",
            1...1_000_000,
            \.gateway.overloadInFlightMin,
            unit: "requests",
            "How many requests one gateway may have at all shards together in any case, however long they wait."
        ),
        whole(
            "gateway.overloadAskingRoomPercent",
            0...1_000,
            \.gateway.overloadAskingRoomPercent,
            unit: "percent",
            "How many more than joins may be under way at a shard that has too much to do, before polls and other questions "
                + "are shed."
        ),
        whole(
            "gateway.overloadBookingRoomPercent",
            0...1_000,
            \.gateway.overloadBookingRoomPercent,
            unit: "percent",
            "How many more than joins may be under way there, before reservations and payments are shed."
        ),
    ]
}
