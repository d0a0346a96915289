/// The waiting line of one concert: everyone's position, the next admission, and expired places.
///
///                ┌────────────── left, expired ───────────────┐
///     applyJoined │                                            ▼
///     ─────────▶ waiting ──applyAdmitted──▶ admitted ──▶ gone (left, expired, used up)
///
/// It applies facts and answers questions. Its caller decides (`place(of:)`, `nextAdmission(at:)`,
/// `firstExpired(at:)`), records the fact, and hands it to the `take…` verb, live and in a replay alike. The verbs
/// decide nothing; they trap on an impossible fact. Joining is idempotent: a user with a `place(of:)` keeps it. A user
/// who is gone may join again and gets a new place. Admission is strictly in the order of places.
///
/// Costs 43 to 51 bytes a person, 47 on average over the growth from 100,000 to 10 million (measured): 32.3 in
/// `People`, 10 to 20 in `UserTable`. Every verb is at most O(log n). The longest stall is a join that splits a segment
/// of the table: 10 to 20 µs; the longest seen in 2 million joins on a shared machine was 0.2 to 0.4 ms.
///
/// Not copyable, as it owns its memory: the one owner is its concert's state.
public struct Line: ~Copyable {
    public enum State: Equatable, Sendable {
        /// Entered by joining. Left by admission, by leaving, or after `waitingLifetime` without a request.
        case waiting
        /// Entered from `waiting`. Left by leaving, by paying, or `admittedLifetime` after this moment; the caller may
        /// extend the stay: see `linger`.
        case admitted(at: Timestamp)
    }

    /// A person in the line.
    public struct Entry: Equatable, Sendable {
        public let place: Place
        public let user: UserID
        public let joinedAt: Timestamp
        public let state: State

        public init(place: Place, user: UserID, joinedAt: Timestamp, state: State) {
            self.place = place
            self.user = user
            self.joinedAt = joinedAt
            self.state = state
        }
    }

    /// People by state: `joined == waiting + admitted + gone`.
    public struct Totals: Equatable, Sendable {
        public var waiting: UInt64 = 0
        public var admitted: UInt64 = 0
        public var left: UInt64 = 0
        public var expired: UInt64 = 0
        public var usedUp: UInt64 = 0
        public var gone: UInt64 { self.left + self.expired + self.usedUp }
        public var joined: UInt64 { self.waiting + self.admitted + self.gone }
        public init(
            waiting: UInt64 = 0,
            admitted: UInt64 = 0,
            left: UInt64 = 0,
            expired: UInt64 = 0,
            usedUp: UInt64 = 0
        ) {
            self.waiting = waiting
            self.admitted = admitted
            self.left = left
            self.expired = expired
            self.usedUp = usedUp
        }
    }

    /// A poll sooner than this after the last counted one does not change the order of expiry, which saves three cache
    /// misses. So a place may lapse up to this much early, out of 30 minutes; for shorter lifetimes it is an eighth of
    /// them.
    public static let seenStepMax = Nanoseconds.seconds(1)
    /// The step for the current lifetime.
    private var seenStep: Nanoseconds

    /// Lifetimes are the same for everyone and counted from stored moments, so both lists of expiry are in order.
    public let rules: LineRules
    /// The start of admission; people may wait earlier.
    public var opensAt: Timestamp
    /// The end of admission; every waiting place lapses then.
    public let endsAt: Timestamp
    public private(set) var totals = Totals()

    var people = People()
    var users: UserTable
    /// Waiting people in the order of their last request, admitted ones in the order of admission: earliest first.
    var waitingList = People.List()
    var admittedList = People.List()
    /// Admitted people whose time is over and whose stay goes on, with its end as the forecast knows it: in no list,
    /// all admitted before those in `admittedList`. Depends on no fact: a restart finds them again.
    private(set) var lingering: [UInt64: Timestamp] = [:]
    /// The first waiting place; `people.nextPlace` when there is none. Never decreases.
    var firstWaiting: UInt64 = 1
    /// Everyone who waits counts as seen at this moment or later.
    var resumedAt = Timestamp.distantPast
    /// No place lapses before this moment, so a request before it need not look for one. At most `nextExpiry`.
    private(set) var quietUntil: Timestamp
    private var rate: AdmissionRate
    /// Used only where `LineRules.maxActive` bounds the people inside.
    private var forecast: RoomForecast
    private var hasForecast: Bool { self.rules.maxActive > 0 }

    /// An empty line. `hashSeed` is random and secret (see `UserTable`); it changes nothing that a caller can see.
    public init(
        rules: LineRules,
        opensAt: Timestamp = .distantPast,
        endsAt: Timestamp = .distantFuture,
        hashSeed: UInt64
    ) {
        self.rules = rules
        self.opensAt = opensAt
        self.endsAt = endsAt
        self.quietUntil = endsAt
        self.users = UserTable(seed: hashSeed)
        self.rate = AdmissionRate(perSecond: rules.admissionsPerSecond)
        self.seenStep = Self.seenStep(rules)
        self.forecast = RoomForecast(lifetime: rules.admittedLifetime)
    }

    private static func seenStep(_ rules: LineRules) -> Nanoseconds {
        min(Self.seenStepMax, Nanoseconds(rules.waitingLifetime.rawValue / 8))
    }

    /// Restores a person, in the order of places, into a line that nobody has joined.
    mutating func restore(_ entry: Entry) {
        self.append(entry.user, place: entry.place, at: entry.joinedAt)
        if case .admitted(let at) = entry.state { self.admit(entry.place, at: at) }
    }

    /// Everyone who was present is restored.
    mutating func endRestoring(totals: Totals, admissionDue: Timestamp) {
        self.people.skip(to: totals.joined + 1)
        if self.totals.waiting == 0 { self.firstWaiting = self.people.nextPlace }
        precondition(self.totals.waiting == totals.waiting, "people waiting and their total differ")
        precondition(self.totals.admitted == totals.admitted, "people admitted and their total differ")
        self.totals = totals
        self.rate = AdmissionRate(perSecond: self.rules.admissionsPerSecond, due: admissionDue)
    }

    // MARK: Places

    /// The place of the next person to join.
    public var nextPlace: Place { Place(self.people.nextPlace) }

    /// Whether the line accepts nobody for now: 2^30 people are present, or someone still waits from 2^32 places ago.
    public var isFull: Bool { self.users.count >= UserTable.countMax || self.people.isSpanFull }

    /// The place of a waiting or admitted user. O(1).
    public func place(of user: UserID) -> Place? {
        self.users.place(of: user, in: self.people).map { Place($0) }
    }

    /// The person at a place; nil when they are gone or the place was never given. O(1).
    public func entry(at place: Place) -> Entry? { self.people.spot(of: place.rawValue).map { Self.entry($0) } }

    /// Order and expected wait of the person at a place; nil when they are gone. O(log n).
    public mutating func standing(of place: Place, at now: Timestamp) -> Standing? {
        guard let spot = self.people.spot(of: place.rawValue) else { return nil }
        return spot.isWaiting ? self.standing(of: spot, at: now) : .admitted
    }

    @inline(__always)
    private mutating func standing(of spot: People.Spot, at now: Timestamp) -> Standing {
        let order = self.people.waitingAhead(of: spot) + 1
        let rate = UInt64(self.rules.admissionsPerSecond)
        guard self.opensAt <= now && self.rules.maxActive == 0 else {
            return Standing(order: order, seconds: self.secondsLeft(to: order, at: now))
        }
        return Standing(order: order, seconds: (order + rate - 1) / rate)
    }

    /// The time left where the rate alone does not decide: the time to the opening, then the later of the rate's time
    /// and the time until enough places inside are free.
    @inline(__always)
    private mutating func secondsLeft(to order: UInt64, at now: Timestamp) -> UInt64 {
        // At most 2^30 people wait.
        let byRate = Nanoseconds(Int64(order) * 1_000_000_000 / Int64(self.rules.admissionsPerSecond))
        let end = max(now, self.opensAt) + max(byRate, self.timeUntilRoom(for: order, at: now))
        let (seconds, rest) = (end - now).rawValue.quotientAndRemainder(dividingBy: 1_000_000_000)
        return max(1, UInt64(seconds) + (rest > 0 ? 1 : 0))
    }

    @inline(__always)
    private mutating func timeUntilRoom(for order: UInt64, at now: Timestamp) -> Nanoseconds {
        let room = UInt64(self.roomInside)
        guard order > room, self.hasForecast else { return .zero }
        if self.forecast.isStale(at: now) { self.makeForecast(at: now) }
        return self.forecast.time(until: order - room)
    }

    private mutating func makeForecast(at now: Timestamp) {
        let first = self.admittedList.first
        let end = first == 0 ? .distantFuture : self.expiry(self.people.presentSpot(of: first))
        let firstEnd = self.lingering.values.reduce(end, min)
        self.forecast.make(at: now, most: self.rules.maxActive, firstEnd: firstEnd == .distantFuture ? nil : firstEnd)
    }

    /// Everyone present, in the order of places: what a snapshot keeps, beside `totals` and `admissionDue`.
    public func forEachPresent<Failure: Error>(_ body: (Entry) throws(Failure) -> Void) throws(Failure) {
        try self.people.forEachPresent { spot throws(Failure) in try body(Self.entry(spot)) }
    }

    /// Chunks of 4,096 places in memory.
    public var chunkCount: Int { self.people.chunkCount }

    /// Bytes for people and users, without the allocator's own.
    public var memoryBytes: Int {
        self.people.memoryBytes + self.users.memoryBytes + self.lingering.capacity * 2 * MemoryLayout<UInt64>.stride
    }

    // MARK: Admission

    /// The next person to admit at `now`; nil if the rate, the room inside or the line does not allow one. O(1).
    public func nextAdmission(at now: Timestamp) -> Place? {
        guard self.totals.waiting > 0, self.rate.isDue(at: now, opensAt: self.opensAt), self.roomInside > 0,
            now < self.endsAt
        else { return nil }
        return Place(self.firstWaiting)
    }

    /// When the rate allows the next admission: for a snapshot.
    public var admissionDue: Timestamp { self.rate.due }

    private var roomInside: Int {
        self.rules.maxActive == 0 ? .max : max(0, Int(self.rules.maxActive) - Int(self.totals.admitted))
    }

    // MARK: Expiry

    /// When the place of a person lapses, as things are; nil when they are gone. They stay present until `applyExpired`.
    public func expiry(of place: Place) -> Timestamp? { self.people.spot(of: place.rawValue).map { self.expiry($0) } }

    /// The person whose place lapsed first by `now`; of two at the same moment, the admitted one. O(1).
    public func firstExpired(at now: Timestamp) -> Entry? {
        guard let first = self.firstToExpire, self.expiry(first) <= now else { return nil }
        return Self.entry(first)
    }

    /// The stay of the person at `place`, whose time inside is over, goes on, probably until `end`, for a reason that
    /// the line does not know: `firstExpired` skips them from now on. The caller records `applyExpired` once the reason
    /// is gone. O(1).
    public mutating func linger(_ place: Place, until end: Timestamp, at now: Timestamp) {
        let spot = self.people.presentSpot(of: place.rawValue)
        precondition(spot.isAdmitted, "place \(place) waits, so its stay can't go on")
        // A forecast covers one lifetime.
        let end = min(end, now + self.rules.admittedLifetime)
        precondition(self.lingering.updateValue(end, forKey: place.rawValue) == nil, "place \(place) stays already")
        if self.hasForecast { self.forecast.moved(from: self.expiry(spot), to: end) }
        self.people.unlink(spot, from: &self.admittedList)
    }

    /// People whose stay goes on beyond their time, in no order: for checks.
    var lingeringUsers: [UserID] { self.lingering.keys.map { self.people.presentSpot(of: $0).row.user } }

    /// No place has lapsed: stores how long that holds if nobody comes or is admitted. O(1).
    ///
    /// A new place lapses at `endsAt` at the latest, so joins and polls need not compare with it.
    mutating func noteQuiet() { self.quietUntil = min(self.nextExpiry ?? .distantFuture, self.endsAt) }

    /// When the first place lapses if no poll comes before; nil when nobody is here. O(1).
    public var nextExpiry: Timestamp? { self.firstToExpire.map { self.expiry($0) } }

    private var firstToExpire: People.Spot? {
        guard self.admittedList.first != 0 else {
            return self.waitingList.first == 0 ? nil : self.people.presentSpot(of: self.waitingList.first)
        }
        let admitted = self.people.presentSpot(of: self.admittedList.first)
        guard self.waitingList.first != 0 else { return admitted }
        let waiting = self.people.presentSpot(of: self.waitingList.first)
        return self.expiry(waiting) < self.expiry(admitted) ? waiting : admitted
    }

    func expiry(_ spot: People.Spot) -> Timestamp {
        spot.isWaiting
            ? min(max(spot.row.since, self.resumedAt) + self.rules.waitingLifetime, self.endsAt)
            : spot.row.since + self.rules.admittedLifetime
    }

    // MARK: Facts

    /// `user`, who has no place, joined at `place`, which is `nextPlace`.
    public mutating func applyJoined(_ user: UserID, place: Place, at now: Timestamp) {
        precondition(place == self.nextPlace, "place \(place) is given out of turn: the next is \(self.nextPlace)")
        precondition(!self.isFull, "the line is full")
        self.append(user, place: place, at: now)
    }

    /// The person at `place`, the first who waited, was admitted. Not checked against the rate: the fact may be from a
    /// time with other rules.
    public mutating func applyAdmitted(_ place: Place, at now: Timestamp) {
        self.admit(place, at: now)
        self.rate.applyAdmission(at: now, opensAt: self.opensAt)
    }

    /// The person at `place`, waiting or admitted, left by their own will.
    public mutating func applyLeft(_ place: Place, at now: Timestamp) {
        self.remove(place, isEarly: true, at: now)
        self.totals.left += 1
    }

    /// The place of a waiting or admitted person expired. Not checked against the clock: polls are not facts, so a
    /// replay does not know them.
    public mutating func applyExpired(_ place: Place, at now: Timestamp) {
        self.remove(place, isEarly: false, at: now)
        self.totals.expired += 1
    }

    /// The admitted person at `place` has paid for their seats.
    public mutating func applyUsedUp(_ place: Place, at now: Timestamp) {
        precondition(self.people.spot(of: place.rawValue)?.isAdmitted == true, "nobody is admitted at place \(place)")
        self.remove(place, isEarly: true, at: now)
        self.totals.usedUp += 1
    }

    // MARK: No facts

    /// The person at `place` polled. Keeps a waiting place alive; does nothing for an admitted or gone person. Not a
    /// fact: only a later decision to expire may depend on it. O(1).
    public mutating func seen(_ place: Place, at now: Timestamp) {
        guard let spot = self.people.spot(of: place.rawValue), spot.isWaiting else { return }
        self.seen(spot, at: now)
    }

    /// The poll of the user who joined as `user` at `joinedAt`: `entry`, `seen` and `standing` in one, for the most
    /// frequent request. Nil when they are gone, their time inside is over, or they wait and the concert is over. O(log
    /// n).
    mutating func polled(_ place: Place, by user: UserID, joinedAt: Timestamp, at now: Timestamp) -> Standing? {
        guard let spot = self.people.spot(of: place.rawValue), spot.row.user == user, spot.row.joinedAt == joinedAt
        else { return nil }
        guard spot.isWaiting else {
            return spot.row.since + self.rules.admittedLifetime > now ? .admitted : nil
        }
        guard now < self.endsAt else { return nil }
        self.seen(spot, at: now)
        return self.standing(of: spot, at: now)
    }

    @inline(__always)
    private mutating func seen(_ spot: People.Spot, at now: Timestamp) {
        guard now - spot.row.since >= self.seenStep else { return }
        self.people.unlink(spot, from: &self.waitingList)
        self.appendToWaiting(spot, at: now)
    }

    /// The line is open again after a pause without polls: everyone waiting counts as seen now. O(1).
    public mutating func resume(at now: Timestamp) {
        self.resumedAt = max(self.resumedAt, now)
        self.forecast.measureAnew(from: now)
    }

    // MARK: Helpers

    @inline(__always)
    private static func entry(_ spot: People.Spot) -> Entry {
        let row = spot.row
        return Entry(
            place: Place(spot.place),
            user: row.user,
            joinedAt: row.joinedAt,
            state: spot.isWaiting ? .waiting : .admitted(at: row.since)
        )
    }

    private mutating func append(_ user: UserID, place: Place, at now: Timestamp) {
        if self.totals.waiting == 0 { self.firstWaiting = place.rawValue }
        let row = People.Row(user: user, joinedAt: now, since: now, previous: 0, next: 0)
        let spot = self.people.append(row, at: place.rawValue)
        self.users.insert(user, at: place.rawValue, in: self.people)
        self.appendToWaiting(spot, at: now)
        self.totals.waiting += 1
    }

    /// A moment before that of the last in the list is raised to it, so that the list stays in order.
    @inline(__always)
    private mutating func appendToWaiting(_ spot: People.Spot, at now: Timestamp) {
        let since = self.notBeforeLast(of: self.waitingList, now)
        self.quietUntil = min(self.quietUntil, since + self.rules.waitingLifetime)
        self.people.setSince(spot, since)
        self.people.append(spot, to: &self.waitingList)
    }

    @inline(__always)
    private func notBeforeLast(of list: People.List, _ moment: Timestamp) -> Timestamp {
        list.last == 0 ? moment : max(moment, self.people.presentSpot(of: list.last).row.since)
    }

    private mutating func admit(_ place: Place, at now: Timestamp) {
        precondition(self.totals.waiting > 0, "nobody is waiting, so place \(place) cannot be admitted")
        precondition(
            place.rawValue == self.firstWaiting,
            "place \(place) is admitted out of turn: the first waiting is \(self.firstWaiting)"
        )
        let spot = self.people.presentSpot(of: place.rawValue)
        self.people.unlink(spot, from: &self.waitingList)
        let since = self.notBeforeLast(of: self.admittedList, now)
        self.quietUntil = min(self.quietUntil, since + self.rules.admittedLifetime)
        self.people.admit(spot, at: since)
        self.people.append(spot, to: &self.admittedList)
        if self.hasForecast { self.forecast.entered(until: since + self.rules.admittedLifetime, at: now) }
        self.totals.waiting -= 1
        self.totals.admitted += 1
        self.moveOn(from: place.rawValue)
    }

    private mutating func remove(_ place: Place, isEarly: Bool, at now: Timestamp) {
        guard let spot = self.people.spot(of: place.rawValue) else {
            preconditionFailure("nobody is at place \(place)")
        }
        self.users.remove(spot.row.user, at: place.rawValue)
        let wasWaiting = spot.isWaiting
        if wasWaiting {
            self.people.unlink(spot, from: &self.waitingList)
            self.totals.waiting -= 1
        } else {
            let lingering = self.lingering.removeValue(forKey: place.rawValue)
            if self.hasForecast {
                self.forecast.ended(until: lingering ?? self.expiry(spot), isEarly: isEarly, at: now)
            }
            if lingering == nil { self.people.unlink(spot, from: &self.admittedList) }
            self.totals.admitted -= 1
        }
        self.people.remove(spot)
        if wasWaiting, place.rawValue == self.firstWaiting { self.moveOn(from: place.rawValue) }
    }

    /// Amortised O(1): each word of the bits is passed once.
    private mutating func moveOn(from place: UInt64) {
        self.firstWaiting =
            self.totals.waiting == 0 ? self.people.nextPlace : self.people.firstWaiting(from: place + 1)
    }
}
