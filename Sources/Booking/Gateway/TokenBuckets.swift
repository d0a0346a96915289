/// Rate limits of many clients: a token bucket for each, in a table of fixed size.
///
///     hash of the client ──▶ set of four buckets, 64 bytes:  | tag, due | tag, due | tag, due | tag, due |
///
/// A bucket is the one moment at which it is full again (`due`; the generic cell rate algorithm, ITU-T I.371, annex A):
/// each token taken moves `due` on by one interval, and the bucket is empty when `due` is `burst` intervals ahead. A
/// bucket whose `due` has passed carries no information.
///
/// **Eviction.** A client whose set is full replaces the bucket that is full again soonest, and starts with all tokens.
/// So a table that is too small lets too much pass but never refuses wrongly, and the heaviest client is evicted last.
/// Sets are chosen by a hash under a secret, so that clients cannot find others that share their set.
public struct TokenBuckets: ~Copyable {
    private struct Bucket {
        /// The client's hash; 0 for an unused bucket.
        var tag: UInt64 = 0
        var due: Int64 = .min
    }

    private static let setSize = 4
    /// The most that a client may owe, as the time in which those tokens come.
    private static let debtMax: Int64 = 60_000_000_000

    private let hash: ClientHash
    private let interval: Int64
    private let span: Int64
    private let setMask: Int
    /// Aligned to a cache line of 64 bytes, which an array's first element never is: otherwise a set would span two
    /// lines, and with many clients each of them is fetched from memory.
    private let buckets: UnsafeMutablePointer<Bucket>
    /// Clients evicted before their buckets were full: if this grows, the table is too small.
    public private(set) var forgotten: UInt64 = 0

    /// `perSecond` tokens come each second, up to `burst`; both at least 1. `count` buckets of 16 bytes, rounded to a
    /// power of two and at least four.
    public init(perSecond: Int, burst: Int, count: Int, hash: ClientHash) {
        precondition(
            (1...1_000_000_000).contains(perSecond) && (1...1_000_000_000).contains(burst),
            "a rate and a burst are at least 1"
        )
        self.hash = hash
        self.interval = (1_000_000_000 + Int64(perSecond) - 1) / Int64(perSecond)
        self.span = self.interval * Int64(burst)
        var sets = 1
        while sets * Self.setSize < count { sets *= 2 }
        self.setMask = sets - 1
        let bytes = sets * Self.setSize * MemoryLayout<Bucket>.stride
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: bytes,
            alignment: Self.setSize * MemoryLayout<Bucket>.stride
        )
        self.buckets = memory.initializeMemory(as: Bucket.self, repeating: Bucket(), count: sets * Self.setSize)
    }

    deinit { self.buckets.deallocate() }

    private var count: Int { (self.setMask + 1) * Self.setSize }

    public var bytes: Int { self.count * MemoryLayout<Bucket>.stride }

    /// Takes a token of `client` and returns nil; without a token, returns the time until the next one.
    public mutating func consumeToken(_ client: UInt128, at now: Timestamp) -> Nanoseconds? {
        let now = now.nanoseconds
        let index = self.bucket(of: client, now)
        let due = (Timestamp(nanoseconds: max(self.buckets[index].due, now)) + Nanoseconds(self.interval)).nanoseconds
        let wait = (Timestamp(nanoseconds: due) - Timestamp(nanoseconds: now)).rawValue - self.span
        guard wait > 0 else {
            self.buckets[index].due = due
            return nil
        }
        return Nanoseconds(wait)
    }

    /// Takes `count` more tokens of `client`, for the actual cost of a request. If there are too few, the client owes
    /// them, up to a minute's.
    public mutating func charge(_ client: UInt128, _ count: Int, at now: Timestamp) {
        let now = now.nanoseconds
        let index = self.bucket(of: client, now)
        let cost = Int64(clamping: count).multipliedReportingOverflow(by: self.interval)
        let most = (Timestamp(nanoseconds: now) + Nanoseconds(self.span) + Nanoseconds(Self.debtMax)).nanoseconds
        let (due, isTooMuch) = max(self.buckets[index].due, now).addingReportingOverflow(cost.partialValue)
        self.buckets[index].due = cost.overflow || isTooMuch ? most : min(due, most)
    }

    /// Returns `count` tokens to `client`, which were charged and not used. Does nothing for an evicted client.
    public mutating func refund(_ client: UInt128, _ count: Int, at now: Timestamp) {
        let hash = self.hash.hash(client)
        let first = self.firstIndex(of: hash)
        for index in first..<first + Self.setSize where self.buckets[index].tag == max(hash, 1) {
            let cost = Int64(clamping: count).multipliedReportingOverflow(by: self.interval)
            guard self.buckets[index].due > now.nanoseconds else { return }
            self.buckets[index].due =
                cost.overflow ? now.nanoseconds : max(now.nanoseconds, self.buckets[index].due - cost.partialValue)
        }
    }

    /// The same for a user. Unauthenticated users have a bucket for each address.
    public mutating func consumeToken(_ subject: RateLimitSubject, from address: IPAddress, at now: Timestamp)
        -> Nanoseconds?
    {
        let scope = subject.isAuthenticated ? 0 : max(1, self.hash.hash(address.bits))
        return self.consumeToken(UInt128(scope) << 64 | UInt128(subject.user.rawValue), at: now)
    }

    /// The client's bucket: its own, or the one in its set that is full soonest.
    private mutating func bucket(of client: UInt128, _ now: Int64) -> Int {
        let hash = self.hash.hash(client)
        let tag = max(hash, 1)
        let first = self.firstIndex(of: hash)
        var soonest = first
        for index in first..<first + Self.setSize {
            if self.buckets[index].tag == tag { return index }
            if self.buckets[index].due < self.buckets[soonest].due { soonest = index }
        }
        if self.buckets[soonest].due > now { self.forgotten += 1 }
        self.buckets[soonest] = Bucket(tag: tag)
        return soonest
    }

    @inline(__always)
    private func firstIndex(of hash: UInt64) -> Int { (Int(truncatingIfNeeded: hash) & self.setMask) * Self.setSize }

    public func checkInvariants(at now: Timestamp) {
        precondition(
            UnsafeBufferPointer(start: self.buckets, count: self.count).allSatisfy {
                $0.due <= now.nanoseconds || $0.due - now.nanoseconds <= self.span + Self.debtMax
            },
            "a bucket owes more than it can hold"
        )
        for first in stride(from: 0, to: self.count, by: Self.setSize) {
            let tags = (first..<first + Self.setSize).map { self.buckets[$0].tag }.filter { $0 != 0 }
            precondition(Set(tags).count == tags.count, "a client has two buckets")
        }
    }
}
