import Booking
import Dispatch
import FoundationEssentials
import Journal
import JournalSQLite
import StandardStreams
import Wire

/// A shard with 1,000,000 people waiting in one line and 100,000 reservations of 25,000 people who are inside: its
/// catalogue, and the journal of how it came about.
enum LargeShard {
    static let waiting: UInt64 = 1_000_000
    static let inside: UInt64 = 25_000
    private static let seatsEach: UInt64 = 4
    private static let seatsOfHall: UInt64 = 50_000
    private static let factsPerBatch: UInt32 = 64

    static func catalogue() throws -> Catalogue {
        let hall = try Hall(sections: [Hall.Section(seats: 1...50_000, grade: "A", price: Won(100_000))])
        let plays = Timestamp(seconds: 1_900_000_000)
        let schedules = (1...2).map { Schedule(id: ScheduleID($0), playsAt: plays, hall: hall) }
        return try Catalogue([
            Concert(
                id: ConcertID(1),
                title: "large",
                opensAt: .distantPast,
                schedules: schedules,
                rules: ConcertRules()
            )
        ])
    }

    /// The same for a cluster. Nothing expires for a day, and almost nobody is admitted.
    private static let catalogueFile = """
        {
          "halls": [{"name": "large", "sections": [{"from": 1, "to": 50000, "grade": "A", "price": 100000}]}],
          "concerts": [{
            "id": 1, "title": "large", "opensAt": "2026-01-01 00:00:00", "hall": "large",
            "schedules": [{"id": 1, "playDateTime": "2036-01-01 19:00:00"}, {"id": 2, "playDateTime": "2036-01-02 19:00:00"}],
            "rules": {
              "admissionsPerSecond": 1, "waitingLifetimeSeconds": 86400, "admittedLifetimeSeconds": 86400,
              "holdTimeSeconds": 86400
            }
          }]
        }

        """

    /// Prepares a folder for a cluster of one shard, as if everybody had come within the last two minutes.
    static func prepare(state: String, catalogue: String) throws {
        try FileManager.default.createDirectory(
            atPath: state,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try Data(Self.catalogueFile.utf8).write(to: URL(filePath: catalogue))
        let start = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - 120)
        let facts = try Self.write(JournalFiles(state: state, shard: 0), from: start)
        CommandOutput.line("journal: \(facts) facts")
    }

    /// Writes that shard's journal, 64 facts a batch, beginning at `start`; returns the number of facts.
    static func write(_ files: JournalFiles, from start: Timestamp) throws -> UInt64 {
        let owner = try JournalOwner(files, .none)
        var bytes = FrameBytes(capacity: 1 << 16)
        var count: UInt32 = 0
        var time = start
        func flush() throws {
            guard count > 0 else { return }
            try owner.append(bytes.array, count: count, at: time)
            bytes.removeAll()
            count = 0
        }
        try Self.forEachFact(from: start) { at, fact in
            time = at
            fact.encode(into: &bytes)
            count += 1
            if count == Self.factsPerBatch { try flush() }
        }
        try flush()
        let facts = owner.journal.nextSequence - 1
        try owner.journal.close()
        return facts
    }

    /// Ten join each millisecond; the first are admitted at once and hold four seats each for a day.
    private static func forEachFact(from start: Timestamp, _ body: (Timestamp, Fact) throws -> Void) rethrows {
        let concert = ConcertID(1)
        for number in 1...(Self.inside + Self.waiting) {
            let at = start + .milliseconds(Int64(number / 10))
            let user = UserID(number * 7_919)
            try body(at, .joined(concert, user, Place(number), at: at))
            guard number <= Self.inside else { continue }
            try body(at, .admitted(concert, Place(number), at: at))
            for seat in 0..<Self.seatsEach {
                let index = (number - 1) * Self.seatsEach + seat
                let hold = Reservation(
                    id: ReservationID(SlotIDs.make(Slot(of: concert), counter: index + 1)),
                    user: user,
                    schedule: ScheduleID(index / Self.seatsOfHall + 1),
                    seat: SeatID(index % Self.seatsOfHall + 1),
                    price: Won(100_000),
                    heldAt: at,
                    until: at + .minutes(24 * 60)
                )
                try body(at, .held(concert, hold))
            }
        }
    }
}

/// Owns a journal without a loop: waits for each batch.
final class JournalOwner {
    let journal: SQLiteJournal
    private let woken: DispatchSemaphore

    init(_ files: JournalFiles, _ policy: JournalPolicy) throws {
        let woken = DispatchSemaphore(value: 0)
        self.woken = woken
        let origin = JournalOrigin(shard: 0, shardCount: 1, slotMapVersion: 1)
        self.journal = try SQLiteJournal(files, origin: origin, policy: policy) { woken.signal() }
        try self.journal.begin()
    }

    func append(_ bytes: [UInt8], count: UInt32, at time: Timestamp) throws {
        var result: Result<Void, JournalError>?
        let batch = JournalBatch(
            firstSequence: self.journal.nextSequence,
            count: count,
            time: time,
            bytes: bytes
        )
        self.journal.append(batch) { result = $0 }
        while result == nil {
            self.woken.wait()
            self.journal.drain()
        }
        try result?.get()
    }
}
