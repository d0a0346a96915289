import Booking
import Seeded
import Testing

@Suite struct TokenBucketsTests {
    private static let hash = ClientHash(
        masks: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908),
        factor: 0x9E37_79B9_7F4A_7C15
    )
    private static let start = Timestamp(seconds: 1_000)

    private func buckets(perSecond: Int, burst: Int, count: Int = 1_024) -> TokenBuckets {
        TokenBuckets(perSecond: perSecond, burst: burst, count: count, hash: Self.hash)
    }

    @Test func `neighbours, in either half, spread over a table's sets, and otherwise under another secret`() {
        let other = ClientHash(masks: (1, 2), factor: 3)
        for shift in [0, 16, 64, 112] as [UInt128] {
            let numbers = (0..<65_536 as Range<UInt128>).map { $0 << shift }
            var counts = [Int](repeating: 0, count: 256)
            for number in numbers { counts[Int(Self.hash.hash(number) & 255)] += 1 }
            // 256 each, give or take 16: six times that is once in ten million times by chance.
            #expect(counts.allSatisfy { (160...352).contains($0) }, "\(shift): \(counts.min()!) to \(counts.max()!)")
            #expect(Set(numbers.map { Self.hash.hash($0) }).count == numbers.count)
            #expect(numbers.filter { Self.hash.hash($0) == other.hash($0) }.isEmpty)
        }
    }

    @Test func `a client may ask a burst at once, then at the rate`() {
        var buckets = self.buckets(perSecond: 10, burst: 3)
        for _ in 0..<3 { #expect(buckets.consumeToken(1, at: Self.start) == nil) }
        #expect(buckets.consumeToken(1, at: Self.start) == .milliseconds(100))
        #expect(buckets.consumeToken(1, at: Self.start + .milliseconds(40)) == .milliseconds(60))
        #expect(buckets.consumeToken(1, at: Self.start + .milliseconds(100)) == nil)
        #expect(buckets.consumeToken(1, at: Self.start + .milliseconds(100)) == .milliseconds(100))
        // The refused request took nothing.
        #expect(buckets.consumeToken(1, at: Self.start + .milliseconds(200)) == nil)
    }

    @Test func `a client may owe, and comes back when it has paid`() {
        var buckets = self.buckets(perSecond: 10, burst: 3)
        buckets.charge(1, 5, at: Self.start)
        #expect(buckets.consumeToken(1, at: Self.start) == .milliseconds(300))
        buckets.checkInvariants(at: Self.start)
        #expect(buckets.consumeToken(1, at: Self.start + .milliseconds(300)) == nil)
        #expect(buckets.consumeToken(2, at: Self.start) == nil)
        // At most a minute's, whatever the charge.
        buckets.charge(1, .max, at: Self.start)
        buckets.checkInvariants(at: Self.start)
        #expect(buckets.consumeToken(1, at: Self.start + .seconds(59)) != nil)
        #expect(buckets.consumeToken(1, at: Self.start + .seconds(61)) == nil)
    }

    @Test func `what was charged and not used comes back, and no more`() {
        var buckets = self.buckets(perSecond: 10, burst: 3)
        _ = buckets.consumeToken(1, at: Self.start)
        buckets.charge(1, 8, at: Self.start)
        buckets.refund(1, 8, at: Self.start)
        for _ in 0..<2 { #expect(buckets.consumeToken(1, at: Self.start) == nil) }
        #expect(buckets.consumeToken(1, at: Self.start) != nil)
        // A client never gets more than a burst by a refund, and a client without a bucket gets none.
        buckets.refund(1, .max, at: Self.start)
        buckets.refund(2, 100, at: Self.start)
        for client in [1, 2] as [UInt128] {
            for _ in 0..<3 { #expect(buckets.consumeToken(client, at: Self.start) == nil) }
            #expect(buckets.consumeToken(client, at: Self.start) != nil)
        }
        buckets.checkInvariants(at: Self.start)
    }

    @Test func `a quiet time earns a burst and no more`() {
        var buckets = self.buckets(perSecond: 10, burst: 3)
        _ = buckets.consumeToken(1, at: Self.start)
        let later = Self.start + .seconds(3_600)
        for _ in 0..<3 { #expect(buckets.consumeToken(1, at: later) == nil) }
        #expect(buckets.consumeToken(1, at: later) != nil)
    }

    @Test func `clients do not take each other's tokens`() {
        var buckets = self.buckets(perSecond: 1, burst: 1, count: 65_536)
        for client in 0..<1_000 as Range<UInt128> { #expect(buckets.consumeToken(client, at: Self.start) == nil) }
        for client in 0..<1_000 as Range<UInt128> {
            #expect(buckets.consumeToken(client, at: Self.start) == .seconds(1))
        }
        #expect(buckets.forgotten == 0)
    }

    @Test func `a table that is too small lets more pass, and forgets who asks most at last`() {
        var buckets = self.buckets(perSecond: 1, burst: 10, count: 4)
        for _ in 0..<10 { #expect(buckets.consumeToken(1, at: Self.start) == nil) }
        // A thousand others come by, one request each: none is refused, and the greedy one is not evicted.
        for client in 2...1_001 as ClosedRange<UInt128> { #expect(buckets.consumeToken(client, at: Self.start) == nil) }
        #expect(buckets.consumeToken(1, at: Self.start) == .seconds(1))
        #expect(buckets.forgotten == 997)
        #expect(buckets.bytes == 64)
    }

    @Test func `a bucket that is full again makes room without being missed`() {
        var buckets = self.buckets(perSecond: 1, burst: 1, count: 4)
        for client in 1...4 as ClosedRange<UInt128> { _ = buckets.consumeToken(client, at: Self.start) }
        for client in 5...8 as ClosedRange<UInt128> {
            #expect(buckets.consumeToken(client, at: Self.start + .seconds(1)) == nil)
        }
        #expect(buckets.forgotten == 0)
    }

    @Test func `a user that nobody vouches for shares tokens with nobody elsewhere`() {
        var buckets = self.buckets(perSecond: 1, burst: 1)
        let (here, there) = (IPAddress(ipv4: 0xC000_0201), IPAddress(ipv4: 0xC000_0202))
        let (said, authenticated) = (
            RateLimitSubject(UserID(7), isAuthenticated: false), RateLimitSubject(UserID(7), isAuthenticated: true)
        )
        #expect(buckets.consumeToken(said, from: here, at: Self.start) == nil)
        #expect(buckets.consumeToken(said, from: here, at: Self.start) != nil)
        #expect(buckets.consumeToken(said, from: there, at: Self.start) == nil)
        // A token's bearer is one client at every address.
        #expect(buckets.consumeToken(authenticated, from: here, at: Self.start) == nil)
        #expect(buckets.consumeToken(authenticated, from: there, at: Self.start) != nil)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `no client gets more than its burst and its rate, whoever else asks`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let perSecond = Int.random(in: 1...50, using: &random)
        let burst = Int.random(in: 1...20, using: &random)
        // Room for all: sixteen clients in 4,096 buckets.
        var buckets = self.buckets(perSecond: perSecond, burst: burst, count: 4_096)
        var now = Self.start
        var passed: [UInt128: Int] = [:]
        for _ in 0..<20_000 {
            now = now + Nanoseconds(Int64.random(in: 0...20_000_000, using: &random))
            let client = UInt128(UInt64.random(in: 0..<16, using: &random))
            if buckets.consumeToken(client, at: now) == nil { passed[client, default: 0] += 1 }
        }
        buckets.checkInvariants(at: now)
        let seconds = Double((now - Self.start).rawValue) / 1e9
        for (client, count) in passed {
            #expect(Double(count) <= Double(burst) + seconds * Double(perSecond), "seed \(seed), client \(client)")
        }
    }

    @Test func `a clock at its end refuses nobody for ever`() {
        var buckets = self.buckets(perSecond: 1, burst: 1)
        #expect(buckets.consumeToken(1, at: .distantFuture) == nil)
        buckets.charge(2, 5, at: .distantFuture)
    }
}
