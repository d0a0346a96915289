public import Booking
import Reactor
public import Wire

/// The settings in the shapes that the gateway's parts want them. The settings table has checked every range.
extension ServerConfiguration {
    public var gatewayLimits: Booking.Gateway.Limits {
        var limits = Booking.Gateway.Limits()
        limits.inFlightPerShardMax = self.gateway.inFlightPerShardMax
        // A shard that is away holds its requests for longer than one that is slow.
        limits.heldPerShardMax = self.gateway.inFlightPerShardMax / 2
        limits.replyTimeout = .milliseconds(Int64(self.gateway.replyTimeoutMilliseconds))
        limits.window.target = .milliseconds(Int64(self.gateway.overloadDelayMilliseconds))
        limits.window.countMin = max(1, self.gateway.overloadInFlightMin / self.cluster.shards)
        limits.window.askingRoomPercent = self.gateway.overloadReadHeadroomPercent
        limits.window.bookingRoomPercent = 2 * self.gateway.overloadReadHeadroomPercent
        return limits
    }

    public var pollPause: PollPause { PollPause(frontPerSecond: UInt64(self.gateway.frontPollsPerSecond)) }

    /// What a gateway may still send again is kept for twice as long as it waits.
    public var answerLimits: AnswerLimits {
        var limits = AnswerLimits()
        limits.resendLifetime = max(
            limits.resendLifetime,
            .milliseconds(2 * Int64(self.gateway.replyTimeoutMilliseconds))
        )
        limits.countMax = self.shard.keptAnswersMax
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
        http.bodyBytesMax = self.gateway.bodyBytesMax
        return http
    }

    /// For requests that have not arrived whole: 4 KiB for each of 16,000 connections at the defaults, several times what a
    /// request of the contract takes.
    public var unfinishedBytesMax: Int { self.gateway.unsentBytesMax / 4 }
}
