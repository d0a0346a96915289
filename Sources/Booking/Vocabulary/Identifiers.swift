/// The names of things. Each is a whole number from 1 to 2^53 - 1, so that a browser reads it exactly.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    var rawValue: UInt64 { get }
    /// Trusts its caller: for numbers that come from Usher itself. Outside input goes through `init?(checking:)`.
    init(_ rawValue: UInt64)
}

extension Identifier {
    /// Nil unless `number` is in 1 ... 2^53 - 1.
    public init?(checking number: Int64) {
        guard number >= 1, number <= Int64(IdentifierLimits.max) else { return nil }
        self.init(UInt64(number))
    }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    public var description: String { String(self.rawValue) }
}

/// What every identifier obeys.
public enum IdentifierLimits {
    /// The largest whole number that a JSON reader built on doubles keeps exactly (RFC 8259, section 6).
    public static let max: UInt64 = (1 << 53) - 1
}

public struct ConcertID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

public struct UserID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One performance of a concert. Unique over all concerts of a catalogue.
public struct ScheduleID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A seat of a hall, numbered from 1. The same ids come back on every schedule of the hall.
public struct SeatID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One seat that one user holds or has bought. Carries the slot of its concert: see `SlotIDs`.
public struct ReservationID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One attempt to pay. Carries the slot of its concert.
public struct PaymentID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One cancelling of what was paid. Carries the slot of its concert.
public struct CancellationID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// What points move for: a payment or a cancellation. Both are numbered by the concert's slot, so no two are the same.
public struct TransferID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ payment: PaymentID) { self.rawValue = payment.rawValue }
    public init(_ cancellation: CancellationID) { self.rawValue = cancellation.rawValue }
}

/// One line of a user's point history. Carries the slot of its user.
public struct PointHistoryID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A place in one concert's line: 1 for the first who ever joined, never given twice, never changed.
/// How many are still ahead is another number: `Standing.order`.
public struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (left: Place, right: Place) -> Bool { left.rawValue < right.rawValue }
    public var description: String { String(self.rawValue) }
}
