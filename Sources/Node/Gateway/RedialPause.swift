public import Booking

/// How long to wait before a shard that could not be reached is tried again: from 10 ms to 50 ms. A shard that was restarted is
/// found again within a twentieth of a second, as clients wait for it, and one that stays away costs some tens of system calls
/// a second.
public struct RedialPause: Sendable {
    private static let first = Nanoseconds.milliseconds(10)
    private static let longest = Nanoseconds.milliseconds(50)

    private var pause = Self.first

    public init() {}

    /// The pause before the next try; the one after that waits twice as long.
    public mutating func next() -> Nanoseconds {
        defer { self.pause = min(Nanoseconds(self.pause.rawValue * 2), Self.longest) }
        return self.pause
    }
}
