import Booking
import Testing
import Wire

@Suite struct ReplyInPlaceTests {
    @Test func `each reply of a run becomes the other one, to the same request`() throws {
        var run = FrameBytes()
        for (index, reply) in [Reply.left, .seats([.sold, .available]), .debited(Won(5))].enumerated() {
            try reply.encode(into: &run, slot: Slot(checking: UInt16(index))!, requestID: UInt64(index) + 7)
        }
        var found = FrameBytes()
        try Reply.refused(.unavailable).encode(inPlaceOf: run, into: &found)
        var expected = FrameBytes()
        for index in 0..<3 {
            let slot = Slot(checking: UInt16(index))!
            try Reply.refused(.unavailable).encode(into: &expected, slot: slot, requestID: UInt64(index) + 7)
        }
        #expect(found.array == expected.array)
    }

    @Test func `a run of no replies is refused`() throws {
        var found = FrameBytes()
        try Reply.left.encode(inPlaceOf: FrameBytes(), into: &found)
        #expect(found.array == [])
        var run = FrameBytes()
        try Control.ping.encode(into: &run, requestID: 1)
        #expect(throws: WireError.self) { try Reply.left.encode(inPlaceOf: run, into: &found) }
        var half = FrameBytes()
        try Reply.left.encode(into: &half, slot: Slot(checking: 0)!, requestID: 1)
        half.truncate(to: half.count - 1)
        #expect(throws: WireError.self) { try Reply.left.encode(inPlaceOf: half, into: &found) }
    }
}
