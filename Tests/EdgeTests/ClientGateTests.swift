import Booking
import Testing
import Wire

@testable import Edge

/// The gate of one server, while its limits change.
@Suite struct ClientGateTests {
    private static let client = IPAddress(ipv4: 0xC000_0201)

    private static func limits(_ change: (inout ClientGate.Limits) -> Void) -> ClientGate.Limits {
        var limits = ClientGate.Limits()
        change(&limits)
        return limits
    }

    /// A gate, and what it says.
    private final class Tried {
        var gate: ClientGate
        init(_ limits: ClientGate.Limits) { self.gate = ClientGate(limits) }

        func enter() -> ClientGate.Entry { self.gate.enter(ClientGateTests.client) }
        var asksForPeers: Bool { self.gate.asksForPeers }
        func watches() -> Bool { self.gate.watches(ClientGateTests.client) }

        /// Whether it is another gate with these limits.
        func use(_ change: (inout ClientGate.Limits) -> Void) -> Bool {
            var limits = self.gate.limits
            change(&limits)
            return self.gate.use(limits)
        }

        /// How many of ten requests of one moment pass.
        func passes() -> Int {
            let now = Timestamp(nanoseconds: 1)
            return (0..<10).count { _ in self.gate.consumeToken(of: ClientGateTests.client, at: now) == nil }
        }
    }

    @Test func `connections that were counted are so until they are over, whatever the limit is by then`() {
        let tried = Tried(Self.limits { $0.connectionsMax = 2 })
        #expect((0..<3).map { _ in tried.enter() } == [.counted, .counted, .refused])
        #expect(tried.use { $0.connectionsMax = 0 })
        #expect(tried.enter() == .free)
        tried.gate.leave(Self.client)
        #expect(tried.use { $0.connectionsMax = 2 })
        #expect((0..<2).map { _ in tried.enter() } == [.counted, .refused])
    }

    @Test func `another rate gives everybody all requests, and the same one nothing`() {
        let tried = Tried(Self.limits { ($0.requestsPerSecond, $0.requestsBurst) = (1, 2) })
        #expect(tried.passes() == 2)
        #expect(!tried.use { _ in })
        #expect(tried.passes() == 0)
        #expect(tried.use { $0.connectionsMax = 7 })
        #expect(tried.passes() == 0)
        #expect(tried.use { $0.requestsBurst = 4 })
        #expect(tried.passes() == 4)
        #expect(tried.use { $0.requestsPerSecond = 0 })
        #expect(tried.passes() == 10)
    }

    @Test func `whether it has to know who comes follows its limits`() {
        let tried = Tried(ClientGate.Limits())
        #expect(!tried.asksForPeers && !tried.watches())
        #expect(tried.use { $0.requestsPerUserPerSecond = 1 })
        #expect(tried.asksForPeers && tried.watches())
        let own = NetworkList([Network(Self.client, prefixBits: 128)].compactMap(\.self))
        #expect(tried.use { $0.trusted = own })
        #expect(!tried.watches())
    }
}
