import Glibc

/// A client's TCP connection to 127.0.0.1, blocking, with nothing between the test and the bytes. A read or write that
/// takes longer than `patience` fails the test rather than hanging it.
final class TestConnection {
    /// Seconds: far longer than any answer takes on the slowest machine.
    static let patience = 60

    private var descriptor: Int32
    private var received: [UInt8] = []
    private var start = 0

    struct Failure: Error, CustomStringConvertible {
        let call: String
        let code: Int32
        var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
        var isReset: Bool { self.code == ECONNRESET || self.code == EPIPE }
    }

    /// `receiveBuffer` bytes is how much the kernel takes for a client that does not read; 0 leaves it to the kernel. `host`
    /// is the last number of the address 127.0.0.x that it comes from.
    init(port: Int, receiveBuffer: Int32 = 0, host: UInt8 = 1) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard self.descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
        var time = timeval(tv_sec: Self.patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(self.descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        self.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        if receiveBuffer > 0 { self.set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        let size4 = socklen_t(MemoryLayout<sockaddr_in>.size)
        var code: Int32 = 0
        if host != 1 {
            code = Self.address(host, port: 0) { bind(self.descriptor, $0, size4) }
        }
        if code == 0 { code = Self.address(1, port: port) { connect(self.descriptor, $0, size4) } }
        guard code == 0 else {
            let failure = Failure(call: "connect", code: errno)
            self.close()
            throw failure
        }
    }

    deinit { self.close() }

    private static func address(_ host: UInt8, port: Int, _ body: (UnsafePointer<sockaddr>) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = (UInt32(0x7F00_0000) | UInt32(host)).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
        }
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(self.descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    // MARK: Out

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(call: "send", code: errno) }
            sent += count
        }
    }

    func send(_ text: String) throws { try self.send(Array(text.utf8)) }

    /// Sends, and takes in answers meanwhile: for more than the kernel keeps for both sides.
    func sendWhileReading(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            var state = pollfd(fd: self.descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
            guard poll(&state, 1, Int32(Self.patience * 1_000)) > 0 else {
                throw Failure(call: "poll", code: ETIMEDOUT)
            }
            if state.revents & Int16(POLLIN) != 0 {
                guard try self.receive() else { throw Failure(call: "the server ended early", code: 0) }
            }
            guard state.revents & Int16(POLLOUT) != 0 else { continue }
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            guard count > 0 || errno == EAGAIN else { throw Failure(call: "send", code: errno) }
            sent += max(0, count)
        }
    }

    /// Whether the server has sent something, or its end, that was not read yet. Does not wait.
    var hasInput: Bool {
        var state = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        return self.start < self.received.count || poll(&state, 1, 0) > 0
    }

    /// Ends this side; answers can still be read.
    func closeWriting() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    func close() {
        guard self.descriptor >= 0 else { return }
        Glibc.close(self.descriptor)
        self.descriptor = -1
    }

    /// Ends with a reset instead of an end, whatever is under way.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        self.close()
    }

    // MARK: In

    /// The next answer. To HEAD, and with 1xx, 204 and 304, no body comes, whatever the length says.
    func answer(toHead: Bool = false) throws -> Answer {
        var searched = self.start
        var end: Int?
        while end == nil {
            end = Self.find([13, 10, 13, 10], in: self.received, from: searched)
            guard end == nil else { break }
            searched = max(self.start, self.received.count - 3)
            guard try self.receive() else { throw Failure(call: "the answer ended early", code: 0) }
        }
        var answer = try Answer(head: String(decoding: self.received[self.start..<end!], as: UTF8.self))
        self.start = end! + 4
        let hasNone = toHead || answer.status < 200 || answer.status == 204 || answer.status == 304
        let length = answer["Content-Length"].flatMap(Int.init)
        guard !hasNone else { return answer }
        guard let length else { throw Answer.Malformed(reason: "no Content-Length in \(answer)") }
        while self.received.count - self.start < length {
            guard try self.receive() else { throw Failure(call: "the answer's body ended early", code: 0) }
        }
        answer.body = Array(self.received[self.start..<self.start + length])
        self.start += length
        if self.start > 1 << 16 {
            self.received.removeSubrange(..<self.start)
            self.start = 0
        }
        return answer
    }

    /// Waits for the server's end; true when no byte came before it, false when it was a reset or had bytes.
    func endsClean() throws -> Bool {
        guard self.start == self.received.count else { return false }
        do { return try !self.receive() } catch let failure as Failure where failure.isReset { return false }
    }

    /// Reads and drops everything up to the end or the reset; how many bytes there were.
    func drain() throws -> Int {
        var count = self.received.count - self.start
        do {
            while try self.receive() {
                count += self.received.count
                self.received.removeAll()
                self.start = 0
            }
        } catch let failure as Failure where failure.isReset {}
        return count
    }

    /// Takes some bytes in, to be read as an answer later. False at the server's end.
    func receive(atMost count: Int = 65_536) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: count)
        var count = -1
        // A machine that is put to sleep for a while interrupts a wait.
        repeat { count = recv(self.descriptor, &buffer, buffer.count, 0) } while count < 0 && errno == EINTR
        guard count >= 0 else { throw Failure(call: "recv", code: errno) }
        self.received += buffer[..<count]
        return count > 0
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
        var at = from
        while at + pattern.count <= bytes.count {
            if bytes[at] == pattern[0], bytes[at..<at + pattern.count].elementsEqual(pattern) { return at }
            at += 1
        }
        return nil
    }
}
