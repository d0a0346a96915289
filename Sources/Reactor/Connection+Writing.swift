import CLibuv
import Glibc

/// A connection's output.
///
///     append ──▶ gathered ──end of turn, or full──▶ kernel
///                   ▲                                  │ it accepts only a part
///                   │ more appends                     ▼
///                   └─────────── meanwhile ──────── in flight: libuv writes as the peer reads
///
/// **Happy path.** Gathered bytes go to the kernel whole, in one call that allocates nothing, and the block goes back
/// to the loop. **When the kernel accepts only a part**, the block with the rest goes in flight, and a new one gathers
/// later appends, which leave when the first is out: at most one write is in flight. **When writing fails**, pending
/// bytes are lost, later appends are dropped, and the owner is told at the end of the turn.
extension Connection {
    /// Bytes appended or written that the kernel has not accepted yet.
    public var pendingBytes: Int {
        self.gathered.count + (self.isWriting ? uv_stream_get_write_queue_size(self.stream) : 0)
    }

    /// Memory for pending bytes, in whole blocks.
    public var heldBytes: Int { self.gathered.capacity + self.inFlight.capacity }

    /// Copies `bytes` now and sends them at the end of the turn. They are dropped when the connection is closed, has
    /// failed, or is ending by `shutdown()` or `closeAfterFlush()`.
    public func append(_ bytes: UnsafeRawBufferPointer) {
        guard self.takesBytes, bytes.count > 0 else { return }
        self.makeRoom(for: bytes.count)
        self.gathered.append(bytes)
        self.settleAtTurnEnd()
    }

    /// As above, from safe memory: an array's `span.bytes`.
    public func append(_ bytes: RawSpan) { bytes.withUnsafeBytes { self.append($0) } }

    public func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.append($0) } }

    /// Sends the UTF-8 of `text`.
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { self.append(UnsafeRawBufferPointer($0)) }
    }

    /// Sends the bytes that `fill` writes into borrowed memory: `capacity` bytes or more, uninitialised. `fill` returns
    /// how many it wrote, from the start on, and does not use the connection. Saves the copy of `append`. Not called
    /// when bytes would be dropped.
    public func append(capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        guard self.takesBytes else { return }
        self.makeRoom(for: capacity)
        let block = self.gathered
        let room = UnsafeMutableRawBufferPointer(start: block.base, count: block.capacity)[block.count...]
        let count = fill(UnsafeMutableRawBufferPointer(rebasing: room))
        precondition(count >= 0 && count <= block.room, "filled more bytes than the capacity")
        self.gathered.count += count
        self.settleAtTurnEnd()
    }

    /// Sends `bytes` now, behind the gathered ones, both in one system call and without copying the part that the
    /// kernel accepts. For large answers that are ready in memory; small ones are better appended.
    public func write(_ bytes: UnsafeRawBufferPointer) {
        guard self.takesBytes, bytes.count > 0 else { return }
        guard self.isConnected, !self.isWriting else { return self.append(bytes) }
        let head = self.gathered.count
        let taken = self.tryWrite(bytes)
        guard taken < head + bytes.count, self.failure == nil else { return }
        // The rest of `bytes` goes behind the rest of the gathered block, and then in flight with it.
        let rest = UnsafeRawBufferPointer(rebasing: bytes[max(0, taken - head)...])
        self.grow(toHold: rest.count)
        self.gathered.append(rest)
        self.startWriting(skipping: taken < head ? taken : 0)
    }

    /// Backpressure by polling: whether more than `highWater` is pending after the kernel was offered all of it. After
    /// `true`, `onLowWater` is certain to come when it is time to continue (or the connection ends); `onHighWater` does
    /// not come.
    public func isFull() -> Bool {
        guard self.pendingBytes > self.mark else { return false }
        self.flush()
        guard self.isWriting, self.pendingBytes > self.mark else { return false }
        self.isAboveHighWater = true
        return true
    }

    private var mark: Int { self.yieldsRoom && !self.loop.hasRoom ? 0 : self.highWater }

    /// Sends the gathered bytes now rather than at the end of the turn.
    public func flush() {
        guard self.isConnected, !self.isWriting, !self.isClosed, self.failure == nil else { return }
        let count = self.gathered.count
        guard count > 0 else { return }
        let taken = self.tryWrite(UnsafeRawBufferPointer(start: nil, count: 0))
        guard taken < count, self.failure == nil else { return }
        self.startWriting(skipping: taken)
    }

    /// Sends pending bytes and then the end of this side; reading continues until the peer's end. The owner closes.
    public func shutdown() {
        guard self.takesBytes else { return }
        self.ending = .shutdown
        self.flush()
        self.endIfDrained()
    }

    /// Sends pending bytes, then closes. Nothing more is read and no `onEnd` comes, only `onClose`.
    ///
    /// A TCP peer that is still sending may lose unread data to a reset: for such peers call `shutdown()`, read on for
    /// a while, and then close. May take forever if the peer reads nothing: the owner sets a timer.
    public func closeAfterFlush() {
        guard !self.isClosed, self.ending != .close else { return }
        self.stopReading()
        self.ending = .close
        self.flush()
        self.endIfDrained()
    }

    private var takesBytes: Bool { self.ending == .none && !self.isClosed && self.failure == nil }

    // MARK: The end of a turn

    /// The end of a turn: writes, reports a failure, checks the mark. Only from the loop.
    func settle() {
        self.isUnsettled = false
        self.flush()
        guard !self.isClosed else { return }
        if let failure { return self.end(.failed(failure)) }
        if !self.isAboveHighWater, self.isWriting, self.pendingBytes > self.mark {
            self.isAboveHighWater = true
            self.onHighWater?()
        }
        self.endIfDrained()
    }

    func settleAtTurnEnd() {
        guard !self.isUnsettled else { return }
        self.isUnsettled = true
        self.loop.settleAtTurnEnd(self)
    }

    /// Writing has failed. The owner is told at the end of the turn: it may be in the middle of an append now.
    func fail(_ error: UVError) {
        self.failure = error
        self.loop.outgoing.release(&self.gathered)
        self.settleAtTurnEnd()
    }

    // MARK: Writing

    /// Offers the gathered block, and `tail` behind it, to the kernel once. Returns the number of bytes accepted;
    /// returns the block to the loop when it is empty.
    private func tryWrite(_ tail: UnsafeRawBufferPointer) -> Int {
        let head = self.gathered.count
        self.writeCalls += 1
        let code: Int32
        if tail.count == 0, self.ending == .close, self.transport == .tcp {
            code = self.sendLast(self.gathered.rest(after: 0))
        } else if tail.count == 0 || head == 0 {
            var buffer = Self.buffer(head == 0 ? tail : self.gathered.rest(after: 0))
            code = uv_try_write(self.stream, &buffer, 1)
        } else {
            var buffers = (Self.buffer(self.gathered.rest(after: 0)), Self.buffer(tail))
            code = withUnsafeBytes(of: &buffers) {
                uv_try_write(self.stream, $0.baseAddress!.assumingMemoryBound(to: uv_buf_t.self), 2)
            }
        }
        guard code >= 0 || code == UV_EAGAIN.rawValue else {
            self.fail(UVError(code: code, call: "write"))
            return 0
        }
        let taken = max(0, Int(code))
        if taken >= head { self.loop.outgoing.release(&self.gathered) }
        return taken
    }

    /// Offers the last bytes to the kernel marked as last: they leave in one packet with the end of this side, which
    /// alone costs as much as a short answer. Returns the number accepted, or libuv's error code.
    ///
    /// The end is sent here and not left to closing the descriptor: if bytes of the peer are unread then, closing
    /// discards unsent data.
    private func sendLast(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard let descriptor else { return UV_EBADF.rawValue }
        let count = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_MORE))
        guard count >= 0 else { return errno == EINTR ? UV_EAGAIN.rawValue : -errno }
        // If it fails, the peer is gone.
        if count == bytes.count { Glibc.shutdown(descriptor, Int32(SHUT_WR)) }
        return Int32(clamping: count)
    }

    /// Hands the gathered block to libuv, without its first `taken` bytes.
    private func startWriting(skipping taken: Int) {
        swap(&self.gathered, &self.inFlight)
        self.writeCalls += 1
        var buffer = Self.buffer(self.inFlight.rest(after: taken))
        let code = uv_write(&self.makeRequests().pointee.write, self.stream, &buffer, 1, Self.written)
        guard code == 0 else {
            self.loop.outgoing.release(&self.inFlight)
            return self.fail(UVError(code: code, call: "uv_write"))
        }
        self.settleAtTurnEnd()
    }

    /// Whether libuv has a write in flight.
    private var isWriting: Bool { self.inFlight.count > 0 }

    private static var written: uv_write_cb {
        { request, status in
            Unmanaged<Connection>.fromOpaque(request!.pointee.handle.pointee.data)._withUnsafeGuaranteedRef {
                $0.written(status)
            }
        }
    }

    private func written(_ status: Int32) {
        self.loop.outgoing.release(&self.inFlight)
        guard !self.isClosed else { return }
        guard status == 0 else { return self.end(.failed(UVError(code: status, call: "write"))) }
        self.flush()
        if self.isAboveHighWater, self.pendingBytes <= self.lowWater {
            self.isAboveHighWater = false
            self.onLowWater?()
        }
        self.endIfDrained()
    }

    /// Carries out a `shutdown()` or `closeAfterFlush()` once nothing is pending; a failed connection has nothing more
    /// to send.
    private func endIfDrained() {
        guard !self.isClosed, self.ending != .none else { return }
        let isDrained = self.isConnected && !self.isWriting && self.gathered.count == 0
        guard isDrained || self.failure != nil else { return }
        switch self.ending {
        case .none: return
        case .close: self.close()
        case .shutdown: self.startShutdown()
        }
    }

    private func startShutdown() {
        guard !self.hasShutDown else { return }
        self.hasShutDown = true
        // ENOTCONN, here or in the callback, means that the peer is gone: reading reports it.
        uv_shutdown(&self.makeRequests().pointee.shutdown, self.stream) { _, _ in }
    }

    // MARK: Room

    /// Makes room for `count` bytes in `gathered`. A full block is written at once if nothing is in flight, so that
    /// long answers leave in blocks; else it doubles.
    private func makeRoom(for count: Int) {
        if self.gathered.room < count { self.flush() }
        self.grow(toHold: count)
    }

    private func grow(toHold count: Int) {
        guard self.gathered.room < count else { return }
        let size = self.gathered.count + count
        var larger = self.loop.outgoing.acquire(atLeast: max(size, 2 * self.gathered.capacity))
        larger.append(self.gathered.rest(after: 0))
        self.loop.outgoing.release(&self.gathered)
        self.gathered = larger
    }

    private static func buffer(_ bytes: UnsafeRawBufferPointer) -> uv_buf_t {
        let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        return uv_buf_t(base: base?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }
}
