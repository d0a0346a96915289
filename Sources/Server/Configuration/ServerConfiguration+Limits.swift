import Booking
import Logging
import Reactor
import Wire

/// The settings in the shapes that the gateway's parts want them. The settings table has checked every range.
extension ServerConfiguration {
    var gatewayLimits: Booking.Gateway.Limits {
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

    var pollPause: PollPause {
        PollPause(
            frontPerSecond: UInt64(self.gateway.frontPollsPerSecond),
            secondsMax: UInt64(self.gateway.pollPauseMaxSeconds)
        )
    }

    /// What a gateway may still send again is kept for twice as long as it waits, whatever the setting says.
    var answerLimits: AnswerLimits {
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
    var recordLimits: RecordLimits {
        var limits = RecordLimits()
        limits.unpaidLifetime = max(limits.unpaidLifetime, self.answerLimits.keyLifetime)
        return limits
    }

    /// Nil while identity is off. Refuses keys that can't be read.
    func identityCheck(on loop: EventLoop, log: Logger) throws(StartError) -> IdentityCheck? {
        guard self.identity.mode == "jwt" else { return nil }
        var rules = IdentityToken.Rules()
        rules.claim = self.identity.claim
        rules.audience = self.identity.audience.isEmpty ? nil : self.identity.audience
        rules.issuer = self.identity.issuer.isEmpty ? nil : self.identity.issuer
        rules.leewaySeconds = Int64(self.identity.leewaySeconds)
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
    var commitPace: Nanoseconds {
        guard self.journal.kind == "sqlite", self.journal.policy == "commit" else { return .zero }
        return .milliseconds(Int64(self.journal.commitPaceMilliseconds))
    }

    var httpLimits: HTTPServer.Limits {
        var http = HTTPLimits()
        http.headerBytesMax = self.gateway.headerBytesMax
        http.headerCountMax = self.gateway.headerCountMax
        http.targetBytesMax = self.gateway.targetBytesMax
        http.bodyBytesMax = self.gateway.bodyBytesMax
        return HTTPServer.Limits(
            connectionsMax: self.gateway.connectionsMax,
            pipelinedMax: UInt32(self.gateway.pipelinedRequestsMax),
            headTimeout: .seconds(Int64(self.gateway.headerTimeoutSeconds)),
            bodyTimeout: .seconds(Int64(self.gateway.bodyTimeoutSeconds)),
            idleTimeout: .seconds(Int64(self.gateway.idleTimeoutSeconds)),
            writeTimeout: .seconds(Int64(self.gateway.writeTimeoutSeconds)),
            answerTimeout: .seconds(Int64(self.gateway.answerTimeoutSeconds)),
            unsentBytesMax: self.gateway.unsentBytesMax,
            unfinishedBytesMax: self.gateway.unfinishedBytesMax,
            requestsPerConnectionMax: UInt32(self.gateway.requestsPerConnectionMax),
            clients: self.clientLimits,
            origins: self.origins,
            http: http
        )
    }

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
            prefixBits: self.gateway.ipv6PrefixBits,
            connectionsMax: self.gateway.connectionsPerAddressMax,
            requestsPerSecond: self.gateway.requestsPerAddressPerSecond,
            requestsBurst: self.gateway.requestsPerAddressBurst,
            requestsPerUserPerSecond: self.gateway.requestsPerUserPerSecond,
            requestsPerUserBurst: self.gateway.requestsPerUserBurst,
            bytesPerRequest: self.gateway.answerBytesPerRequest,
            bucketsMax: self.gateway.rateBucketsMax
        )
    }
}
