import Booking
public import Logging
public import Reactor
public import Wire

/// Keeps a link to one shard up: dials its Unix socket, and redials when the link is lost.
///
/// The pause between tries grows from 10 ms to 50 ms: a restarted shard is found within a twentieth of a second, as
/// users wait for it, and one that stays away costs some tens of system calls a second.
public final class Dialler {
    private static let pauseFirst: UInt64 = 10
    private static let pauseMax: UInt64 = 50

    private let loop: EventLoop
    private let path: String
    private let shard: Int
    private let identity: FrameLink.Identity
    private let log: Logger
    private let timer: LoopTimer
    private var pause = Dialler.pauseFirst
    private var isClosed = false
    /// The last refusal that was logged.
    private var toldRefusal: String?
    public private(set) var link: FrameLink?

    public var onUp: (() -> Void)?
    /// Comes only after `onUp`.
    public var onDown: (() -> Void)?
    /// The other side refused the link and said why; dialling goes on.
    public var onRefused: ((String) -> Void)?
    /// Set before `start`: a link calls it directly, without a closure in between.
    public var onFrame: ((Frame) throws(WireError) -> Void)?

    public init(toShard shard: Int, at path: String, on loop: EventLoop, as identity: FrameLink.Identity, log: Logger) {
        self.loop = loop
        self.shard = shard
        self.path = path
        self.identity = identity
        self.log = log
        self.timer = LoopTimer(on: loop)
    }

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
            self.pause = Self.pauseFirst
            self.toldRefusal = nil
            self.log.debug("link up", metadata: ["to": "\(self.path)"])
            self.onUp?()
        }
        link.onFrame = self.onFrame
        link.onEnd = { [unowned self] reason in self.lost(reason) }
        self.link = link
    }

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
        self.timer.start(afterMilliseconds: self.pause) { [unowned self] in self.start() }
        self.pause = min(self.pause * 2, Self.pauseMax)
    }
}
