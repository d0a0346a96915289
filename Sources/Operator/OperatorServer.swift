public import Booking
public import Configuration
public import Edge
public import Reactor
import Statistics
public import Wire

/// The operator's port: health and statistics of the whole cluster, from any gateway.
///
///     GET /healthz               200 while this gateway's loop turns
///     GET /readyz                200 while it serves; 503 with the shards at fault once one was away for longer than
///                                requests are held for it, or has not answered for some seconds; 503 with the reason
///                                while the wall clock is not trusted and changes are refused
///     GET /stats                 all processes
///     GET /stats/shards/{i}      one shard
///     GET /stats/gateways/{i}    one gateway
///
/// While there are operators' tokens, every call but the two health checks needs one as `Authorization: Bearer` (RFC
/// 6750): any token for reading, one of the role `operate` for changes. The health checks stay open for load balancers
/// and supervisors, and tell only which shards are away. Without tokens the port is open and bound to this machine
/// only; if the last token is removed while the port is bound wider, every call is refused.
///
/// Every call but the health checks needs a `Host` that is an IP address, `localhost`, or a name in
/// `operator.hostNames`, with or without tokens: against DNS rebinding by web pages. Changes are refused to pages of
/// another origin. The health checks answer any `Host`: load balancers send names of their own, and the answer is no
/// secret.
///
/// Statistics are collected on request from every process over its Unix socket, including this one's.
public final class OperatorServer: HTTPHandler {
    private enum Page {
        case health, readiness, cluster, shard(Int), gateway(Int)

        /// Shown to any client that reaches the port.
        var isOpen: Bool {
            switch self {
            case .health, .readiness: true
            case .cluster, .shard, .gateway: false
            }
        }
    }

    /// Browsers, scrapers and load balancers' checks send the next request within seconds or reconnect; idle
    /// connections have to make room for them.
    static let idleTimeout = Nanoseconds.seconds(5)

    private let loop: EventLoop
    private let directory: StateDirectory
    private let shards: Int
    private let gateways: Int
    private unowned let gateway: any OperatedGateway
    private var tokens: OperatorTokens
    private var hostNames: HostNameList
    private let isLocal: Bool
    private var http: HTTPServer!

    public init(
        _ configuration: ServerConfiguration,
        tokens: OperatorTokens,
        of gateway: any OperatedGateway,
        loop: EventLoop
    ) {
        self.loop = loop
        self.directory = configuration.stateDirectory
        self.shards = configuration.cluster.shards
        self.gateways = configuration.cluster.gateways
        self.gateway = gateway
        self.tokens = tokens
        self.hostNames = configuration.operatorHostNames
        self.isLocal = configuration.operatorPortIsLocal
        self.http = HTTPServer(on: loop, limits: Self.limits(configuration), handler: self)
    }

    private static func limits(_ configuration: ServerConfiguration) -> HTTPServer.Limits {
        var limits = configuration.httpLimits
        limits.connectionsMax = configuration.operatorConnectionsMax
        limits.idleTimeout = min(limits.idleTimeout, Self.idleTimeout)
        limits.headTimeout = min(limits.headTimeout, Self.idleTimeout)
        limits.clients = ClientGate.Limits()
        limits.origins = OriginList()
        return limits
    }

    /// Applies the live settings.
    public func use(_ configuration: ServerConfiguration) {
        self.http.use(Self.limits(configuration))
        self.hostNames = configuration.operatorHostNames
    }

    /// The port that was bound: the one asked for, or the kernel's choice for 0.
    public func listen(on address: SocketAddress) throws(UVError) -> Int {
        Int(try self.http.listen(on: address))
    }

    /// As above, on a socket that the supervisor made and keeps.
    public func listen(on descriptor: Int32) throws(UVError) -> Int { Int(try self.http.listen(on: descriptor)) }

    /// This gateway's successor answers from now on.
    public func handOver() { self.http.drain(.handingOver) {} }

    /// Ends after the last answer.
    public func drain(onDrained: @escaping () -> Void) { self.http.drain(.closing, onDrained: onDrained) }

    /// Closes whatever is open.
    public func close() { self.http.close() }

    /// Replaces the operators' tokens.
    public func use(_ tokens: OperatorTokens) { self.tokens = tokens }

    // MARK: Requests

    /// Answers one request of an operator.
    public func handle(_ request: HTTPRequest, from client: Gateway.Client) -> AnswerSize {
        let isLook = request.method == .get || request.method == .head
        let page = self.page(request.path.text)
        if page?.isOpen != true || !isLook, let problem = self.problem(with: request, for: isLook ? .view : .operate) {
            self.refuse(problem, from: client)
        } else if !isLook {
            self.refuse(.methodNotAllowed("GET, HEAD"), from: client)
        } else if let page {
            self.show(page, to: client)
        } else {
            self.refuse(.notFound, from: client)
        }
        return .large
    }

    /// Why a request lacks the rights of `role`; nil if it has them.
    private func problem(with request: HTTPRequest, for role: OperatorTokens.Role) -> Problem? {
        guard self.hostNames.allows(host: request.host) else { return .operatorHostUnknown }
        if role == .operate, let origin = request[.origin],
            !self.hostNames.allows(origin: origin, toHost: request.host)
        {
            return .operatorOriginRefused
        }
        if self.tokens.isEmpty && self.isLocal { return nil }
        guard let header = request[.authorization] else { return .operatorTokenMissing }
        guard let token = BearerToken.token(in: header), let own = self.tokens.role(of: token) else {
            return .operatorTokenInvalid
        }
        return own.includes(role) ? nil : .operatorRoleMissing
    }

    private func show(_ page: Page, to client: Gateway.Client) {
        switch page {
        case .health: self.answer(#"{"status":"ok"}"#, from: client)
        case .readiness: self.answerReadiness(client)
        case .cluster, .shard, .gateway:
            _ = StatsCollector(on: self.loop, self.directory, shards: self.shards, gateways: self.gateways) {
                [weak self] stats in
                self?.answer(stats, page, client)
            }
        }
    }

    /// Answers a request that could not be read, or may not be asked.
    public func refuse(_ problem: Problem, of request: HTTPRequest?, from client: Gateway.Client) {
        self.refuse(problem, from: client)
    }

    private func refuse(_ problem: Problem, from client: Gateway.Client) {
        let message =
            AnswerWriter.ResponseOptions(bits: client.responseOptions).language == .english
            ? problem.english : problem.korean
        let body = ErrorBody(code: problem.code, message: message).json
        self.answer(body, problem.status, for: problem, from: client)
    }

    private struct ErrorBody: Encodable {
        let code: String
        let message: String
    }

    /// Nil for an unknown path, and for a process that this cluster does not have.
    private func page(_ path: String) -> Page? {
        switch path {
        case "/healthz": return .health
        case "/readyz": return .readiness
        case "/stats": return .cluster
        default: break
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, parts[1] == "stats", let index = Int(parts[3]) else { return nil }
        switch parts[2] {
        case "shards" where (0..<self.shards).contains(index): return .shard(index)
        case "gateways" where (0..<self.gateways).contains(index): return .gateway(index)
        default: return nil
        }
    }

    private func answerReadiness(_ client: Gateway.Client) {
        guard !self.gateway.isReady else { return self.answer(#"{"status":"ready"}"#, from: client) }
        func list(_ shards: [Int]) -> String { shards.map(String.init).joined(separator: ", ") }
        var words: [String] = []
        let (away, silent) = (self.gateway.shardsAway, self.gateway.silentShards)
        if !away.isEmpty { words.append("Shards that can't be reached: \(list(away)).") }
        if !silent.isEmpty { words.append("Shards that do not answer: \(list(silent)).") }
        if self.gateway.isClockSuspended { words.append(self.clockWords) }
        let message = words.isEmpty ? "This gateway is stopping." : words.joined(separator: " ")
        let body = ErrorBody(code: "NOT_READY", message: message)
        self.answer(body.json, .serviceUnavailable, from: client)
    }

    private var clockWords: String {
        let ahead = self.gateway.clock.ahead.map { " is \(MachineClock.days($0)) ahead" } ?? " was absurdly ahead"
        return
            "The wall clock\(ahead): changes are refused until it is right again. Set it; or, if it is right now and was wrong "
            + "before, run usher cluster trust-clock."
    }

    private func answer(_ stats: ClusterStats, _ page: Page, _ client: Gateway.Client) {
        let body: String?
        switch page {
        case .shard(let index): body = stats.shards.first { $0.shard == index }?.json
        case .gateway(let index): body = stats.gateways.first { $0.gateway == index }?.json
        case .health, .readiness, .cluster: body = stats.json
        }
        if let body { return self.answer(body, from: client) }
        let missing = ErrorBody(code: "UNAVAILABLE", message: stats.missing.joined(separator: "; "))
        self.answer(missing.json, .serviceUnavailable, from: client)
    }

    private func answer(
        _ body: String,
        _ status: HTTPStatus = .ok,
        for problem: Problem? = nil,
        from client: Gateway.Client
    ) {
        let options = AnswerWriter.ResponseOptions(bits: client.responseOptions)
        var head = HTTPResponse(status, connection: options.connection)
        head.cacheControl = "no-store"
        head.allow = problem?.allow
        head.authenticate = problem?.authenticate
        head.acceptEncoding = problem?.acceptEncoding
        var output = OutputBytes()
        let date = HTTPDate(epochSeconds: self.gateway.clock.now.seconds)
        Array(body.utf8).withUnsafeBytes {
            head.append(body: ByteView($0), toMethod: options.method, date: date, to: &output)
        }
        self.http.answer(client, with: output.view)
    }
}
