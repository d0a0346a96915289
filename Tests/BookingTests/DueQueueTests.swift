import Testing

@testable import Booking

@Suite struct DueQueueTests {
    private static func moment(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }

    @Test func `the earliest comes first, of two at once the lower one`() {
        var queue = DueQueue<ReservationID>()
        #expect(queue.firstAt == .distantFuture)
        for (id, at): (UInt64, Int64) in [(4, 20), (2, 10), (3, 20), (1, 30)] {
            queue.insert(ReservationID(id), at: Self.moment(at))
        }
        #expect(queue.firstAt == Self.moment(10))
        var order: [UInt64] = []
        while let first = queue.first {
            order.append(first.rawValue)
            queue.removeFirst(isStale: false)
        }
        #expect(order == [2, 3, 4, 1])
        #expect((queue.firstAt, queue.count) == (.distantFuture, 0))
    }

    @Test func `what is begun and ended again and again leaves nothing behind`() {
        var queue = DueQueue<ReservationID>()
        queue.insert(ReservationID(1_000_000), at: Self.moment(5))
        for id: UInt64 in 1...10_000 {
            queue.insert(ReservationID(id), at: Self.moment(100))
            queue.noteStale()
            if queue.needsSweep { queue.sweep { $0 == ReservationID(1_000_000) } }
            #expect(queue.count == 1)
            #expect(queue.all.count <= 130)
        }
        #expect(queue.first == ReservationID(1_000_000))
        #expect(queue.firstAt == Self.moment(5))
    }
}
