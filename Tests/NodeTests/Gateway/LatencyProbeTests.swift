import Booking
import Testing

@testable import Node

@Suite struct LatencyProbeTests {
    private static let start = Timestamp(seconds: 1_000)

    @Test func `one ping is out at a time, and the next leaves 5 ms after it is back`() {
        var probe = LatencyProbe()
        func step(_ milliseconds: Int64) -> LatencyProbe.Step {
            probe.step(at: Self.start + .milliseconds(milliseconds), inFlight: Int(milliseconds))
        }
        #expect(step(1) == .send)
        #expect(probe.inFlight == 1)
        #expect(step(4) == .stillOut(.milliseconds(3)))
        let delay = probe.isBack(at: Self.start + .milliseconds(10))
        #expect(delay == .milliseconds(9))
        #expect(probe.inFlight == 1)
        #expect(step(14) == .none)
        #expect(step(15) == .send)
        #expect(probe.inFlight == 15)
    }

    @Test func `a ping that comes back twice, or never left, tells nothing`() {
        var probe = LatencyProbe()
        let delays = [false, true, false].map { leaves in
            if leaves { _ = probe.step(at: Self.start, inFlight: 1) }
            return probe.isBack(at: Self.start)
        }
        #expect(delays == [nil, .zero, nil])
    }
}
