import Booking
import Reactor
import Statistics
import Wire

/// What takes too long, and how a connection ends.
extension HTTPConnection {
    /// How long the peer may take to read a last answer and to end its side, once our side has ended.
    private static let lingerTime = Nanoseconds.seconds(2)

    // MARK: Time

    /// Ends what takes too long; true if it did.
    func checkTime(at now: UInt64) -> Bool {
        let awaited = self.state.awaited
        let unread = self.unread
        if awaited == .peersEnd {
            if unread > 0 {
                self.phaseSince = now
            } else if now > self.phaseSince + Self.lingerTime.span {
                self.close()
                return false
            }
        }
        if self.debt.isOverdue(unread: unread, at: now, self.server.limits) {
            self.reset()
            return true
        }
        switch awaited {
        case .peersEnd, .nothing: return false
        case .prelude: return self.checkPrelude(at: now)
        case .request: return self.checkRequest(at: now)
        }
    }

    private func checkPrelude(at now: UInt64) -> Bool {
        guard now > self.phaseSince + self.server.limits.headTimeout.span else { return false }
        self.server.note(\.proxyHeaders)
        self.close()
        return true
    }

    private func checkRequest(at now: UInt64) -> Bool {
        let limits = self.server.limits
        let timeout: Nanoseconds =
            switch self.phase {
            case .idle, .finished: limits.idleTimeout
            case .head: limits.headTimeout
            case .body: limits.bodyTimeout
            }
        guard now > self.phaseSince + timeout.span else { return false }
        guard self.phase != .idle else {
            self.carryOut(self.state.idled())
            return false
        }
        self.refuse(.requestTimeout)
        self.dropUnfinished()
        return true
    }

    /// What the peer has not taken yet; of a last answer, what its own kernel has not: we may not close before.
    private var unread: Int {
        self.connection.pendingBytes + (self.state.stage == .lingering ? self.connection.unacknowledgedBytes : 0)
    }

    /// Since when bytes have been on their way that have not all left yet, as far as sweeps have seen.
    var behindSince: UInt64 { self.debt.since }

    /// Memory for what it has not taken.
    var heldBytes: Int { self.connection.heldBytes }

    /// Whether it has had a second at least, and has not taken what there was then.
    func isBehind(at now: UInt64) -> Bool {
        self.connection.pendingBytes > 0 && now > self.debt.since + Nanoseconds.seconds(1).span
    }

    // MARK: Ending

    func ended(_ reason: Connection.EndReason) {
        switch reason {
        case .endOfStream: self.carryOut(self.state.peerEnded())
        // A lost connection closes by itself.
        case .failed: self.state.closed()
        }
    }

    /// Lets a request under way be answered, and closes after it; without one, ends our side now, and closes when the peer
    /// has, or after a moment. A request that has come in by half is the last one: it has its usual time for the rest.
    func drain() {
        let isBetweenRequests = self.parser.phase == .idle
        let isHandingOver = self.server.isHandingOver
        self.carryOut(self.state.drained(isBetweenRequests: isBetweenRequests, isHandingOver: isHandingOver))
    }

    func close() {
        self.state.closed()
        self.connection.close()
    }

    /// Ends at once, whatever is pending.
    func reset() {
        self.state.closed()
        self.connection.reset()
    }
}
