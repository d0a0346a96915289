import Booking
import Testing

/// A line's memory while people come and go, and its restoration from a snapshot.
@Suite struct LineMemoryTests {
    private static let start = Timestamp(seconds: 1_700_000_000)

    private func makeLine(people: Int, rules: LineRules = LineRules()) -> Line {
        var line = Line(rules: rules, hashSeed: 7)
        for user in 0..<people { self.join(&line, user: user + 1) }
        return line
    }

    private func join(_ line: inout Line, user: Int) {
        line.applyJoined(UserID(UInt64(user)), place: line.nextPlace, at: Self.start)
    }

    @Test func `two hundred thousand people cost at most 64 bytes each and stand where they should`() {
        let people = 200_000
        var line = self.makeLine(people: people)
        #expect(line.memoryBytes <= people * 64)
        #expect(line.chunkCount == people / 4_096 + 1)
        for place in stride(from: 1, through: people, by: 997) {
            let place = UInt64(place)
            if line.order(of: Place(place)) != place { Issue.record("place \(place) is not in order") }
            if line.place(of: UserID(place)) != Place(place) { Issue.record("user \(place) is not found") }
        }
        #expect(line.checkInvariants() == nil)
        for place in stride(from: 2, through: people, by: 2) { line.applyLeft(Place(UInt64(place)), at: Self.start) }
        #expect(line.order(of: Place(UInt64(people) - 1)) == UInt64(people) / 2)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `the memory of people who are gone comes back, whoever goes first`() {
        let people = 100_000
        for order in [Array(1...people), Array((1...people).reversed()), (1...people).map { $0 * 7_919 % people + 1 }] {
            var line = self.makeLine(people: people)
            for place in order { line.applyLeft(Place(UInt64(place)), at: Self.start) }
            #expect(line.chunkCount <= 1, "the chunk of the next place may stay")
            #expect(line.memoryBytes < 300_000)
            #expect(line.checkInvariants() == nil)
            self.join(&line, user: 5)
            #expect(line.place(of: UserID(5)) == Place(UInt64(people) + 1))
            #expect(line.order(of: line.place(of: UserID(5))!) == 1)
            #expect(line.checkInvariants() == nil)
        }
    }

    @Test func `a chunk in the middle goes when its last person goes`() {
        var line = self.makeLine(people: 20_000)
        #expect(line.chunkCount == 5)
        for place in 4_096..<8_191 as Range<UInt64> { line.applyLeft(Place(place), at: Self.start) }
        #expect(line.chunkCount == 5)
        line.applyLeft(Place(8_191), at: Self.start)
        #expect(line.chunkCount == 4)
        #expect(line.entry(at: Place(5_000)) == nil)
        #expect(line.order(of: Place(8_192)) == 4_096)
        #expect(line.order(of: Place(20_000)) == 20_000 - 4_096)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `one who stays while two hundred thousand come and go keeps one chunk`() {
        var line = self.makeLine(people: 1, rules: LineRules(waitingLifetime: .minutes(1_000)))
        for user in 2...200_000 {
            self.join(&line, user: user)
            line.applyLeft(Place(UInt64(user)), at: Self.start)
        }
        #expect(line.chunkCount <= 2)
        #expect(line.memoryBytes < 350_000)
        #expect(line.order(of: Place(1)) == 1)
        #expect(line.nextPlace == Place(200_001))
        #expect(line.checkInvariants() == nil)
        line.applyLeft(Place(1), at: Self.start)
        self.join(&line, user: 3)
        #expect(line.order(of: Place(200_001)) == 1)
        #expect(line.checkInvariants() == nil)
    }

    @Test func `a line restored from its people and totals is the same line`() {
        var line = self.makeLine(people: 30_000)
        for place in 1...9_000 as ClosedRange<UInt64> { line.applyAdmitted(Place(place), at: Self.start + .seconds(1)) }
        for place in 1...5_000 as ClosedRange<UInt64> { line.applyUsedUp(Place(place), at: Self.start) }
        for place in 10_000...20_000 as ClosedRange<UInt64> { line.applyLeft(Place(place), at: Self.start) }
        for place in 29_000...30_000 as ClosedRange<UInt64> { line.applyExpired(Place(place), at: Self.start) }
        let restored = self.restored(line)
        #expect(restored.checkInvariants() == nil)
        #expect(restored.totals == line.totals)
        #expect(restored.nextPlace == line.nextPlace)
        #expect(restored.nextAdmissionTime == line.nextAdmissionTime)
        #expect(restored.chunkCount <= line.chunkCount)
        for place in 0...30_001 as ClosedRange<UInt64> {
            let place = Place(place)
            if restored.entry(at: place) != line.entry(at: place) { Issue.record("\(place) is not the same") }
            if restored.order(of: place) != line.order(of: place) { Issue.record("\(place) has moved") }
        }
    }

    @Test func `an empty line that had people goes on counting after it is restored`() {
        var line = self.makeLine(people: 10_000)
        for place in 1...10_000 as ClosedRange<UInt64> { line.applyLeft(Place(place), at: Self.start) }
        var restored = self.restored(line)
        #expect(restored.checkInvariants() == nil)
        self.join(&restored, user: 1)
        #expect(restored.place(of: UserID(1)) == Place(10_001))
        #expect(restored.totals == Line.Totals(waiting: 1, left: 10_000))
        #expect(restored.checkInvariants() == nil)
    }

    /// The low 32 bits of a place wrap around at 2^32.
    @Test func `places go on past 2^32`() {
        let gone = UInt64(1) << 32 - 3
        var line = Line(
            restoring: [],
            totals: Line.Totals(left: gone),
            admissionDue: .distantPast,
            rules: LineRules(),
            hashSeed: 3
        )
        for user in 1...6 { self.join(&line, user: user) }
        #expect(line.place(of: UserID(1)) == Place(gone + 1))
        #expect(line.place(of: UserID(6)) == Place(1 << 32 + 3))
        line.seen(Place(gone + 2), at: Self.start + .seconds(5))
        line.applyAdmitted(Place(gone + 1), at: Self.start)
        line.applyLeft(Place(1 << 32), at: Self.start)
        #expect(line.order(of: Place(1 << 32 + 3)) == 4)
        #expect(line.firstExpired(at: Self.start + .minutes(30))?.user == UserID(1))
        #expect(line.checkInvariants() == nil)
        for user in [2, 5, 1, 6, 4, 3] as [UInt64] {
            if let place = line.place(of: UserID(user)) { line.applyLeft(place, at: Self.start) }
        }
        #expect(line.totals == Line.Totals(left: gone + 6))
        #expect(line.checkInvariants() == nil)
    }

    @Test func `a line with someone from 2^32 places ago is full until they go`() {
        let entry = Line.Entry(place: Place(1), user: UserID(1), joinedAt: Self.start, state: .waiting)
        var line = Line(
            restoring: [entry],
            totals: Line.Totals(waiting: 1, left: 1 << 32 - 4_098),
            admissionDue: .distantPast,
            rules: LineRules(),
            hashSeed: 3
        )
        #expect(line.isFull == true)
        #expect(line.checkInvariants() == nil)
        line.applyLeft(Place(1), at: Self.start)
        #expect(line.isFull == false)
        self.join(&line, user: 1)
        #expect(line.place(of: UserID(1)) == Place(1 << 32 - 4_096))
        #expect(line.checkInvariants() == nil)
    }

    @Test func `people out of order or miscounted cannot be restored`() async {
        await #expect(processExitsWith: .failure) {
            let entry = Line.Entry(place: Place(1), user: UserID(1), joinedAt: .distantPast, state: .waiting)
            _ = Line(
                restoring: [entry],
                totals: Line.Totals(admitted: 1),
                admissionDue: .distantPast,
                rules: LineRules(),
                hashSeed: 1
            )
        }
        await #expect(processExitsWith: .failure) {
            let later = Line.Entry(place: Place(2), user: UserID(1), joinedAt: .distantPast, state: .waiting)
            let earlier = Line.Entry(place: Place(1), user: UserID(2), joinedAt: .distantPast, state: .waiting)
            _ = Line(
                restoring: [later, earlier],
                totals: Line.Totals(waiting: 2),
                admissionDue: .distantPast,
                rules: LineRules(),
                hashSeed: 1
            )
        }
    }

    private func restored(_ line: borrowing Line) -> Line {
        var entries: [Line.Entry] = []
        line.forEachPresent { entries.append($0) }
        return Line(
            restoring: entries,
            totals: line.totals,
            admissionDue: line.admissionDue,
            rules: line.rules,
            opensAt: line.opensAt,
            hashSeed: 99
        )
    }
}
