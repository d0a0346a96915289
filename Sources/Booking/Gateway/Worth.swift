/// What is served first when not everything can be: least first. Who books or pays has waited for it; who asks for a place
/// has one; who joins loses nothing by coming a little later.
public enum Worth: UInt8, Sendable, CaseIterable, Comparable {
    /// A new place in a line.
    case joining
    /// A place, seats, reservations, points: what is asked again.
    case asking
    /// Whatever changes a booking or points, and leaving, which makes room.
    case booking

    public static func < (left: Worth, right: Worth) -> Bool { left.rawValue < right.rawValue }
}
