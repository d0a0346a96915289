import Booking

/// How long a peer has owed the reading of what is written to it, as far as looks from time to time have seen. It may take
/// none of it for so long only, and a little now and then for so long only. Times are nanoseconds of the loop's clock.
struct ReadingDebt {
    /// What was unread when the peer last took any, and when that was seen.
    private var unreadBytes = 0
    private var unreadSince: UInt64 = 0
    /// How many bytes were appended in all; and how many of them must be read by the time an answer may take, since when.
    private var appendedBytes: UInt64 = 0
    private var owedBytes: UInt64 = 0
    /// Since when bytes have been on their way that are not all read yet.
    private(set) var since: UInt64 = 0

    mutating func append(_ count: Int) { self.appendedBytes &+= UInt64(count) }

    /// Looks at what is `unread` now: true where it has been so for too long.
    mutating func isOverdue(unread: Int, at now: UInt64, _ limits: HTTPServer.Limits) -> Bool {
        self.takesTooLong(unread, at: now, limits.answerTimeout)
            || self.takesNothing(unread, at: now, limits.writeTimeout)
    }

    /// The peer has read nothing of it.
    private mutating func takesNothing(_ unread: Int, at now: UInt64, _ timeout: Nanoseconds) -> Bool {
        if unread == 0 || unread != self.unreadBytes {
            self.unreadBytes = unread
            self.unreadSince = now
            return false
        }
        return now > self.unreadSince + timeout.span
    }

    /// What was unread some time ago is so yet, though the peer takes a little now and then.
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
