import Foundation
import Glibc
import Testing

@testable import Supervisor

/// What systemd is told, by a socket in its place.
@Suite struct ServiceManagerTests {
    @Test func `a cluster says when it serves and when it stops`() throws {
        let systemd = try Listener(path: "/tmp/usher-n\(UInt32.random(in: 0 ... .max))")
        let cluster = try TestCluster(environment: ["NOTIFY_SOCKET": systemd.path])
        #expect(systemd.next() == "READY=1")
        cluster.signal(SIGTERM)
        #expect(systemd.next() == "STOPPING=1")
        #expect(cluster.waitUntilOver() == 0)
    }

    @Test func `a socket outside of the file system is found`() throws {
        let systemd = try Listener(path: "@usher-n\(UInt32.random(in: 0 ... .max))")
        ServiceManager.send("READY=1", to: systemd.path)
        #expect(systemd.next() == "READY=1")
    }

    @Test(arguments: ["", "relative", "/" + String(repeating: "x", count: 200), "/tmp/nobody-listens-here"])
    func `a socket that can't be reached changes nothing`(path: String) {
        ServiceManager.send("READY=1", to: path)
    }

    /// A socket of datagrams, gone with it.
    private final class Listener {
        let path: String
        private let descriptor: Int32

        init(path: String) throws {
            self.path = path
            self.descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { bytes in
                bytes.copyBytes(from: path.utf8)
                if path.hasPrefix("@") { bytes[0] = 0 }
            }
            let length = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count)
            let outcome = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(self.descriptor, $0, length) }
            }
            try #require(outcome == 0)
            var patience = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit {
            close(self.descriptor)
            unlink(self.path)
        }

        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = recv(self.descriptor, &bytes, bytes.count, 0)
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }
}
