import CLibuv
import Glibc

/// One bidirectional byte stream, over TCP or a Unix socket, opened by either side.
///
///     connecting ──▶ open ──peer's end──▶ open for writing ──closeAfterFlush──▶ closing ──▶ closed: onClose
///          │          │ └──shutdown──▶ open for reading ──peer's end──▶ (the owner closes)     ▲
///          └──────────┴── any failure: onEnd(.failed), then by itself ─────────────────────────┘
///
/// **Happy path.** The owner sets the closures once, calls `startReading()`, appends answers in `onRead`; the loop
/// writes them at the end of the turn in one system call. The peer ends its side: `onEnd(.endOfStream)`; the owner
/// appends its last bytes and calls `closeAfterFlush()`. `onClose` comes when the descriptor is closed.
///
/// **Failure paths.** Every failure (connecting, reading, writing) ends in one `onEnd(.failed)` and then in `close()`,
/// in that order, both from the loop and never inside a call of the owner. A connection that has had its end of stream,
/// or `closeAfterFlush()`, gets no second `onEnd`: it goes straight to `onClose`. A peer that vanished (ECONNRESET,
/// EPIPE, ETIMEDOUT) is just such a failure. Calls on a closed or failed connection do nothing, so callers need no
/// check.
///
/// **Backpressure.** Bytes that the kernel does not accept stay here, counted by `pendingBytes`. Above `highWater`,
/// `onHighWater` asks the producer to pause (its `stopReading()`); at or below `lowWater`, `onLowWater` lets it
/// continue. Both come from the loop.
public final class Connection: LoopHandle {
    public enum EndReason: Equatable, Sendable {
        /// The peer has sent everything. It may still read.
        case endOfStream
        /// The connection is lost, or was never established.
        case failed(UVError)
    }

    public enum Transport: Sendable { case tcp, unix }

    enum Ending { case none, shutdown, close }

    public let transport: Transport
    /// Bytes from the peer, in order. The memory is valid during the call only: the next read overwrites it.
    public var onRead: ((UnsafeRawBufferPointer) -> Void)?
    /// The end of the peer's side; comes once at most. Without this closure the connection closes by itself, after
    /// sending pending bytes.
    public var onEnd: ((EndReason) -> Void)?
    /// A connection opened by this side is up. Appending need not wait for it.
    public var onConnect: (() -> Void)?
    public var onHighWater: (() -> Void)?
    public var onLowWater: (() -> Void)?
    /// Bytes pending at the end of a turn above which `onHighWater` is called.
    public var highWater = 256 * 1024
    /// Bytes pending at which `onLowWater` is called; below `highWater`.
    public var lowWater = 64 * 1024
    /// Whether its mark is 0 while the loop is out of room (`EventLoop.hasRoom`).
    public var yieldsRoom = false
    /// System calls for writing, for tests.
    var writeCalls = 0
    /// Whether reading is on.
    public private(set) var isReading = false
    /// False until a connection opened by this side is up.
    public private(set) var isConnected = false

    // Output: appended bytes are gathered; those that the kernel did not accept at once are in flight with libuv.
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
    /// Accepted in this turn: it is read once at the turn's end, before libuv polls it.
    private var isNew = false
    /// The turn of its last read: at most one read in each, so that a peer with megabytes to send delays nobody.
    private var readTurn: UInt64 = 0

    /// libuv's memory for longer operations; made when first needed, which for most connections is never.
    struct Requests {
        var connect = uv_connect_t()
        var write = uv_write_t()
        var shutdown = uv_shutdown_t()
    }

    /// A stream that another call of libuv is about to open.
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

    /// Takes over an open Unix stream socket or pipe, such as a child's `ChildProcess.controlDescriptor`. It is closed
    /// with the connection, and not inherited by children.
    public convenience init(on loop: EventLoop, descriptor: Int32) throws(UVError) {
        try self.init(.unix, on: loop)
        try self.orClose(uv_pipe_open(self.raw(as: uv_pipe_t.self), descriptor), "uv_pipe_open \(descriptor)")
        let flags = fcntl(descriptor, F_GETFD)
        _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC)  // can't fail: uv_pipe_open found it open
        self.isConnected = true
    }

    /// Reads from now on, or from when the connection is up. Does nothing after the peer's end.
    public func startReading() {
        self.wantsReading = true
        guard self.isConnected, !self.isReading, !self.hasEnded, !self.isClosed, self.failure == nil else { return }
        guard !self.isNew else { return }
        let code = uv_read_start(self.stream, Self.allocated, Self.read)
        guard code == 0 else { return self.fail(UVError(code: code, call: "uv_read_start")) }
        self.isReading = true
    }

    /// Leaves incoming bytes in the kernel, which in the end blocks the peer. No `onRead` comes until `startReading()`,
    /// also when called from `onRead`; the peer's end is not noticed either.
    public func stopReading() {
        self.wantsReading = false
        guard self.isReading, !self.isClosed else { return }
        self.isReading = false
        uv_read_stop(self.stream)  // always returns 0, by libuv's manual
    }

    /// Closes a TCP connection with a reset, so that the kernel keeps nothing for it: for peers that misbehave. Pending
    /// bytes are lost. A Unix socket is closed normally.
    public func reset() {
        guard !self.isClosed else { return }
        if self.transport == .tcp, let descriptor = self.descriptor {
            var linger = linger(l_onoff: 1, l_linger: 0)
            // If it fails, the peer gets a normal end instead of a reset: nothing more can be done here.
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
        self.close()
    }

    /// The peer's address of a TCP connection; nil for Unix sockets and once the peer is gone. A system call.
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

    /// The peer's process of a Unix socket, as the kernel knows it (SO_PEERCRED, unix(7)): for a connection opened by
    /// this side, the process that began to listen. Nil for TCP, and before it is up. A system call.
    public var peerProcess: PeerProcess? {
        guard self.transport == .unix, self.isConnected, let descriptor = self.descriptor else { return nil }
        return PeerProcess(descriptor)
    }

    /// Bytes written that the peer has not acknowledged (SIOCOUTQ, tcp(7)); 0 where the kernel does not tell. A system
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

    /// Reads what has arrived by the end of the turn that accepted the connection, and only then lets libuv poll it: a
    /// client that sends one request at once and closes is never registered with the kernel and removed again, which
    /// costs more than the read.
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

    /// Reports the end of the peer's side, and closes if nothing more can happen. Only from the loop.
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
        // libuv has called back every request by now.
        self.loop.outgoing.release(&self.gathered)
        self.loop.outgoing.release(&self.inFlight)
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

    /// libuv reads on as long as buffers come back full, up to 32 times; refusing it memory ends that, and the rest
    /// comes in the next turn.
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
                } else if count < 0, count != Int(UV_ENOBUFS.rawValue) {  // 0: nothing to read after all
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
