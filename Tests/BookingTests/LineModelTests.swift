import Booking
import Seeded
import Testing

/// Random commands to a line and to a slow, obviously right model of it; both must always agree.
@Suite struct LineModelTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a small crowd agrees with the model at every step`(seed: UInt64) {
        self.run(seed: seed, users: 60, steps: 6_000, checkEvery: 1)
    }

    @Test(arguments: [5, 6, 7] as [UInt64])
    func `a small crowd agrees with the model for long`(seed: UInt64) {
        self.run(seed: seed, users: 60, steps: 30_000, checkEvery: 50)
    }

    @Test(arguments: [11, 12] as [UInt64])
    func `a large crowd agrees with the model`(seed: UInt64) {
        self.run(seed: seed, users: 2_000, steps: 20_000, checkEvery: 1_000)
    }

    private func run(seed: UInt64, users: Int, steps: Int, checkEvery: Int) {
        var play = Play(seed: seed, users: users)
        for step in 0..<steps {
            play.step()
            let all = step % checkEvery == 0 || step == steps - 1
            if let disagreement = play.disagreement(all: all) {
                Issue.record("seed \(seed), step \(step): \(disagreement)")
                return
            }
        }
        #expect(play.model.totals.usedUp > 0 && play.model.totals.expired > 0 && play.model.totals.left > 0)
        #expect(play.line.nextPlace > Place(UInt64(steps / 20)), "seed \(seed) let hardly anyone join")
    }
}

/// A line and its model, driven by one seed.
private struct Play: ~Copyable {
    var line: Line
    var model: Model
    private var dice: SeededRandom
    private let users: Int
    private var failure: String?

    init(seed: UInt64, users: Int) {
        var dice = SeededRandom(seed: seed)
        let rules = LineRules(
            admissionsPerSecond: [5, 20, 100].randomElement(using: &dice)!,
            maxActive: [0, 0, 3, 40].randomElement(using: &dice)!,
            waitingLifetime: .seconds(Int64.random(in: 30...90, using: &dice)),
            admittedLifetime: .seconds(Int64.random(in: 5...30, using: &dice))
        )
        let now = Timestamp(seconds: 1_700_000_000)
        self.line = Line(rules: rules, opensAt: now + .seconds(5), hashSeed: seed)
        self.model = Model(rules: rules, opensAt: now + .seconds(5), now: now)
        self.dice = dice
        self.users = users
    }

    mutating func step() {
        switch Int.random(in: 0..<1_000, using: &self.dice) {
        case ..<400: self.join()
        case ..<650: self.poll()
        case ..<700: if let place = self.someone() { self.leave(place) }
        case ..<760: if let place = self.someone(), self.model.people[place]!.admittedAt != nil { self.useUp(place) }
        case ..<990: self.tick()
        case ..<994: self.open(after: .milliseconds(Int64.random(in: -5_000...5_000, using: &self.dice)))
        case ..<997:
            self.line.resume(at: self.model.now)
            self.model.resume()
        default: self.restore()
        }
    }

    private mutating func join() {
        let user = UserID(UInt64.random(in: 1...UInt64(self.users), using: &self.dice))
        guard self.line.place(of: user) == nil else { return }
        self.line.applyJoined(user, place: self.line.nextPlace, at: self.model.now)
        self.model.join(user)
    }

    private mutating func poll() {
        guard let place = self.someone() else { return }
        self.line.seen(Place(place), at: self.model.now)
        self.model.seen(place)
    }

    private mutating func leave(_ place: UInt64) {
        self.line.applyLeft(Place(place), at: self.model.now)
        self.model.remove(place)
        self.model.totals.left += 1
    }

    private mutating func useUp(_ place: UInt64) {
        self.line.applyUsedUp(Place(place), at: self.model.now)
        self.model.remove(place)
        self.model.totals.usedUp += 1
    }

    /// Time passes, as the shard's tick sees it: lapsed places go, then people are admitted as due.
    private mutating func tick() {
        let shift = Int64.random(in: 0...8, using: &self.dice)
        self.model.advance(by: Nanoseconds(Int64.random(in: 0...2_000_000_000, using: &self.dice) >> shift))
        let now = self.model.now
        while let expired = self.line.firstExpired(at: now) {
            guard self.model.firstExpired() == expired.place.rawValue else {
                self.failure = "place \(expired.place) expired before \(String(describing: self.model.firstExpired()))"
                return
            }
            self.line.applyExpired(expired.place, at: self.model.now)
            self.model.remove(expired.place.rawValue)
            self.model.totals.expired += 1
        }
        if let late = self.model.firstExpired() { self.failure = "place \(late) should have expired" }
        while let place = self.line.nextAdmission(at: now) {
            guard self.model.nextAdmission() == place.rawValue else {
                self.failure = "place \(place) was admitted and should not be"
                return
            }
            self.line.applyAdmitted(place, at: now)
            self.model.admit(place.rawValue)
        }
        if let late = self.model.nextAdmission() { self.failure = "place \(late) should have been admitted" }
    }

    private mutating func open(after span: Nanoseconds) {
        self.model.opensAt = self.model.now + span
        self.line.opensAt = self.model.opensAt
    }

    private mutating func restore() {
        var entries: [Line.Entry] = []
        self.line.forEachPresent { entries.append($0) }
        self.line = Line(
            restoring: entries,
            totals: self.line.totals,
            admissionDue: self.line.admissionDue,
            rules: self.line.rules,
            opensAt: self.line.opensAt,
            hashSeed: self.dice.next()
        )
        self.line.resume(at: self.model.now)
        self.model.forgetPolls()
        self.model.resume()
    }

    private mutating func someone() -> UInt64? {
        guard !self.model.places.isEmpty else { return nil }
        return self.model.places.randomElement(using: &self.dice)
    }

    /// The difference between line and model; checks everyone if `all`, else one place and one user.
    mutating func disagreement(all: Bool) -> String? {
        if let failure = self.failure { return failure }
        if self.line.totals != self.model.totals { return "totals \(self.line.totals), not \(self.model.totals)" }
        if self.line.nextExpiry != self.model.nextExpiry() { return "the next expiry is another" }
        let user = UserID(UInt64.random(in: 1...UInt64(self.users), using: &self.dice))
        if self.line.place(of: user)?.rawValue != self.model.placeOfUser[user] { return "user \(user) is elsewhere" }
        guard all else {
            let place = UInt64.random(in: 0...self.line.nextPlace.rawValue, using: &self.dice)
            return self.disagreement(at: self.someone() ?? place) ?? self.disagreement(at: place)
        }
        for place in self.model.places { if let found = self.disagreement(at: place) { return found } }
        return self.line.checkInvariants()
    }

    private mutating func disagreement(at place: UInt64) -> String? {
        let entry = self.line.entry(at: Place(place))
        let standing = self.line.standing(of: Place(place), at: self.model.now)
        guard let person = self.model.people[place] else {
            return entry == nil && standing == nil ? nil : "place \(place) should be empty"
        }
        let state: Line.State = person.admittedAt.map { .admitted(at: $0) } ?? .waiting
        let wanted = Line.Entry(place: Place(place), user: person.user, joinedAt: person.joinedAt, state: state)
        if entry != wanted { return "\(String(describing: entry)), not \(wanted)" }
        let order = person.admittedAt == nil ? self.model.order(of: place) : 0
        let seconds = self.model.seconds(to: order)
        return standing?.order == order && standing.map { seconds.contains($0.seconds) } == true
            ? nil : "place \(place) stands at \(String(describing: standing)), not \(order), \(seconds) s"
    }
}

/// The simplest line: everyone in a dictionary, everything else counted when asked.
private struct Model {
    struct Person {
        var user: UserID
        var joinedAt: Timestamp
        var lastSeen: Timestamp
        /// Orders polls at the same moment.
        var seenCount: Int
        var admittedAt: Timestamp?
    }

    let rules: LineRules
    var opensAt: Timestamp
    var totals = Line.Totals()
    private(set) var now: Timestamp
    private(set) var people: [UInt64: Person] = [:]
    /// Keys of `people`, rising.
    private(set) var places: [UInt64] = []
    private(set) var placeOfUser: [UserID: UInt64] = [:]
    private var resumedAt = Timestamp.distantPast
    private var seenCount = 0
    /// A bucket that fills by 1 ns each ns, up to `slack`, and from which each admission takes an interval.
    private var level: Int64 = .max / 4

    init(rules: LineRules, opensAt: Timestamp, now: Timestamp) {
        self.rules = rules
        self.opensAt = opensAt
        self.now = now
    }

    private var slack: Int64 { AdmissionRate(perSecond: self.rules.admissionsPerSecond).slack.rawValue }
    private var interval: Int64 { AdmissionRate(perSecond: self.rules.admissionsPerSecond).interval.rawValue }

    mutating func advance(by span: Nanoseconds) {
        self.now = self.now + span
        self.level += span.rawValue
    }

    mutating func join(_ user: UserID) {
        let place = self.totals.joined + 1
        self.people[place] = Person(user: user, joinedAt: self.now, lastSeen: self.now, seenCount: self.nextSeen())
        self.places.append(place)
        self.placeOfUser[user] = place
        self.totals.waiting += 1
    }

    mutating func seen(_ place: UInt64) {
        guard let person = self.people[place], person.admittedAt == nil else { return }
        guard self.now - person.lastSeen >= Line.seenStepMax else { return }
        self.people[place]!.lastSeen = self.now
        self.people[place]!.seenCount = self.nextSeen()
    }

    mutating func admit(_ place: UInt64) {
        self.people[place]!.admittedAt = self.now
        self.people[place]!.seenCount = self.nextSeen()
        self.level = self.levelNow - self.interval
        self.totals.waiting -= 1
        self.totals.admitted += 1
    }

    mutating func remove(_ place: UInt64) {
        let person = self.people.removeValue(forKey: place)!
        self.places.removeAll { $0 == place }
        self.placeOfUser[person.user] = nil
        if person.admittedAt == nil { self.totals.waiting -= 1 } else { self.totals.admitted -= 1 }
    }

    mutating func resume() { self.resumedAt = self.now }

    /// A snapshot does not keep polls: everyone waiting was last seen when they joined.
    mutating func forgetPolls() {
        for place in self.places {
            self.people[place]!.seenCount = self.nextSeen()
            self.people[place]!.lastSeen = self.people[place]!.joinedAt
        }
    }

    func order(of place: UInt64) -> UInt64 {
        1 + UInt64(self.places.count { $0 < place && self.people[$0]!.admittedAt == nil })
    }

    /// The allowed range of the time left: exact where the rate and the opening decide.
    func seconds(to order: UInt64) -> ClosedRange<UInt64> {
        guard order > 0 else { return 0...0 }
        let opening = max(0, (self.opensAt - self.now).rawValue)
        let least = Int64(order) * 1_000_000_000 / Int64(self.rules.admissionsPerSecond) + opening
        let seconds = UInt64((least + 999_999_999) / 1_000_000_000)
        guard self.rules.maxActive > 0 else { return seconds...seconds }
        // Everyone inside stays for a whole lifetime, and so does everyone after them.
        let turns = order / UInt64(self.rules.maxActive) + 2
        let most = seconds + turns * UInt64(self.rules.admittedLifetime.rawValue / 1_000_000_000)
        return seconds...most
    }

    func nextAdmission() -> UInt64? {
        guard self.levelNow >= 0 else { return nil }
        guard self.rules.maxActive == 0 || self.totals.admitted < UInt64(self.rules.maxActive) else { return nil }
        return self.places.first { self.people[$0]!.admittedAt == nil }
    }

    func firstExpired() -> UInt64? {
        guard let first = self.firstToExpire(), self.expiry(self.people[first]!) <= self.now else { return nil }
        return first
    }

    func nextExpiry() -> Timestamp? { self.firstToExpire().map { self.expiry(self.people[$0]!) } }

    private func firstToExpire() -> UInt64? {
        self.places.min { left, right in
            let (left, right) = (self.people[left]!, self.people[right]!)
            return self.urgency(left) < self.urgency(right)
        }
    }

    private func urgency(_ person: Person) -> (Timestamp, Int, Timestamp, Int) {
        let isWaiting = person.admittedAt == nil
        return (self.expiry(person), isWaiting ? 1 : 0, isWaiting ? person.lastSeen : self.now, person.seenCount)
    }

    private func expiry(_ person: Person) -> Timestamp {
        if let admittedAt = person.admittedAt { return admittedAt + self.rules.admittedLifetime }
        return max(person.lastSeen, self.resumedAt) + self.rules.waitingLifetime
    }

    private var levelNow: Int64 { min(self.level, self.slack, (self.now - self.opensAt).rawValue) }

    private mutating func nextSeen() -> Int {
        self.seenCount += 1
        return self.seenCount
    }
}
