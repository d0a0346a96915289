import Booking
import Wire

/// Users whose tokens were verified, by the hash of the token: a repeated token costs one look-up.
///
/// A bounded table of sets, four to a set; a new entry evicts an expired one, or the set's least recently used. Only
/// tokens with a valid signature are added, so strangers evict nobody. No allocation after the start; 56 bytes an
/// entry.
struct IdentityCache {
    private struct Row {
        var digest: TokenDigest?
        var user: UserID
        /// Seconds since 1970.
        var endsAt: Int64
        /// Counts look-ups; the lowest of a set is the least recently used.
        var seen: UInt64
    }

    private static let waysCount = 4

    private var rows: [Row]
    private let setCount: Int
    private var looks: UInt64 = 0
    private(set) var count = 0

    /// At least `countMax` entries, rounded up to a power of two.
    init(countMax: Int) {
        var sets = 1
        while sets * Self.waysCount < countMax { sets *= 2 }
        self.setCount = sets
        let empty = Row(digest: nil, user: UserID(1), endsAt: 0, seen: 0)
        self.rows = Array(repeating: empty, count: sets * Self.waysCount)
    }

    /// The user of a verified token; nil for an unknown or expired one.
    mutating func user(of digest: TokenDigest, at now: Int64) -> UserID? {
        for row in self.set(of: digest) where self.rows[row].digest == digest {
            guard now < self.rows[row].endsAt else { return nil }
            self.looks += 1
            self.rows[row].seen = self.looks
            return self.rows[row].user
        }
        return nil
    }

    mutating func insert(_ digest: TokenDigest, _ user: UserID, endsAt: Int64, at now: Int64) {
        let set = self.set(of: digest)
        let place =
            set.first { self.rows[$0].digest == digest } ?? set.first { self.rows[$0].digest == nil }
            ?? set.first { self.rows[$0].endsAt <= now } ?? set.min { self.rows[$0].seen < self.rows[$1].seen }!
        if self.rows[place].digest == nil { self.count += 1 }
        self.looks += 1
        self.rows[place] = Row(digest: digest, user: user, endsAt: endsAt, seen: self.looks)
    }

    /// After a change of keys: tokens of the old keys may no longer be valid.
    mutating func removeAll() {
        for row in self.rows.indices { self.rows[row].digest = nil }
        self.count = 0
    }

    private func set(of digest: TokenDigest) -> Range<Int> {
        let first = Int(truncatingIfNeeded: digest.words[0] & UInt64(self.setCount - 1)) * Self.waysCount
        return first..<first + Self.waysCount
    }
}
