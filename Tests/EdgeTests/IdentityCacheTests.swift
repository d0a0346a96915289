import Booking
import Testing
import Wire

@testable import Edge

@Suite struct IdentityCacheTests {
    private static func digest(_ number: Int) -> TokenDigest {
        withUnsafeBytes(of: number) { TokenDigest(ByteView($0)) }
    }

    @Test func `a token is known until it ends`() {
        var cache = IdentityCache(countMax: 100)
        #expect(cache.user(of: Self.digest(1), at: 0) == nil)
        cache.insert(Self.digest(1), UserID(7), endsAt: 100, at: 0)
        #expect(cache.user(of: Self.digest(1), at: 99) == UserID(7))
        #expect(cache.user(of: Self.digest(1), at: 100) == nil && cache.user(of: Self.digest(2), at: 0) == nil)
        cache.removeAll()
        #expect(cache.user(of: Self.digest(1), at: 0) == nil && cache.count == 0)
    }

    @Test func `the table stays as large as it is, and keeps what was asked for last`() {
        var cache = IdentityCache(countMax: 64)
        for number in 0..<10_000 {
            cache.insert(Self.digest(number), UserID(UInt64(number + 1)), endsAt: 1_000, at: 0)
            #expect(cache.user(of: Self.digest(number), at: 0) == UserID(UInt64(number + 1)))
            // Asked for all the time, so never the one to go.
            if number > 0 { #expect(cache.user(of: Self.digest(0), at: 0) == UserID(1)) }
        }
        #expect(cache.count == 64)
    }

    @Test func `what is over makes room first`() {
        var cache = IdentityCache(countMax: 4)
        for number in 0..<4 { cache.insert(Self.digest(number), UserID(1), endsAt: number == 3 ? 10 : 100, at: 0) }
        cache.insert(Self.digest(9), UserID(2), endsAt: 100, at: 50)
        for number in 0..<3 { #expect(cache.user(of: Self.digest(number), at: 50) == UserID(1)) }
        #expect(cache.user(of: Self.digest(9), at: 50) == UserID(2))
    }
}
