import Booking
import Foundation
import Journal
import JournalSQLite
import Seeded
import Testing
import Wire

@testable import JournalHistory

/// A shard's work written to a journal, and read back in every way there is: the state comes back byte for byte.
@Suite struct RecoveryTests {
    private let state = "/tmp/usher-r\(UInt32.random(in: 0 ... .max))"
    private static let start = Timestamp(seconds: 1_800_000_000)

    private static func fresh() -> Shard {
        Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: .original(), hashSeed: 7)
    }

    private static func snapshot(_ shard: borrowing Shard) -> [UInt8] {
        var bytes = FrameBytes()
        SnapshotBytes.encode(shard, into: &bytes)
        return bytes.array
    }

    /// A shard at work: random requests of 40 people for 8 concerts, a batch of facts after each.
    private final class Worker {
        var shard: Shard = RecoveryTests.fresh()
        var now = RecoveryTests.start
        private var passes: [Pass] = []
        private var held: [(Pass, [ReservationID])] = []
        private var random: SeededRandom
        private var requests: UInt64 = 0

        init(seed: UInt64) { self.random = SeededRandom(seed: seed) }

        /// The facts of one request or tick, encoded; nil when there are none.
        func step() -> (bytes: [UInt8], count: UInt32)? {
            self.now = self.now + .milliseconds(.random(in: 0...200, using: &self.random))
            if Int.random(in: 0..<200, using: &self.random) == 0 { self.now = self.now + .minutes(6) }
            if Int.random(in: 0..<10, using: &self.random) == 0 { self.shard.tick(at: self.now) } else { self.ask() }
            var bytes = FrameBytes()
            var count: UInt32 = 0
            self.shard.drain(
                facts: { fact in
                    fact.encode(into: &bytes)
                    count += 1
                },
                transfers: { _ in },
                lateReplies: { _ in }
            )
            return count == 0 ? nil : (bytes.array, count)
        }

        private func ask() {
            let user = UserID(.random(in: 1...40, using: &self.random))
            let concert = ConcertID(.random(in: 1...8, using: &self.random))
            let request: Request
            switch Int.random(in: 0..<7, using: &self.random) {
            case 0, 1: request = .join(concert, user)
            case 2: request = .charge(user, Won(.random(in: 1...20, using: &self.random) * 100_000), .naverPay)
            case 3:
                guard let pass = self.passes.randomElement(using: &self.random) else { return }
                request = Bool.random(using: &self.random) ? .leave(pass) : .poll(pass)
            case 4, 5:
                guard let pass = self.passes.randomElement(using: &self.random) else { return }
                let schedule = ScheduleID((pass.concert.rawValue - 1) * 240 + .random(in: 1...3, using: &self.random))
                request = .reserve(pass, schedule, [SeatID(.random(in: 1...50, using: &self.random))])
            default:
                guard let (pass, ids) = self.held.randomElement(using: &self.random) else { return }
                request = Int.random(in: 0..<4, using: &self.random) == 0 ? .release(pass, ids) : .pay(pass, ids)
            }
            self.requests += 1
            let origin = Shard.Origin(link: 1, request: self.requests)
            switch (request, self.shard.decide(request, from: origin, at: self.now)) {
            case (.join(let concert, let user), .joined(let joined)):
                self.passes.append(Pass(concert: concert, user: user, place: joined.place, issuedAt: joined.issuedAt))
            case (.reserve(let pass, _, _), .reservations(let reservations)):
                self.held.append((pass, reservations.map(\.id)))
            default: break
            }
        }
    }

    /// Works for `steps`, each batch committed; `look` may do more after each step.
    private func work(
        _ worker: Worker,
        steps: Int,
        _ look: (SQLiteJournal) throws -> Void = { _ in }
    ) throws {
        let woken = DispatchSemaphore(value: 0)
        let journal = try SQLiteJournal(self.files, origin: Self.origin, policy: .none) { woken.signal() }
        try journal.begin()
        for _ in 0..<steps {
            guard let batch = worker.step() else { continue }
            var result: Result<Void, JournalError>?
            journal.append(
                JournalBatch(
                    firstSequence: journal.nextSequence,
                    count: batch.count,
                    time: worker.now,
                    bytes: batch.bytes
                )
            ) { result = $0 }
            while result == nil {
                journal.drain()
                if result == nil { woken.wait() }
            }
            try result?.get()
            try look(journal)
        }
        try journal.close()
    }

    private static let origin = JournalOrigin(shard: 0, shardCount: 1, slotMapVersion: 1)
    private var files: JournalFiles {
        try? FileManager.default.createDirectory(atPath: self.state, withIntermediateDirectories: true)
        return JournalFiles(state: self.state, shard: 0)
    }

    private func recovered() throws -> (snapshot: [UInt8], report: Recovery.Report) {
        var shard = Self.fresh()
        let report = try Recovery.run(SQLiteArchive(self.files), into: &shard, fresh: { Self.fresh() })
        shard.checkInvariants()
        return (Self.snapshot(shard), report)
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `the state after a recovery is the state before it, byte for byte`(seed: UInt64) throws {
        defer { try? FileManager.default.removeItem(atPath: self.state) }
        let worker = Worker(seed: seed)
        for life in 0..<4 {
            try self.work(worker, steps: 400)
            let (snapshot, report) = try self.recovered()
            #expect(snapshot == Self.snapshot(worker.shard), "seed \(seed), life \(life)")
            #expect(report.facts > 0)
            guard life % 2 == 0 else { continue }
            let compacted = try Compaction.run(SQLiteArchive(self.files)) { Self.fresh() }
            #expect(compacted.sequence == report.sequence && compacted.snapshotBytes == snapshot.count)
            let again = try self.recovered()
            #expect(again.snapshot == snapshot, "seed \(seed), life \(life), from the snapshot")
            #expect(again.report.facts == 0 && again.report.sequence == report.sequence)
        }
        let findings = try JournalVerifier(self.files).verify()
        #expect(findings.hasHead && findings.snapshotSequence == findings.archivedUpTo)
    }

    @Test func `a compaction works while the owner appends`() throws {
        defer { try? FileManager.default.removeItem(atPath: self.state) }
        let worker = Worker(seed: 99)
        var steps = 0
        var compactions = 0
        try self.work(worker, steps: 1_000) { journal in
            steps += 1
            guard steps % 100 == 0 else { return }
            let report = try Compaction.run(SQLiteArchive(self.files)) { Self.fresh() }
            #expect(report.sequence == journal.nextSequence - 1)
            compactions += 1
        }
        #expect(compactions > 3)
        #expect(try self.recovered().snapshot == Self.snapshot(worker.shard))
    }

    @Test func `facts that the catalogue has no place for stop a recovery, by number`() throws {
        defer { try? FileManager.default.removeItem(atPath: self.state) }
        try self.work(Worker(seed: 5), steps: 300)
        let empty = try Catalogue([])
        func narrow() -> Shard { Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: empty, hashSeed: 7) }
        var shard = narrow()
        let error = try #require(throws: JournalError.self) {
            try Recovery.run(SQLiteArchive(self.files), into: &shard, fresh: { narrow() })
        }
        guard case .unusable(let sequence, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect((1...10).contains(sequence))
        #expect(reason.hasSuffix("has a history here, but is not in the catalogue: put it back"))
    }

    @Test func `an export says every fact in words, and what its hash is made of`() throws {
        defer { try? FileManager.default.removeItem(atPath: self.state) }
        try self.work(Worker(seed: 3), steps: 600)
        var lines: [[String: Any]] = []
        try JournalVerifier(self.files).export { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
            lines.append(object as? [String: Any] ?? ["broken": line])
        }
        let findings = try JournalVerifier(self.files).verify()
        #expect(lines.filter { $0["broken"] != nil }.isEmpty)
        #expect(lines[0]["journal"] as? String == "shard 0 of 1, slot map version 1")
        let facts = lines.filter { $0["fact"] != nil }
        #expect(facts.compactMap { $0["fact"] as? Int } == Array(1...Int(findings.facts)))
        let hashes = lines.filter { $0["batch"] != nil }.compactMap { $0["hash"] as? String }
        #expect(hashes.count == Int(findings.batches) && hashes.last == "\(findings.end.hash)")
        let words = Set(facts.compactMap { $0["what"] as? String })
        #expect(
            words.isSuperset(of: ["joined", "admitted", "charged", "held", "paymentStarted", "paymentDone", "debited"])
        )
    }

    @Test func `a fact in words`() {
        let at = Timestamp(nanoseconds: 1_800_000_000_000_000_001)
        #expect(
            Fact.joined(ConcertID(1), UserID(2), Place(3), at: at).line(sequence: 4)
                == #"{"fact":4,"at":"2027-01-15T08:00:00.000000001Z","what":"joined","concert":1,"user":2,"place":3}"#
        )
        #expect(
            Fact.charged(UserID(2), PointHistoryID(5), Won(7), .kakaoPay, at: at).line(sequence: 1)
                == #"{"fact":1,"at":"2027-01-15T08:00:00.000000001Z","what":"charged","user":2,"historyLine":5,"#
                + #""amount":7,"paymentType":"KAKAO_PAY"}"#
        )
    }
}
