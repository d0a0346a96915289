/// The offsets of one time zone from UTC, as a table: a value, so that writing a local time needs no system call.
public struct ZoneTable: Equatable, Sendable {
    public struct Change: Equatable, Sendable {
        /// The first second since the epoch with this offset.
        public let from: Int64
        /// Seconds east of UTC.
        public let offset: Int32
        public init(from: Int64, offset: Int32) {
            self.from = from
            self.offset = offset
        }
    }

    private let changes: [Change]

    /// The offset before the first change, and the changes in order of time.
    public init(offset: Int32, changes: [Change] = []) {
        self.changes = [Change(from: .min, offset: offset)] + changes
        precondition(
            zip(self.changes, self.changes.dropFirst()).allSatisfy { $0.from < $1.from },
            "changes out of order"
        )
    }

    /// Seconds east of UTC. O(log changes); most zones have no changes in this century.
    public func offset(at second: Int64) -> Int32 {
        var low = 0
        var high = self.changes.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if self.changes[middle].from <= second { low = middle } else { high = middle - 1 }
        }
        return self.changes[low].offset
    }
}
