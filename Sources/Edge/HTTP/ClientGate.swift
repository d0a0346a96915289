public import Booking
public import Configuration
public import Reactor
import Wire

/// Identifies clients and applies the limits by address, for one `HTTPServer`.
///
///     connection from a trusted address   ──▶ names the client behind it, in the way that a setting selects
///     client's address trusted, or no limit is set   ──▶ unlimited
///     any other   ──▶ bounded connections at once, bounded requests a second
///
/// Addresses named by a peer that is not trusted are never read.
public struct ClientGate: ~Copyable {
    /// Who is believed, and how much one client may ask.
    public struct Limits: Equatable {
        /// Where the client's address comes from.
        public var source = ClientAddressSource.peer
        /// Peers that may name clients, and clients without limits.
        public var trusted = NetworkList()
        /// 0 for no limit, here and below.
        public var connectionsMax = 0
        public var requestsPerSecond = 0
        public var requestsBurst = 1
        public var requestsPerUserPerSecond = 0
        public var requestsPerUserBurst = 1

        /// No limits.
        public init() {}
    }

    /// The result of accepting a connection.
    enum Entry {
        /// Counted as one of its client's, until `leave`.
        case counted
        /// Not counted.
        case free
        /// Its client has too many connections.
        case refused
    }

    /// How much of an IPv6 address tells clients apart: a host often has all addresses behind the first 64 bits (RFC 4291,
    /// section 2.5.1); by fewer, customers of one provider would be one client.
    static let prefixBits = 64
    /// An answer counts as one request more for each so many bytes: writing them takes a gateway as long as a few small
    /// answers. The map of a large hall is hundreds.
    static let bytesPerRequest = 16_384
    /// Addresses that are counted at once, and users: 16 bytes each. Beyond it those who ask least start anew, so a crowd is
    /// limited less, and nobody is limited for another's requests.
    static let bucketsMax = 65_536

    private(set) var limits: Limits
    /// Whether any limit depends on the peer's address, which costs a system call.
    private(set) var asksForPeers: Bool
    private var buckets: TokenBuckets?
    private var userBuckets: TokenBuckets?
    /// Open connections by address; at most as many entries as connections.
    private var connections: [IPAddress: Int32] = [:]
    /// Clients forgotten by tables that were replaced.
    private var forgottenBefore: UInt64 = 0

    init(_ limits: Limits) {
        self.limits = limits
        self.asksForPeers = Self.asksForPeers(limits)
        self.buckets = Self.buckets(limits.requestsPerSecond, limits.requestsBurst)
        self.userBuckets = Self.buckets(limits.requestsPerUserPerSecond, limits.requestsPerUserBurst)
    }

    private static func asksForPeers(_ limits: Limits) -> Bool {
        limits.source != .peer || limits.connectionsMax > 0 || limits.requestsPerSecond > 0
            || limits.requestsPerUserPerSecond > 0
    }

    /// Goes over to other limits; false where nothing is new. Where a rate is another one, every client starts with all of
    /// its requests. `source` stays as it was.
    mutating func use(_ limits: Limits) -> Bool {
        let old = self.limits
        guard limits != old else { return false }
        precondition(limits.source == old.source, "another source needs a new gate")
        self.limits = limits
        self.asksForPeers = Self.asksForPeers(limits)
        let forgotten = self.forgotten
        if (limits.requestsPerSecond, limits.requestsBurst) != (old.requestsPerSecond, old.requestsBurst) {
            self.buckets = Self.buckets(limits.requestsPerSecond, limits.requestsBurst)
        }
        let (perUser, burst) = (limits.requestsPerUserPerSecond, limits.requestsPerUserBurst)
        if (perUser, burst) != (old.requestsPerUserPerSecond, old.requestsPerUserBurst) {
            self.userBuckets = Self.buckets(perUser, burst)
        }
        self.forgottenBefore += forgotten - self.forgotten
        return true
    }

    private static func buckets(_ perSecond: Int, _ burst: Int) -> TokenBuckets? {
        guard perSecond > 0 else { return nil }
        let masks = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
        let hash = ClientHash(masks: masks, factor: .random(in: 0 ... .max))
        return TokenBuckets(perSecond: perSecond, burst: burst, count: Self.bucketsMax, hash: hash)
    }

    /// Clients whose buckets were dropped because a table is too small.
    var forgotten: UInt64 {
        self.forgottenBefore + Self.forgotten(self.buckets) + Self.forgotten(self.userBuckets)
    }

    private static func forgotten(_ buckets: borrowing TokenBuckets?) -> UInt64 {
        switch buckets {
        case .some(let buckets): buckets.forgotten
        case .none: 0
        }
    }

    // Called for each connection or request, and inlined so that the gate is not copied.

    @inline(__always)
    func isTrusted(_ address: IPAddress) -> Bool { self.limits.trusted.contains(address) }

    // MARK: Connections

    /// Whether a client has no limits.
    @inline(__always)
    func isExempt(_ address: IPAddress) -> Bool { !self.asksForPeers || self.isTrusted(address) }

    /// Whether answers may cost more than their requests.
    var charges: Bool { self.buckets != nil }

    /// Whether each request of a connection from this address is examined: for a limit, or for headers that name its
    /// client.
    @inline(__always)
    func watches(_ address: IPAddress) -> Bool {
        !self.isExempt(address) || self.limits.source == .forwarded || self.limits.source == .forwardedFor
    }

    /// Counts a connection for its client.
    mutating func enter(_ address: IPAddress) -> Entry {
        guard self.limits.connectionsMax > 0, !self.isTrusted(address) else { return .free }
        let client = address.client(prefixBits: Self.prefixBits)
        return Self.enter(&self.connections[client, default: 0], of: self.limits.connectionsMax)
    }

    private static func enter(_ count: inout Int32, of max: Int) -> Entry {
        guard count < max else { return .refused }
        count += 1
        return .counted
    }

    /// A counted connection has ended. `address` is the one given to `enter`.
    mutating func leave(_ address: IPAddress) {
        let client = address.client(prefixBits: Self.prefixBits)
        guard let index = self.connections.index(forKey: client) else {
            return assertionFailure("left, and never entered")
        }
        if self.connections.values[index] > 1 {
            self.connections.values[index] -= 1
        } else {
            self.connections.remove(at: index)
        }
    }

    // MARK: Requests

    /// The client that a request's headers name, for connections of trusted peers. Nil for a malformed header.
    func client(of request: HTTPRequest, from peer: IPAddress) -> IPAddress? {
        switch self.limits.source {
        case .peer, .proxy: peer
        case .forwarded: ForwardedFor.client(byForwarded: request.headers, from: peer, self.limits.trusted)
        case .forwardedFor: ForwardedFor.client(byForwardedFor: request.headers, from: peer, self.limits.trusted)
        }
    }

    /// Nil if a request of `address`, which is not trusted, may pass; else the time until the next may.
    mutating func consumeToken(of address: IPAddress, at now: Timestamp) -> Nanoseconds? {
        self.buckets?.consumeToken(address.client(prefixBits: Self.prefixBits).bits, at: now)
    }

    /// The number of further requests that an answer of this size counts as.
    @inline(__always)
    func requests(forAnswerBytes bytes: Int) -> Int {
        bytes < Self.bytesPerRequest ? 0 : bytes / Self.bytesPerRequest
    }

    /// Charges `address` this many further requests; a negative number refunds a charge.
    mutating func charge(_ address: IPAddress, requests: Int, at now: Timestamp) {
        guard requests != 0, self.buckets != nil, !self.isExempt(address) else { return }
        let client = address.client(prefixBits: Self.prefixBits).bits
        if requests > 0 {
            self.buckets?.charge(client, requests, at: now)
        } else {
            self.buckets?.refund(client, -requests, at: now)
        }
    }

    /// The same for a request of the user of `subject`, from such an address.
    mutating func consumeToken(of subject: RateLimitSubject, from address: IPAddress, at now: Timestamp) -> Nanoseconds?
    {
        self.userBuckets?.consumeToken(subject, from: address.client(prefixBits: Self.prefixBits), at: now)
    }
}

extension IPAddress {
    /// Without its port.
    public init(_ address: SocketAddress) {
        switch address.family {
        case .ipv4: self.init(ipv4: UInt32(address.bits))
        case .ipv6: self.init(bits: address.bits)
        }
    }
}

extension SocketAddress {
    /// Without a port.
    public init(_ address: IPAddress) {
        let bits = address.isIPv4 ? address.bits & 0xFFFF_FFFF : address.bits
        self.init(family: address.isIPv4 ? .ipv4 : .ipv6, bits: bits, port: 0)
    }
}
