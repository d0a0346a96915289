/// What stays of an earlier catalogue after it was changed.
///
///     listed ──over, and taken out of the catalogue──▶ archived ──put back──▶ listed
///
/// Concerts and schedules that are over may be taken out; sales that are not may not, since people hold tickets for them.
extension Catalogue {
    /// This catalogue, and as archived what the `earlier` one had, is over at `now`, and is missing here. A schedule id that
    /// another concert has by now is that one's. O(concerts + schedules).
    public func archiving(_ earlier: Catalogue, at now: Timestamp) -> Catalogue {
        var listed: Set<ScheduleID> = []
        for concert in self.concerts { listed.formUnion(concert.schedules.map(\.id)) }
        let over = { (concert: Concert) in
            concert.schedules.filter { $0.playsAt <= now && !listed.contains($0.id) }
        }
        var concerts = self.concerts.map { concert in
            guard let archived = earlier[concert.id].map(over), !archived.isEmpty else { return concert }
            return concert.archiving(archived)
        }
        for concert in earlier.concerts where !self.contains(concert.id) && concert.state(at: now) == .over {
            concerts.append(concert.archived(over(concert)))
        }
        do { return try Catalogue(concerts) } catch { preconditionFailure("an archived catalogue: \(error)") }
    }

    /// The ids of its archived concerts, in order.
    public var archived: [ConcertID] { self.concerts.filter(\.isArchived).map(\.id) }
}

extension Concert {
    /// Those that are shown, in that order.
    public var listedSchedules: ArraySlice<Schedule> { self.schedules[..<self.listedCount] }
    /// Those that are over and were taken out of the catalogue.
    public var archivedSchedules: ArraySlice<Schedule> { self.schedules[self.listedCount...] }

    /// The same with more schedules that are no longer listed.
    fileprivate func archiving(_ schedules: [Schedule]) -> Concert {
        Concert(
            id: self.id,
            title: self.title,
            opensAt: self.opensAt,
            schedules: Array(self.listedSchedules),
            rules: self.rules,
            archived: self.archivedSchedules + schedules,
            isArchived: self.isArchived
        )
    }

    /// The same with these schedules only, and none of it listed.
    fileprivate func archived(_ schedules: [Schedule]) -> Concert {
        Concert(
            id: self.id,
            title: self.title,
            opensAt: self.opensAt,
            schedules: [],
            rules: self.rules,
            archived: schedules,
            isArchived: true
        )
    }
}
