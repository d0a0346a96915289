import Booking
import Wire

/// A shard's work on its journal at a start: reading facts from bytes, checking that they fit, applying them. The facts
/// are those of whole visits: joining, being admitted, charging points, holding a seat, paying for it.
enum ReplayBenchmark {
    struct Batch {
        let bytes: [UInt8]
        let count: Int
    }

    static func replay(_ batches: [Batch], into shard: inout Shard) throws {
        for batch in batches {
            try batch.bytes.withUnsafeBytes { bytes in
                try Fact.forEach(in: bytes, count: batch.count) { fact throws(WireError) in
                    if let misfit = shard.misfit(of: fact) { throw WireError(misfit.reason) }
                    shard.apply(fact)
                }
            }
        }
    }

    static func fresh() -> Shard {
        Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: .original(), hashSeed: 42)
    }

    /// One visit a batch: a million or fewer, until the seats run out.
    static func batches(visits: Int) -> [Batch] {
        var shard = Self.fresh()
        var now = Timestamp(seconds: 1_800_000_000)
        var requests: UInt64 = 0
        func ask(_ request: Request) -> Reply? {
            requests += 1
            return shard.decide(request, from: Shard.Origin(link: 1, request: requests), at: now)
        }
        return (0..<visits).map { visit in
            now = now + .milliseconds(25)  // 40 a second, fewer than are let in
            let concert = UInt64(visit % 8) + 1
            let user = UserID(UInt64(visit) + 1)
            let seat = UInt64(visit / 8)
            if case .joined(let joined)? = ask(.join(ConcertID(concert), user)) {
                let pass = Pass(
                    concert: ConcertID(concert),
                    user: user,
                    place: joined.place,
                    issuedAt: joined.issuedAt
                )
                now = now + .milliseconds(5)
                shard.tick(at: now)
                _ = ask(.charge(user, Won(170_000), .free))
                let schedule = ScheduleID((concert - 1) * 240 + seat / 50 % 240 + 1)
                if case .reservations(let held)? = ask(.reserve(pass, schedule, [SeatID(seat % 50 + 1)])) {
                    _ = ask(.pay(pass, held.map(\.id)))
                }
            }
            var bytes = FrameBytes()
            var count = 0
            shard.drain(
                facts: { fact in
                    fact.encode(into: &bytes)
                    count += 1
                },
                transfers: { _ in },
                lateReplies: { _ in }
            )
            return Batch(bytes: bytes.array, count: count)
        }
    }
}
