import Booking
public import Logging
import Node
public import Reactor
public import Wire

/// Keeps a link to one shard up: dials its Unix socket, and dials again, after a `RedialPause`, when it is lost.
public final class ShardConnector {
    private let loop: EventLoop
    private let path: String
    private let shard: Int
    private let identity: FrameLink.Identity
    private let log: Logger
    private let timer: LoopTimer
    private var pause = RedialPause()
    private var isClosed = false
    /// The last refusal that was logged.
    private var toldRefusal: String?
    /// The link, up or about to be; nil between two tries.
    public private(set) var link: FrameLink?

    /// The link is up: frames may be sent.
    public var onUp: (() -> Void)?
    /// Comes only after `onUp`.
    public var onDown: (() -> Void)?
    /// The other side refused the link and said why; dialling goes on.
    public var onRefused: ((String) -> Void)?
    /// Set before `start`: a link calls it directly, without a closure in between.
    public var onFrame: ((Frame) throws(WireError) -> Void)?

    /// Dials nothing before `start`.
    public init(toShard shard: Int, at path: String, on loop: EventLoop, as identity: FrameLink.Identity, log: Logger) {
        self.loop = loop
        self.shard = shard
        self.path = path
        self.identity = identity
        self.log = log
        self.timer = LoopTimer(on: loop)
    }

    /// Dials for the first time.
    public func start() {
        guard !self.isClosed else { return }
        let connection: Connection
        do {
            connection = try Connection(on: self.loop, toPath: self.path)
        } catch {
            return self.tryAgain("\(error)")
        }
        let shard = FrameLink.Expected(role: .shard, index: self.shard)
        let link = FrameLink(number: 0, connection, as: self.identity, isDialler: true, expecting: shard)
        link.onUp = { [unowned self] in
            self.pause = RedialPause()
            self.toldRefusal = nil
            self.log.debug("link up", metadata: ["to": "\(self.path)"])
            self.onUp?()
        }
        link.onFrame = self.onFrame
        link.onEnd = { [unowned self] reason in self.lost(reason) }
        self.link = link
    }

    /// Closes the link, and dials no more.
    public func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.timer.close()
        self.link?.close(FrameLink.farewell)
        self.link = nil
    }

    private func lost(_ reason: String) {
        let wasUp = self.link?.peer != nil
        let refusal = self.link?.refusal
        self.link = nil
        guard !self.isClosed else { return }
        if wasUp {
            self.log.log(
                level: reason == FrameLink.farewell ? .debug : .warning,
                "link lost",
                metadata: ["to": "\(self.path)", "reason": "\(reason)"]
            )
            self.onDown?()
        }
        if let refusal, refusal != FrameLink.farewell {
            // Retried twenty times a second, logged once.
            if refusal != self.toldRefusal {
                self.log.warning("link refused", metadata: ["to": "\(self.path)", "reason": "\(refusal)"])
            }
            self.toldRefusal = refusal
            self.onRefused?(refusal)
        }
        guard !self.isClosed else { return }
        self.tryAgain(reason)
    }

    private func tryAgain(_ reason: String) {
        self.log.debug("link not up", metadata: ["to": "\(self.path)", "reason": "\(reason)"])
        let pause = UInt64(self.pause.next().rawValue / 1_000_000)
        self.timer.start(afterMilliseconds: pause) { [unowned self] in self.start() }
    }
}
