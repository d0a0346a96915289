import Booking
public import Glibc
public import Reactor
public import Wire

/// One connection between two processes of a cluster, as frames.
///
/// **Happy path.** The dialling side says hello; the other side accepts it; then frames go both ways. Frames out are
/// gathered in `outgoing`, and `flush()`, called once per turn of the loop, hands them to the connection: the frames of
/// many requests leave in one system call.
///
/// **Failure paths.** Bytes that are not frames, a hello of another version or cut of the cluster, an unexpected peer,
/// and frames before the hello close this link with a goodbye that gives the reason; other links are not affected. A
/// process of another user neither sends nor receives anything: `UnixListener` refuses its connections, and no hello is
/// sent to its sockets. A peer that goes away ends the link. In each case `onEnd` is called once.
public final class FrameLink {
    /// This side of the link.
    public struct Identity {
        /// What this side says of itself.
        public let hello: Hello
        /// The user that the other process has to run as, unless it runs as root.
        public var trustedUser: UInt32

        /// The identity of this process, with `hello`.
        public init(hello: Hello, trustedUser: UInt32 = geteuid()) {
            self.hello = hello
            self.trustedUser = trustedUser
        }

        /// Why the other side disagrees on shards, slots or catalogue; nil if it agrees. Tools only read stats and need
        /// not.
        func refusal(of peer: Hello) -> String? {
            guard peer.role != .tool, self.hello.role != .tool else { return nil }
            guard peer.shardCount == self.hello.shardCount, peer.slotMapVersion == self.hello.slotMapVersion else {
                return
                    "this process knows \(self.hello.shardCount) shards (slot map \(self.hello.slotMapVersion)), yours "
                    + "\(peer.shardCount) (slot map \(peer.slotMapVersion)): start both from one configuration"
            }
            guard peer.catalogue == self.hello.catalogue || peer.catalogue == 0 || self.hello.catalogue == 0 else {
                return "this process has another catalogue than yours: start both from one catalogue file, or let "
                    + "usher cluster start them"
            }
            return nil
        }
    }

    /// The process that has to answer at a dialled socket.
    public struct Expected {
        /// Which kind of process.
        public let role: Hello.Role
        /// Which one of its kind, from 0.
        public let index: Int

        /// The process `index` of a kind.
        public init(role: Hello.Role, index: Int) {
            self.role = role
            self.index = index
        }
    }

    /// The goodbye of a process that was asked to stop. Any other end of a link is trouble, and worth a warning.
    public static let farewell = "this process is stopping"

    let number: UInt32
    private let connection: Connection
    private let identity: Identity
    private let isDialler: Bool
    private let expected: Expected?
    private var decoder = FrameDecoder()
    /// Frames for the next flush.
    public var outgoing = FrameBytes()
    /// The process at the other end, once known.
    public private(set) var peer: Hello?
    private var hasEnded = false
    /// Why either side refused the link: nil once it was up, and for one that was never answered.
    public private(set) var refusal: String?

    /// Hellos are exchanged: frames may be sent.
    public var onUp: (() -> Void)?
    /// Called with every frame but hellos and pings. The frame is valid during the call only.
    public var onFrame: ((Frame) throws(WireError) -> Void)?
    /// The link has ended, with the reason in words.
    public var onEnd: ((String) -> Void)?

    /// Accepts a connection, or makes a dialled one a link to the `expected` process.
    public init(
        number: UInt32,
        _ connection: Connection,
        as identity: Identity,
        isDialler: Bool,
        expecting: Expected? = nil
    ) {
        self.number = number
        self.connection = connection
        self.identity = identity
        self.isDialler = isDialler
        self.expected = expecting
        // A peer that does not read its answers gets no more requests answered. Only the dialled side pauses: the
        // connector always reads, so two full directions never deadlock. A connector's unsent bytes are bounded by its own
        // limit of requests in flight.
        if !isDialler {
            connection.onHighWater = { connection.stopReading() }
            connection.onLowWater = { connection.startReading() }
        }
        connection.onRead = { self.received($0) }
        connection.onEnd = { reason in
            switch reason {
            case .endOfStream: self.end("the other side closed the connection")
            case .failed(let error): self.end("\(error)")
            }
        }
        if isDialler {
            // Bytes appended before are sent only after the check.
            connection.onConnect = { self.checkUser() }
            self.send(.hello(identity.hello))
        }
        connection.startReading()
    }

    private func checkUser() {
        guard let peer = self.connection.peerProcess, !peer.isOf(self.identity.trustedUser) else { return }
        self.connection.close()
        self.end("a process of user \(peer.user) serves it, not one of user \(self.identity.trustedUser)")
    }

    /// The process at the other end, for logs.
    public var peerProcess: PeerProcess? { self.connection.peerProcess }

    /// Whether frames may be sent.
    public var isUp: Bool { self.peer != nil && !self.hasEnded }

    /// Sends a control frame with all that is gathered.
    public func send(_ control: Control, requestID: UInt64 = 0) {
        do {
            try control.encode(into: &self.outgoing, requestID: requestID)
        } catch {
            // Keeping frames short is this process's duty; the requester goes without, and this process lives.
            return self.end("a frame does not fit: \(error)")
        }
        self.flush()
    }

    /// Hands gathered frames to the connection, which writes at the end of the turn.
    public func flush() {
        guard !self.outgoing.isEmpty else { return }
        self.outgoing.withUnsafeBytes { self.connection.append($0) }
        self.outgoing.removeAll()
    }

    /// Sends `frames`, made elsewhere.
    public func send(_ frames: borrowing FrameBytes) { frames.withUnsafeBytes { self.connection.append($0) } }

    /// Stops reading: later bytes of the other side stay unread.
    public func stopReading() {
        self.connection.onLowWater = nil
        self.connection.stopReading()
    }

    /// Says goodbye and closes once it is sent.
    public func close(_ reason: String) {
        guard !self.hasEnded else { return }
        self.send(.goodbye(reason: reason))
        self.end(reason)
    }

    // MARK: Receiving

    private func received(_ bytes: UnsafeRawBufferPointer) {
        do throws(WireError) {
            try self.decoder.feed(bytes) { frame throws(WireError) in try self.receive(frame) }
        } catch {
            self.close(error.reason)
        }
    }

    private func receive(_ frame: Frame) throws(WireError) {
        guard !self.hasEnded else { return }
        switch frame.category {
        case .control(.hello), .control(.helloAccepted), .control(.goodbye), .control(.ping):
            try self.receive(try Control(frame: frame), frame.header.requestID)
        case .unknown(let kind, let requestID):
            self.send(.unknownKind(kind), requestID: requestID)
        case .request, .reply, .control:
            guard self.peer != nil else { throw WireError("the first frame has to be a hello") }
            try self.onFrame?(frame)
        }
    }

    private func receive(_ control: Control, _ requestID: UInt64) throws(WireError) {
        switch control {
        case .hello(let hello) where !self.isDialler && self.peer == nil:
            if let refusal = self.identity.refusal(of: hello) { throw WireError(refusal) }
            self.peer = hello
            self.send(.helloAccepted(self.identity.hello))
            self.onUp?()
        case .helloAccepted(let hello) where self.isDialler && self.peer == nil:
            if let refusal = self.identity.refusal(of: hello) { throw WireError(refusal) }
            if let expected = self.expected, hello.role != expected.role || hello.index != expected.index {
                throw WireError(
                    "\(expected.role) \(expected.index) was dialled, and \(hello.role) \(hello.index) answered"
                )
            }
            self.peer = hello
            self.onUp?()
        case .otherVersion(let version):
            throw WireError(
                "this process speaks protocol version \(FrameLimits.protocolVersion), yours \(version): run the same usher"
            )
        case .goodbye(let reason):
            if self.peer == nil { self.refusal = reason }
            self.end(reason)
        case .ping: self.send(.pong, requestID: requestID)
        default: throw WireError("an unexpected hello")
        }
    }

    private func end(_ reason: String) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        let onEnd = self.onEnd
        self.onUp = nil
        self.onFrame = nil
        self.onEnd = nil
        self.connection.closeAfterFlush()
        onEnd?(reason)
    }
}
