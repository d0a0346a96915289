import Booking
import Foundation
import Glibc
import Testing
import Wire

@testable import Configuration

/// A peer that is frozen, and reads nothing.
@Suite struct FrozenPeerTests {
    @Test func `a shard that is asked to stop does not wait for a peer that reads nothing`() throws {
        let state = TestCluster.freshState()
        defer { try? FileManager.default.removeItem(atPath: state.path) }
        let shard = Process()
        shard.executableURL = URL(filePath: TestCluster.executable)
        shard.arguments = [
            "shard", "--index", "0", "--shards", "1", "--state", state.path, "--set", "journal.kind=memory",
        ]
        shard.standardError = FileHandle.nullDevice
        try shard.run()
        defer { if shard.isRunning { kill(shard.processIdentifier, SIGKILL) } }
        let peer = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(peer) }
        try TestCluster.eventually("the shard listens") { Self.connect(peer, to: state.shardSocket(0)) }

        // Questions whose answers are more than the kernel keeps: what is left waits in the shard.
        var frames = FrameBytes()
        try Control.hello(Hello(role: .tool, index: 0, shardCount: 0, slotMapVersion: 0)).encode(
            into: &frames,
            requestID: 0
        )
        for number: UInt64 in 1...2_000 { try Control.stats.encode(into: &frames, requestID: number) }
        let bytes = frames.array
        #expect(send(peer, bytes, bytes.count, 0) == bytes.count)
        try TestCluster.eventually("the answers fill what the kernel keeps") {
            let before = Self.waiting(peer)
            usleep(50_000)
            return before > 100_000 && Self.waiting(peer) == before
        }
        kill(shard.processIdentifier, SIGTERM)
        shard.waitUntilExit()
        #expect(shard.terminationStatus == 0)
    }

    /// Bytes that have arrived and nobody has read.
    private static func waiting(_ peer: Int32) -> Int {
        var count: Int32 = 0
        return ioctl(peer, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    private static func connect(_ peer: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(peer, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
