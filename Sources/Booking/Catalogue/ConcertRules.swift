/// How one concert lets people in and sells to them. Each can be set for all concerts and for one.
public struct ConcertRules: Equatable, Sendable {
    /// How many people are let in per second, at most. 1 ... 1,000,000.
    public var admissionsPerSecond: UInt32 = 50
    /// How many may be inside at once; 0 means no bound.
    public var maxActive: UInt32 = 0
    /// How long someone keeps a place in line after they were last seen: by joining or by asking for their place.
    public var waitingLifetime = Nanoseconds.minutes(30)
    /// How long someone may reserve, counted from admission. Their stay goes on beyond that until the last of their holds ends.
    public var admittedLifetime = Nanoseconds.minutes(5)
    /// How long a seat is kept for someone who has not paid.
    public var holdTime = Nanoseconds.minutes(5)
    /// How long after paying someone may cancel, and how long before the play they must: the earlier end counts. No time
    /// after paying means that nothing can be cancelled.
    public var cancelTime = Nanoseconds.days(7)
    public var cancelNotice = Nanoseconds.days(1)
    /// How many seats one reservation may take. 1 ... 100.
    public var maxSeatsPerReservation: UInt32 = 4
    /// How many seats one user may hold unpaid at once, over all reservations and schedules. 1 ... 1,000.
    public var heldSeatsPerUserMax: UInt32 = 8
    /// How many seats one user may have, held and paid together; 0 means no bound.
    public var seatsPerUserMax: UInt32 = 0

    public static let admissionsPerSecondRange: ClosedRange<UInt32> = 1...1_000_000
    public static let seatsPerReservationRange: ClosedRange<UInt32> = 1...100
    public static let heldSeatsPerUserRange: ClosedRange<UInt32> = 1...1_000

    public init() {}

    /// The first rule that is out of its range, in words; nil when all are well.
    public var violation: String? {
        guard Self.admissionsPerSecondRange.contains(self.admissionsPerSecond) else {
            return "admissionsPerSecond is \(self.admissionsPerSecond), not one of \(Self.admissionsPerSecondRange)"
        }
        guard Self.seatsPerReservationRange.contains(self.maxSeatsPerReservation) else {
            return
                "maxSeatsPerReservation is \(self.maxSeatsPerReservation), not one of \(Self.seatsPerReservationRange)"
        }
        guard Self.heldSeatsPerUserRange.contains(self.heldSeatsPerUserMax) else {
            return "heldSeatsPerUserMax is \(self.heldSeatsPerUserMax), not one of \(Self.heldSeatsPerUserRange)"
        }
        guard self.waitingLifetime > .zero else { return "waitingLifetime is not longer than nothing" }
        guard self.admittedLifetime > .zero else { return "admittedLifetime is not longer than nothing" }
        guard self.holdTime > .zero else { return "holdTime is not longer than nothing" }
        guard self.cancelTime >= .zero else { return "cancelTime is shorter than nothing" }
        guard self.cancelNotice >= .zero else { return "cancelNotice is shorter than nothing" }
        return nil
    }

    /// The longest pause between two polls with which nobody loses their place, in whole seconds: so whoever waits is seen three
    /// times in a waiting lifetime, and has half of the time inside left when they hear of it, whatever became of the people
    /// ahead. At least 1, the shortest pause there is.
    public var pollPauseSecondsMax: UInt32 {
        let (waiting, inside) = (self.waitingLifetime.rawValue / 3, self.admittedLifetime.rawValue / 2)
        return UInt32(clamping: max(1, min(waiting, inside) / 1_000_000_000))
    }

    /// From this moment on, what was paid then for that play can't be cancelled.
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
