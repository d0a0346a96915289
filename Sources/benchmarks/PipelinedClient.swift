import Glibc
import Wire

/// Requests to a gateway on this machine, many in flight on each of some connections. Blocking: it writes a batch to
/// every connection, and then reads the answers.
final class PipelinedClient {
    /// Requests in flight on a connection: half of what a gateway reads ahead.
    static let underWay = 32

    private let descriptors: [Int32]
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(port: UInt16, connections: Int) throws {
        var descriptors: [Int32] = []
        for _ in 0..<connections {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard code == 0 else { throw WireError("no listener on port \(port)") }
            descriptors.append(descriptor)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in self.descriptors { close(descriptor) } }

    /// Sends `count` requests; returns the number of answers by status.
    func send(_ count: Int, _ next: () -> [UInt8]) throws -> [Int: Int] {
        var statuses: [Int: Int] = [:]
        var left = count
        while left > 0 {
            var sent: [Int] = []
            for descriptor in self.descriptors where left > 0 {
                let batch = min(left, Self.underWay)
                var bytes: [UInt8] = []
                for _ in 0..<batch { bytes += next() }
                try self.write(bytes, to: descriptor)
                sent.append(batch)
                left -= batch
            }
            for (descriptor, batch) in zip(self.descriptors, sent) {
                for answer in try self.answers(batch, from: descriptor) {
                    statuses[answer.withUnsafeBytes { HTTPAnswer.status(of: $0, from: 0) }, default: 0] += 1
                }
            }
        }
        return statuses
    }

    /// The token of a place in line.
    func join(concert: Int, user: Int) throws -> [UInt8] {
        let body = #"{"concertId":\#(concert),"userId":\#(user)}"#
        let request =
            "POST /api/v1/waiting HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        try self.write(Array(request.utf8), to: self.descriptors[0])
        let answer = String(decoding: try self.answers(1, from: self.descriptors[0])[0], as: UTF8.self)
        guard let start = answer.firstRange(of: #""tokenId":""#) else { throw WireError("no token: \(answer)") }
        return Array(answer[start.upperBound...].prefix { $0 != "\"" }.utf8)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw WireError("the connection is lost: \(errno)") }
            written += count
        }
    }

    /// The next answers of a connection, whole.
    private func answers(_ count: Int, from descriptor: Int32) throws -> [ArraySlice<UInt8>] {
        var bytes: [UInt8] = []
        var found: [ArraySlice<UInt8>] = []
        var start = 0
        while found.count < count {
            while let end = bytes.withUnsafeBytes({ HTTPAnswer.end(of: $0, from: start) }) {
                found.append(bytes[start..<end])
                start = end
            }
            guard found.count < count else { break }
            let got = recv(descriptor, &self.buffer, self.buffer.count, 0)
            guard got > 0 else { throw WireError("the connection ended: \(errno)") }
            bytes += self.buffer[..<got]
        }
        return found
    }
}
