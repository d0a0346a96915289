import Testing

@testable import Booking

@Suite struct ScheduleCacheTests {
    private static let concert = ConcertID(1)
    private static let start = Stage.start

    private static func client(_ connection: UInt64) -> Gateway.Client {
        Gateway.Client(connection: connection, sequence: 0)
    }

    /// The kind of an answer, as a comparable word.
    private static func ask(
        _ cache: inout ScheduleCache,
        _ connection: UInt64 = 1,
        after milliseconds: Int64,
        _ concert: ConcertID = Self.concert
    ) -> String {
        switch cache.ask(concert, for: Self.client(connection), at: Self.start + .milliseconds(milliseconds)) {
        case .ready(let body): "ready \(body.bytes)"
        case .readyRefresh(let body): "ready \(body.bytes), refresh"
        case .wait: "wait"
        case .waitRefresh: "wait, refresh"
        case .full: "full"
        }
    }

    private static func filled() -> ScheduleCache {
        var cache = ScheduleCache(lifetime: .seconds(1), waitersMax: 3)
        _ = Self.ask(&cache, after: 0)
        _ = cache.fill(Self.concert, with: CachedBody([1]), askedAt: Self.start)
        return cache
    }

    @Test func `an empty cache asks once, and all wait for it`() {
        var cache = ScheduleCache(lifetime: .seconds(1), waitersMax: 3)
        #expect(Self.ask(&cache, 1, after: 0) == "wait, refresh")
        #expect(Self.ask(&cache, 2, after: 1) == "wait")
        #expect(Self.ask(&cache, 3, after: 2, ConcertID(2)) == "wait, refresh")
        let waiters = cache.fill(Self.concert, with: CachedBody([1]), askedAt: Self.start)
        #expect(waiters == [Self.client(1), Self.client(2)])
        #expect(cache.fill(Self.concert, with: CachedBody([1]), askedAt: Self.start) == [])
    }

    @Test func `an answer serves, is refreshed once from half its life on, and is over at its end`() {
        var cache = Self.filled()
        #expect(Self.ask(&cache, after: 499) == "ready [1]")
        #expect(Self.ask(&cache, after: 500) == "ready [1], refresh")
        #expect(Self.ask(&cache, after: 999) == "ready [1]")
        #expect(Self.ask(&cache, 5, after: 1000) == "wait")
        #expect(
            cache.fill(Self.concert, with: CachedBody([2]), askedAt: Self.start + .milliseconds(500)) == [
                Self.client(5)
            ]
        )
        #expect(Self.ask(&cache, after: 999) == "ready [2]")
        #expect(Self.ask(&cache, after: 1000) == "ready [2], refresh")
    }

    @Test func `an answer that nobody refreshed is asked for anew`() {
        var cache = Self.filled()
        #expect(Self.ask(&cache, after: 1000) == "wait, refresh")
    }

    @Test func `a failed refresh leaves a young answer, and lets the next one try`() {
        var cache = Self.filled()
        #expect(Self.ask(&cache, after: 600) == "ready [1], refresh")
        #expect(cache.fail(Self.concert) == [])
        #expect(Self.ask(&cache, after: 601) == "ready [1], refresh")
        #expect(cache.fail(Self.concert) == [])
        #expect(Self.ask(&cache, 7, after: 1000) == "wait, refresh")
        #expect(cache.fail(Self.concert) == [Self.client(7)])
        #expect(cache.fail(ConcertID(9)) == [])
    }

    @Test func `no more wait than may`() {
        var cache = ScheduleCache(lifetime: .seconds(1), waitersMax: 2)
        #expect(Self.ask(&cache, 1, after: 0) == "wait, refresh")
        #expect(Self.ask(&cache, 2, after: 0) == "wait")
        #expect(Self.ask(&cache, 3, after: 0) == "full")
        #expect(cache.fill(Self.concert, with: CachedBody([1]), askedAt: Self.start).count == 2)
        #expect(Self.ask(&cache, 3, after: 0) == "ready [1]")
    }
}
