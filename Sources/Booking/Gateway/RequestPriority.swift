/// The priority of requests under overload, lowest first. Users who book or pay have waited for it; users who ask for a
/// place have one; users who join lose nothing by joining a little later.
public enum RequestPriority: UInt8, Sendable, CaseIterable, Comparable {
    /// A new place in a line.
    case joining
    /// A place, seats, reservations, points: requests that clients repeat.
    case asking
    /// Changes of bookings and points, and leaving, which frees a place.
    case booking

    public static func < (left: RequestPriority, right: RequestPriority) -> Bool { left.rawValue < right.rawValue }
}
