/// What is on sale: concerts, their schedules and halls. The same on every gateway and shard of a running cluster, and
/// read only: what has been sold lives in the shards.
public struct Catalogue: Equatable, Sendable {
    /// In the order of concert ids.
    public let concerts: [Concert]
    private let positions: [ConcertID: Int]

    /// Refuses duplicate concert ids, duplicate schedule ids in any concerts, and rules out of range.
    public init(_ concerts: [Concert]) throws(CatalogueError) {
        var positions: [ConcertID: Int] = [:]
        var owners: [ScheduleID: ConcertID] = [:]
        let sorted = concerts.sorted { $0.id < $1.id }
        for (position, concert) in sorted.enumerated() {
            guard positions.updateValue(position, forKey: concert.id) == nil else {
                throw CatalogueError("concert \(concert.id) is in the catalogue twice: give one of them another id")
            }
            if let violation = concert.rules.violation {
                throw CatalogueError("concert \(concert.id): \(violation)")
            }
            for schedule in concert.schedules {
                if let other = owners.updateValue(concert.id, forKey: schedule.id) {
                    throw CatalogueError(
                        "schedule \(schedule.id) is in the catalogue twice, at concerts \(other) and \(concert.id): "
                            + "schedule ids are unique over all concerts"
                    )
                }
            }
        }
        self.concerts = sorted
        self.positions = positions
    }

    /// Whether a concert is in the catalogue, without the copy of its value that each request would pay for.
    public func contains(_ concert: ConcertID) -> Bool { self.positions[concert] != nil }

    public subscript(concert: ConcertID) -> Concert? {
        guard let position = self.positions[concert] else { return nil }
        return self.concerts[position]
    }

    /// Concerts 1 to 8, each with 240 daily schedules of the original hall, open since 2026-01-01 in Seoul; the first
    /// play is on 2030-01-01 at 19:00 there. The load scenario never runs out of seats with it.
    public static func original(rules: ConcertRules = ConcertRules()) -> Catalogue {
        let opensAt = Timestamp(seconds: 1_767_193_200)  // 2026-01-01 00:00:00 +09:00
        let firstPlay = Timestamp(seconds: 1_893_492_000)  // 2030-01-01 19:00:00 +09:00
        var concerts: [Concert] = []
        for number: UInt64 in 1...8 {
            let schedules = (0..<240).map { (day: Int64) -> Schedule in
                let id = ScheduleID((number - 1) * 240 + UInt64(day) + 1)
                return Schedule(id: id, playsAt: firstPlay + .seconds(day * 86_400), hall: .original)
            }
            let title = "콘서트 \(number)"
            concerts.append(
                Concert(id: ConcertID(number), title: title, opensAt: opensAt, schedules: schedules, rules: rules)
            )
        }
        do { return try Catalogue(concerts) } catch { preconditionFailure("the original catalogue: \(error)") }
    }
}

public struct Concert: Equatable, Sendable {
    public let id: ConcertID
    public let title: String
    /// The start of admission; people may join the line earlier.
    public let opensAt: Timestamp
    /// The listed schedules in display order, then the archived ones.
    public let schedules: [Schedule]
    /// How many of `schedules` are listed. The others are over and were taken out of the catalogue; they stay for the
    /// reservations that name them.
    public let listedCount: Int
    /// The concert is over and was taken out of the catalogue: none of its schedules is listed; its history stays.
    public let isArchived: Bool
    /// When the last schedule begins: from then on the concert is over. `distantFuture` without any schedule.
    public let endsAt: Timestamp
    public let rules: ConcertRules
    public let slot: Slot
    private let positions: [ScheduleID: Int]

    /// `archived` are schedules that are no longer listed: of an archived concert, all of them.
    public init(
        id: ConcertID,
        title: String,
        opensAt: Timestamp,
        schedules: [Schedule],
        rules: ConcertRules,
        archived: [Schedule] = [],
        isArchived: Bool = false
    ) {
        self.id = id
        self.title = title
        self.opensAt = opensAt
        self.schedules = schedules + archived
        self.listedCount = isArchived ? 0 : schedules.count
        self.isArchived = isArchived
        self.endsAt = self.schedules.map(\.playsAt).max() ?? .distantFuture
        self.rules = rules
        self.slot = Slot(of: id)
        // A catalogue refuses duplicate ids later; until then the first schedule with an id counts.
        self.positions = Dictionary(
            self.schedules.enumerated().map { ($1.id, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// A concert's state at a moment. The words are the contract's.
    public enum State: String, Sendable, CaseIterable {
        case over = "OVER"
        case upcoming = "UPCOMING"
        case open = "OPEN"
    }

    /// The first state that applies, in the order of the cases.
    public func state(at now: Timestamp) -> State {
        self.endsAt <= now ? .over : self.opensAt <= now ? .open : .upcoming
    }
    /// One of the concert's schedules; nil for an unknown id. O(1).
    public func schedule(_ id: ScheduleID) -> Schedule? { self.positions[id].map { self.schedules[$0] } }
}

/// One performance.
public struct Schedule: Equatable, Sendable {
    public let id: ScheduleID
    public let playsAt: Timestamp
    public let hall: Hall

    public init(id: ScheduleID, playsAt: Timestamp, hall: Hall) {
        self.id = id
        self.playsAt = playsAt
        self.hall = hall
    }
}
