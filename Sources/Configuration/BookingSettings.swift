import Booking

extension ServerConfiguration {
    /// The rules of every concert that the catalogue does not give its own.
    public struct BookingRules: Equatable, Sendable {
        public var timeZone = "Asia/Seoul"
        public var admissionsPerSecond = 50
        public var maxActive = 0
        public var waitingLifetimeSeconds = 1_800
        public var admittedLifetimeSeconds = 300
        public var holdTimeSeconds = 300
        public var cancelTimeSeconds = 604_800
        public var cancelNoticeSeconds = 86_400
        public var maxSeatsPerReservation = 4
        /// Two reservations of four: a user who needs more pays for the first ones.
        public var heldSeatsPerUserMax = 8
        public var seatsPerUserMax = 0
    }
}

/// None is live: lifetimes are in what a shard keeps, and in its snapshots.
extension Settings {
    static let booking: [Setting] = [
        text(
            "booking.timeZone",
            \.booking.timeZone,
            .zone,
            .essential,
            "Time zone of every time that is read or written."
        ),
        whole(
            "booking.admissionsPerSecond",
            \.booking.admissionsPerSecond,
            Self.range(ConcertRules.admissionsPerSecondRange),
            unit: "people",
            .essential,
            "Admissions per second to a concert's sale, at most."
        ),
        whole(
            "booking.maxActive",
            \.booking.maxActive,
            0...Int(UInt32.max),
            unit: "people",
            .optional,
            "People inside a concert's sale at once, at most; 0 disables it."
        ),
        whole(
            "booking.waitingLifetimeSeconds",
            \.booking.waitingLifetimeSeconds,
            Self.placeSecondsRange,
            unit: "seconds",
            .optional,
            "A place in line lapses this long after its last poll; at least twice the shortest `Retry-After`."
        ),
        whole(
            "booking.admittedLifetimeSeconds",
            \.booking.admittedLifetimeSeconds,
            Self.placeSecondsRange,
            unit: "seconds",
            .optional,
            "Time after admission in which seats can be reserved; a pass stays valid until its last hold ends. At least twice "
                + "the shortest `Retry-After`."
        ),
        whole(
            "booking.holdTimeSeconds",
            \.booking.holdTimeSeconds,
            1...31_536_000,
            unit: "seconds",
            .optional,
            "An unpaid seat is held this long."
        ),
        whole(
            "booking.cancelTimeSeconds",
            \.booking.cancelTimeSeconds,
            0...31_536_000,
            unit: "seconds",
            .optional,
            "Time after payment in which seats can be cancelled; 0 disables cancelling."
        ),
        whole(
            "booking.cancelNoticeSeconds",
            \.booking.cancelNoticeSeconds,
            0...31_536_000,
            unit: "seconds",
            .optional,
            "Cancelling ends this long before the play."
        ),
        whole(
            "booking.maxSeatsPerReservation",
            \.booking.maxSeatsPerReservation,
            Self.range(ConcertRules.seatsPerReservationRange),
            unit: "seats",
            .optional,
            "Seats of one reservation, at most."
        ),
        whole(
            "booking.heldSeatsPerUserMax",
            \.booking.heldSeatsPerUserMax,
            Self.range(ConcertRules.heldSeatsPerUserRange),
            unit: "seats",
            .optional,
            "Unpaid seats of one user in a concert, over all reservations and schedules."
        ),
        whole(
            "booking.seatsPerUserMax",
            \.booking.seatsPerUserMax,
            0...Int(UInt32.max),
            unit: "seats",
            .optional,
            "Seats of one user in a concert, held and paid together; 0 disables it."
        ),
    ]

    /// A place that is kept for as long as the shortest pause between two polls would lapse although its owner polls as
    /// told. A year bounds every lifetime: far beyond any sale, far below what would overflow.
    private static let placeSecondsRange = 2...31_536_000

    private static func range(_ range: ClosedRange<UInt32>) -> ClosedRange<Int> {
        Int(range.lowerBound)...Int(range.upperBound)
    }
}
