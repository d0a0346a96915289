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

@Suite struct LinkWatchTests {
    private static func moment(_ milliseconds: Int) -> Timestamp {
        Timestamp(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    @Test func `a ping goes out twice a second, and its silence counts from when it left`() {
        var watch = LinkWatch()
        let asked = stride(from: 0, to: 2_000, by: 100).filter { time in
            defer { if time % 1_000 == 100 { watch.heard(at: Self.moment(time)) } }
            return watch.look(at: Self.moment(time))
        }
        #expect(asked == [0, 600, 1_600])
        #expect(watch.silence(at: Self.moment(2_000)) == .milliseconds(400))
        watch.heard(at: Self.moment(2_050))
        #expect(watch.silence(at: Self.moment(9_000)) == .zero)
    }

    @Test func `a gateway that did not run itself counts anew`() {
        var watch = LinkWatch()
        for time in stride(from: 0, through: 2_000, by: 100) { _ = watch.look(at: Self.moment(time)) }
        #expect(watch.silence(at: Self.moment(2_000)) == .milliseconds(2_000))
        let asks = watch.look(at: Self.moment(60_000))
        #expect(!asks)
        #expect(watch.silence(at: Self.moment(60_100)) == .milliseconds(100))
    }
}
