import Booking

@testable import Wire

/// Snapshots of a shard: each item that is read is written as the same bytes.
enum SnapshotTarget {
    /// Magic and version, before the first item.
    private static let headBytes = 10

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        var written = FrameBytes()
        var failure: WireError?
        do throws(WireError) {
            try SnapshotBytes.forEachItem(in: input) { item throws(WireError) in item.encode(into: &written) }
        } catch { failure = error }
        guard input.count >= self.headBytes else {
            return try require(failure != nil, "a snapshot without a head was read")
        }
        let items = UnsafeRawBufferPointer(rebasing: input[self.headBytes...])
        let isStart = written.withUnsafeBytes { items.starts(with: $0) }
        try require(isStart, "items are written otherwise than they were read")
        // Behind the items: the end mark and their count.
        let rest = items.count - written.count
        try require(failure != nil || rest == 9, "a whole snapshot has \(rest) bytes behind its items")
    }
}
