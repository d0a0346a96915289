import Booking
import Glibc
import Wire

/// One end of a Unix socket between processes, blocking: a test pretends to be a gateway, a tool, or a shard.
final class FrameSocket {
    private let descriptor: Int32
    private var decoder = FrameDecoder()
    private var waiting: [Heard] = []

    /// A frame that came, as a value of its kind.
    struct Heard {
        let kind: UInt8
        let requestID: UInt64
        let control: Control?
        let request: Request?

        init(_ frame: Frame) throws(WireError) {
            self.kind = frame.header.kind
            self.requestID = frame.header.requestID
            var control: Control?
            var request: Request?
            switch frame.category {
            case .control: control = try Control(frame: frame)
            case .request: request = try Request(frame: frame)
            case .reply, .unknown: break
            }
            self.control = control
            self.request = request
        }
    }

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var time = timeval(tv_sec: TestConnection.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Dials, and says hello.
    convenience init(to path: String, as hello: Hello) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let code = Self.withAddress(path) { connect(descriptor, $0, $1) }
        guard code == 0 else { throw TestConnection.Failure(call: "connect to \(path)", code: errno) }
        self.init(descriptor: descriptor)
        try self.send { bytes throws(WireError) in try Control.hello(hello).encode(into: &bytes, requestID: 0) }
    }

    deinit { close(self.descriptor) }

    static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafeBytes(of: &address) {
            body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }

    func send(_ fill: (inout FrameBytes) throws(WireError) -> Void) throws {
        var bytes = FrameBytes()
        try fill(&bytes)
        let all = bytes.array
        guard Glibc.send(self.descriptor, all, all.count, Int32(MSG_NOSIGNAL)) == all.count else {
            throw TestConnection.Failure(call: "send", code: errno)
        }
    }

    func send(_ request: Request, id: UInt64) throws {
        try self.send { bytes throws(WireError) in
            try request.encode(into: &bytes, slot: request.slot, requestID: id, key: nil)
        }
    }

    func send(_ reply: Reply, id: UInt64) throws {
        try self.send { bytes throws(WireError) in
            try reply.encode(into: &bytes, slot: Slot(checking: 0)!, requestID: id)
        }
    }

    /// The next frame; nil at the other side's end.
    func next() throws -> Heard? {
        while self.waiting.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(self.descriptor, &buffer, buffer.count, 0)
            if count < 0 && errno != ECONNRESET { throw TestConnection.Failure(call: "recv", code: errno) }
            guard count > 0 else { return nil }
            var heard: [Heard] = []
            try buffer[..<count].withUnsafeBytes {
                try self.decoder.feed($0) { frame throws(WireError) in
                    heard.append(try Heard(frame))
                }
            }
            self.waiting += heard
        }
        return self.waiting.removeFirst()
    }
}
