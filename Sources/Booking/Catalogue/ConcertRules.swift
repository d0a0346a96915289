/// How one concert admits people and sells to them. Each rule can be set for all concerts and for one.
public struct ConcertRules: Equatable, Sendable {
    /// Admissions per second, at most. 1 ... 1,000,000.
    public var admissionsPerSecond: UInt32 = 50
    /// People inside at once, at most; 0 means no bound.
    public var maxActive: UInt32 = 0
    /// How long a place in line lasts after its owner's last request for it (join or poll).
    public var waitingLifetime = Nanoseconds.minutes(30)
    /// How long an admitted user may make reservations, from admission. The stay itself lasts until the user's last
    /// hold ends.
    public var admittedLifetime = Nanoseconds.minutes(5)
    /// How long a seat is held without payment.
    public var holdTime = Nanoseconds.minutes(5)
    /// The time for cancelling: this long after payment, and this long before the play at the latest; the earlier end
    /// counts. Zero after payment disables cancelling.
    public var cancelTime = Nanoseconds.days(7)
    public var cancelNotice = Nanoseconds.days(1)
    /// Seats in one reservation, at most. 1 ... 100.
    public var maxSeatsPerReservation: UInt32 = 4
    /// Unpaid seats that one user may hold at once, over all reservations and schedules. 1 ... 1,000.
    public var heldSeatsPerUserMax: UInt32 = 8
    /// Seats that one user may have, held and paid together; 0 means no bound.
    public var seatsPerUserMax: UInt32 = 0

    public static let admissionsPerSecondRange: ClosedRange<UInt32> = 1...1_000_000
    public static let seatsPerReservationRange: ClosedRange<UInt32> = 1...100
    public static let heldSeatsPerUserRange: ClosedRange<UInt32> = 1...1_000

    public init() {}

    /// The first rule that is out of range, in words; nil when all are valid.
    public var violation: String? {
        guard Self.admissionsPerSecondRange.contains(self.admissionsPerSecond) else {
            return "admissionsPerSecond is \(self.admissionsPerSecond), outside \(Self.admissionsPerSecondRange)"
        }
        guard Self.seatsPerReservationRange.contains(self.maxSeatsPerReservation) else {
            return
                "maxSeatsPerReservation is \(self.maxSeatsPerReservation), outside \(Self.seatsPerReservationRange)"
        }
        guard Self.heldSeatsPerUserRange.contains(self.heldSeatsPerUserMax) else {
            return "heldSeatsPerUserMax is \(self.heldSeatsPerUserMax), outside \(Self.heldSeatsPerUserRange)"
        }
        guard self.waitingLifetime > .zero else { return "waitingLifetime has to be above 0" }
        guard self.admittedLifetime > .zero else { return "admittedLifetime has to be above 0" }
        guard self.holdTime > .zero else { return "holdTime has to be above 0" }
        guard self.cancelTime >= .zero else { return "cancelTime is negative" }
        guard self.cancelNotice >= .zero else { return "cancelNotice is negative" }
        return nil
    }

    /// The longest pause between two polls that is safe for a place, in whole seconds: a waiting user polls at least
    /// three times in a waiting lifetime and learns of their admission with half of the time inside left, whatever the
    /// people ahead do. At least 1, the shortest pause there is.
    public var pollPauseSecondsMax: UInt32 {
        let (waiting, inside) = (self.waitingLifetime.rawValue / 3, self.admittedLifetime.rawValue / 2)
        return UInt32(clamping: max(1, min(waiting, inside) / 1_000_000_000))
    }

    /// The end of the time in which a seat paid at `paidAt` for a play at `playsAt` can be cancelled.
    public func cancelDeadline(paidAt: Timestamp, playsAt: Timestamp) -> Timestamp {
        min(paidAt + self.cancelTime, playsAt - self.cancelNotice)
    }

    var line: LineRules {
        LineRules(
            admissionsPerSecond: self.admissionsPerSecond,
            maxActive: self.maxActive,
            waitingLifetime: self.waitingLifetime,
            admittedLifetime: self.admittedLifetime
        )
    }
}
