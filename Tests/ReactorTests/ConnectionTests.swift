import Glibc
import Testing

@testable import Reactor

@Suite struct ConnectionTests {
    @Test func `what is sent comes back, over TCP`() throws {
        try withLoop { loop in
            var heard = ""
            try connectPair(on: loop) { server in
                server.onRead = { [unowned server] in server.append($0) }
                server.onEnd = { [unowned server] _ in server.closeAfterFlush() }
                server.startReading()
            } use: { client in
                client.onRead = { [unowned client] in
                    heard += text($0)
                    if heard == "hello" { client.close() }
                }
                client.startReading()
                client.append("hel")  // before the connection is up
                client.onConnect = { [unowned client] in client.append([108, 111]) }
            }
            loop.run()
            #expect(heard == "hello")
        }
    }

    @Test func `what is sent comes back, over a Unix socket`() throws {
        try withFolder { folder in
            try withLoop { loop in
                var heard = ""
                let listener = try UnixListener(on: loop, path: "\(folder)/s") { server in
                    server.onRead = { [unowned server] in server.append($0) }
                    server.startReading()
                }
                let client = try Connection(on: loop, toPath: "\(folder)/s")
                client.onRead = { heard += text($0) }
                client.onEnd = { _ in listener.close() }
                client.startReading()
                client.append("over the fence")
                client.shutdown()
                loop.run()
                client.close()
                #expect(heard == "over the fence")
            }
        }
    }

    @Test func `a thousand appends in a turn leave in one system call`() throws {
        try withLoop { loop in
            var heard = 0
            var calls = 0
            try connectPair(on: loop) { server in
                for _ in 0..<1_000 { server.append("forty bytes, one of a thousand answers..") }
                #expect(server.pendingBytes == 40_000)
                #expect(server.writeCalls == 0)
                server.closeAfterFlush()
                calls = server.writeCalls
            } use: { client in
                client.onRead = { heard += $0.count }
                client.startReading()
            }
            loop.run()
            #expect(heard == 40_000)
            #expect(calls == 1)
        }
    }

    @Test func `the loop writes by itself at the end of the turn, also after a timer`() throws {
        try withLoop { loop in
            var heard = ""
            var server: Connection?
            let timer = LoopTimer(on: loop)
            try connectPair(on: loop) {
                server = $0
                timer.start(afterMilliseconds: 1) {
                    server?.append("tick")
                    server?.append(" tock")
                }
            } use: { client in
                client.onRead = { [unowned client] in
                    heard += text($0)
                    client.close()
                    server?.close()
                    timer.close()
                }
                client.startReading()
            }
            loop.run()
            #expect(heard == "tick tock")
            #expect(server?.writeCalls == 1)
        }
    }

    @Test func `a write leaves at once, in one call with what is gathered before it, and keeps order`() throws {
        try withLoop { loop in
            var heard: [UInt8] = []
            let body = [UInt8](repeating: 7, count: 24_000)
            var server: Connection?
            try connectPair(on: loop) {
                server = $0
                $0.append([1, 2, 3])
                body.withUnsafeBytes { server?.write($0) }
                #expect(server?.writeCalls == 1)
                #expect(server?.pendingBytes == 0)
                body.withUnsafeBytes { server?.write($0) }
                server?.append(capacity: 10) { memory in
                    memory.copyBytes(from: [4, 5])
                    return 2
                }
                server?.closeAfterFlush()
            } use: { client in
                client.onRead = { heard += $0 }
                client.startReading()
            }
            loop.run()
            #expect(heard == [1, 2, 3] + body + body + [4, 5])
            #expect(server?.writeCalls == 3)
        }
    }

    /// Sizes around the block of 64 KiB and above a socket's buffer, by `append`, `write` and both.
    @Test(arguments: [1, 65_535, 65_536, 65_537, 200_000, 3_000_000, 20_000_000])
    func `bytes of any size arrive whole and in order`(size: Int) throws {
        let pattern = Pattern()
        try withLoop { loop in
            var heard = 0
            var isRight = true
            try connectPair(on: loop) { server in
                var sent = 0
                for part in [size, 1, size, size / 3, size] where part > 0 {
                    let bytes = pattern.bytes(from: sent, count: part)
                    if sent % 2 == 0 { bytes.withUnsafeBytes { server.write($0) } } else { server.append(bytes) }
                    sent += part
                }
                server.closeAfterFlush()
            } use: { client in
                client.onRead = {
                    isRight = isRight && pattern.matches($0, from: heard)
                    heard += $0.count
                }
                client.startReading()
            }
            loop.run()
            #expect(heard == 3 * size + 1 + size / 3)
            #expect(isRight)
        }
    }

    @Test func `a peer may end its side and still be answered`() throws {
        try withLoop { loop in
            var question = ""
            var answer = ""
            var ends: [Connection.EndReason] = []
            try connectPair(on: loop) { server in
                server.onRead = { question += text($0) }
                server.onEnd = { [unowned server] reason in
                    ends.append(reason)
                    server.append("answer to \(question)")
                    server.closeAfterFlush()
                }
                server.startReading()
            } use: { client in
                client.append("question")
                client.shutdown()
                client.append("lost: after the end")
                client.onRead = { answer += text($0) }
                client.startReading()
            }
            loop.run()
            #expect(answer == "answer to question")
            #expect(ends == [.endOfStream])
        }
    }

    @Test func `refused connections are an end, not an error of the call`() throws {
        try withLoop { loop in
            let listener = try TCPListener(on: loop, address: .loopback())
            let port = listener.port
            listener.close()
            loop.run()
            var ends: [Connection.EndReason] = []
            var isClosed = false
            let client = try Connection(on: loop, to: .loopback(port: port))
            client.append("never sent")
            client.onEnd = { ends.append($0) }
            client.onClose = { isClosed = true }
            loop.run()
            #expect(ends == [.failed(UVError(code: -ECONNREFUSED, call: "connect"))])
            #expect(isClosed)

            let lonely = try Connection(on: loop, toPath: "/tmp/usher-no-such-socket")
            lonely.onEnd = { ends.append($0) }
            loop.run()
            #expect(ends.last == .failed(UVError(code: -ENOENT, call: "connect")))
        }
    }

    @Test func `a socket path that is too long is refused, not cut off`() throws {
        try withLoop { loop in
            let path = "/tmp/" + String(repeating: "x", count: 103)
            #expect(throws: UVError.self) { _ = try Connection(on: loop, toPath: path) }
            #expect(throws: UVError.self) { _ = try UnixListener(on: loop, path: path) }
        }
    }

    @Test func `descriptors that are open already become connections`() throws {
        try withLoop { loop in
            var pair: [Int32] = [0, 0]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            let one = try Connection(on: loop, descriptor: pair[0])
            let other = try Connection(on: loop, descriptor: pair[1])
            #expect(fcntl(pair[0], F_GETFD) & FD_CLOEXEC != 0)
            var heard = ""
            other.onRead = { heard += text($0) }
            other.startReading()
            one.append("through a pair")
            one.closeAfterFlush()
            loop.run()
            #expect(heard == "through a pair")
            #expect(throws: UVError.self) { _ = try Connection(on: loop, descriptor: 9_999) }
        }
    }

    @Test func `both ends know who the other is, and have no delay`() throws {
        try withLoop { loop in
            var addresses: [SocketAddress?] = []
            var delays: [Int32] = []
            var server: Connection?
            let listener = try TCPListener(on: loop, address: .loopback())
            let port = listener.port
            let client = try Connection(on: loop, to: .loopback(port: port))
            listener.onConnection = { accepted in
                server = accepted
                addresses = [client.peerAddress, accepted.peerAddress]
                #expect(accepted.peerAddress?.port == client.localPort)
                #expect(accepted.localPort == port)
                delays = [noDelay(ofPort: port, from: client.localPort ?? 0)]
                for handle in [accepted, client] { handle.close() }
                listener.close()
            }
            loop.run()
            #expect(addresses[0] == .loopback(port: port))
            #expect(addresses[1]?.host == "127.0.0.1")
            #expect(delays == [1])
            #expect(server?.peerAddress == nil)
        }
    }

    /// TCP_NODELAY of the accepted end, found among this process's descriptors by its two ports.
    private func noDelay(ofPort port: UInt16, from peer: UInt16) -> Int32 {
        for descriptor in Int32(3)..<1_024 {
            var local = sockaddr_in()
            var remote = sockaddr_in()
            guard name(descriptor, &local, getsockname), local.sin_port == port.bigEndian,
                name(descriptor, &remote, getpeername), remote.sin_port == peer.bigEndian
            else { continue }
            var value: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &size)
            return value
        }
        return -1
    }

    private func name(
        _ descriptor: Int32,
        _ address: inout sockaddr_in,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Bool {
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutableBytes(of: &address) {
            ask(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size) == 0
        }
    }
}

/// Bytes that identify their position in a stream: any part repeats only after a prime number of bytes, so lost and
/// doubled blocks are detected.
struct Pattern {
    private static let period = 65_521
    private let bytes = (0..<2 * Self.period).map {
        UInt8(truncatingIfNeeded: ($0 % Self.period) &* 2_654_435_761 >> 7)
    }

    func bytes(from start: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
            while filled < count {
                let offset = (start + filled) % Self.period
                let part = min(count - filled, Self.period)
                _ = self.bytes.withUnsafeBytes { memcpy(memory.baseAddress! + filled, $0.baseAddress! + offset, part) }
                filled += part
            }
        }
    }

    func matches(_ other: UnsafeRawBufferPointer, from start: Int) -> Bool {
        self.bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < other.count {
                let part = min(other.count - done, Self.period)
                let mine = bytes.baseAddress! + (start + done) % Self.period
                guard memcmp(other.baseAddress! + done, mine, part) == 0 else { return false }
                done += part
            }
            return true
        }
    }
}
