@testable import Booking

// Reads of a line, a rate and a slot that only tests need.

extension Line {
    /// A line from a snapshot: everyone present in the order of places, the totals, and `admissionDue`. Waiting people
    /// count as last seen when they joined: call `resume(at:)` before any place can expire.
    init(
        restoring entries: some Sequence<Entry>,
        totals: Totals,
        admissionDue: Timestamp,
        rules: LineRules,
        opensAt: Timestamp = .distantPast,
        endsAt: Timestamp = .distantFuture,
        hashSeed: UInt64
    ) {
        self.init(rules: rules, opensAt: opensAt, endsAt: endsAt, hashSeed: hashSeed)
        for entry in entries { self.restore(entry) }
        self.endRestoring(totals: totals, admissionDue: admissionDue)
    }

    /// The admissions up to and with the person at a place: 0 when they are inside; nil when they are gone.
    func order(of place: Place) -> UInt64? {
        guard let spot = self.people.spot(of: place.rawValue) else { return nil }
        return spot.isWaiting ? self.people.waitingAhead(of: spot) + 1 : 0
    }

    /// Admissions possible at `now`, one after the other: bounded by the rate, the room inside and the people waiting.
    func admissionsAllowed(at now: Timestamp) -> Int {
        guard now < self.endsAt else { return 0 }
        let rate = AdmissionRate(perSecond: self.rules.admissionsPerSecond, due: self.admissionDue)
        return min(rate.allowed(at: now, opensAt: self.opensAt), self.room, Int(self.totals.waiting))
    }

    /// When the next admission is possible, unless people come or go before; in the past when it is possible now. Nil
    /// while nobody waits, the room is full, or the concert would be over.
    var nextAdmissionTime: Timestamp? {
        guard self.totals.waiting > 0, self.room > 0 else { return nil }
        let next = max(self.admissionDue, self.opensAt)
        return next < self.endsAt ? next : nil
    }

    private var room: Int {
        self.rules.maxActive == 0 ? .max : max(0, Int(self.rules.maxActive) - Int(self.totals.admitted))
    }
}

extension AdmissionRate {
    /// Admissions possible at `now`: from 0 to `burst`. None before `opensAt`, and the time before it counts for
    /// nothing.
    func allowed(at now: Timestamp, opensAt: Timestamp) -> Int {
        let first = max(self.due, opensAt, now - self.slack)
        guard first <= now else { return 0 }
        return Int((now - first).rawValue / self.interval.rawValue) + 1
    }
}

extension Slot {
    /// The slot of any key, as Redis computes it for a key without a hash tag.
    init(key: String) { self.init(checking: CRC16.checksum(of: key.utf8) % UInt16(Slot.count))! }
}
