import Glibc
import Testing

@testable import Reactor

@Suite struct PeerProcessTests {
    @Test func `both ends of a Unix socket know each other's process`() throws {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        for end in ends {
            let peer = try #require(PeerProcess(end))
            #expect(peer == PeerProcess(processID: getpid(), user: geteuid()) && peer.isOurs)
        }
    }

    @Test func `what is no connected Unix socket has nobody at its end`() {
        let plain = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(plain) }
        #expect(PeerProcess(plain) == nil && PeerProcess(-1) == nil)
    }

    @Test func `a peer is trusted as the same user, and as root`() {
        let peer = PeerProcess(processID: 1, user: 1_000)
        #expect(peer.isOf(1_000) && !peer.isOf(1_001) && !peer.isOf(0))
        #expect(PeerProcess(processID: 1, user: 0).isOf(1_001))
    }
}
