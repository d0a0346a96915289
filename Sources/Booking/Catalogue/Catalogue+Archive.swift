/// Carries over what an earlier catalogue listed and a new one leaves out.
///
///     listed ──over, and taken out of the catalogue──▶ archived ──put back──▶ listed
///
/// Concerts and schedules that are over may be taken out. Others may not, since people hold tickets for them.
extension Catalogue {
    /// This catalogue, plus, as archived, everything of `earlier` that is over at `now` and missing here. A schedule id
    /// that another concert uses now stays with that concert. O(concerts + schedules).
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
    /// The schedules that are shown, in display order.
    public var listedSchedules: ArraySlice<Schedule> { self.schedules[..<self.listedCount] }
    /// The schedules that are over and were taken out of the catalogue.
    public var archivedSchedules: ArraySlice<Schedule> { self.schedules[self.listedCount...] }

    /// A copy with more schedules that are no longer listed.
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

    /// A copy with only these schedules, none of them listed.
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
