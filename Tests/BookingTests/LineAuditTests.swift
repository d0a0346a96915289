import Testing

@testable import Booking

@Suite struct LineAuditTests {
    private static let concert = ConcertID(7)
    private static let start = Timestamp(seconds: 1_800_000_000)

    /// A history in short form: joins `1...`, admissions, departures. Each fact is a second after the one before.
    private enum Step {
        case join(UInt64)
        case admit(UInt64)
        case leave(UInt64)
        case lapse(UInt64)
    }

    private static func audit(_ steps: [Step], first: UInt64 = 1) -> (LineAudit, [LineAudit.Event]) {
        var audit = LineAudit(Self.concert, firstSequence: first)
        var events: [LineAudit.Event] = []
        for (index, step) in steps.enumerated() {
            let at = Self.start + .seconds(Int64(index))
            let fact: Fact =
                switch step {
                case .join(let place): .joined(Self.concert, UserID(place + 100), Place(place), at: at)
                case .admit(let place): .admitted(Self.concert, Place(place), at: at)
                case .leave(let place): .left(Self.concert, Place(place), at: at)
                case .lapse(let place): .lapsed(Self.concert, Place(place), at: at)
                }
            if let event = audit.apply(fact, sequence: first + UInt64(index)) { events.append(event) }
        }
        return (audit, events)
    }

    @Test func `a line that was kept in order is told, person by person`() {
        let (audit, events) = Self.audit([
            .join(1), .join(2), .admit(1), .join(3), .leave(2), .leave(1), .admit(3), .join(4), .lapse(4), .join(5),
        ])
        #expect(audit.violations == [])
        #expect((audit.joined, audit.admitted, audit.gone, audit.waiting) == (5, 2, 2, 1))
        #expect(audit.firstPlace == 1 && audit.newestPlace == 5 && !audit.isPartial)
        #expect(events.map(\.kind.rawValue).prefix(3) == ["joined", "joined", "admitted"])
        #expect(events[2].user == UserID(101) && events[2].waited == .seconds(2) && events[2].sequence == 3)
        // A person who leaves from inside is not in the line any more.
        #expect(events[4].user == UserID(102) && events[5].user == nil)
    }

    @Test func `facts of other concerts, and about other things, are nothing to it`() {
        var audit = LineAudit(Self.concert, firstSequence: 1)
        #expect(audit.apply(.joined(ConcertID(8), UserID(1), Place(9), at: Self.start), sequence: 1) == nil)
        #expect(audit.apply(.used(UserID(1), PointHistoryID(1), Won(1), at: Self.start), sequence: 2) == nil)
        #expect(audit.joined == 0 && audit.violations == [])
    }

    @Test func `who was let in past someone is named by the fact`() {
        let (audit, _) = Self.audit([.join(1), .join(2), .join(3), .admit(2), .admit(1), .admit(3)])
        #expect(audit.violations.map(\.sequence) == [4, 5])
        #expect(audit.violations[0].reason == "place 2 was let in while place 1 still waited before it")
        #expect(audit.violations[1].reason == "place 1 was let in after place 2")
    }

    @Test func `places follow each other`() {
        let (audit, _) = Self.audit([.join(1), .join(3), .join(2), .join(4), .admit(1), .admit(3), .admit(4)])
        #expect(audit.violations.map(\.sequence) == [2, 3])
        #expect(Self.audit([.join(2)]).0.violations.map(\.reason) == ["place 2 was given after place 0"])
    }

    @Test(arguments: [3, 4, 1_000_000_000_000_000] as [UInt64])
    func `a place far ahead costs no memory, and the rest is checked`(place: UInt64) {
        let (audit, _) = Self.audit([
            .join(1), .join(place), .leave(1), .admit(place), .join(place + 1), .join(place + 2), .admit(place + 2),
        ])
        #expect(audit.violations.map(\.sequence) == [2, 7])
    }

    @Test func `who never joined, or is gone, is not let in`() {
        #expect(Self.audit([.join(1), .admit(2)]).0.violations.map(\.sequence) == [2])
        #expect(Self.audit([.join(1), .leave(1), .admit(1)]).0.violations.map(\.sequence) == [3])
        #expect(Self.audit([.join(1), .admit(1), .admit(1)]).0.violations.map(\.sequence) == [3])
    }

    @Test func `time goes on`() {
        var audit = LineAudit(Self.concert, firstSequence: 1)
        _ = audit.apply(.joined(Self.concert, UserID(1), Place(1), at: Self.start), sequence: 1)
        _ = audit.apply(.admitted(Self.concert, Place(1), at: Self.start - Nanoseconds(1)), sequence: 2)
        #expect(audit.violations == [.init(sequence: 2, reason: "its time is before that of the previous fact")])
    }

    @Test func `of those who joined before what is kept, only the order is known`() {
        let (audit, events) = Self.audit([.admit(4), .join(8), .admit(6), .leave(5), .admit(8)], first: 500)
        #expect(audit.violations == [] && audit.isPartial)
        #expect((audit.joined, audit.admitted, audit.admittedUnknown) == (1, 3, 2))
        #expect(events[0].user == nil && events[4].user == UserID(108))
        #expect(
            Self.audit([.admit(4), .join(8), .admit(8), .admit(7)], first: 500).0.violations.map(\.sequence) == [503]
        )
    }

    @Test func `a line that was broken everywhere is not listed whole`() {
        let (audit, _) = Self.audit((1...300).map { .admit($0) })
        #expect(audit.violations.count == LineAudit.violationsMax && audit.violationCount == 300)
    }
}
