import Booking
public import Links
public import Logging
public import Reactor
import Wire

/// A gateway's Unix socket, where tools request its statistics. (A shard's own socket answers them, too.)
public final class StatsSocket {
    /// The pause between checks whether a predecessor has left the path.
    private static let lookMilliseconds: UInt64 = 50

    private let loop: EventLoop
    private let path: String
    private let identity: FrameLink.Identity
    private let log: Logger
    private let stats: () -> String
    private let timer: LoopTimer
    private var listener: UnixListener?
    private var links: [UInt32: FrameLink] = [:]
    private var nextLink: UInt32 = 1
    private var isClosed = false

    public init(
        on loop: EventLoop,
        path: String,
        as identity: FrameLink.Identity,
        log: Logger,
        stats: @escaping () -> String
    ) {
        self.loop = loop
        self.path = path
        self.identity = identity
        self.log = log
        self.stats = stats
        self.timer = LoopTimer(on: loop)
    }

    /// Throws when another process serves the path.
    public func listen() throws(UVError) {
        let listener = try UnixListener(on: self.loop, path: self.path) { [unowned self] in self.accept($0) }
        listener.onAcceptError = { [log] in log.warning("connection refused", metadata: ["reason": "\($0)"]) }
        self.listener = listener
    }

    /// Listens on the path as soon as no other process serves it.
    public func listenWhenFree() {
        guard !self.isClosed, self.listener == nil else { return }
        do throws(UVError) { try self.listen() } catch {
            self.timer.start(afterMilliseconds: Self.lookMilliseconds) { [unowned self] in self.listenWhenFree() }
        }
    }

    /// Closes the socket and its links.
    public func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.timer.close()
        self.listener?.close()
        for link in self.links.values { link.close(FrameLink.farewell) }
        self.links = [:]
    }

    private func accept(_ connection: Connection) {
        let number = self.nextLink
        self.nextLink &+= 1
        let link = FrameLink(number: number, connection, as: self.identity, isDialler: false)
        self.links[number] = link
        link.onFrame = { [unowned self, unowned link] frame throws(WireError) in
            guard case .control(.stats) = frame.category else {
                throw WireError("a gateway accepts requests for statistics, not frames of kind \(frame.header.kind)")
            }
            link.send(.statsAnswer(self.stats()), requestID: frame.header.requestID)
        }
        link.onEnd = { [unowned self] _ in self.links[number] = nil }
    }
}
