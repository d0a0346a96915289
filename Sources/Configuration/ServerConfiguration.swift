public import Booking
import FoundationEssentials

/// Every setting of Usher, resolved: what all processes of one cluster run with.
///
/// Its JSON form is a settings file: the same groups, the same names. The supervisor writes it to the state folder and
/// starts its children with nothing else. What each value means, its range and its unit stand in `Settings.all`; the
/// defaults stand here.
public struct ServerConfiguration: Codable, Equatable, Sendable {
    public struct Cluster: Codable, Equatable, Sendable {
        public var shards = 4
        public var gateways = 1
        public var state = ".usher"
        public var readyTimeoutSeconds = 30
        public var drainTimeoutSeconds = 10
        public var hangTimeoutSeconds = 15
        public var scheduling = "batch"
    }

    public struct Gateway: Codable, Equatable, Sendable {
        /// All interfaces: a waiting room serves the world. The operator's port does not.
        public var host = "0.0.0.0"
        public var port = 8_080
        /// Below the 20,000 open files that many systems allow a process, with room for its own.
        public var connectionsMax = 16_000
        public var headerBytesMax = 16_384
        public var headerCountMax = 100
        public var targetBytesMax = 8_192
        public var bodyBytesMax = 65_536
        public var headerTimeoutSeconds = 10
        public var bodyTimeoutSeconds = 10
        public var idleTimeoutSeconds = 75
        public var writeTimeoutSeconds = 30
        /// A hall of 100,000 seats is 9 MB, which a phone at 0.25 Mbit/s has in this time.
        public var answerTimeoutSeconds = 300
        /// A thousand phones that read slowly, with 256 KiB of answers each.
        public var unsentBytesMax = 256 << 20
        /// 4 KiB for each of 16,000 connections: several times what a request of the contract takes.
        public var unfinishedBytesMax = 64 << 20
        public var requestsPerConnectionMax = 100_000
        public var clientAddress = "peer"
        public var trustedAddresses = "127.0.0.0/8, ::1"
        public var corsOrigins = ""
        public var ipv6PrefixBits = 64
        /// Thousands of phones share one address of their carrier: a limit for machines, not for crowds.
        public var connectionsPerAddressMax = 1_000
        public var requestsPerAddressPerSecond = 500
        public var requestsPerAddressBurst = 2_000
        /// A page asks a few times a second while its user does something.
        public var requestsPerUserPerSecond = 20
        public var requestsPerUserBurst = 100
        /// Writing so many takes a gateway as long as a few small answers.
        public var answerBytesPerRequest = 16_384
        public var rateBucketsMax = 65_536
        public var overloadDelayMilliseconds = 20
        /// Longer than what a disk, a neighbour or a garbage-collecting client makes one wait now and then.
        public var overloadPatienceMilliseconds = 100
        /// What one core does in some 20 ms; a crowd of 4,000 that asks all at once is let through.
        public var overloadInFlightMin = 24_000
        public var overloadAskingRoomPercent = 50
        public var overloadBookingRoomPercent = 100
        public var pipelinedRequestsMax = 64
        public var inFlightPerShardMax = 20_000
        public var heldPerShardMax = 10_000
        public var replyTimeoutMilliseconds = 5_000
        public var silentShardSeconds = 3
        public var scheduleCacheMilliseconds = 1_000
        /// A line of a million then asks 56,000 times a second, about a third of what a core carries.
        public var frontPollsPerSecond = 10_000
        /// A sixth of the waiting lifetime.
        public var pollPauseMaxSeconds = 300
    }

    public struct Operator: Codable, Equatable, Sendable {
        public var host = "127.0.0.1"
        public var port = 8_081
        /// Empty for `operator.tokens` in the state folder.
        public var tokenFile = ""
        public var connectionsMax = 64
        public var hostNames = ""
    }

    public struct Shard: Codable, Equatable, Sendable {
        public var tickMilliseconds = 10
        /// Well above what keeping clocks in step moves them by, well below any lifetime.
        public var clockJumpMilliseconds = 2_000
        public var keyLifetimeSeconds = 86_400
        public var resendLifetimeSeconds = 120
        public var keptAnswersMax = 1_000_000
        public var keysPerUserMax = 1_000
    }

    /// The rules of every concert that the catalogue does not give its own.
    public struct BookingRules: Codable, Equatable, Sendable {
        public var timeZone = "Asia/Seoul"
        public var admissionsPerSecond = 50
        public var maxActive = 0
        public var waitingLifetimeSeconds = 1_800
        public var admittedLifetimeSeconds = 300
        public var holdTimeSeconds = 300
        public var cancelTimeSeconds = 604_800
        public var cancelNoticeSeconds = 86_400
        public var maxSeatsPerReservation = 4
        /// Two reservations of four: whoever needs more pays for the first ones.
        public var heldSeatsPerUserMax = 8
        public var seatsPerUserMax = 0
    }

    public struct CatalogueSource: Codable, Equatable, Sendable {
        /// Empty for the catalogue that is built in.
        public var file = ""

        /// Whether it is the copy of a state folder, which then is that of `cluster.state`: the folder may have been moved.
        var isCopy: Bool { self.file.split(separator: "/").last == StateDirectory.catalogueName[...] }
    }

    public struct Journal: Codable, Equatable, Sendable {
        public var kind = "sqlite"
        public var policy = "commit"
        public var intervalMilliseconds = 100
        public var commitPaceMilliseconds = 1
        /// Some 600,000 facts, which take half a second to take in at a start.
        public var compactBytes = 64 << 20
        public var compactAgeSeconds = 3_600
        public var archive = "on"
    }

    public struct Log: Codable, Equatable, Sendable {
        public var level = "info"
        public var format = "text"
    }

    /// Who asks. Off, Usher believes the `userId` it is given: then whatever stands in front has checked it.
    public struct Identity: Codable, Equatable, Sendable {
        public var mode = "off"
        public var keyFile = ""
        public var claim = "sub"
        /// Empty for any; the same for the issuer.
        public var audience = ""
        public var issuer = ""
        public var leewaySeconds = 30
        /// 100,000 people who ask again and again take 7 MB of a gateway.
        public var cachedTokensMax = 100_000
    }

    public struct AccessLog: Codable, Equatable, Sendable {
        /// Empty for none: lines about people are kept where somebody wants them, and only there.
        public var file = ""
        public var pollSample = 1
    }

    public var cluster = Cluster()
    public var gateway = Gateway()
    public var `operator` = Operator()
    public var shard = Shard()
    public var booking = BookingRules()
    public var catalogue = CatalogueSource()
    public var journal = Journal()
    public var log = Log()
    public var accessLog = AccessLog()
    public var identity = Identity()

    public init() {}

    /// The content of a settings file that gives exactly these settings.
    public func fileContent() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do { return try Array(encoder.encode(self)) } catch {
            preconditionFailure("settings that are no JSON: \(error)")
        }
    }

    public var stateDirectory: StateDirectory { StateDirectory(path: self.cluster.state) }

    /// `booking.*` as the catalogue wants it. The settings table has checked every range.
    public var rules: ConcertRules {
        get {
            var rules = ConcertRules()
            rules.admissionsPerSecond = UInt32(self.booking.admissionsPerSecond)
            rules.maxActive = UInt32(self.booking.maxActive)
            rules.waitingLifetime = .seconds(Int64(self.booking.waitingLifetimeSeconds))
            rules.admittedLifetime = .seconds(Int64(self.booking.admittedLifetimeSeconds))
            rules.holdTime = .seconds(Int64(self.booking.holdTimeSeconds))
            rules.cancelTime = .seconds(Int64(self.booking.cancelTimeSeconds))
            rules.cancelNotice = .seconds(Int64(self.booking.cancelNoticeSeconds))
            rules.maxSeatsPerReservation = UInt32(self.booking.maxSeatsPerReservation)
            rules.heldSeatsPerUserMax = UInt32(self.booking.heldSeatsPerUserMax)
            rules.seatsPerUserMax = UInt32(self.booking.seatsPerUserMax)
            return rules
        }
        set {
            self.booking.admissionsPerSecond = Int(newValue.admissionsPerSecond)
            self.booking.maxActive = Int(newValue.maxActive)
            self.booking.waitingLifetimeSeconds = newValue.waitingLifetime.seconds
            self.booking.admittedLifetimeSeconds = newValue.admittedLifetime.seconds
            self.booking.holdTimeSeconds = newValue.holdTime.seconds
            self.booking.cancelTimeSeconds = newValue.cancelTime.seconds
            self.booking.cancelNoticeSeconds = newValue.cancelNotice.seconds
            self.booking.maxSeatsPerReservation = Int(newValue.maxSeatsPerReservation)
            self.booking.heldSeatsPerUserMax = Int(newValue.heldSeatsPerUserMax)
            self.booking.seatsPerUserMax = Int(newValue.seatsPerUserMax)
        }
    }

    /// The zone of every written time. The settings table has checked that it exists.
    public var zone: Zone {
        guard let zone = Zone(named: self.booking.timeZone) else {
            preconditionFailure("time zone \(self.booking.timeZone) was checked and is gone")
        }
        return zone
    }
}

extension Nanoseconds {
    /// As settings count lifetimes.
    fileprivate var seconds: Int { Int(self.rawValue / 1_000_000_000) }
}
