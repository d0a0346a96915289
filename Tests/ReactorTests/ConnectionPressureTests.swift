import Glibc
import Reactor
import Testing

/// Peers that do not read, vanish, or are closed at awkward moments.
@Suite struct ConnectionPressureTests {
    /// A producer that goes on only while `isFull()` is false, and is woken by `onLowWater` alone. It would hang if
    /// that call ever failed to come.
    @Test func `who asks whether a connection is full is told when it is not any more`() throws {
        let total = 32 * 1024 * 1024
        let chunk = [UInt8](repeating: 7, count: 24_000)
        try withLoop { loop in
            var sent = 0
            var heard = 0
            var waits = 0
            try connectPair(on: loop) { source in
                func produce() {
                    while sent < total {
                        if source.isFull() { return waits += 1 }
                        source.append(chunk)
                        sent += chunk.count
                    }
                    source.closeAfterFlush()
                }
                source.onLowWater = { produce() }
                produce()
            } use: { sink in
                sink.onRead = { heard += $0.count }
                sink.onEnd = { _ in sink.close() }
                sink.startReading()
            }
            loop.run()
            #expect(heard == sent)
            #expect(waits > 0)
        }
    }

    /// source ──▶ relay ──▶ sink, where the sink reads a little and then pauses. 64 MiB pass through the relay, which
    /// pauses its source when the sink is behind.
    @Test func `a slow reader slows the source down, and memory stays bounded`() throws {
        let total = 64 * 1024 * 1024
        let pattern = Pattern()
        let chunk = 60_000
        try withLoop { loop in
            var sent = 0
            var heard = 0
            var heardSinceRest = 0
            var isRight = true
            var pauses = 0
            var pendingMax = 0
            let rest = LoopTimer(on: loop)
            let listener = try TCPListener(on: loop, address: .loopback())
            var accepted: [Connection] = []

            func relay(from input: Connection, to output: Connection) {
                output.onHighWater = {
                    pauses += 1
                    input.stopReading()
                }
                output.onLowWater = { input.startReading() }
                input.onRead = {
                    output.append($0)
                    pendingMax = max(pendingMax, output.pendingBytes)
                }
                input.onEnd = { _ in
                    output.closeAfterFlush()
                    input.close()
                }
                input.startReading()
            }
            func produce(into source: Connection) {
                while sent < total, source.pendingBytes < source.highWater {
                    let count = min(chunk, total - sent)
                    source.append(pattern.bytes(from: sent, count: count))
                    sent += count
                }
                pendingMax = max(pendingMax, source.pendingBytes)
                if sent == total { source.closeAfterFlush() }
            }

            let source = try Connection(on: loop, to: .loopback(port: listener.port))
            source.highWater = 100_000
            source.onConnect = { produce(into: source) }
            loop.onTurnEnd = { if source.isConnected, sent < total { produce(into: source) } }
            let sink = try Connection(on: loop, to: .loopback(port: listener.port))
            sink.onRead = {
                isRight = isRight && pattern.matches($0, from: heard)
                heard += $0.count
                heardSinceRest += $0.count
                guard heardSinceRest > 500_000 else { return }
                heardSinceRest = 0
                sink.stopReading()
                rest.start(afterMilliseconds: 1) { sink.startReading() }
            }
            sink.onEnd = { _ in
                sink.close()
                rest.close()
                loop.onTurnEnd = nil
            }
            sink.startReading()
            listener.onConnection = { connection in
                accepted.append(connection)
                guard accepted.count == 2 else { return }
                listener.close()
                let isSourceFirst = accepted[0].peerAddress?.port == source.localPort
                relay(from: accepted[isSourceFirst ? 0 : 1], to: accepted[isSourceFirst ? 1 : 0])
            }
            loop.run()
            #expect(heard == total)
            #expect(isRight)
            #expect(pauses > 0)
            // The mark, and the bytes of one turn.
            #expect(pendingMax <= 256 * 1024 + EventLoop.readSizeMax)
        }
    }

    @Test func `one who has much to say is read once a turn`() throws {
        try withLoop { loop in
            let total = 2_000_000
            var (turn, turns, heard, reads) = (0, Set<Int>(), 0, 0)
            loop.onTurnEnd = { turn += 1 }
            try connectPair(on: loop) { server in
                server.onRead = {
                    heard += $0.count
                    reads += 1
                    turns.insert(turn)
                }
                server.startReading()
            } use: { client in
                client.append([UInt8](repeating: 7, count: total))
                client.closeAfterFlush()
            }
            loop.run()
            loop.onTurnEnd = nil
            #expect(heard == total)
            #expect(reads == turns.count)
        }
    }

    @Test func `low water comes once for each high water`() throws {
        try withLoop { loop in
            var story: [String] = []
            var server: Connection?
            try connectPair(on: loop) {
                server = $0
                $0.highWater = 1_000_000
                $0.lowWater = 1_000
                $0.onHighWater = { story.append("high \(server!.pendingBytes > 1_000_000)") }
                $0.onLowWater = {
                    story.append("low \(server!.pendingBytes <= 1_000)")
                    if story.count < 4 {
                        server?.append([UInt8](repeating: 0, count: 30_000_000))
                    } else {
                        server?.close()
                    }
                }
                $0.append([UInt8](repeating: 0, count: 30_000_000))
            } use: { client in
                client.onRead = { _ in }
                client.startReading()
            }
            loop.run()
            #expect(story == ["high true", "low true", "high true", "low true"])
        }
    }

    @Test func `a peer that resets in the middle of a write is one failure`() throws {
        try withLoop { loop in
            var ends: [Connection.EndReason] = []
            var closes = 0
            var server: Connection?
            try connectPair(on: loop) {
                server = $0
                $0.onEnd = { ends.append($0) }
                $0.onClose = { closes += 1 }
                $0.startReading()
                $0.append([UInt8](repeating: 0, count: 30_000_000))
            } use: { client in
                client.onRead = { [unowned client] _ in client.reset() }
                client.startReading()
            }
            loop.run()
            #expect(closes == 1)
            #expect(ends.count == 1)
            guard case .failed(let error) = ends.first else {
                Issue.record("no failure")
                return
            }
            #expect([-ECONNRESET, -EPIPE].contains(error.code))
            server?.append("to nobody")
            server?.flush()
            #expect(server?.pendingBytes == 0)
        }
    }

    @Test func `writing to a peer that is gone fails at the end of the turn, never inside the call`() throws {
        try withLoop { loop in
            var ends: [Connection.EndReason] = []
            var isInside = false
            var server: Connection?
            try connectPair(on: loop) {
                server = $0
                $0.onEnd = { reason in
                    #expect(!isInside)
                    ends.append(reason)
                }
            } use: { client in
                client.onConnect = { [unowned client] in client.reset() }
                client.onClose = {
                    isInside = true
                    for _ in 0..<3 {
                        server?.append("anybody?")
                        server?.flush()
                    }
                    isInside = false
                }
            }
            loop.run()
            #expect(ends.count == 1)
            #expect(ends.first != .endOfStream)
            #expect(server?.isClosed == true)
        }
    }

    @Test(arguments: ["onConnect", "onRead", "onEnd", "onHighWater", "onLowWater", "onTurnEnd", "onConnection"])
    func `a connection may be closed in each of its callbacks, twice`(place: String) throws {
        try withLoop { loop in
            var closes = 0
            var isReached = false
            func close(_ connection: Connection, in here: String) {
                guard here == place else { return }
                isReached = true
                connection.close()
                connection.close()
                connection.append("lost")
                connection.startReading()
                connection.stopReading()
                connection.shutdown()
                connection.closeAfterFlush()
                connection.reset()
            }
            var both: [Connection] = []
            func equip(_ connection: Connection) {
                both.append(connection)
                connection.onClose = {
                    closes += 1
                    for connection in both { connection.closeAfterFlush() }
                }
                connection.onConnect = { [unowned connection] in close(connection, in: "onConnect") }
                connection.onRead = { [unowned connection] _ in close(connection, in: "onRead") }
                connection.onEnd = { [unowned connection] _ in
                    close(connection, in: "onEnd")
                    connection.close()
                }
                connection.onHighWater = { [unowned connection] in close(connection, in: "onHighWater") }
                connection.onLowWater = { [unowned connection] in
                    close(connection, in: "onLowWater")
                    connection.shutdown()
                }
                connection.startReading()
                connection.append([UInt8](repeating: 1, count: 20_000_000))
            }
            loop.onTurnEnd = {
                if both.count == 2 { close(both[1], in: "onTurnEnd") }
            }
            try connectPair(on: loop) { server in
                equip(server)
                close(server, in: "onConnection")
            } use: {
                equip($0)
            }
            loop.run()
            #expect(isReached)
            #expect(closes == 2)
        }
    }

    @Test func `a connection without onEnd closes by itself, what is pending first`() throws {
        try withLoop { loop in
            var heard = 0
            try connectPair(on: loop) { server in
                server.onRead = { _ in }
                server.startReading()
                server.append([UInt8](repeating: 0, count: 5_000_000))
            } use: { client in
                client.shutdown()
                client.onRead = { heard += $0.count }
                client.startReading()
            }
            loop.run()
            #expect(heard == 5_000_000)
        }
    }
}
