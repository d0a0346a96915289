import Foundation
import Glibc
import Testing

@testable import Reactor

@Suite struct ListenerTests {
    @Test func `the kernel's choice of port is told`() throws {
        try withLoop { loop in
            let listener = try TCPListener(on: loop, address: .loopback())
            #expect(listener.port > 0)
            listener.close()
        }
    }

    @Test func `two listeners share a port only if both say so`() throws {
        try withLoop { loop in
            var accepted = [0, 0]
            var open = 64
            let one = try TCPListener(on: loop, address: .loopback(), sharesPort: true)
            let address = SocketAddress.loopback(port: one.port)
            #expect(throws: UVError(code: -EADDRINUSE, call: "listen on \(address)")) {
                _ = try TCPListener(on: loop, address: address)
            }
            let other = try TCPListener(on: loop, address: address, sharesPort: true)
            one.onConnection = {
                accepted[0] += 1
                $0.close()
            }
            other.onConnection = {
                accepted[1] += 1
                $0.close()
            }
            for _ in 0..<64 {
                let client = try Connection(on: loop, to: address)
                client.startReading()
                client.onEnd = { [unowned client] _ in
                    client.close()
                    open -= 1
                    guard open == 0 else { return }
                    one.close()
                    other.close()
                }
            }
            loop.run()
            #expect(accepted[0] + accepted[1] == 64)
            #expect(accepted[0] > 0 && accepted[1] > 0)  // one in 2^63 that it fails
        }
    }

    @Test func `IPv6 works where the machine has it`() throws {
        try withLoop { loop in
            let address = try #require(SocketAddress("::1", port: 0))
            let listener: TCPListener
            do throws(UVError) {
                listener = try TCPListener(on: loop, address: address)
            } catch {
                #expect([-EADDRNOTAVAIL, -EAFNOSUPPORT].contains(error.code))
                return
            }
            var peer: SocketAddress?
            listener.onConnection = {
                peer = $0.peerAddress
                $0.close()
                listener.close()
            }
            let client = try Connection(on: loop, to: SocketAddress(family: .ipv6, bits: 1, port: listener.port))
            client.startReading()
            loop.run()
            #expect(peer?.host == "::1")
        }
    }

    @Test func `what waits for a listener on another's socket outlives it, and its successor finds it`() throws {
        try withLoop { loop in
            let owner = try BoundSocket()
            let before = try TCPListener(on: loop, descriptor: owner.copy())
            #expect(before.port == owner.port)
            // The kernel accepts these by itself; the listener does not, as the loop does not run.
            let clients = try (0..<10).map { _ in try BlockingClient(port: owner.port) }
            before.close()
            var served = 0
            let after = try TCPListener(on: loop, descriptor: owner.copy())
            after.onConnection = { [unowned after] connection in
                served += 1
                connection.append("\(served)")
                connection.closeAfterFlush()
                if served == clients.count { after.close() }
            }
            loop.run()
            #expect(Set(clients.map { $0.readToEnd() }) == Set((1...clients.count).map { "\($0)" }))
        }
    }

    @Test func `what came along with a connection is read at once, and more only if its owner goes on`() throws {
        try withLoop { loop in
            let listener = try TCPListener(on: loop, address: .loopback())
            let client = try BlockingClient(port: listener.port)
            client.write("a question")
            var heard = ""
            listener.onConnection = { [unowned listener] connection in
                connection.onRead = { [unowned connection] in
                    heard += text($0)
                    #expect(!connection.isReading)
                    connection.stopReading()
                    // The answer still leaves, and whole.
                    client.write("unread")
                    connection.append("an answer")
                    connection.closeAfterFlush()
                    #expect(connection.writeCalls == 1)
                }
                connection.startReading()
                listener.close()
            }
            loop.run()
            #expect(heard == "a question")
            #expect(client.readToEnd() == "an answer")
        }
    }

    @Test(arguments: [("", false), ("goodbye", false), ("", true)])
    func `a client that left before it was taken is heard to its end`(words: String, resets: Bool) throws {
        try withLoop { loop in
            let listener = try TCPListener(on: loop, address: .loopback())
            do {
                let client = try BlockingClient(port: listener.port)
                client.write(words)
                if resets { client.resetAtEnd() }
            }
            var heard = ""
            var ends: [Connection.EndReason] = []
            listener.onConnection = { [unowned listener] connection in
                connection.onRead = { heard += text($0) }
                connection.onEnd = { [unowned connection] in
                    ends.append($0)
                    connection.close()
                }
                connection.startReading()
                listener.close()
            }
            loop.run()
            #expect(heard == words)
            #expect(ends == [resets ? .failed(UVError(code: -ECONNRESET, call: "read")) : .endOfStream])
        }
    }

    @Test func `a listener that waits for bytes takes who speaks first, and the silent later`() throws {
        try withLoop { loop in
            var events: [String] = []
            var open: [Connection] = []
            let listener = try TCPListener(on: loop, address: .loopback())
            listener.waitForBytes()
            let silent = try BlockingClient(port: listener.port)
            let speaker = try BlockingClient(port: listener.port)
            speaker.write("hello")
            listener.onConnection = { [unowned listener] connection in
                events.append("connection")
                open.append(connection)
                connection.onRead = { events.append(text($0)) }
                connection.startReading()
                guard open.count == 2 else { return }
                for connection in open { connection.close() }
                listener.close()
            }
            let started = Clock.monotonicNanoseconds()
            loop.run()
            #expect(events == ["connection", "hello", "connection"])
            #expect(Clock.monotonicNanoseconds() - started > 500_000_000)
            _ = (silent, speaker)
        }
    }

    @Test func `a listener that finishes hands on the connection that a rest has held back`() throws {
        try withLoop { loop in
            var accepted = 0
            let listener = try TCPListener(on: loop, address: .loopback())
            listener.onConnection = {
                accepted += 1
                $0.close()
            }
            listener.rest()
            let client = try Connection(on: loop, to: .loopback(port: listener.port))
            // When the client is up, the listener's turn is in the same turn of the loop or the next.
            let timer = LoopTimer(on: loop)
            client.onConnect = {
                timer.start(afterMilliseconds: 10) {
                    listener.finish()
                    client.close()
                    timer.close()
                }
            }
            loop.run()
            #expect(accepted == 1)
        }
    }

    @Test func `near the limit of descriptors a listener rests, tells, and serves everyone in the end`() async {
        await #expect(processExitsWith: .success) {
            try ResourceLimits.setOpenFiles(soft: try Self.limit(leaving: 120))
            try withLoop { loop in
                var errors: [UVError] = []
                var served = 0
                let listener = try TCPListener(on: loop, address: .loopback())
                var open: [Connection] = []
                // Only once the limit is reached: before, it would keep a slow machine from ever reaching it.
                let relief = LoopTimer(on: loop)
                listener.onAcceptError = {
                    errors.append($0)
                    guard errors.count == 1 else { return }
                    relief.start(afterMilliseconds: 20, everyMilliseconds: 20) {
                        if !open.isEmpty { open.removeFirst().close() }
                        if served == 60 { relief.close() }
                    }
                }
                listener.onConnection = { connection in
                    open.append(connection)
                    served += 1
                    if served == 60 {
                        for connection in open { connection.close() }
                        listener.close()
                    }
                }
                // 60 clients, and as many accepted ends as there are descriptors: 16 are kept free.
                for _ in 0..<60 { try Connection(on: loop, to: .loopback(port: listener.port)).startReading() }
                loop.run()
                precondition(served == 60)
                precondition(!errors.isEmpty && errors.allSatisfy { $0.code == -EMFILE })
            }
        }
    }

    /// A limit of descriptors that leaves so many free, whatever this process started with.
    private static func limit(leaving count: Int) throws -> UInt64 {
        let taken = Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int($0) })
        var limit = 0
        var free = 0
        while free < count {
            if !taken.contains(limit) { free += 1 }
            limit += 1
        }
        return UInt64(limit)
    }

    @Test func `without any descriptor left the listener survives, and does not spin`() async {
        await #expect(processExitsWith: .success) {
            try ResourceLimits.setOpenFiles(soft: 64)
            try withLoop { loop in
                var served = 0
                let listener = try TCPListener(on: loop, address: .loopback()) {
                    served += 1
                    $0.close()
                }
                let port = listener.port
                let client = try Connection(on: loop, to: .loopback(port: port))
                var fillers: [Int32] = []
                while case let filler = dup(0), filler >= 0 { fillers.append(filler) }
                client.startReading()
                client.onEnd = { _ in
                    client.close()
                    for filler in fillers { close(filler) }
                    guard let second = try? Connection(on: loop, to: .loopback(port: port)) else { return }
                    second.startReading()
                    second.onEnd = { _ in
                        second.close()
                        listener.close()
                    }
                }
                loop.run()
                precondition(served == 1)
            }
        }
    }
}

@Suite struct UnixListenerTests {
    @Test func `only its owner may open the socket, and the file goes with it`() throws {
        try withFolder { folder in
            try withLoop { loop in
                let path = "\(folder)/s"
                let listener = try UnixListener(on: loop, path: path)
                var status = stat()
                try #require(stat(path, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600)
                #expect(status.st_mode & S_IFMT == S_IFSOCK)
                listener.close()
                loop.run()
                #expect(!exists(path))
            }
        }
    }

    @Test func `a socket that somebody serves is refused and left alone`() throws {
        try withFolder { folder in
            try withLoop { loop in
                let path = "\(folder)/s"
                let listener = try UnixListener(on: loop, path: path) { $0.close() }
                #expect(throws: UVError(code: -EADDRINUSE, call: "\(path) is served by another process")) {
                    _ = try UnixListener(on: loop, path: path)
                }
                let client = try Connection(on: loop, toPath: path)
                var isConnected = false
                client.onConnect = {
                    isConnected = true
                    listener.close()
                    client.close()
                }
                loop.run()
                #expect(isConnected)
            }
        }
    }

    @Test func `a socket left by a process that was killed is replaced`() throws {
        try withFolder { folder in
            try withLoop { loop in
                let path = "\(folder)/s"
                let old = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
                let code = withUnsafeBytes(of: &address) {
                    bind(
                        old,
                        $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                        socklen_t(MemoryLayout<sockaddr_un>.size)
                    )
                }
                try #require(code == 0)
                close(old)
                #expect(exists(path))
                var served = 0
                let listener = try UnixListener(on: loop, path: path)
                listener.onConnection = {
                    served += 1
                    $0.close()
                    listener.close()
                }
                try Connection(on: loop, toPath: path).startReading()
                loop.run()
                #expect(served == 1)
            }
        }
    }

    @Test func `a file that is no socket is never replaced`() throws {
        try withFolder { folder in
            try withLoop { loop in
                let path = "\(folder)/precious"
                close(creat(path, 0o600))
                #expect(throws: UVError.self) { _ = try UnixListener(on: loop, path: path) }
                #expect(exists(path))
            }
        }
    }
}

/// A socket that is bound to a port of 127.0.0.1 and does not listen, like a supervisor's.
private final class BoundSocket {
    let descriptor: Int32
    let port: UInt16

    init() throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) | getsockname(descriptor, $0, &size)
            }
        }
        self.port = UInt16(bigEndian: address.sin_port)
        try #require(code == 0)
    }

    deinit { close(self.descriptor) }

    func copy() -> Int32 { fcntl(self.descriptor, F_DUPFD_CLOEXEC, 0) }
}

/// A client that needs no loop.
private final class BlockingClient {
    private let descriptor: Int32

    init(port: UInt16) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let descriptor = self.descriptor
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(code == 0)
    }

    deinit { close(self.descriptor) }

    func write(_ text: String) { _ = Glibc.write(self.descriptor, text, text.utf8.count) }

    /// Its end will be a reset.
    func resetAtEnd() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// The bytes before the end; the error's name after a reset.
    func readToEnd() -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 64)
        while true {
            let count = read(self.descriptor, &buffer, buffer.count)
            guard count > 0 else { return count == 0 ? text : String(cString: strerror(errno)) }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
