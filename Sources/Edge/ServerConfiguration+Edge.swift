import Booking
public import Configuration
public import Logging
public import Reactor
import Wire

/// The settings as the edge's types. The settings table has checked every range.
extension ServerConfiguration {
    /// Nil while identity is off. Refuses keys that can't be read.
    public func identityCheck(on loop: EventLoop, log: Logger) throws(StartError) -> IdentityCheck? {
        guard self.identity.mode == "jwt" else { return nil }
        var rules = IdentityToken.Rules()
        rules.claim = self.identity.claim
        rules.audience = self.identity.audience.isEmpty ? nil : self.identity.audience
        rules.issuer = self.identity.issuer.isEmpty ? nil : self.identity.issuer
        let keys = try IdentityKeys.load(self.identity.keyFile)
        return IdentityCheck(keys, rules, cacheMax: self.identity.cachedTokensMax, on: loop, log: log)
    }

    /// Nil while the access log is off.
    public func accessLog(ofGateway index: Int, on loop: EventLoop, log: Logger) -> Edge.AccessLog? {
        guard !self.accessLog.file.isEmpty else { return nil }
        let (path, sample) = (self.accessLog.file, self.accessLog.pollSample)
        return Edge.AccessLog(path: path, gateway: index, pollSample: sample, on: loop, log: log)
    }

    /// A gateway's limits for its clients.
    public var httpLimits: HTTPServer.Limits {
        HTTPServer.Limits(
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
            http: self.requestLimits
        )
    }

    private var origins: OriginList {
        guard let origins = try? OriginList(self.gateway.corsOrigins) else {
            preconditionFailure("gateway.corsOrigins was checked")
        }
        return origins
    }

    private var clientLimits: ClientGate.Limits {
        guard let source = ClientAddressSource(rawValue: self.gateway.clientAddress),
            let trusted = try? NetworkList(self.gateway.trustedAddresses)
        else { preconditionFailure("gateway.clientAddress and gateway.trustedAddresses were checked") }
        var limits = ClientGate.Limits()
        limits.source = source
        limits.trusted = trusted
        limits.connectionsMax = self.gateway.connectionsPerAddressMax
        limits.requestsPerSecond = self.gateway.requestsPerAddressPerSecond
        limits.requestsBurst = self.gateway.requestsPerAddressBurst
        limits.requestsPerUserPerSecond = self.gateway.requestsPerUserPerSecond
        limits.requestsPerUserBurst = self.gateway.requestsPerUserBurst
        return limits
    }
}
