/// Names of things. Each is a whole number from 1 to 2^53 - 1, so that a browser reads it exactly.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
    var rawValue: UInt64 { get }
    /// Unchecked: for numbers that come from Usher itself. Outside input goes through `init?(checking:)`.
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

    /// Called by dictionaries and sets. The standard library would run SipHash over the eight bytes: 200 instructions
    /// for each of the dozen lookups of a payment's fact, half of a replay's time. One multiplication of 64 by 64 bits,
    /// under a secret, spreads numbers as well, and clients who choose ids don't know which collide.
    public func _rawHashValue(seed: Int) -> Int {
        Int(truncatingIfNeeded: IdentifierHash.secret.hash(of: self.rawValue, seed: seed))
    }
}

/// This process's hash of identifiers, derived from the secret that Swift drew for its own hashes.
struct IdentifierHash {
    private let mask: UInt64
    private let factor: UInt64

    static let secret = IdentifierHash(mask: Self.drawn(1), factor: Self.drawn(2) | 1)

    @inline(__always)
    func hash(of number: UInt64, seed: Int) -> UInt64 {
        (number ^ self.mask ^ UInt64(bitPattern: Int64(seed))).foldedProduct(self.factor)
    }

    /// The hash of two numbers that are one name.
    @inline(__always)
    func hash(of high: UInt64, _ low: UInt64, seed: Int) -> UInt64 {
        (self.hash(of: high, seed: seed) ^ low).foldedProduct(self.factor)
    }

    private static func drawn(_ number: Int) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(number)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

/// The bounds of every identifier.
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

/// A seat of a hall, numbered from 1. Every schedule of the hall has the same ids.
public struct SeatID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One user's hold or purchase of one seat. Carries the slot of its concert: see `SlotIDs`.
public struct ReservationID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One attempt to pay. Carries the slot of its concert.
public struct PaymentID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One cancellation of a purchase. Carries the slot of its concert.
public struct CancellationID: Identifier {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// The reason for a transfer of points: a payment or a cancellation. Both are numbered by the concert's slot, so ids
/// are unique.
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

/// A place in one concert's line: 1 for the first user who joined, never given twice, never changed. The number of
/// people still ahead is another one: `Standing.order`.
public struct Place: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (left: Place, right: Place) -> Bool { left.rawValue < right.rawValue }
    public var description: String { String(self.rawValue) }
}
