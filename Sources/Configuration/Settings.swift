import Booking

/// The table of all settings. Parsing, `usher config check`, the help of the flags and the reference in the README all
/// come from it; a setting that is not in it does not exist.
public enum Settings {
    public static let all: [Setting] =
        Self.cluster + Self.gateway + Self.clients + Self.operatorPort + Self.shard + Self.booking
        + Self.rest + Self.identity

    public static subscript(name: String) -> Setting? { Self.all.first { $0.name == name } }

    /// The explanation of a setting and its default, if it has one, for the help of a flag.
    public static func help(_ name: String) -> String {
        guard let setting = Self[name] else { preconditionFailure("there is no setting \(name)") }
        return setting.explanation + (setting.defaultText.isEmpty ? "" : " (default: \(setting.defaultText))")
    }

    private static let cluster = [
        whole("cluster.shards", 1...256, \.cluster.shards, "How many shard processes share the concerts and users."),
        whole(
            "cluster.gateways",
            1...64,
            \.cluster.gateways,
            "How many gateway processes answer HTTP on the one port; one per core is enough."
        ),
        text(
            "cluster.state",
            .folder,
            \.cluster.state,
            "The folder of sockets, keys and journals; created with mode 0700 and used by one cluster at a time."
        ),
        whole(
            "cluster.readyTimeoutSeconds",
            1...3_600,
            \.cluster.readyTimeoutSeconds,
            unit: "seconds",
            "How long a start waits until all processes are ready, before it gives up."
        ),
        whole(
            "cluster.drainTimeoutSeconds",
            0...3_600,
            \.cluster.drainTimeoutSeconds,
            unit: "seconds",
            "How long a stop waits for requests that are under way, before it kills."
        ),
        whole(
            "cluster.hangTimeoutSeconds",
            0...3_600,
            \.cluster.hangTimeoutSeconds,
            unit: "seconds",
            "How long a process that served may not answer the supervisor, before it is killed and started again; 0 never "
                + "does."
        ),
        text(
            "cluster.scheduling",
            .oneOf(["batch", "normal"]),
            \.cluster.scheduling,
            "How the kernel shares cores between the processes: batch lets each finish its turn, which costs less CPU a "
                + "request; normal lets one that wakes interrupt another."
        ),
    ]

    private static let gateway = [
        text("gateway.host", .address, \.gateway.host, "The address that clients reach; 0.0.0.0 is every interface."),
        whole("gateway.port", 0...65_535, \.gateway.port, "The port that clients reach; 0 takes any free one."),
        whole(
            "gateway.connectionsMax",
            1...1_000_000,
            \.gateway.connectionsMax,
            unit: "connections",
            "How many clients one gateway process serves at once; more are answered 503 and closed."
        ),
        whole(
            "gateway.headerBytesMax",
            1_024...1_048_576,
            \.gateway.headerBytesMax,
            unit: "bytes",
            "How long the head of a request may be; longer is answered 431."
        ),
        whole(
            "gateway.headerCountMax",
            8...250,
            \.gateway.headerCountMax,
            unit: "fields",
            "How many header fields a request may have; more is answered 431."
        ),
        whole(
            "gateway.targetBytesMax",
            256...65_536,
            \.gateway.targetBytesMax,
            unit: "bytes",
            "How long the target of a request may be; longer is answered 414."
        ),
        whole(
            "gateway.bodyBytesMax",
            1_024...16_777_216,
            \.gateway.bodyBytesMax,
            unit: "bytes",
            "How long the body of a request may be; longer is answered 413."
        ),
        whole(
            "gateway.headerTimeoutSeconds",
            1...3_600,
            \.gateway.headerTimeoutSeconds,
            unit: "seconds",
            "How long a client may take to send the head of a request; slower is answered 408."
        ),
        whole(
            "gateway.bodyTimeoutSeconds",
            1...3_600,
            \.gateway.bodyTimeoutSeconds,
            unit: "seconds",
            "How long a client may take to send the body of a request; slower is answered 408."
        ),
        whole(
            "gateway.idleTimeoutSeconds",
            1...86_400,
            \.gateway.idleTimeoutSeconds,
            unit: "seconds",
            "How long a connection may rest between two requests; a proxy in front should close earlier."
        ),
        whole(
            "gateway.writeTimeoutSeconds",
            1...3_600,
            \.gateway.writeTimeoutSeconds,
            unit: "seconds",
            "How long a client may leave an answer unread, before its connection is closed."
        ),
        whole(
            "gateway.pipelinedRequestsMax",
            1...1_024,
            \.gateway.pipelinedRequestsMax,
            unit: "requests",
            "How many requests of one connection are worked on at once; the next are read when these are answered."
        ),
        whole(
            "gateway.inFlightPerShardMax",
            1...1_000_000,
            \.gateway.inFlightPerShardMax,
            unit: "requests",
            "How many requests one gateway may have at one shard; more are answered 503 at once."
        ),
        whole(
            "gateway.heldPerShardMax",
            0...1_000_000,
            \.gateway.heldPerShardMax,
            unit: "requests",
            "How many requests one gateway holds for a shard that is away; more are answered 503 at once."
        ),
        whole(
            "gateway.replyTimeoutMilliseconds",
            10...600_000,
            \.gateway.replyTimeoutMilliseconds,
            unit: "milliseconds",
            "How long a gateway waits for a shard's answer, its death and restart included, before it answers 503."
        ),
        whole(
            "gateway.silentShardSeconds",
            1...3_600,
            \.gateway.silentShardSeconds,
            unit: "seconds",
            "How long a shard may not answer pings, before /readyz says that it does not."
        ),
        whole(
            "gateway.scheduleCacheMilliseconds",
            0...60_000,
            \.gateway.scheduleCacheMilliseconds,
            unit: "milliseconds",
            "How old the seat counts in a list of schedules may be; 0 asks the shard every time."
        ),
        whole(
            "gateway.frontPollsPerSecond",
            1...1_000_000,
            \.gateway.frontPollsPerSecond,
            unit: "people",
            "How many people at the front of a line may ask each second where they stand; who is n times as far back is told "
                + "to ask each n seconds."
        ),
        whole(
            "gateway.pollPauseMaxSeconds",
            1...3_600,
            \.gateway.pollPauseMaxSeconds,
            unit: "seconds",
            "The longest time after which someone far back in a long line is told to ask again; never more than a third of the "
                + "concert's waiting lifetime, or half of its time inside."
        ),
    ]

    private static let operatorPort = [
        text(
            "operator.host",
            .address,
            \.operator.host,
            "The address of the operator's port; one that others than this machine reach needs an operator's token."
        ),
        whole("operator.port", 0...65_535, \.operator.port, "The operator's port; 0 takes any free one."),
        whole(
            "operator.connectionsMax",
            1...65_536,
            \.operator.connectionsMax,
            unit: "connections",
            "How many connections the operator's port of one gateway process has at once; more are answered 503, and those that "
                + "rest for 5 seconds are closed."
        ),
        text(
            "operator.hostNames",
            .hostNames,
            \.operator.hostNames,
            "The names by which the operator's port may be asked for, beside addresses and localhost; every other Host is answered "
                + "421, but by the health checks."
        ),
        text(
            "operator.tokenFile",
            .file,
            \.operator.tokenFile,
            "The file of the operators' tokens; empty for operator.tokens in cluster.state. While it has any, every call but "
                + "the health checks needs one."
        ),
    ]

    private static let shard = [
        whole(
            "shard.tickMilliseconds",
            1...1_000,
            \.shard.tickMilliseconds,
            unit: "milliseconds",
            "How often a shard lets people in and lets what is over expire."
        ),
        whole(
            "shard.clockJumpMilliseconds",
            1...86_400_000,
            \.shard.clockJumpMilliseconds,
            unit: "milliseconds",
            "How far the wall clock may be set without a line in the log; places and holds run out by it either way."
        ),
        whole(
            "shard.keyLifetimeSeconds",
            1...Self.lifetimeSecondsRange.upperBound,
            \.shard.keyLifetimeSeconds,
            unit: "seconds",
            "How long the answer to a request with an Idempotency-Key is kept."
        ),
        whole(
            "shard.resendLifetimeSeconds",
            1...3_600,
            \.shard.resendLifetimeSeconds,
            unit: "seconds",
            "How long the answer to a change without a key is kept at least, in case its gateway sends it again; the "
                + "newest stay longer."
        ),
        whole(
            "shard.keptAnswersMax",
            100...100_000_000,
            \.shard.keptAnswersMax,
            unit: "answers",
            "How many answers a shard keeps, of 150 to 300 bytes each; when three quarters are those of keys, new keys are "
                + "answered 503."
        ),
        whole(
            "shard.keysPerUserMax",
            1...1_000_000,
            \.shard.keysPerUserMax,
            unit: "keys",
            "How many Idempotency-Keys of one user a shard keeps; a new one beyond that is answered 429."
        ),
    ]

    private static let booking = [
        text("booking.timeZone", .zone, \.booking.timeZone, "The zone of every time that is read or written."),
        whole(
            "booking.admissionsPerSecond",
            Int(
                ConcertRules.admissionsPerSecondRange.lowerBound
            )...Int(ConcertRules.admissionsPerSecondRange.upperBound),
            \.booking.admissionsPerSecond,
            unit: "people",
            "How many people a concert lets in per second, at most."
        ),
        whole(
            "booking.maxActive",
            0...Int(UInt32.max),
            \.booking.maxActive,
            unit: "people",
            "How many people may be inside a concert's sale at once; 0 sets no bound."
        ),
        whole(
            "booking.waitingLifetimeSeconds",
            Self.placeSecondsRange,
            \.booking.waitingLifetimeSeconds,
            unit: "seconds",
            "How long someone keeps a place in line after they were last seen; twice the shortest Retry-After at least."
        ),
        whole(
            "booking.admittedLifetimeSeconds",
            Self.placeSecondsRange,
            \.booking.admittedLifetimeSeconds,
            unit: "seconds",
            "How long someone may reserve seats, counted from admission; the stay goes on until the last hold ends. Twice the "
                + "shortest Retry-After at least."
        ),
        whole(
            "booking.holdTimeSeconds",
            Self.lifetimeSecondsRange,
            \.booking.holdTimeSeconds,
            unit: "seconds",
            "How long a seat is kept for someone who has not paid."
        ),
        whole(
            "booking.cancelTimeSeconds",
            Self.spanSecondsRange,
            \.booking.cancelTimeSeconds,
            unit: "seconds",
            "How long after paying someone may cancel; 0 allows no cancelling."
        ),
        whole(
            "booking.cancelNoticeSeconds",
            Self.spanSecondsRange,
            \.booking.cancelNoticeSeconds,
            unit: "seconds",
            "How long before a play its seats can be cancelled for the last time."
        ),
        whole(
            "booking.maxSeatsPerReservation",
            Int(
                ConcertRules.seatsPerReservationRange.lowerBound
            )...Int(ConcertRules.seatsPerReservationRange.upperBound),
            \.booking.maxSeatsPerReservation,
            unit: "seats",
            "How many seats one reservation may take."
        ),
        whole(
            "booking.heldSeatsPerUserMax",
            Int(ConcertRules.heldSeatsPerUserRange.lowerBound)...Int(ConcertRules.heldSeatsPerUserRange.upperBound),
            \.booking.heldSeatsPerUserMax,
            unit: "seats",
            "How many unpaid seats of a concert one user may hold at once, over all reservations and schedules."
        ),
        whole(
            "booking.seatsPerUserMax",
            0...Int(UInt32.max),
            \.booking.seatsPerUserMax,
            unit: "seats",
            "How many seats of a concert one user may have, held and paid together; 0 sets no bound."
        ),
    ]

    private static let rest = [
        text(
            "catalogue.file",
            .file,
            \.catalogue.file,
            "The JSON file of halls, concerts and schedules; empty for the built-in one."
        ),
        text(
            "journal.kind",
            .oneOf(["memory", "sqlite"]),
            \.journal.kind,
            "Where facts are kept: in files under cluster.state (sqlite), or nowhere: memory forgets them at a stop."
        ),
        text(
            "journal.policy",
            .oneOf(["commit", "interval", "none"]),
            \.journal.policy,
            "When an answer may leave: once its facts are on the disk (commit), or before. Only commit survives a loss of "
                + "power."
        ),
        whole(
            "journal.intervalMilliseconds",
            1...60_000,
            \.journal.intervalMilliseconds,
            unit: "milliseconds",
            "With journal.policy interval: how much of the last answers a loss of power may undo."
        ),
        whole(
            "journal.commitPaceMilliseconds",
            0...1_000,
            \.journal.commitPaceMilliseconds,
            unit: "milliseconds",
            "With journal.policy commit: the least time from one commit to the next, which all share that is asked "
                + "meanwhile; 0 commits at once, for several times the CPU."
        ),
        whole(
            "journal.compactBytes",
            65_536...(1 << 40),
            \.journal.compactBytes,
            unit: "bytes",
            "How long a shard's journal may get after its newest snapshot, before it is compacted."
        ),
        whole(
            "journal.compactAgeSeconds",
            0...31_536_000,
            \.journal.compactAgeSeconds,
            unit: "seconds",
            "How old that snapshot may get, if 64 KiB or more were written since; 0 for as old as it likes."
        ),
        text(
            "journal.archive",
            .oneOf(["on", "off"]),
            \.journal.archive,
            "Whether facts that a compaction drops are kept in a file of their own, for usher journal audit and export."
        ),
        text(
            "log.level",
            .oneOf(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
            \.log.level,
            "The least weighty log lines that are written."
        ),
        text("log.format", .oneOf(["text", "json"]), \.log.format, "How log lines are written to standard error."),
        text(
            "accessLog.file",
            .file,
            \.accessLog.file,
            "The file that gets a line of JSON for each answer of a gateway, and is opened anew when it was renamed; empty for "
                + "none."
        ),
        whole(
            "accessLog.pollSample",
            1...1_000_000,
            \.accessLog.pollSample,
            unit: "polls",
            "One in so many polls that went well has a line in the access log; all else always has."
        ),
    ]

    private static let identity = [
        text(
            "identity.mode",
            .oneOf(["off", "jwt"]),
            \.identity.mode,
            "Whether requests about a user must carry the token of a login (a JSON Web Token, as Authorization: Bearer), or are "
                + "believed (off)."
        ),
        text(
            "identity.keyFile",
            .file,
            \.identity.keyFile,
            "The file of the keys that sign logins: a JSON Web Key Set, or a public key in PEM; read again when it changes."
        ),
        text("identity.claim", .word, \.identity.claim, "The claim of such a token that names the user."),
        text(
            "identity.audience",
            .wordOrNone,
            \.identity.audience,
            "The audience that tokens must have; empty for any."
        ),
        text("identity.issuer", .wordOrNone, \.identity.issuer, "The issuer that tokens must have; empty for any."),
        whole(
            "identity.leewaySeconds",
            0...3_600,
            \.identity.leewaySeconds,
            unit: "seconds",
            "How far the clocks of whoever signs logins and of this machine may be apart."
        ),
        whole(
            "identity.cachedTokensMax",
            4...10_000_000,
            \.identity.cachedTokensMax,
            unit: "tokens",
            "How many tokens whose signature was right a gateway remembers until they end, so that it is checked once."
        ),
    ]

    /// A year bounds every lifetime: far beyond any sale, far below what would overflow.
    static let lifetimeSecondsRange = 1...31_536_000
    /// A place that is kept for as long as the shortest pause between two polls would be lost by whoever asks as they are told.
    static let placeSecondsRange = 2...31_536_000
    static let spanSecondsRange = 0...31_536_000

    static func whole(
        _ name: String,
        _ range: ClosedRange<Int>,
        _ path: any WritableKeyPath<ServerConfiguration, Int> & Sendable,
        unit: String? = nil,
        _ explanation: String
    ) -> Setting {
        Setting(name: name, unit: unit, explanation: explanation, kind: .whole(range, path))
    }

    static func text(
        _ name: String,
        _ rule: Setting.TextRule,
        _ path: any WritableKeyPath<ServerConfiguration, String> & Sendable,
        _ explanation: String
    ) -> Setting {
        Setting(name: name, unit: nil, explanation: explanation, kind: .text(rule, path))
    }
}
