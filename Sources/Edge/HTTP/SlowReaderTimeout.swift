import Booking

/// How long a peer has left bytes unread, as far as periodic checks can tell. There is one time-out for reading
/// nothing, and another for reading only a little now and then. Times are nanoseconds of the loop's clock.
struct SlowReaderTimeout {
    /// The unread bytes when the peer last read any, and the time of that check.
    private var unreadBytes = 0
    private var unreadSince: UInt64 = 0
    /// Bytes appended in all; and the number of them that must be read within the answer's time-out, with its start.
    private var appendedBytes: UInt64 = 0
    private var owedBytes: UInt64 = 0
    /// The time since which some bytes have been unread.
    private(set) var since: UInt64 = 0

    mutating func append(_ count: Int) { self.appendedBytes &+= UInt64(count) }

    /// Checks the bytes `unread` now: true when a time-out is over.
    mutating func isOverdue(unread: Int, at now: UInt64, _ limits: HTTPServer.Limits) -> Bool {
        self.takesTooLong(unread, at: now, limits.answerTimeout)
            || self.takesNothing(unread, at: now, limits.writeTimeout)
    }

    /// The peer reads nothing.
    private mutating func takesNothing(_ unread: Int, at now: UInt64, _ timeout: Nanoseconds) -> Bool {
        if unread == 0 || unread != self.unreadBytes {
            self.unreadBytes = unread
            self.unreadSince = now
            return false
        }
        return now > self.unreadSince + timeout.span
    }

    /// Bytes have been unread for too long, though the peer reads a little now and then.
    private mutating func takesTooLong(_ unread: Int, at now: UInt64, _ timeout: Nanoseconds) -> Bool {
        let readBytes = self.appendedBytes &- UInt64(unread)
        if Int64(bitPattern: readBytes &- self.owedBytes) >= 0 {
            self.owedBytes = self.appendedBytes
            self.since = now
            return false
        }
        return now > self.since + timeout.span
    }
}

extension Nanoseconds {
    /// As a span of the loop's clock, which has no sign.
    var span: UInt64 { UInt64(max(0, self.rawValue)) }
}
