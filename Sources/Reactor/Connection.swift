import CLibuv
import Glibc

/// One stream of bytes each way, over TCP or a Unix socket, whichever side opened it.
///
///     connecting ──▶ open ──peer's end──▶ open for writing ──closeAfterFlush──▶ closing ──▶ closed: onClose
///          │          │ └──shutdown──▶ open for reading ──peer's end──▶ (still ours to close)  ▲
///          └──────────┴── any failure: onEnd(.failed), then by itself ─────────────────────────┘
///
/// **Happy path.** The owner sets the closures once, calls `startReading()`, appends answers in `onRead`; the loop
/// writes them at the end of the turn in one system call. The peer ends its side: `onEnd(.endOfStream)`; the owner
/// appends what is left to say and calls `closeAfterFlush()`. `onClose` comes when the descriptor is gone.
///
/// **Failure paths.** Whatever fails (connecting, reading, writing) ends in one `onEnd(.failed)` and then in `close()`,
/// in that order, both from the loop and never inside a call of the owner. A connection that had its end of stream
/// already, or was told `closeAfterFlush()`, has no second `onEnd`: it goes straight to `onClose`. A peer that vanished
/// (ECONNRESET, EPIPE, ETIMEDOUT) is such a failure and nothing worse. Calls on a closed or failed connection do
/// nothing, so no caller has to look first.
///
/// **A peer that does not read.** What the kernel does not take stays here, counted by `pendingBytes`. Above
/// `highWater` `onHighWater` asks the producer to pause (its `stopReading()`), at or below `lowWater` `onLowWater` lets
/// it go on. Both come from the loop.
public final class Connection: LoopHandle {
    public enum EndReason: Equatable, Sendable {
        /// The peer has sent all it will send. It may still read.
        case endOfStream
        /// The connection is lost, or never came to be.
        case failed(UVError)
    }

    public enum Transport: Sendable { case tcp, unix }

    enum Ending { case none, shutdown, close }

    public let transport: Transport
    /// Bytes from the peer, in order. The memory is valid during the call only: the next read overwrites it.
    public var onRead: ((UnsafeRawBufferPointer) -> Void)?
    /// The peer's side is over; comes once at most. Without it the connection closes by itself, what is pending first.
    public var onEnd: ((EndReason) -> Void)?
    /// A connection that we opened is up. Appending need not wait for it.
    public var onConnect: (() -> Void)?
    public var onHighWater: (() -> Void)?
    public var onLowWater: (() -> Void)?
    /// Bytes pending at the end of a turn above which `onHighWater` is called.
    public var highWater = 256 * 1024
    /// Bytes pending at which `onLowWater` is called; below `highWater`.
    public var lowWater = 64 * 1024
    /// Whether its mark is 0 while the loop has no room (`EventLoop.hasRoom`).
    public var yieldsRoom = false
    /// System calls made to write: what tests count.
    var writeCalls = 0
    /// Whether bytes of the peer are being asked for.
    public private(set) var isReading = false
    /// False until a connection that we opened is up.
    public private(set) var isConnected = false

    // What leaves: appended bytes are gathered; what the kernel did not take at once is in flight with libuv.
    var gathered = OutgoingBlock.empty
    var inFlight = OutgoingBlock.empty
    var requests: UnsafeMutablePointer<Requests>?
    var ending = Ending.none
    var failure: UVError?
    var isUnsettled = false
    var isAboveHighWater = false
    var hasShutDown = false
    private var hasEnded = false
    private var wantsReading = false
    /// It came in this turn: it is read once at the turn's end, before libuv is asked for its bytes.
    private var isNew = false
    /// The turn of the loop in which it was last read: once in each, so that one with megabytes to say holds nobody up.
    private var readTurn: UInt64 = 0

    /// libuv's memory for what takes longer than a call; made when first needed, most connections never do.
    struct Requests {
        var connect = uv_connect_t()
        var write = uv_write_t()
        var shutdown = uv_shutdown_t()
    }

    /// A stream that some other call of libuv is about to open.
    init(_ transport: Transport, on loop: EventLoop) throws(UVError) {
        self.transport = transport
        super.init(transport == .tcp ? UV_TCP : UV_NAMED_PIPE, on: loop)
        switch transport {
        case .tcp: try self.adopt(uv_tcp_init(loop.raw, self.raw(as: uv_tcp_t.self)), "uv_tcp_init")
        case .unix: try self.adopt(uv_pipe_init(loop.raw, self.raw(as: uv_pipe_t.self), 0), "uv_pipe_init")
        }
    }

    /// Starts to connect over TCP, without Nagle's delay. Refusals come as `onEnd(.failed)`; throws only when it can't
    /// even start.
    public convenience init(on loop: EventLoop, to address: SocketAddress) throws(UVError) {
        try self.init(.tcp, on: loop)
        let tcp = self.raw(as: uv_tcp_t.self)
        try self.orClose(uv_tcp_nodelay(tcp, 1), "uv_tcp_nodelay")
        let requests = self.makeRequests()
        let code = address.withRaw { uv_tcp_connect(&requests.pointee.connect, tcp, $0, Self.connected) }
        try self.orClose(code, "connect to \(address)")
    }

    /// Starts to connect to the Unix socket at `path`. Refusals come as `onEnd(.failed)`; throws only for a path
    /// that is too long for the kernel.
    public convenience init(on loop: EventLoop, toPath path: String) throws(UVError) {
        try UnixListener.checkLength(of: path)
        try self.init(.unix, on: loop)
        let requests = self.makeRequests()
        uv_pipe_connect(&requests.pointee.connect, self.raw(as: uv_pipe_t.self), path, Self.connected)
    }

    /// Takes over a Unix stream socket or pipe that is open already, such as the one a child finds at
    /// `ChildProcess.controlDescriptor`. It is closed with the connection, and not passed on to children.
    public convenience init(on loop: EventLoop, descriptor: Int32) throws(UVError) {
        try self.init(.unix, on: loop)
        try self.orClose(uv_pipe_open(self.raw(as: uv_pipe_t.self), descriptor), "uv_pipe_open \(descriptor)")
        let flags = fcntl(descriptor, F_GETFD)
        _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC)  // can't fail: uv_pipe_open found it open
        self.isConnected = true
    }

    /// Asks for the peer's bytes, from now on or from when the connection is up. Does nothing after the peer's end.
    public func startReading() {
        self.wantsReading = true
        guard self.isConnected, !self.isReading, !self.hasEnded, !self.isClosed, self.failure == nil else { return }
        guard !self.isNew else { return }
        let code = uv_read_start(self.stream, Self.allocated, Self.read)
        guard code == 0 else { return self.fail(UVError(code: code, call: "uv_read_start")) }
        self.isReading = true
    }

    /// Leaves the peer's bytes in the kernel, so that the peer has to wait in the end. No `onRead` comes until
    /// `startReading()`, also when called from `onRead`; nor is the peer's end noticed.
    public func stopReading() {
        self.wantsReading = false
        guard self.isReading, !self.isClosed else { return }
        self.isReading = false
        uv_read_stop(self.stream)  // always returns 0, by libuv's manual
    }

    /// Closes a TCP connection so that the peer gets a reset and nothing is kept for it in the kernel: for peers that
    /// misbehave. What is pending is lost. A Unix socket is closed plainly.
    public func reset() {
        guard !self.isClosed else { return }
        if self.transport == .tcp, let descriptor = self.descriptor {
            var linger = linger(l_onoff: 1, l_linger: 0)
            // Should it fail, the peer gets a plain end instead of a reset: nothing more can be done here.
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        self.close()
    }

    /// Who is at the other end of a TCP connection; nil for Unix sockets and once the peer is gone. A system call.
    public var peerAddress: SocketAddress? {
        guard self.transport == .tcp, !self.isClosed else { return nil }
        var storage = sockaddr_storage()
        var size = Int32(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutableBytes(of: &storage) {
            let address = $0.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return uv_tcp_getpeername(self.raw(as: uv_tcp_t.self), address, &size)
        }
        return code == 0 ? SocketAddress(storage) : nil
    }

    /// The process at the other end of a Unix socket, as the kernel knows it (SO_PEERCRED, unix(7)): of a connection that
    /// we opened, the one that began to listen. Nil for TCP, and before it is up. A system call.
    public var peerProcess: PeerProcess? {
        guard self.transport == .unix, self.isConnected, let descriptor = self.descriptor else { return nil }
        return PeerProcess(descriptor)
    }

    /// Bytes that were written and that the peer has not acknowledged (SIOCOUTQ, tcp(7)); 0 where that can't be asked. A system
    /// call.
    public var unacknowledgedBytes: Int {
        var count: Int32 = 0
        guard let descriptor = self.descriptor, ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 else { return 0 }
        return Int(count)
    }

    var stream: UnsafeMutablePointer<uv_stream_t> { self.raw(as: uv_stream_t.self) }

    /// The stream is up: accepted or inherited.
    func opened() {
        self.isConnected = true
        self.isNew = true
        self.loop.readAtTurnEnd(self)
    }

    /// Reads what has come by the end of the turn that brought the connection, and only then has libuv wait for more: who sends
    /// one request at once and wants no other is not registered with the kernel, and taken from there again, which costs more
    /// than the read.
    func readFirst() {
        self.isNew = false
        guard self.wantsReading else { return }
        self.readAtOnce()
        if self.wantsReading { self.startReading() }
    }

    private func readAtOnce() {
        guard !self.isClosed, self.failure == nil, let descriptor = self.descriptor else { return }
        self.readTurn = self.loop.turn
        let count = Glibc.read(descriptor, self.loop.readBuffer, EventLoop.readSizeMax)
        if count > 0 {
            self.onRead?(UnsafeRawBufferPointer(start: self.loop.readBuffer, count: count))
        } else if count == 0 {
            self.readEnded(UV_EOF.rawValue)
        } else if errno != EAGAIN, errno != EINTR {
            self.readEnded(-errno)
        }
    }

    /// Tells the owner that the peer's side is over, and closes where no more can come of it. Only from the loop.
    func end(_ reason: EndReason) {
        self.isReading = false
        let isNews = !self.hasEnded && self.ending != .close
        self.hasEnded = true
        let onEnd = self.onEnd
        if isNews { onEnd?(reason) }
        switch reason {
        case .failed: self.close()
        case .endOfStream: if onEnd == nil { self.closeAfterFlush() }
        }
    }

    func makeRequests() -> UnsafeMutablePointer<Requests> {
        if let requests = self.requests { return requests }
        let requests = UnsafeMutablePointer<Requests>.allocate(capacity: 1)
        requests.initialize(to: Requests())
        self.requests = requests
        return requests
    }

    override func willClose() {
        self.onRead = nil
        self.onEnd = nil
        self.onConnect = nil
        self.onHighWater = nil
        self.onLowWater = nil
    }

    override func didClose() {
        // libuv has called every request back by now.
        self.loop.outgoing.giveBack(&self.gathered)
        self.loop.outgoing.giveBack(&self.inFlight)
        self.requests?.deallocate()
        self.requests = nil
    }

    private func orClose(_ code: Int32, _ call: @autoclosure () -> String) throws(UVError) {
        guard code < 0 else { return }
        self.close()
        throw UVError(code: code, call: call())
    }

    // MARK: What libuv calls

    private static var connected: uv_connect_cb {
        { request, status in
            Unmanaged<Connection>.fromOpaque(request!.pointee.handle.pointee.data)._withUnsafeGuaranteedRef {
                $0.connected(status)
            }
        }
    }

    private func connected(_ status: Int32) {
        guard !self.isClosed else { return }
        guard status == 0 else { return self.end(.failed(UVError(code: status, call: "connect"))) }
        self.isConnected = true
        if self.wantsReading { self.startReading() }
        self.onConnect?()
        self.settleAtTurnEnd()
    }

    private static var allocated: uv_alloc_cb {
        { handle, _, buffer in
            buffer!.pointee.base = handle!.pointee.loop.pointee.data.assumingMemoryBound(to: CChar.self)
            buffer!.pointee.len = Unmanaged<Connection>.fromOpaque(handle!.pointee.data)._withUnsafeGuaranteedRef {
                $0.sizeOfNextRead()
            }
        }
    }

    /// libuv reads on as long as buffers come back full, up to 32 times; no memory for a second time ends that, and what is
    /// left in the kernel comes in the next turn.
    private func sizeOfNextRead() -> Int {
        guard self.readTurn != self.loop.turn else { return 0 }
        self.readTurn = self.loop.turn
        return EventLoop.readSizeMax
    }

    private static var read: uv_read_cb {
        { stream, count, buffer in
            Unmanaged<Connection>.fromOpaque(stream!.pointee.data)._withUnsafeGuaranteedRef { connection in
                if count > 0 {
                    connection.onRead?(UnsafeRawBufferPointer(start: buffer!.pointee.base, count: count))
                } else if count < 0, count != Int(UV_ENOBUFS.rawValue) {  // 0 is: nothing there after all
                    connection.readEnded(Int32(count))
                }
            }
        }
    }

    private func readEnded(_ code: Int32) {
        let isEnd = code == UV_EOF.rawValue
        self.end(isEnd ? .endOfStream : .failed(UVError(code: code, call: "read")))
    }
}
