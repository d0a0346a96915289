import Foundation
import Glibc
import Reactor
import Testing

@testable import Configuration
@testable import Supervisor

@Suite struct PortReservationTests {
    @Test func `all sockets are of one port, on which nobody listens yet`() throws {
        let reservation = try PortReservation(host: "127.0.0.1", port: 0, setting: "gateway.port", count: 3)
        #expect(reservation.port > 0 && reservation.descriptors.count == 3)
        #expect(throws: TestConnection.Failure.self) { _ = try TestConnection(port: reservation.port) }
        for descriptor in reservation.descriptors { #expect(listen(descriptor, 1) == 0) }
        _ = try TestConnection(port: reservation.port)
        #expect(throws: PortReservation.Refusal.self) {
            _ = try PortReservation(host: "127.0.0.1", port: reservation.port, setting: "gateway.port", count: 1)
        }
    }

    private static func isRefused(_ host: String, _ port: Int, count: Int = 2) throws -> Bool {
        do throws(PortReservation.Refusal) {
            _ = try PortReservation(host: host, port: port, setting: "gateway.port", count: count)
            return false
        } catch {
            let reason = error.reason
            try #require(error.isInUse, "\(reason)")
            #expect(reason.problem == "port \(port) of \(host) is in use by another program or cluster")
            return true
        }
    }

    /// Pairs of hosts of which one address is the other's, too.
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "::"),
        ("::", "127.0.0.1"), ("::", "0.0.0.0"), ("::", "::"), ("::1", "::"),
    ])
    func `a port is one cluster's from the reservation on, also before anybody listens and after`(
        first: String,
        second: String
    ) throws {
        let reservation = try PortReservation(host: first, port: 0, setting: "gateway.port", count: 2)
        #expect(try Self.isRefused(second, reservation.port))
        let loop = try EventLoop()
        let listeners = try reservation.descriptors.map { try TCPListener(on: loop, descriptor: dup($0)) }
        #expect(try Self.isRefused(second, reservation.port))
        // A gateway that takes its socket out of the port, or dies, leaves the port to its cluster.
        reservation.leave(0)
        reservation.leave(1)
        #expect(try Self.isRefused(second, reservation.port))
        for listener in listeners { listener.close() }
        #expect(try Self.isRefused(second, reservation.port))
        loop.run()
        loop.close()
    }

    @Test func `addresses that have nothing in common have a port each`() throws {
        let reservation = try PortReservation(host: "127.0.0.1", port: 0, setting: "gateway.port", count: 2)
        #expect(try !Self.isRefused("127.0.0.2", reservation.port))
    }

    @Test func `copies of the sockets keep the port after the supervisor, until the last is closed`() throws {
        var reservation: PortReservation? = try PortReservation(
            host: "127.0.0.1",
            port: 0,
            setting: "gateway.port",
            count: 2
        )
        let port = try #require(reservation?.port)
        let copy = dup(try #require(reservation?.descriptors[1]))
        reservation = nil
        #expect(try Self.isRefused("0.0.0.0", port))
        close(copy)
        #expect(try !Self.isRefused("0.0.0.0", port))
    }

    @Test func `connections that wait to be forgotten do not keep the port from the next start`() throws {
        var reservation: PortReservation? = try PortReservation(
            host: "127.0.0.1",
            port: 0,
            setting: "gateway.port",
            count: 1
        )
        let port = try #require(reservation?.port)
        let loop = try EventLoop()
        let listener = try TCPListener(on: loop, descriptor: dup(try #require(reservation?.descriptors[0]))) {
            // Who closes first waits (TIME_WAIT).
            $0.close()
            loop.stop()
        }
        let client = try TestConnection(port: port)
        loop.run()
        #expect(try client.endsClean())
        client.close()
        listener.close()
        loop.run()
        loop.close()
        reservation = nil
        #expect(try !Self.isRefused("127.0.0.1", port))
    }

    /// All at once, again and again: whoever is last finds it taken, and somebody has it.
    @Test func `of several that ask at the same moment one gets the port`() throws {
        let port = try PortReservation(host: "127.0.0.1", port: 0, setting: "gateway.port", count: 1).port
        for _ in 0..<50 {
            let hosts = ["127.0.0.1", "0.0.0.0", "::", "127.0.0.1"]
            let won = Won()
            DispatchQueue.concurrentPerform(iterations: hosts.count) { index in
                won.add(try? PortReservation(host: hosts[index], port: port, setting: "gateway.port", count: 2))
            }
            #expect(won.reservations.count == 1)
        }
    }

    private final class Won: @unchecked Sendable {
        // Touched under the lock, and after all have ended.
        private let lock = NSLock()
        private(set) var reservations: [PortReservation] = []
        func add(_ reservation: PortReservation?) {
            guard let reservation else { return }
            self.lock.withLock { self.reservations.append(reservation) }
        }
    }

    @Test func `who leaves the port gets no connections until it listens again`() throws {
        let reservation = try PortReservation(host: "127.0.0.1", port: 0, setting: "gateway.port", count: 2)
        let loop = try EventLoop()
        var accepted = [0, 0]
        func listen(_ index: Int) throws -> TCPListener {
            try TCPListener(on: loop, descriptor: dup(reservation.descriptors[index])) { connection in
                accepted[index] += 1
                connection.close()
            }
        }
        /// All are in backlogs before the first is taken out of one.
        func connect(_ count: Int, until isDone: @escaping () -> Bool) throws {
            let clients = try (0..<count).map { _ in try TestConnection(port: reservation.port) }
            let timer = LoopTimer(on: loop)
            timer.start(afterMilliseconds: 0, everyMilliseconds: 1) { if isDone() { loop.stop() } }
            loop.run()
            timer.close()
            for client in clients { client.close() }
        }
        let one = try listen(0)
        let other = try listen(1)
        other.close()
        reservation.leave(1)
        try connect(64) { accepted[0] == 64 }
        #expect(accepted == [64, 0])
        let again = try listen(1)
        try connect(64) { accepted[0] + accepted[1] == 128 }
        #expect(accepted[1] > 0)  // one in 2^64 that it fails
        one.close()
        again.close()
        loop.run()
        loop.close()
    }
}
