import Glibc
import Reactor
import Testing

@testable import Server

@Suite struct PortReservationTests {
    @Test func `all sockets are of one port, on which nobody listens yet`() throws {
        let reservation = try PortReservation(host: "127.0.0.1", port: 0, setting: "gateway.port", count: 3)
        #expect(reservation.port > 0 && reservation.descriptors.count == 3)
        #expect(throws: TestConnection.Failure.self) { _ = try TestConnection(port: reservation.port) }
        for descriptor in reservation.descriptors { #expect(listen(descriptor, 1) == 0) }
        _ = try TestConnection(port: reservation.port)
        #expect(throws: StartError.self) {
            _ = try PortReservation(host: "127.0.0.1", port: reservation.port, setting: "gateway.port", count: 1)
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
