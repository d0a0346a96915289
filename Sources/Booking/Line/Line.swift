/// The waiting line of one concert: who stands where, who goes in next, whose place has lapsed.
///
///                ┌────────────── left, expired ───────────────┐
///     takeJoined │                                            ▼
///     ─────────▶ waiting ──takeAdmitted──▶ admitted ──▶ gone (left, expired, used up)
///
/// It takes in facts and answers questions: whoever decides asks (`place(of:)`, `nextAdmission(at:)`,
/// `firstExpired(at:)`), records the fact, and hands it to the `take…` verb, live and in a replay alike. The verbs
/// decide nothing; they trap on a fact that can't be. Joining is idempotent: a user with a `place(of:)` keeps it. Whoever
/// is gone may join again and gets a new place. People go in strictly in the order of their places.
///
/// Costs 43 to 51 bytes a person, 47 on average over the growth from 100,000 to 10 million (measured): 32.3 in
/// `People`, 10 to 20 in `UserTable`. No verb is dearer than O(log n). The longest stall is a join that splits a segment
/// of the table: 10 to 20 µs; the longest seen in 2 million joins on a shared machine was 0.2 to 0.4 ms.
///
/// Not copyable, as it owns its memory: its concert's state holds it, once.
public struct Line: ~Copyable {
    public enum State: Equatable, Sendable {
        /// In by joining. Out by being admitted, leaving, or not being seen for `waitingLifetime`.
        case waiting
        /// In by going through from waiting. Out by leaving, paying, or `admittedLifetime` after this moment; whoever
        /// decides may let the stay go on beyond that: see `linger`.
        case admitted(at: Timestamp)
    }

    /// Someone who is in the line.
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

    /// How many people, by what became of them: `joined == waiting + admitted + gone`.
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

    /// A poll sooner than this after the last one that counted leaves the order of expiry alone, which saves it three
    /// cache misses. So a place may lapse up to this much early, out of 30 minutes; of shorter lifetimes it is an eighth.
    public static let seenStepMax = Nanoseconds.seconds(1)
    /// Of the lifetime in force.
    private var seenStep: Nanoseconds

    /// Lifetimes are the same for all and counted from the moments kept, so both lists of expiry are in order.
    public let rules: LineRules
    /// Nobody is admitted before; people may wait already.
    public var opensAt: Timestamp
    /// Nobody is admitted from then on, and every place of somebody who waits lapses.
    public let endsAt: Timestamp
    public private(set) var totals = Totals()

    var people = People()
    var users: UserTable
    /// Waiting people by when they were last seen, admitted ones by when they were admitted: earliest first.
    var waitingList = People.List()
    var admittedList = People.List()
    /// Admitted people whose time is over and who stay for now: in no list, all admitted before those in `admittedList`.
    /// And until when, as far as the forecast goes. Follows from no fact: a restart finds them again.
    private(set) var lingering: [UInt64: Timestamp] = [:]
    /// The first place that waits; `people.nextPlace` when none does. Only ever moves on.
    var firstWaiting: UInt64 = 1
    /// Everyone who waits counts as seen then, at least.
    var resumedAt = Timestamp.distantPast
    /// No place lapses before, so who asks at every request need not look at people: at most `nextExpiry`.
    private(set) var quietUntil: Timestamp
    private var rate: AdmissionRate
    /// In use only where `LineRules.maxActive` bounds how many people are inside.
    private var forecast: RoomForecast
    private var hasForecast: Bool { self.rules.maxActive > 0 }

    /// An empty line. `hashSeed` is random and secret (see `UserTable`); nothing that a caller can see depends on it.
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

    /// Takes back somebody who was present, in the order of places, into a line that nobody has joined.
    mutating func restore(_ entry: Entry) {
        self.append(entry.user, place: entry.place, at: entry.joinedAt)
        if case .admitted(let at) = entry.state { self.admit(entry.place, at: at) }
    }

    /// Everyone who was present is back.
    mutating func endRestoring(totals: Totals, admissionDue: Timestamp) {
        self.people.skip(to: totals.joined + 1)
        if self.totals.waiting == 0 { self.firstWaiting = self.people.nextPlace }
        precondition(self.totals.waiting == totals.waiting, "people waiting and their total differ")
        precondition(self.totals.admitted == totals.admitted, "people admitted and their total differ")
        self.totals = totals
        self.rate = AdmissionRate(perSecond: self.rules.admissionsPerSecond, due: admissionDue)
    }

    // MARK: Who is where

    /// The place that the next one to join gets.
    public var nextPlace: Place { Place(self.people.nextPlace) }

    /// True when nobody can join for now: with 2^30 people present, or someone still waiting from 2^32 places ago.
    public var isFull: Bool { self.users.count >= UserTable.countMax || self.people.isSpanFull }

    /// The place of a user who waits or is admitted. O(1).
    public func place(of user: UserID) -> Place? {
        self.users.place(of: user, in: self.people).map { Place($0) }
    }

    /// Who is at a place; nil for one who is gone and for a place never given. O(1).
    public func entry(at place: Place) -> Entry? { self.people.spot(of: place.rawValue).map { Self.entry($0) } }

    /// Order and time to wait of the person at a place; nil when they are gone. O(log n).
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

    /// The time left where more than the rate decides: what is left to the opening, and then the later of the rate's time and
    /// the time until enough places inside are free.
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

    /// Everyone present, in the order of their places: what a snapshot keeps, beside `totals` and `admissionDue`.
    public func forEachPresent<Failure: Error>(_ body: (Entry) throws(Failure) -> Void) throws(Failure) {
        try self.people.forEachPresent { spot throws(Failure) in try body(Self.entry(spot)) }
    }

    /// Chunks of 4,096 places that are held in memory.
    public var chunkCount: Int { self.people.chunkCount }

    /// Bytes held for people and users, all told but for the allocator's own.
    public var memoryBytes: Int {
        self.people.memoryBytes + self.users.memoryBytes + self.lingering.capacity * 2 * MemoryLayout<UInt64>.stride
    }

    // MARK: Who goes in

    /// Who is to be admitted at `now`, if anyone: as the rate, the room inside and the people waiting allow. O(1).
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

    // MARK: Whose time is over

    /// When the place of a person lapses, as things are: nil when they are gone. They stay until `takeExpired`.
    public func expiry(of place: Place) -> Timestamp? { self.people.spot(of: place.rawValue).map { self.expiry($0) } }

    /// The one whose place has lapsed at `now`, earliest first; of two at once, the admitted one. O(1).
    public func firstExpired(at now: Timestamp) -> Entry? {
        guard let first = self.firstToExpire, self.expiry(first) <= now else { return nil }
        return Self.entry(first)
    }

    /// The person at `place`, whose time inside is over, stays until `end`, probably, for a reason that the line does not know:
    /// `firstExpired` passes over them from now on. Whoever decides records `takeExpired` once the reason is gone. O(1).
    public mutating func linger(_ place: Place, until end: Timestamp, at now: Timestamp) {
        let spot = self.people.presentSpot(of: place.rawValue)
        precondition(spot.isAdmitted, "place \(place) waits, so its stay can't go on")
        // A forecast looks one lifetime ahead.
        let end = min(end, now + self.rules.admittedLifetime)
        precondition(self.lingering.updateValue(end, forKey: place.rawValue) == nil, "place \(place) stays already")
        if self.hasForecast { self.forecast.moved(from: self.expiry(spot), to: end) }
        self.people.unlink(spot, from: &self.admittedList)
    }

    /// Those who stay beyond their time, in no order: for checks.
    var lingeringUsers: [UserID] { self.lingering.keys.map { self.people.presentSpot(of: $0).row.user } }

    /// Nobody's place has lapsed: remembers until when that holds, if nobody comes or goes in. O(1).
    ///
    /// Whoever comes lapses at `endsAt` at the latest, which saves every join and poll the look at it.
    mutating func noteQuiet() { self.quietUntil = min(self.nextExpiry ?? .distantFuture, self.endsAt) }

    /// When the first place lapses, if nobody is seen before; nil when nobody is here. O(1).
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
    public mutating func takeJoined(_ user: UserID, place: Place, at now: Timestamp) {
        precondition(place == self.nextPlace, "place \(place) is given out of turn: the next is \(self.nextPlace)")
        precondition(!self.isFull, "the line is full")
        self.append(user, place: place, at: now)
    }

    /// The person at `place`, who was the first waiting, went in. Whether the rate allows it was decided before: facts
    /// of a time with other rules are taken in too.
    public mutating func takeAdmitted(_ place: Place, at now: Timestamp) {
        self.admit(place, at: now)
        self.rate.takeAdmission(at: now, opensAt: self.opensAt)
    }

    /// The person at `place`, waiting or admitted, left by their own will.
    public mutating func takeLeft(_ place: Place, at now: Timestamp) {
        self.remove(place, isEarly: true, at: now)
        self.totals.left += 1
    }

    /// The person at `place`, waiting or admitted, stayed away or inside too long. Not checked against the clock: polls
    /// are no facts, so a replay does not know them.
    public mutating func takeExpired(_ place: Place, at now: Timestamp) {
        self.remove(place, isEarly: false, at: now)
        self.totals.expired += 1
    }

    /// The person at `place`, who was admitted, has got what they came for.
    public mutating func takeUsedUp(_ place: Place, at now: Timestamp) {
        precondition(self.people.spot(of: place.rawValue)?.isAdmitted == true, "nobody is admitted at place \(place)")
        self.remove(place, isEarly: true, at: now)
        self.totals.usedUp += 1
    }

    // MARK: No facts

    /// The person at `place` polled. Keeps a waiting place alive; does nothing for an admitted or a gone person. Not a
    /// fact, so nothing but a later decision to expire may follow from it. O(1).
    public mutating func seen(_ place: Place, at now: Timestamp) {
        guard let spot = self.people.spot(of: place.rawValue), spot.isWaiting else { return }
        self.seen(spot, at: now)
    }

    /// Whoever joined as `user` at `joinedAt` asks for their place: `entry`, `seen` and `standing` in one, as nothing is
    /// asked more often. Nil when they are gone, their time inside is over, or they wait for what is over. O(log n).
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

    /// The line is open again after a pause in which nobody could be seen: everyone waiting counts as seen now. O(1).
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

    /// A moment before that of the last in the list counts as that one, so that the list stays in order.
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
