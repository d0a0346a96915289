public import Booking
import Reactor
public import Wire

/// The settings in the shapes that the gateway's parts want them. The settings table has checked every range.
extension ServerConfiguration {
    public var gatewayLimits: Booking.Gateway.Limits {
        var limits = Booking.Gateway.Limits()
        limits.inFlightPerShardMax = self.gateway.inFlightPerShardMax
        limits.heldPerShardMax = self.gateway.heldPerShardMax
        limits.replyTimeout = .milliseconds(Int64(self.gateway.replyTimeoutMilliseconds))
        limits.scheduleLifetime = .milliseconds(Int64(self.gateway.scheduleCacheMilliseconds))
        limits.window.target = .milliseconds(Int64(self.gateway.overloadDelayMilliseconds))
        limits.window.patience = .milliseconds(Int64(self.gateway.overloadPatienceMilliseconds))
        limits.window.countMin = max(1, self.gateway.overloadInFlightMin / self.cluster.shards)
        limits.window.askingRoomPercent = self.gateway.overloadAskingRoomPercent
        limits.window.bookingRoomPercent = self.gateway.overloadBookingRoomPercent
        return limits
    }

    public var pollPause: PollPause {
        PollPause(
            frontPerSecond: UInt64(self.gateway.frontPollsPerSecond),
            secondsMax: UInt64(self.gateway.pollPauseMaxSeconds)
        )
    }

    /// What a gateway may still send again is kept for twice as long as it waits, whatever the setting says.
    public var answerLimits: AnswerLimits {
        var limits = AnswerLimits()
        limits.keyLifetime = .seconds(Int64(self.shard.keyLifetimeSeconds))
        limits.resendLifetime = max(
            .seconds(Int64(self.shard.resendLifetimeSeconds)),
            .milliseconds(2 * Int64(self.gateway.replyTimeoutMilliseconds))
        )
        limits.countMax = self.shard.keptAnswersMax
        limits.keysPerUserMax = self.shard.keysPerUserMax
        return limits
    }

    /// Seats that are over are remembered for as long as the answers to keys that name them.
    public var recordLimits: RecordLimits {
        var limits = RecordLimits()
        limits.unpaidLifetime = max(limits.unpaidLifetime, self.answerLimits.keyLifetime)
        return limits
    }

    /// What a start would find wrong with keys and tokens.
    public var mistakesInFiles: [ConfigurationMistake] {
        var mistakes: [ConfigurationMistake] = []
        func check(_ body: () throws(StartError) -> Void) {
            do throws(StartError) { try body() } catch {
                mistakes.append(ConfigurationMistake(place: "start", problem: error.problem, remedy: error.remedy))
            }
        }
        check { () throws(StartError) in try self.checkIdentityKeys() }
        check { () throws(StartError) in _ = try self.operatorTokens() }
        return mistakes
    }

    /// Refuses a file of keys that can't be used, where logins are checked.
    public func checkIdentityKeys() throws(StartError) {
        guard self.identity.mode == "jwt", !self.identity.keyFile.isEmpty else { return }
        _ = try IdentityKeys.load(self.identity.keyFile)
    }

    /// Whether only this machine reaches the operator's port.
    public var operatorPortIsLocal: Bool { SocketAddress(self.operator.host, port: 0)?.isLoopback ?? false }

    public var operatorHostNames: HostNameList {
        guard let names = try? HostNameList(self.operator.hostNames) else {
            preconditionFailure("operator.hostNames was checked")
        }
        return names
    }

    /// How large a request may be.
    public var requestLimits: HTTPLimits {
        var http = HTTPLimits()
        http.headerBytesMax = self.gateway.headerBytesMax
        http.headerCountMax = self.gateway.headerCountMax
        http.targetBytesMax = self.gateway.targetBytesMax
        http.bodyBytesMax = self.gateway.bodyBytesMax
        return http
    }
}
