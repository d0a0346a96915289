import Booking
import Testing

@testable import Node

@Suite struct LivenessProbeTests {
    private static func moment(_ milliseconds: Int) -> Timestamp {
        Timestamp(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    @Test func `a ping goes out twice a second, and its silence counts from when it left`() {
        var probe = LivenessProbe()
        let asked = stride(from: 0, to: 2_000, by: 100).filter { time in
            defer { if time % 1_000 == 100 { probe.heard(at: Self.moment(time)) } }
            return probe.look(at: Self.moment(time))
        }
        #expect(asked == [0, 600, 1_600])
        #expect(probe.silence(at: Self.moment(2_000)) == .milliseconds(400))
        probe.heard(at: Self.moment(2_050))
        #expect(probe.silence(at: Self.moment(9_000)) == .zero)
    }

    @Test func `a gateway that did not run itself counts anew`() {
        var probe = LivenessProbe()
        for time in stride(from: 0, through: 2_000, by: 100) { _ = probe.look(at: Self.moment(time)) }
        #expect(probe.silence(at: Self.moment(2_000)) == .milliseconds(2_000))
        let asks = probe.look(at: Self.moment(60_000))
        #expect(!asks)
        #expect(probe.silence(at: Self.moment(60_100)) == .milliseconds(100))
    }
}
