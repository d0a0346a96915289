import Booking
import Testing

@testable import Server
@testable import Supervisor

@Suite struct HangWatchTests {
    private static let shard = Supervision.Member(role: .shard, index: 0)
    private static let gateway = Supervision.Member(role: .gateway, index: 0)

    private static func ask(_ watch: inout HangWatch, _ times: Int, limit: Int = 3) -> [Supervision.Member] {
        (0..<times).flatMap { _ in watch.ask([Self.shard, Self.gateway], limit: limit) }
    }

    @Test func `who does not answer so many times hangs, and is found once`() {
        var watch = HangWatch()
        watch.answered(Self.shard)
        watch.answered(Self.gateway)
        #expect(Self.ask(&watch, 3) == [])
        watch.answered(Self.gateway)
        #expect(Self.ask(&watch, 1) == [Self.shard])
        #expect(Self.ask(&watch, 2) == [])
        #expect(Self.ask(&watch, 100) == [Self.gateway])
    }

    @Test func `who has never answered, is busy or is gone is left alone until it answers`() {
        var watch = HangWatch()
        #expect(Self.ask(&watch, 100) == [])
        watch.answered(Self.shard)
        watch.leaveAlone(Self.shard)
        #expect(Self.ask(&watch, 100) == [])
        watch.answered(Self.shard)
        #expect(Self.ask(&watch, 4) == [Self.shard])
    }

    @Test func `without a limit nobody hangs, and one that is set later counts from the last answer`() {
        var watch = HangWatch()
        watch.answered(Self.shard)
        #expect(Self.ask(&watch, 100, limit: 0) == [])
        #expect(Self.ask(&watch, 1) == [Self.shard])
    }
}
