/// What must hold of a line between any two facts.
extension Line {
    /// The first violation, in words; nil when there is none. O(n): for tests and the simulator.
    public func checkInvariants() -> String? {
        self.people.firstViolation() ?? self.users.firstViolation() ?? self.peopleViolation() ?? self.listViolation()
    }

    /// States against totals, order of admission, and users against places.
    private func peopleViolation() -> String? {
        var waiting: UInt64 = 0
        var admitted: UInt64 = 0
        var first: UInt64?
        var violation: String?
        self.people.forEachPresent { spot in
            if spot.isWaiting {
                if self.people.waitingAhead(of: spot) != waiting {
                    violation = "people ahead of place \(spot.place) are miscounted"
                }
                first = first ?? spot.place
                waiting += 1
            } else {
                if first != nil { violation = "place \(spot.place) was admitted before an earlier waiting place" }
                admitted += 1
            }
            if self.users.place(of: spot.row.user, in: self.people) != spot.place {
                violation = "user \(spot.row.user) is at place \(spot.place), but that place is another user's"
            }
        }
        if let violation { return violation }
        if UInt64(self.users.count) != waiting + admitted { return "a user has an empty place" }
        if waiting != self.totals.waiting { return "\(waiting) wait and \(self.totals.waiting) are counted" }
        if admitted != self.totals.admitted { return "\(admitted) are in and \(self.totals.admitted) are counted" }
        if self.totals.joined + 1 != self.people.nextPlace { return "more or fewer joined than places were given" }
        if let next = self.nextExpiry, next < self.quietUntil { return "a place lapses before quietUntil" }
        if self.firstWaiting != first ?? self.people.nextPlace {
            return "the first waiting is not \(self.firstWaiting)"
        }
        return nil
    }

    /// Each list has everyone of its state once, earliest first; people who linger are in no list.
    private func listViolation() -> String? {
        if self.lingering.keys.contains(where: { self.people.spot(of: $0)?.isAdmitted != true }) {
            return "a stay is extended for a person who is not inside"
        }
        return self.listViolation(self.waitingList, "waiting", count: self.totals.waiting) { $0.isWaiting }
            ?? self.listViolation(
                self.admittedList,
                "admitted",
                count: self.totals.admitted - UInt64(self.lingering.count)
            ) {
                $0.isAdmitted && self.lingering[$0.place] == nil
            }
    }

    private func listViolation(
        _ list: People.List,
        _ name: String,
        count: UInt64,
        belongs: (People.Spot) -> Bool
    ) -> String? {
        guard list.first != 0, list.last != 0 else {
            return list.first == list.last && count == 0 ? nil : "the list of people \(name) is cut off"
        }
        var length: UInt64 = 0
        var previous = list.first
        var place = list.first
        var since = Timestamp.distantPast
        while true {
            guard let spot = self.people.spot(of: place), belongs(spot) else {
                return "place \(place) is among people \(name) and should not be"
            }
            if self.people.place(low: spot.row.previous) != previous { return "links at place \(place) disagree" }
            if spot.row.since < since { return "place \(place) expires out of order among people \(name)" }
            length += 1
            if length > count { return "more people \(name) in the list than counted" }
            since = spot.row.since
            if place == list.last { break }
            previous = place
            place = self.people.place(low: spot.row.next)
        }
        return length == count ? nil : "fewer people \(name) in the list than counted"
    }
}
