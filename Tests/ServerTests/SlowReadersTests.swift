import Foundation
import Testing

@testable import Server

/// Clients that ask for much and read nothing.
@Suite(.cluster("--shards", "1")) struct SlowReadersTests {
    /// What the kernel has taken for the other ends of connections to a port, and not got rid of: the send queues in
    /// /proc/net/tcp of those that are established there.
    private static func queued(at port: Int) throws -> [Int] {
        let table = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
        return table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[3] == "01", fields[1].hasSuffix(":" + String(format: "%04X", port)) else {
                return nil
            }
            return Int(fields[4].prefix { $0 != ":" }, radix: 16)
        }
    }

    @Test func `what they do not read is not the kernel's to keep`() throws {
        let port = ServedCluster.shared.port
        let connection = try TestConnection(port: port, receiveBuffer: 2_048)
        // Fifty lists of 24 kB.
        let question = BookingClient.request("GET", "/api/v1/concert/schedules?concertId=1")
        try connection.send(String(repeating: question, count: 50))
        var before = [0]
        try TestCluster.eventually("the kernel takes no more") {
            usleep(100_000)
            defer { before = (try? Self.queued(at: port)) ?? [] }
            return try before.max() ?? 0 > 0 && before == Self.queued(at: port)
        }
        #expect(try #require(Self.queued(at: port).max()) < 100_000)
        connection.close()
    }
}
