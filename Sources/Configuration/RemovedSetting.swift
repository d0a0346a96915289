/// A setting that earlier versions had. Its name is refused wherever it is written, with what became of it and why; the value
/// is a constant of the type that obeys it, or follows from another setting.
public struct RemovedSetting: Sendable {
    public let name: String
    /// Its default, as text: what an earlier version wrote into the state folder for everybody.
    let was: String
    /// What became of it, after "it is".
    public let now: String
    /// Why, after "because".
    public let why: String
    /// The setting that has its values under another name.
    var renamedTo: String?

    static subscript(name: String) -> RemovedSetting? { Self.all.first { $0.name == name } }

    /// `removal` is how one gets rid of it there.
    func mistake(in place: String, removal: String) -> ConfigurationMistake {
        if let renamedTo {
            return ConfigurationMistake(
                place: place,
                problem: "\(self.name) was renamed, because \(self.why)",
                remedy: "write \(place.hasPrefix("USHER_") ? Settings.variable(renamedTo) : renamedTo)"
            )
        }
        return ConfigurationMistake(
            place: place,
            problem: "\(self.name) was removed: it is \(self.now) now, because \(self.why)",
            remedy: removal
        )
    }

    private static func renamed(_ name: String, to successor: String, because why: String) -> RemovedSetting {
        RemovedSetting(name: name, was: "", now: successor, why: why, renamedTo: successor)
    }

    private static func removed(_ name: String, was: String, now: String, because why: String) -> RemovedSetting {
        RemovedSetting(name: name, was: was, now: now, why: why)
    }

    /// In the order of the reference.
    public static let all: [RemovedSetting] = [
        .removed(
            "cluster.scheduling",
            was: "batch",
            now: "batch scheduling",
            because:
                "the kernel's normal scheduling costs a fifth to a half more CPU per request and gains next to nothing"
        ),
        .removed(
            "gateway.headerBytesMax",
            was: "16384",
            now: "16384 bytes",
            because: "browsers and proxies stay far below, and nginx and Node take about as much"
        ),
        .removed(
            "gateway.headerCountMax",
            was: "100",
            now: "100 fields",
            because: "browsers and proxies send a few dozen"
        ),
        .removed(
            "gateway.targetBytesMax",
            was: "8192",
            now: "8192 bytes",
            because: "the longest target of the contract has some hundred, and RFC 9112 recommends 8000"
        ),
        .removed(
            "gateway.headerTimeoutSeconds",
            was: "10",
            now: "gateway.requestTimeoutSeconds",
            because: "one time bounds the head of a request and then its body"
        ),
        .removed(
            "gateway.bodyTimeoutSeconds",
            was: "10",
            now: "gateway.requestTimeoutSeconds",
            because: "one time bounds the head of a request and then its body"
        ),
        .removed(
            "gateway.writeTimeoutSeconds",
            was: "30",
            now: "a tenth of gateway.answerTimeoutSeconds",
            because: "both bound how slowly a client may read"
        ),
        .removed(
            "gateway.unfinishedBytesMax",
            was: "67108864",
            now: "a quarter of gateway.unsentBytesMax",
            because: "both bound the memory that slow clients take, and requests are far shorter than answers"
        ),
        .removed(
            "gateway.pipelinedRequestsMax",
            was: "64",
            now: "64 requests",
            because: "browsers send one at a time and proxies a few"
        ),
        .removed(
            "gateway.heldPerShardMax",
            was: "10000",
            now: "half of gateway.inFlightPerShardMax",
            because: "both bound what a gateway keeps for one shard"
        ),
        .removed(
            "gateway.scheduleCacheMilliseconds",
            was: "1000",
            now: "1000 milliseconds",
            because:
                "seat counts that are a second old are right enough to choose a schedule by, and reservations never rely "
                + "on them"
        ),
        .removed(
            "gateway.pollPauseMaxSeconds",
            was: "300",
            now: "300 seconds",
            because: "gateway.frontPollsPerSecond sets how often a line polls, and lifetimes bound the pause as well"
        ),
        .removed(
            "gateway.ipv6PrefixBits",
            was: "64",
            now: "64 bits",
            because: "a host has all addresses behind the first 64 bits (RFC 4291)"
        ),
        .removed(
            "gateway.answerBytesPerRequest",
            was: "16384",
            now: "16384 bytes",
            because: "it is what a gateway writes in the time of a few small answers, whatever the machine"
        ),
        .removed(
            "gateway.rateBucketsMax",
            was: "65536",
            now: "65536 clients",
            because: "more address or user clients than that at a time are a crowd, which no limit by client stops"
        ),
        .removed(
            "gateway.overloadPatienceMilliseconds",
            was: "100",
            now: "100 milliseconds",
            because: "it is longer than a disk or a neighbour makes a shard pause, and no client notices it"
        ),
        .renamed(
            "gateway.overloadAskingRoomPercent",
            to: "gateway.overloadReadHeadroomPercent",
            because: "polls and other questions are reads"
        ),
        .removed(
            "gateway.overloadBookingRoomPercent",
            was: "100",
            now: "twice gateway.overloadReadHeadroomPercent",
            because: "the order in which requests are shed never changes"
        ),
        .removed(
            "operator.connectionsMax",
            was: "64",
            now: "64 connections",
            because: "a few monitors ask over one each, and idle ones are closed after 5 seconds"
        ),
        .removed(
            "operator.tokenFile",
            was: "",
            now: "operator.tokens in cluster.state",
            because: "tokens belong to one cluster, as its other keys do"
        ),
        .removed(
            "shard.tickMilliseconds",
            was: "10",
            now: "10 milliseconds",
            because: "nobody notices so little, and a tick costs some microseconds"
        ),
        .removed(
            "shard.clockJumpMilliseconds",
            was: "2000",
            now: "2000 milliseconds",
            because: "it only decides which jumps of the wall clock are logged"
        ),
        .removed(
            "shard.keyLifetimeSeconds",
            was: "86400",
            now: "86400 seconds",
            because: "the contract promises 24 hours to clients"
        ),
        .removed(
            "shard.resendLifetimeSeconds",
            was: "120",
            now: "120 seconds, or twice gateway.replyTimeoutMilliseconds where that is longer",
            because: "it follows from how long gateways send a request again"
        ),
        .removed(
            "shard.keysPerUserMax",
            was: "1000",
            now: "1000 keys",
            because: "no buyer sends so many in a day, and one who does must not use up the room of others"
        ),
        .removed(
            "journal.intervalMilliseconds",
            was: "100",
            now: "100 milliseconds",
            because: "ten commits a second cost a disk nothing, and a longer interval only loses more"
        ),
        .renamed(
            "journal.commitPaceMilliseconds",
            to: "journal.commitIntervalMinMilliseconds",
            because: "it is the minimum time between two commits"
        ),
        .removed(
            "journal.compactAgeSeconds",
            was: "3600",
            now: "3600 seconds",
            because:
                "journal.compactBytes bounds the length of journals, and short ones cost nothing to compact every hour"
        ),
        .removed(
            "identity.leewaySeconds",
            was: "30",
            now: "30 seconds",
            because: "clocks that are further apart must be set right"
        ),
    ]
}
