/// Reads HTTP/1.1 and HTTP/1.0 requests from one connection's bytes (RFC 9112), strictly: ambiguous input is refused.
/// No I/O, no clock; the same bytes in any split give the same events.
///
///                    ┌───────────────────────────── next request ─────────────────────────────┐
///                    ▼                                                                         │
///     emptyLines/requestLine ─▶ fields ─┬─────────────── no body ──────────────────────▶ delivered
///                                       ├─▶ body (Content-Length) ────────────────────────▶ ▲  │
///                                       └─▶ chunkLine ─▶ chunkData ─▶ chunkEnd              │  │ close, CONNECT
///                                              ▲  └─ size 0 ─▶ trailers ────────────────────┘  ▼
///                                              └──────────────────┘      any refusal ────▶ finished
///
/// How it is driven, in a read callback:
///
///     parser.feed(bytes)
///     loop: while true {
///         switch parser.next() {
///         case .request(let request): …              // views of `bytes`, valid until the next call
///         case .continueExpected: …                  // write `100 Continue` now
///         case .refused(let refusal): …              // answer, then close
///         case .needsMore: break loop                // nothing of `bytes` is referred to any more
///         }
///     }
///
/// A request that lies within one read is parsed in place. When a read ends in the middle of a request, its tail is
/// copied once, and the next read appended to it. An incomplete line is read again from its start when more bytes come,
/// so that no state is needed within a line. A peer that sends the longest line byte by byte costs 1 to 2.3
/// microseconds for each, about as much as the system call that brings it.
public struct HTTPRequestParser: ~Copyable {
    public enum Event {
        case request(HTTPRequest)
        /// The client waits for `100 Continue` before it sends the body. Comes once, even if the body is already there.
        case continueExpected
        /// Comes once; the parser takes no bytes any more. `origin` is valid until the next call.
        case refused(HTTPRefusal)
        case needsMore
    }

    /// The connection's phase within a request, for the shell's time-outs.
    public enum Phase: Equatable, Sendable { case idle, head, body, finished }

    enum Stage {
        case requestLine, fields, body, chunkLine, chunkData, chunkEnd, trailers, delivered, finished
    }

    public let limits: HTTPLimits
    let table: UnsafePointer<UInt8>

    // The bytes at hand: the caller's, or `kept` when a request began in an earlier read.
    private var window: ByteView
    private var isBorrowed = false
    private var kept = OutputBytes()
    /// Where the request being read starts in the window. All offsets below count from here.
    private var start = 0

    // The request being read.
    var stage = Stage.requestLine
    /// The start of the next line, or of the body's rest.
    var position = 0
    var emptyLineCount = 0
    var method = HTTPMethod.get
    var form = HTTPRequest.TargetForm.origin
    var isOldVersion = false
    var path = 0..<0
    var query = 0..<0
    var host = 0..<0
    var fieldsStart = 0
    var slots: UnsafeMutablePointer<HTTPHeaders.Slot>
    var slotCount = 0
    var slotCapacity = Self.slotCountAtFirst
    /// Few requests have more headers.
    private static let slotCountAtFirst = 16
    var index = HTTPHeaders.Index(repeating: 0)
    var saysClose = false
    var saysKeepAlive = false
    var expectsContinue = false
    var contentLength: Int?
    var isChunked = false
    var rejection: HTTPRejection?

    // Its body.
    var bodyStart = 0
    var chunkLeft = 0
    var chunkExtensionBytes = 0
    var chunkCount = 0
    var trailerCount = 0
    var body = OutputBytes()

    public init(limits: HTTPLimits = HTTPLimits()) {
        precondition((1...250).contains(limits.headerCountMax), "header count limit outside 1...250")
        precondition(limits.targetBytesMax > 0 && limits.headerBytesMax > 0, "a limit without room for any request")
        precondition(limits.bodyBytesMax >= 0 && limits.bodyBytesMax <= 1 << 30, "body limit outside 0...1 GiB")
        precondition(limits.targetBytesMax <= 1 << 20 && limits.headerBytesMax <= 1 << 20, "head limit above 1 MiB")
        self.limits = limits
        self.table = ByteClass.table
        self.window = .empty
        self.slots = .allocate(capacity: self.slotCapacity)
    }

    deinit { self.slots.deallocate() }

    /// Changes nothing: it is `mutating` so that the parser is read in place. Swift copies all of it, some 400 bytes,
    /// for a getter of another module that is not.
    public var phase: Phase {
        mutating get {
            switch self.stage {
            case .requestLine: self.start + self.position == self.window.count ? .idle : .head
            case .fields: .head
            case .body, .chunkLine, .chunkData, .chunkEnd, .trailers: .body
            case .delivered: .idle
            case .finished: .finished
            }
        }
    }

    /// Whether bytes have come behind the delivered request: the next one, or its beginning.
    public var hasMore: Bool { self.stage == .delivered && self.start + self.position < self.window.count }

    /// The `Origin` of the request that is being read, if it has come, or of the last refused one. Valid until the next
    /// call.
    public var origin: ByteView? {
        mutating get {
            let number = Int(self.index[Int(HTTPHeaders.Known.origin.rawValue)])
            guard number > 0 else { return nil }
            let slot = self.slots[number - 1]
            return self.bytes.part(Int(slot.value), Int(slot.value + slot.valueCount))
        }
    }

    /// Bytes of its buffers: the unfinished request, and memory kept for the next.
    public var heldBytes: Int {
        mutating get {
            let slots = (self.slotCapacity - Self.slotCountAtFirst) * MemoryLayout<HTTPHeaders.Slot>.stride
            return self.kept.capacity + self.body.capacity + slots
        }
    }

    /// Takes `bytes`, which must stay valid and unchanged until `next()` has returned `.needsMore` or `suspend()` has
    /// been called. Unread bytes of earlier calls come first.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        guard self.stage != .finished, bytes.count > 0 else { return }
        self.suspend()
        if self.kept.isEmpty {
            self.window = ByteView(bytes)
            self.isBorrowed = true
            self.start = 0
        } else {
            self.kept.append(ByteView(bytes))
            self.window = self.kept.view
        }
    }

    /// The next event. Never traps and never throws, whatever the input.
    public mutating func next() -> Event {
        if self.stage == .delivered { self.dropRequest() }
        do {
            switch try self.advance() {
            case .request: return .request(self.request)
            case .continueExpected: return .continueExpected
            case .needsMore:
                self.suspend()
                return .needsMore
            }
        } catch {
            // Its memory is kept until the next call: the answer may need its origin.
            self.stage = .finished
            return .refused(error)
        }
    }

    /// Reads nothing more, and frees its buffers.
    public mutating func abandon() { self.finish() }

    /// Frees the buffers that are kept for later requests, if no request has begun.
    public mutating func releaseSpare() {
        guard self.stage == .requestLine, self.kept.isEmpty, !self.isBorrowed else { return }
        self.kept.removeAll(keepingAtMost: 0)
        self.body.removeAll(keepingAtMost: 0)
        self.window = .empty
        guard self.slotCapacity > Self.slotCountAtFirst else { return }
        self.slots.deallocate()
        self.slotCapacity = Self.slotCountAtFirst
        self.slots = .allocate(capacity: self.slotCapacity)
    }

    /// Copies unread bytes into the parser, so that the bytes last fed may go: for a shell that stops in the middle of
    /// a read because too many requests of this connection are in flight. `next()` continues from the copy. The request
    /// delivered last becomes invalid.
    public mutating func suspend() {
        if self.stage == .delivered { self.dropRequest() }
        guard self.stage != .finished else { return self.finish() }
        if self.isBorrowed {
            self.isBorrowed = false
            self.kept.removeAll()
            if self.start < self.window.count { self.kept.append(self.window.part(self.start, self.window.count)) }
        } else if self.start > 0 {
            self.kept.remove(0..<self.start)
        }
        self.start = 0
        self.dropReadChunks()
        if self.kept.isEmpty { self.kept.removeAll(keepingAtMost: self.limits.retainedBytesMax) }
        self.window = self.kept.view
    }

    /// The head of a chunked request stays, as the request's views refer to it; the chunks already copied out go.
    private mutating func dropReadChunks() {
        switch self.stage {
        case .chunkLine, .chunkData, .chunkEnd:
            self.kept.remove(self.bodyStart..<self.position)
            self.position = self.bodyStart
        case .requestLine, .fields, .body, .trailers, .delivered, .finished: break
        }
    }

    /// The bytes of the request being read, as far as they have come.
    var bytes: ByteView { self.window.part(self.start, self.window.count) }

    // MARK: From stage to stage

    /// An event without its request, which is too large to pass from function to function.
    private enum Finding { case request, continueExpected, needsMore }

    /// Parses until there is an event.
    private mutating func advance() throws(HTTPRefusal) -> Finding {
        while true {
            switch self.stage {
            case .requestLine: guard try self.readRequestLine() else { return .needsMore }
            case .fields:
                guard try self.readFields() else { return .needsMore }
                if self.expectsContinue && self.stage != .delivered { return .continueExpected }
            case .body:
                guard self.bytes.count - self.bodyStart >= self.contentLength! else { return .needsMore }
                self.position = self.bodyStart + self.contentLength!
                self.stage = .delivered
            case .chunkLine: guard try self.readChunkLine() else { return .needsMore }
            case .chunkData: guard self.readChunkData() else { return .needsMore }
            case .chunkEnd: guard try self.readChunkEnd() else { return .needsMore }
            case .trailers: guard try self.readFields() else { return .needsMore }
            case .finished: return .needsMore
            case .delivered: return .request
            }
        }
    }

    @inline(__always)
    private var request: HTTPRequest {
        let bytes = self.bytes
        let body =
            self.isChunked
            ? self.body.view : bytes.part(self.bodyStart, self.bodyStart + (self.contentLength ?? 0))
        let path = self.path.isEmpty && self.form == .absolute ? ByteView("/") : bytes.part(self.path)
        return HTTPRequest(
            method: self.method,
            form: self.form,
            path: path,
            query: bytes.part(self.query),
            host: bytes.part(self.host),
            body: body,
            connection: self.connection,
            rejection: self.rejection,
            headers: HTTPHeaders(
                request: bytes.part(0, self.bodyStart),
                slots: UnsafePointer(self.slots),
                count: self.slotCount,
                index: self.index
            )
        )
    }

    /// RFC 9112, section 9.3. After CONNECT the bytes are no requests (RFC 9110, section 9.3.6).
    private var connection: HTTPConnectionFate {
        if self.saysClose || self.method == .connect { return .close }
        guard self.isOldVersion else { return .keep }
        return self.saysKeepAlive ? .keepAliveExplicit : .close
    }

    /// Drops the delivered request, and prepares for the next one, if there may be one.
    private mutating func dropRequest() {
        guard self.connection != .close else { return self.finish() }
        self.start += self.position
        self.stage = .requestLine
        self.position = 0
        self.emptyLineCount = 0
        self.isOldVersion = false
        self.slotCount = 0
        self.index = HTTPHeaders.Index(repeating: 0)
        self.host = 0..<0
        self.saysClose = false
        self.saysKeepAlive = false
        self.expectsContinue = false
        self.contentLength = nil
        self.rejection = nil
        guard self.isChunked else { return }
        self.isChunked = false
        self.chunkExtensionBytes = 0
        self.chunkCount = 0
        self.trailerCount = 0
        self.body.removeAll(keepingAtMost: self.limits.retainedBytesMax)
    }

    private mutating func finish() {
        self.stage = .finished
        self.isBorrowed = false
        self.kept.removeAll(keepingAtMost: 0)
        self.body.removeAll(keepingAtMost: 0)
        self.window = .empty
        self.index = HTTPHeaders.Index(repeating: 0)
        self.start = 0
        self.position = 0
    }
}

extension ByteView {
    @inline(__always)
    func part(_ range: Range<Int>) -> ByteView { self.part(range.lowerBound, range.upperBound) }
}
