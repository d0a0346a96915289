import Booking
import Logging
import Reactor
import Wire

/// The settings in the shapes that the gateway's parts want them. The settings table has checked every range.
extension ServerConfiguration {
    var gatewayLimits: Booking.Gateway.Limits {
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

    var pollPause: PollPause { PollPause(frontPerSecond: UInt64(self.gateway.frontPollsPerSecond)) }

    /// What a gateway may still send again is kept for twice as long as it waits.
    var answerLimits: AnswerLimits {
        var limits = AnswerLimits()
        limits.resendLifetime = max(
            limits.resendLifetime,
            .milliseconds(2 * Int64(self.gateway.replyTimeoutMilliseconds))
        )
        limits.countMax = self.shard.keptAnswersMax
        return limits
    }

    /// Nil while identity is off. Refuses keys that can't be read.
    func identityCheck(on loop: EventLoop, log: Logger) throws(StartError) -> IdentityCheck? {
        guard self.identity.mode == "jwt" else { return nil }
        var rules = IdentityToken.Rules()
        rules.claim = self.identity.claim
        rules.audience = self.identity.audience.isEmpty ? nil : self.identity.audience
        rules.issuer = self.identity.issuer.isEmpty ? nil : self.identity.issuer
        let keys = try IdentityKeys.load(self.identity.keyFile)
        return IdentityCheck(keys, rules, cacheMax: self.identity.cachedTokensMax, on: loop, log: log)
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
    func checkIdentityKeys() throws(StartError) {
        guard self.identity.mode == "jwt", !self.identity.keyFile.isEmpty else { return }
        _ = try IdentityKeys.load(self.identity.keyFile)
    }

    func accessLog(ofGateway index: Int, on loop: EventLoop, log: Logger) -> Server.AccessLog? {
        guard !self.accessLog.file.isEmpty else { return nil }
        let (path, sample) = (self.accessLog.file, self.accessLog.pollSample)
        return Server.AccessLog(path: path, gateway: index, pollSample: sample, on: loop, log: log)
    }

    /// Whether only this machine reaches the operator's port.
    var operatorPortIsLocal: Bool { SocketAddress(self.operator.host, port: 0)?.isLoopback ?? false }

    var operatorHostNames: HostNameList {
        guard let names = try? HostNameList(self.operator.hostNames) else {
            preconditionFailure("operator.hostNames was checked")
        }
        return names
    }

    /// Only a commit that waits for the disk is worth sharing.
    var commitIntervalMin: Nanoseconds {
        guard self.journal.kind == "sqlite", self.journal.policy == "commit" else { return .zero }
        return .milliseconds(Int64(self.journal.commitIntervalMinMilliseconds))
    }

    var httpLimits: HTTPServer.Limits {
        var http = HTTPLimits()
        http.bodyBytesMax = self.gateway.bodyBytesMax
        return HTTPServer.Limits(
            connectionsMax: self.gateway.connectionsMax,
            headTimeout: .seconds(Int64(self.gateway.requestTimeoutSeconds)),
            bodyTimeout: .seconds(Int64(self.gateway.requestTimeoutSeconds)),
            idleTimeout: .seconds(Int64(self.gateway.idleTimeoutSeconds)),
            writeTimeout: .seconds(Int64(max(2, self.gateway.answerTimeoutSeconds / 10))),
            answerTimeout: .seconds(Int64(self.gateway.answerTimeoutSeconds)),
            unsentBytesMax: self.gateway.unsentBytesMax,
            unfinishedBytesMax: self.unfinishedBytesMax,
            requestsPerConnectionMax: UInt32(self.gateway.requestsPerConnectionMax),
            clients: self.clientLimits,
            origins: self.origins,
            http: http
        )
    }

    /// For requests that have not arrived whole: 4 KiB for each of 16,000 connections at the defaults, several times what a
    /// request of the contract takes.
    var unfinishedBytesMax: Int { self.gateway.unsentBytesMax / 4 }

    private var origins: OriginList {
        guard let origins = try? OriginList(self.gateway.corsOrigins) else {
            preconditionFailure("gateway.corsOrigins was checked")
        }
        return origins
    }

    private var clientLimits: ClientGate.Limits {
        guard let source = ClientGate.Source(rawValue: self.gateway.clientAddress),
            let trusted = try? NetworkList(self.gateway.trustedAddresses)
        else { preconditionFailure("gateway.clientAddress and gateway.trustedAddresses were checked") }
        return ClientGate.Limits(
            source: source,
            trusted: trusted,
            connectionsMax: self.gateway.connectionsPerAddressMax,
            requestsPerSecond: self.gateway.requestsPerAddressPerSecond,
            requestsBurst: self.gateway.requestsPerAddressBurst,
            requestsPerUserPerSecond: self.gateway.requestsPerUserPerSecond,
            requestsPerUserBurst: self.gateway.requestsPerUserBurst
        )
    }
}
