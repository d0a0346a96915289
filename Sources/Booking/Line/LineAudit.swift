import DequeModule

/// Checks, from facts alone, that one concert's line was in order: places were given one after the other, and each
/// admission was of the first person waiting.
///
///     facts in order ──take──▶ events to report, violations ──▶ result
///
/// Memory is 24 bytes for each person from the first one waiting to the last one joined: 24 MB for a million.
public struct LineAudit {
    /// What happened to one person, for a report.
    public struct Event: Equatable, Sendable {
        public enum Kind: String, Sendable { case joined, admitted, left, lapsed }
        public let kind: Kind
        public let sequence: UInt64
        public let at: Timestamp
        public let place: Place
        /// Nil for a person whose join is not among the kept facts, and for a person who was inside.
        public let user: UserID?
        /// The person's wait until admission.
        public let waited: Nanoseconds?
    }

    /// A violation of the order.
    public struct Violation: Equatable, Sendable {
        public let sequence: UInt64
        public let reason: String
    }

    private struct Person {
        let user: UserID
        let joinedAt: Timestamp
        var isWaiting = true
    }

    public let concert: ConcertID
    /// The number of the first fact; above 1 when earlier ones are not kept.
    public let firstSequence: UInt64

    /// Everyone from the first one waiting on, whose place is `frontPlace`.
    private var line: Deque<Person> = []
    private var frontPlace: UInt64 = 1
    private var lastPlace: UInt64?
    private var lastAdmitted: UInt64 = 0
    private var lastAt = Timestamp.distantPast

    public private(set) var joined: UInt64 = 0
    public private(set) var admitted: UInt64 = 0
    /// People who left or lapsed while they waited.
    public private(set) var gone: UInt64 = 0
    public private(set) var waiting: UInt64 = 0
    /// Admissions without a known join: it was before the first kept fact.
    public private(set) var admittedUnknown: UInt64 = 0
    public private(set) var firstPlace: UInt64?
    /// The first violations; `violationCount` counts all.
    public private(set) var violations: [Violation] = []
    public private(set) var violationCount: UInt64 = 0

    public static let violationsMax = 100

    public init(_ concert: ConcertID, firstSequence: UInt64) {
        self.concert = concert
        self.firstSequence = firstSequence
    }

    /// The last place given; nil before the first.
    public var newestPlace: UInt64? { self.lastPlace }

    /// Whether no fact was about this line.
    public var isEmpty: Bool { self.lastAt == .distantPast }

    /// Whether facts before the first kept one may have been about this line.
    public var isPartial: Bool { self.firstSequence > 1 && self.firstPlace != 1 }

    /// Nil for facts that are not about this line.
    public mutating func apply(_ fact: Fact, sequence: UInt64) -> Event? {
        switch fact {
        case .joined(self.concert, let user, let place, let at):
            self.note(at, sequence)
            return self.join(user, place, at, sequence)
        case .admitted(self.concert, let place, let at):
            self.note(at, sequence)
            return self.admit(place, at, sequence)
        case .left(self.concert, let place, let at):
            self.note(at, sequence)
            return Event(kind: .left, sequence: sequence, at: at, place: place, user: self.leave(place), waited: nil)
        case .lapsed(self.concert, let place, let at):
            self.note(at, sequence)
            return Event(kind: .lapsed, sequence: sequence, at: at, place: place, user: self.leave(place), waited: nil)
        default: return nil
        }
    }

    private mutating func note(_ at: Timestamp, _ sequence: UInt64) {
        if at < self.lastAt { self.violate(sequence, "its time is before that of the previous fact") }
        self.lastAt = max(self.lastAt, at)
    }

    private mutating func join(_ user: UserID, _ place: Place, _ at: Timestamp, _ sequence: UInt64) -> Event {
        if let last = self.lastPlace ?? (self.firstSequence == 1 ? 0 : nil), place.rawValue != last + 1 {
            self.violate(sequence, "place \(place) was given after place \(last)")
        }
        // A gap in the places is reported above and filled with empty entries, so that the rest is checked as well.
        if self.line.isEmpty { self.frontPlace = place.rawValue }
        let next = self.frontPlace + UInt64(self.line.count)
        if place.rawValue > next, place.rawValue - next > Self.holeMax {
            self.line.removeAll()
            self.waiting = 0
            self.frontPlace = place.rawValue
        }
        while self.frontPlace + UInt64(self.line.count) < place.rawValue {
            self.line.append(Person(user: user, joinedAt: at, isWaiting: false))
        }
        if self.frontPlace + UInt64(self.line.count) == place.rawValue {
            self.line.append(Person(user: user, joinedAt: at))
            self.waiting += 1
        }
        self.firstPlace = self.firstPlace ?? place.rawValue
        self.lastPlace = max(self.lastPlace ?? 0, place.rawValue)
        self.joined += 1
        return Event(kind: .joined, sequence: sequence, at: at, place: place, user: user, waited: nil)
    }

    /// A forged place must not cost memory for all places before it: beyond this gap the audit starts a new line.
    private static let holeMax: UInt64 = 1_000_000

    private mutating func admit(_ place: Place, _ at: Timestamp, _ sequence: UInt64) -> Event {
        let number = place.rawValue
        let isBehind = number <= self.lastAdmitted
        if isBehind {
            self.violate(sequence, "place \(number) was let in after place \(self.lastAdmitted)")
        }
        self.lastAdmitted = max(self.lastAdmitted, number)
        self.admitted += 1
        guard let index = self.index(of: place) else {
            if self.firstSequence > 1, number < self.firstPlace ?? .max {
                self.admittedUnknown += 1
            } else if !isBehind {
                self.violate(sequence, "place \(number) was let in, and was not waiting")
            }
            return Event(kind: .admitted, sequence: sequence, at: at, place: place, user: nil, waited: nil)
        }
        if index > 0 {
            self.violate(sequence, "place \(number) was let in while place \(self.frontPlace) still waited before it")
        }
        let person = self.line[index]
        self.stopWaiting(index)
        return Event(
            kind: .admitted,
            sequence: sequence,
            at: at,
            place: place,
            user: person.user,
            waited: at - person.joinedAt
        )
    }

    /// The user at the place, if they waited.
    private mutating func leave(_ place: Place) -> UserID? {
        guard let index = self.index(of: place) else { return nil }
        let user = self.line[index].user
        self.gone += 1
        self.stopWaiting(index)
        return user
    }

    /// The index of a waiting person.
    private func index(of place: Place) -> Int? {
        guard place.rawValue >= self.frontPlace else { return nil }
        let offset = place.rawValue - self.frontPlace
        guard offset < UInt64(self.line.count), self.line[Int(offset)].isWaiting else { return nil }
        return Int(offset)
    }

    /// Keeps a waiting person at the front of the line.
    private mutating func stopWaiting(_ index: Int) {
        self.line[index].isWaiting = false
        self.waiting -= 1
        while let first = self.line.first, !first.isWaiting {
            self.line.removeFirst()
            self.frontPlace += 1
        }
    }

    private mutating func violate(_ sequence: UInt64, _ reason: String) {
        self.violationCount += 1
        guard self.violations.count < Self.violationsMax else { return }
        self.violations.append(Violation(sequence: sequence, reason: reason))
    }
}
