/// Where an HTTP connection is in its life, and what it does at each event there. Pure: no socket, no parser, no clock.
/// `HTTPConnection` says what happened, and carries out the step that it is answered.
///
///     introducing ──header──▶ reading ◀───── no room, room ─────▶ paused
///          │                     │                                 │
///          │                     ├─────────────────────────────────┘
///          │                     │
///          │                     ├── a last request, a refusal, the peer's end before its answers ──▶ ending
///          │                     │                                                                     │
///          │ too many            │ drained while handing over                             last answer: │
///          ├─────────────────────┴──────────▶ lingering ◀──────────────── the peer may be sending more ┤
///          │                     │                │                                                    │
///          │ malformed, late     │ idle, drained  │ the peer's end, or its time is over                │
///          └─────────────────────┴────────────────┴──▶ closing ◀── the peer has ended, or wants no more ┘
///                                                        ▲
///                                                        └── lost: from everywhere
///
/// Requests are numbered from 0 in the order in which they came, and are answered in that order.
struct HTTPConnectionState: Equatable {
    enum Stage: Equatable {
        /// A trusted proxy has yet to say for whom it connects (`ProxyPrelude`).
        /// In: at the start, where a header has to come. Out: the header came ──▶ reading; its client has too many
        /// connections ──▶ lingering; malformed, late, ended, or drained ──▶ closing (drained
        /// while the server hands over ──▶ lingering).
        case introducing
        /// What comes is read as requests.
        /// In: at the start, after the header, from paused. Out: too many unanswered, or the peer does not read ──▶ paused;
        /// a last request, a refusal, or the peer's end before its answers ──▶ ending; idle, drained, or the peer's end
        /// ──▶ closing (drained while the server hands over ──▶ lingering).
        case reading
        /// Nothing is read until answers have left; what was read waits in the parser, and more of it in the kernel.
        /// In: from reading. Out: half of the answers have left, and the peer has read ──▶ reading; the rest as reading.
        case paused
        /// Answers up to this one are due, and no request is read any more: what comes is dropped.
        /// In: from reading and paused. Out: that answer is written ──▶ lingering or closing, by the farewell.
        case ending(after: UInt32, Farewell)
        /// Our side has ended. What the peer still sends is dropped, for a while: unread, it would turn our close into a
        /// reset, which can destroy the answer on its way.
        /// In: from ending, introducing; from reading and paused while the server hands over. Out: the peer's end, or the
        /// time for it is over ──▶ closing.
        case lingering
        /// The connection closes when what is pending has left, or is closed. What comes is dropped.
        /// In: from everywhere. Out: never.
        case closing
    }

    /// How a connection ends once its last answer is written.
    enum Farewell: Equatable {
        /// The peer, or a drain, wants no more: it closes; it lingers while the server hands over, as who sends many requests
        /// at a time has sent more by then.
        case agreed
        /// By our will, and the peer may be sending more: it lingers.
        case early
        /// The peer has ended its side: it closes.
        case mutual
    }

    /// What the connection does about an event.
    enum Step: Equatable {
        case nothing
        case stopReading
        /// Reads again, to drop what comes and to notice the peer's end.
        case startReading
        /// Reads again, requests: first those that wait in the parser.
        case readOn
        /// Tells the peer to send the body that it holds back.
        case sendContinue
        /// Lets go of the request that has come by half.
        case dropUnfinished
        case linger
        /// Closes once everything pending has left.
        case close
    }

    /// What bytes from the peer are.
    enum Receipt: Equatable { case prelude, requests, nothing }

    /// What has to come from the peer within a time.
    enum Awaited: Equatable { case prelude, request, peersEnd, nothing }

    /// The number of the next request to be read, and of the next to be answered.
    private(set) var nextRequest: UInt32 = 0
    private(set) var nextAnswer: UInt32 = 0
    private(set) var stage: Stage
    /// The last request read has a large answer to come: nothing more is read until that has gone out.
    private var awaitsLarge = false
    /// The request being read waits for `100 Continue`, which may not overtake the answers to those before it. Who has sent the
    /// body all the same gets none.
    private var owesContinue = false

    init(isIntroduced: Bool) { self.stage = isIntroduced ? .reading : .introducing }

    var unanswered: UInt32 { self.nextRequest &- self.nextAnswer }

    var isReading: Bool {
        switch self.stage {
        case .reading: true
        case .introducing, .paused, .ending, .lingering, .closing: false
        }
    }

    var isPaused: Bool {
        switch self.stage {
        case .paused: true
        case .introducing, .reading, .ending, .lingering, .closing: false
        }
    }

    private func unansweredMax(_ pipelinedMax: UInt32) -> UInt32 { self.awaitsLarge ? 1 : pipelinedMax }

    // MARK: In

    /// Bytes have come.
    var receipt: Receipt {
        switch self.stage {
        case .introducing: .prelude
        case .reading, .paused: .requests
        case .ending, .lingering, .closing: .nothing
        }
    }

    /// The proxy's header has come.
    mutating func introduced() {
        switch self.stage {
        case .introducing: self.stage = .reading
        case .reading, .paused, .ending, .lingering, .closing: preconditionFailure("introduced twice, or too late")
        }
    }

    /// The proxy's header has come, and named a client with too many connections, who was told so.
    mutating func rejectedConnections() -> Step {
        switch self.stage {
        case .introducing:
            self.stage = .lingering
            return .linger
        case .reading, .paused, .ending, .lingering, .closing: preconditionFailure("turned away too late")
        }
    }

    /// Whether another request may be read beside those that are not answered.
    func mayRead(pipelinedMax: UInt32) -> Bool { self.unanswered < self.unansweredMax(pipelinedMax) }

    /// The request being read expects `100 Continue`.
    mutating func continueExpected() { self.owesContinue = true }

    /// All bytes were read, and the request at their end is not whole.
    mutating func needsMore() -> Step {
        switch self.stage {
        case .reading, .paused: self.continueIfInTurn()
        case .introducing, .ending, .lingering, .closing: .nothing
        }
    }

    /// A whole request was read; with a farewell it is the last. Returns its number.
    mutating func requestRead(last farewell: Farewell?) -> UInt32 {
        switch self.stage {
        case .reading: break
        case .introducing, .paused, .ending, .lingering, .closing: preconditionFailure("a request that nobody reads")
        }
        let sequence = self.nextRequest
        self.nextRequest &+= 1
        self.owesContinue = false
        self.awaitsLarge = false
        if let farewell { self.stage = .ending(after: sequence, farewell) }
        return sequence
    }

    /// The answer to the request read last will be large.
    mutating func largeAnswerAwaited() { self.awaitsLarge = true }

    /// What comes can't be answered but by a refusal: not HTTP, too slow, too much. Returns the refusal's number; nil where
    /// no answer may follow.
    mutating func refused() -> UInt32? {
        switch self.stage {
        case .reading, .paused:
            let sequence = self.nextRequest
            self.nextRequest &+= 1
            self.stage = .ending(after: sequence, .early)
            return sequence
        case .introducing, .ending, .lingering, .closing: return nil
        }
    }

    // MARK: Room

    /// Too many requests are not answered, or the peer does not read what is written to it.
    mutating func roomIsOver() -> Step {
        switch self.stage {
        case .reading:
            self.stage = .paused
            return .stopReading
        case .ending, .closing: return .stopReading
        case .introducing, .paused, .lingering: return .nothing
        }
    }

    /// Answers have left, or the peer has read: whether it is enough. `isFull` is asked only where it matters.
    mutating func roomHasGrown(pipelinedMax: UInt32, isFull: @autoclosure () -> Bool) -> Step {
        switch self.stage {
        case .paused:
            guard self.unanswered <= self.unansweredMax(pipelinedMax) / 2, !isFull() else { return .nothing }
            self.stage = .reading
            return .readOn
        case .ending, .closing: return isFull() ? .nothing : .startReading
        case .introducing, .reading, .lingering: return .nothing
        }
    }

    // MARK: Out

    /// The answer that is next in turn was written.
    mutating func answered(isHandingOver: @autoclosure () -> Bool) -> Step {
        let sequence = self.nextAnswer
        self.nextAnswer &+= 1
        switch self.stage {
        case .reading, .paused: return self.continueIfInTurn()
        case .ending(let last, let farewell):
            guard sequence == last else { return .nothing }
            return self.end(lingers: farewell == .early || farewell == .agreed && isHandingOver())
        case .introducing, .lingering, .closing: return .nothing
        }
    }

    private mutating func continueIfInTurn() -> Step {
        guard self.owesContinue, self.unanswered == 0 else { return .nothing }
        self.owesContinue = false
        return .sendContinue
    }

    // MARK: The end

    private mutating func end(lingers: Bool) -> Step {
        self.stage = lingers ? .lingering : .closing
        return lingers ? .linger : .close
    }

    /// The peer has ended its side. It gets the answers under way.
    mutating func peerEnded() -> Step {
        switch self.stage {
        case .introducing, .lingering: return self.end(lingers: false)
        case .reading, .paused:
            guard self.unanswered > 0 else { return self.end(lingers: false) }
            self.stage = .ending(after: self.nextRequest &- 1, .mutual)
            return .dropUnfinished
        case .ending(let last, _):
            self.stage = .ending(after: last, .mutual)
            return .nothing
        case .closing: return .nothing
        }
    }

    /// The server ends, and this connection with the requests under way. A request that has come in by half is the last one:
    /// it has its usual time for the rest.
    mutating func drained(isBetweenRequests: Bool, isHandingOver: Bool) -> Step {
        switch self.stage {
        case .introducing: return self.end(lingers: isHandingOver)
        case .reading, .paused:
            guard isBetweenRequests else { return .nothing }
            guard self.unanswered > 0 else { return self.end(lingers: isHandingOver) }
            self.stage = .ending(after: self.nextRequest &- 1, .agreed)
            return .nothing
        case .ending, .lingering, .closing: return .nothing
        }
    }

    /// No request has come for too long.
    mutating func idled() -> Step {
        switch self.stage {
        case .reading: self.unanswered == 0 ? self.end(lingers: false) : .nothing
        case .introducing, .paused, .ending, .lingering, .closing: .nothing
        }
    }

    /// The connection is lost, or is closed at once.
    mutating func closed() { self.stage = .closing }

    /// What may take too long now. While answers are due the peer may wait; while reading is paused it can't send on, however
    /// much it would like to.
    var awaited: Awaited {
        switch self.stage {
        case .introducing: .prelude
        case .reading: self.unanswered == 0 ? .request : .nothing
        case .lingering: .peersEnd
        case .paused, .ending, .closing: .nothing
        }
    }
}
